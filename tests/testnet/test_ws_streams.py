"""`/ws`: subscriptions, what they send, and how the venue refuses."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from fractal_testnet.faults import FaultBoard
from fractal_testnet.market import PathMarket
from fractal_testnet.market.clock import ManualClock
from fractal_testnet.market.intervals import INTERVALS_MS, open_ms
from fractal_testnet.wire.errors import malformed
from fractal_testnet.wire.info import InfoRouter
from fractal_testnet.wire.subscriptions import subscription_of
from fractal_testnet.wire.venue import Venue
from fractal_testnet.wire.ws import Session
from tests.testnet.serving import served

NOW_MS = 1_795_433_417_123


class NoSocket:
    """Stands for a connection where only direct answers are looked at."""


def session_on(venue: Venue) -> Session:
    board = FaultBoard(1, venue.clock, lambda row: None, [])

    def no_actions(payload: object) -> dict[str, Any]:
        raise malformed("no actions here")

    return Session(
        NoSocket(),  # type: ignore[arg-type]
        venue,
        InfoRouter(venue),
        60.0,
        0.5,
        actions=no_actions,
        streams={},
        faults=board.open_session(),
    )


@pytest.fixture
def session(venue: Venue) -> Session:
    return session_on(venue)


def ask(session: Session, message: object) -> Any:
    (answer,) = session.answers(json.dumps(message))
    return answer


CANDLE = {"type": "candle", "coin": "BTC", "interval": "1m"}


def test_ping_is_answered(session: Session) -> None:
    assert ask(session, {"method": "ping"}) == {"channel": "pong"}


def test_subscribe_and_unsubscribe_are_confirmed(session: Session) -> None:
    for method in ("subscribe", "unsubscribe", "subscribe"):
        assert ask(session, {"method": method, "subscription": CANDLE}) == {
            "channel": "subscriptionResponse",
            "data": {"method": method, "subscription": CANDLE},
        }


def test_second_subscription_is_refused_in_words_ccxt_knows(session: Session) -> None:
    ask(session, {"method": "subscribe", "subscription": CANDLE})

    answer = ask(session, {"method": "subscribe", "subscription": CANDLE})

    assert answer["channel"] == "error"
    assert answer["data"].startswith("Already subscribed")


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"method": "subscribe", "subscription": {"type": "candle"}}, "Invalid subscription"),
        ({"method": "subscribe", "subscription": {**CANDLE, "coin": "NO"}}, "Invalid subscr"),
        ({"method": "unsubscribe", "subscription": CANDLE}, "Already unsubscribed"),
        ({"type": "allMids"}, "Error parsing JSON into valid websocket request"),
        ("ping", "Error parsing JSON into valid websocket request"),
    ],
)
def test_bad_message_gets_the_error_channel(session: Session, message: object, text: str) -> None:
    answer = ask(session, message)

    assert answer["channel"] == "error"
    assert answer["data"].startswith(text)


def test_post_of_an_info_request_is_answered_with_its_id(session: Session) -> None:
    request = {"type": "info", "payload": {"type": "exchangeStatus"}}

    answer = ask(session, {"method": "post", "id": 5, "request": request})

    assert answer["data"]["id"] == 5
    assert answer["data"]["response"]["payload"]["data"]["time"] == NOW_MS


@given(text=st.text() | st.dictionaries(
    st.sampled_from(["method", "subscription", "request", "id"]),
    st.sampled_from(["ping", "subscribe", "post", {}, {"type": []}, {"type": "info"}, None, 1]),
).map(json.dumps))  # fmt: skip
def test_no_message_breaks_a_session(market: PathMarket, text: str) -> None:
    venue = Venue(market, ManualClock(NOW_MS))
    session = session_on(venue)

    assert json.dumps(session.answers(text))


def test_candle_stream_sends_each_closed_candle_in_full(
    venue: Venue, clock: ManualClock, market: PathMarket
) -> None:
    stream = subscription_of(venue, CANDLE)
    (first,) = stream.due(clock.now_ms())
    assert stream.due(clock.now_ms()) == []  # nothing new, nothing sent

    clock.advance(3 * 60_000)
    sent = [message["data"] for message in stream.due(clock.now_ms())]

    opened = open_ms("1m", NOW_MS)
    assert first["data"]["t"] == opened
    assert [row["t"] for row in sent] == [opened + i * 60_000 for i in range(4)]
    final = market.candles("BTC", "1m", opened, opened + 2 * 60_000, clock.now_ms())
    assert [float(row["c"]) for row in sent[:3]] == final.c.tolist()
    assert [float(row["v"]) for row in sent[:3]] == pytest.approx(final.v.tolist())


def test_trade_stream_sends_no_print_twice(venue: Venue, clock: ManualClock) -> None:
    stream = subscription_of(venue, {"type": "trades", "coin": "BTC"})
    seen: list[int] = []
    for _ in range(20):
        for message in stream.due(clock.now_ms()):
            seen.extend(row["tid"] for row in message["data"])
        clock.advance(1_700)

    assert len(seen) == len(set(seen)) > 10


@pytest.mark.parametrize("kind", ["l2Book", "activeAssetCtx", "allMids"])
def test_state_stream_sends_only_changes(venue: Venue, clock: ManualClock, kind: str) -> None:
    stream = subscription_of(venue, {"type": kind, "coin": "BTC"})

    assert len(stream.due(clock.now_ms())) == 1
    assert stream.due(clock.now_ms()) == []
    clock.advance(INTERVALS_MS["15m"])
    assert len(stream.due(clock.now_ms())) == 1


def test_silent_client_is_let_go_and_a_talking_one_is_not(
    market: PathMarket, clock: ManualClock
) -> None:
    with (
        served(market, clock, idle_seconds=0.5) as address,
        connect(f"ws://{address}/ws") as talking,
        connect(f"ws://{address}/ws") as silent,
    ):
        for _ in range(4):
            talking.send(json.dumps({"method": "ping"}))
            assert json.loads(talking.recv(5)) == {"channel": "pong"}
            try:
                silent.recv(0.25)
            except TimeoutError:
                continue
            except ConnectionClosed:
                break
        else:
            with pytest.raises(ConnectionClosed):
                silent.recv(5)
        talking.send(json.dumps({"method": "ping"}))
        assert json.loads(talking.recv(5)) == {"channel": "pong"}


def test_client_that_leaves_amid_a_stream_harms_no_other(
    market: PathMarket, clock: ManualClock
) -> None:
    with (
        served(market, clock, push_seconds=0.001) as address,
        connect(f"ws://{address}/ws") as staying,
    ):
        with connect(f"ws://{address}/ws") as leaving:
            leaving.send(json.dumps({"method": "subscribe", "subscription": CANDLE}))
            leaving.recv(5)
        clock.advance(5_000)
        staying.send(json.dumps({"method": "subscribe", "subscription": CANDLE}))
        assert json.loads(staying.recv(5))["channel"] == "subscriptionResponse"
        assert json.loads(staying.recv(5))["channel"] == "candle"
