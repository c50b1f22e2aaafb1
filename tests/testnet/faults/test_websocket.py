"""Faults of WebSocket sessions, seen by a real client."""

import json
import logging
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.sync.client import ClientConnection, connect

from fractal_testnet.faults import FaultBoard, parse_spec
from fractal_testnet.market.clock import ManualClock
from tests.kit import eventually
from tests.testnet.faults.exchange import Exchange, served


@pytest.fixture
def exchange(board: FaultBoard, caplog: pytest.LogCaptureFixture) -> Iterator[Exchange]:
    with caplog.at_level(logging.ERROR), served(board) as seen:
        yield seen
    assert caplog.get_records("call") == []


def joined(exchange: Exchange) -> ClientConnection:
    return connect(exchange.url.replace("http", "ws") + "/ws", proxy=None)


def is_closed(socket: ClientConnection) -> bool:
    try:
        socket.recv(timeout=0.05)
    except TimeoutError:
        return False
    except ConnectionClosed:
        return True
    return False


def heard_until_pong(socket: ClientConnection) -> list[tuple[str, str | None]]:
    """Return what came before the answer to a ping."""
    socket.send("ping")
    heard = []
    while (message := json.loads(socket.recv(timeout=10)))["channel"] != "pong":
        heard.append((message["channel"], message.get("coin")))
    return heard


def test_closing_ends_open_sessions_and_lets_new_ones_in(
    exchange: Exchange, board: FaultBoard
) -> None:
    with joined(exchange) as before:
        before.recv(timeout=10)
        board.add(parse_spec({"kind": "ws_close"}))

        eventually(lambda: is_closed(before), what="the close")

        with joined(exchange) as after:
            assert [json.loads(after.recv(timeout=10))["channel"] for _ in range(7)]
    assert board.faults[0].hits == 1


def test_closing_by_count_spares_the_next_session(exchange: Exchange, board: FaultBoard) -> None:
    with joined(exchange) as first, joined(exchange) as second:
        first.recv(timeout=10)
        second.recv(timeout=10)
        board.add(parse_spec({"kind": "ws_close", "count": 1}))

        eventually(lambda: is_closed(first) or is_closed(second), what="one close")

        assert [is_closed(first), is_closed(second)].count(True) == 1


@pytest.mark.parametrize("kind", ["ws_close", "down"])
def test_while_it_lasts_new_sessions_are_hung_up_on(
    exchange: Exchange, board: FaultBoard, clock: ManualClock, kind: str
) -> None:
    with joined(exchange) as before:
        before.recv(timeout=10)
        board.add(parse_spec({"kind": kind, "for_seconds": 60}))
        eventually(lambda: is_closed(before), what="the close")

        for _ in range(2):
            with pytest.raises((InvalidHandshake, InvalidMessage, EOFError, OSError)):
                joined(exchange)

    clock.advance(60_000)
    with joined(exchange) as after:
        assert after.recv(timeout=10)


def test_session_is_closed_though_the_outage_was_over_before_it_asked(
    board: FaultBoard, clock: ManualClock
) -> None:
    session = board.open_session()
    board.add(parse_spec({"kind": "ws_close", "after_seconds": 5, "for_seconds": 1}))

    assert not session.closed()
    clock.advance(60_000)
    later = board.open_session()

    assert session.closed()
    assert not later.closed()


def test_session_opened_in_the_moment_of_the_fault_lives(board: FaultBoard) -> None:
    before = board.open_session()
    board.add(parse_spec({"kind": "ws_close"}))
    after = board.open_session()

    assert before.closed()
    assert not after.closed()


def test_silence_swallows_the_stream_but_answers_pings(
    exchange: Exchange, board: FaultBoard
) -> None:
    with joined(exchange) as socket:
        socket.recv(timeout=10)
        board.add(parse_spec({"kind": "ws_silent", "match": {"type": "candle", "coin": "BTC"}}))
        heard_until_pong(socket)  # what was under way

        heard: set[tuple[str, str | None]] = set()
        while len(heard) < 2:
            heard.update(heard_until_pong(socket))

        assert heard == {("candle", "ETH"), ("trades", "BTC")}


def test_silence_is_recorded_once_for_each_stream(
    board: FaultBoard, journal: list[dict[str, object]]
) -> None:
    board.add(parse_spec({"kind": "ws_silent"}))
    session = board.open_session()

    assert all(session.silent("candle", "BTC") for _ in range(100))
    assert session.silent("allMids")

    assert [entry["event"] for entry in journal] == ["fault_added", "fault", "fault"]


def test_silence_ends_with_its_schedule(board: FaultBoard, clock: ManualClock) -> None:
    session = board.open_session()
    board.add(parse_spec({"kind": "ws_silent", "after_seconds": 1, "for_seconds": 2}))

    heard = []
    for _ in range(4):
        heard.append(not session.silent("candle", "BTC"))
        clock.advance(1_000)

    assert heard == [True, False, False, True]
