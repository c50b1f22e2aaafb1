"""Every fault of a whole request: a guilty one is struck, an innocent one passes."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fractal_testnet.faults import FaultBoard, FaultSpec, parse_spec
from fractal_testnet.market.clock import ManualClock
from tests.testnet.faults.exchange import USER, Exchange, order, place, served

HUNG_UP = (httpx.RemoteProtocolError, httpx.ReadError)


@pytest.fixture
def exchange(board: FaultBoard, caplog: pytest.LogCaptureFixture) -> Iterator[Exchange]:
    """The exchange; uvicorn must have nothing to complain about at its end."""
    with caplog.at_level(logging.ERROR), served(board) as seen:
        yield seen
    assert caplog.get_records("call") == []


def fault(kind: str, **more: Any) -> FaultSpec:
    return parse_spec({"kind": kind, **more})


def test_without_faults_everything_passes(exchange: Exchange) -> None:
    assert exchange.info("meta").json()["of"] == {"type": "meta"}
    assert exchange.act(place(order())).status_code == 200


def test_dropped_request_is_hung_up_and_not_processed(
    exchange: Exchange, board: FaultBoard
) -> None:
    board.add(fault("drop_request", match={"type": "order", "role": "entry"}))

    with pytest.raises(HUNG_UP):
        exchange.act(place(order()))

    assert exchange.processed == []
    assert exchange.act(place(order(reduce=True))).status_code == 200
    assert exchange.act(place(order(trigger=True))).status_code == 200
    assert exchange.info("meta").status_code == 200


def test_dropped_response_is_hung_up_after_processing(
    exchange: Exchange, board: FaultBoard, journal: list[dict[str, Any]]
) -> None:
    board.add(fault("drop_response", match={"path": "exchange"}, count=1))

    with pytest.raises(HUNG_UP):
        exchange.act(place(order(1)))

    assert exchange.processed == [place(order(1))]
    assert exchange.act(place(order(1))).status_code == 200
    assert journal[-1]["hit"] == {
        "path": "exchange",
        "type": "order",
        "coins": ["ETH"],
        "roles": ["entry"],
    }


def test_dropped_response_waits_for_a_request_that_is_answered_200(
    exchange: Exchange, board: FaultBoard
) -> None:
    board.add(fault("drop_response", count=1))

    refused = exchange.client.post(f"{exchange.url}/exchange", content=b"{")

    assert refused.status_code == 422
    with pytest.raises(HUNG_UP):
        exchange.info("meta")


def test_hanging_up_on_a_kept_connection_leaves_the_next_request_alone(
    exchange: Exchange, board: FaultBoard
) -> None:
    board.add(fault("drop_request", count=3, skip=1))

    codes: list[int | None] = []
    for _ in range(6):
        try:
            codes.append(exchange.info("meta").status_code)
        except HUNG_UP:
            codes.append(None)

    assert codes == [200, None, None, None, 200, 200]


@pytest.mark.parametrize("processed", [False, True])
def test_latency_delays_the_guilty_at_least_so_long(
    exchange: Exchange, board: FaultBoard, processed: bool
) -> None:
    board.add(fault("latency", seconds=0.15, processed=processed, match={"type": "l2Book"}))

    begun = time.monotonic()
    exchange.info("l2Book", coin="BTC")
    guilty = time.monotonic() - begun
    begun = time.monotonic()
    exchange.info("meta")
    innocent = time.monotonic() - begun

    assert guilty >= 0.15
    assert innocent < guilty


@pytest.mark.parametrize("processed", [False, True])
def test_slow_request_is_processed_although_its_client_has_gone(
    exchange: Exchange, board: FaultBoard, processed: bool
) -> None:
    board.add(fault("latency", seconds=0.3, processed=processed, count=1))

    with pytest.raises(httpx.ReadTimeout):
        exchange.client.post(f"{exchange.url}/info", json={"type": "meta"}, timeout=0.1)

    assert bool(exchange.processed) is processed
    eventually_processed(exchange, 1)
    assert exchange.info("meta").status_code == 200


def eventually_processed(exchange: Exchange, count: int) -> None:
    deadline = time.monotonic() + 10
    while len(exchange.processed) < count:
        assert time.monotonic() < deadline, "the request was never processed"
        time.sleep(0.01)


@pytest.mark.parametrize("processed", [False, True])
def test_server_error_is_a_page_with_the_status(
    exchange: Exchange, board: FaultBoard, processed: bool
) -> None:
    board.add(fault("server_error", status=504, processed=processed, match={"path": "exchange"}))

    answer = exchange.act(place(order()))

    assert (answer.status_code, answer.headers["content-type"]) == (504, "text/html")
    assert "504 Gateway Timeout" in answer.text
    assert len(exchange.processed) == processed
    assert exchange.info("meta").status_code == 200


def test_status_without_a_name_is_sent_all_the_same(exchange: Exchange, board: FaultBoard) -> None:
    board.add(fault("server_error", status=520))

    assert exchange.info("meta").status_code == 520


@pytest.mark.parametrize("rows", [None, 0, 1, 7])
def test_malformed_answer_is_no_json_but_the_request_is_processed(
    exchange: Exchange, board: FaultBoard, rows: int | None
) -> None:
    board.add(fault("malformed", match={"type": "openOrders"}))

    answer = exchange.info("openOrders", rows=rows)

    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert len(exchange.processed) == 1
    assert exchange.info("meta", rows=rows).json() is not None


def test_unknown_order_hides_orders_and_nothing_else(exchange: Exchange, board: FaultBoard) -> None:
    board.add(fault("unknown_order", count=1))

    other = exchange.info("meta").json()
    hidden, shown = (exchange.info("orderStatus", oid=1).json() for _ in range(2))

    assert hidden == {"status": "unknownOid"}
    assert other["status"] == shown["status"] == "ok"


def test_rate_limit_refuses_what_passes_the_weight_until_the_minute_is_over(
    exchange: Exchange, board: FaultBoard, clock: ManualClock
) -> None:
    board.add(fault("rate_limit"))

    codes = [exchange.info("meta").status_code for _ in range(61)]

    assert codes == [200] * 60 + [429]
    refused = exchange.info("l2Book")
    assert (refused.status_code, refused.text) == (429, "null")
    assert len(exchange.processed) == 60
    clock.advance(60_000)
    assert exchange.info("meta").status_code == 200


def test_rate_limit_charges_the_rows_of_an_answer_afterwards(
    exchange: Exchange, board: FaultBoard
) -> None:
    board.add(fault("rate_limit", weight_per_minute=100))

    # 20 for the request, 83 for its 5,000 candles: allowed, and then too much.
    assert exchange.info("candleSnapshot", rows=5_000).status_code == 200
    assert exchange.info("allMids").status_code == 429


def test_rate_limit_weighs_and_refuses_only_what_it_matches(
    exchange: Exchange, board: FaultBoard
) -> None:
    board.add(fault("rate_limit", weight_per_minute=0, match={"type": "order"}, count=1))

    assert exchange.info("meta").status_code == 200
    assert exchange.act({"action": {"type": "cancel", "cancels": []}}).status_code == 200
    assert exchange.act(place(order())).status_code == 429
    assert exchange.act(place(order())).status_code == 200


def test_down_hangs_up_on_all_but_the_operators_and_ends_by_itself(
    exchange: Exchange, board: FaultBoard, clock: ManualClock
) -> None:
    board.add(fault("down", for_seconds=30))

    for path in ("/info", "/exchange", "/other", "/nowhere"):
        with pytest.raises(HUNG_UP):
            exchange.client.post(exchange.url + path, json={})
    assert exchange.client.get(f"{exchange.url}/health").status_code == 200
    shown = exchange.client.get(f"{exchange.url}/admin/faults").json()
    assert (shown["faults"][0]["state"], shown["faults"][0]["hits"]) == ("active", 4)
    assert exchange.processed == []

    clock.advance(30_000)
    assert exchange.info("meta").status_code == 200


def test_request_that_is_held_back_when_the_exchange_goes_down_is_lost(
    exchange: Exchange, board: FaultBoard, clock: ManualClock
) -> None:
    board.add(fault("down", for_seconds=30, after_seconds=5))
    board.add(fault("latency", seconds=0.3))
    caught: list[Exception] = []

    def ask() -> None:
        try:
            httpx.post(f"{exchange.url}/info", json={"type": "meta"}, timeout=10, trust_env=False)
        except HUNG_UP as error:
            caught.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    deadline = time.monotonic() + 10
    while board.faults[1].hits == 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    clock.advance(5_000)
    asking.join(10)

    assert len(caught) == 1
    assert exchange.processed == []


def test_fault_of_one_user_asks_who_signed(board: FaultBoard) -> None:
    def user_of(body: object) -> str | None:
        return str(body["user"]) if isinstance(body, dict) and "user" in body else None

    with served(board, user_of) as exchange:
        board.add(fault("server_error", match={"user": USER.upper().replace("X", "x")}))

        assert exchange.act({**place(order()), "user": USER}).status_code == 502
        assert exchange.act({**place(order()), "user": "0x" + "00" * 20}).status_code == 200
        assert exchange.act(place(order())).status_code == 200
        assert exchange.info("openOrders", user=USER.lower()).status_code == 502
        assert exchange.info("openOrders", user="0x" + "00" * 20).status_code == 200


def test_garbage_passes_to_the_exchange_which_refuses_it(
    exchange: Exchange, board: FaultBoard
) -> None:
    board.add(fault("drop_request", match={"type": "order"}))

    for body in (b"", b"{", b"[" * 100_000, b"\xff\xfe", b"[1]", b'{"action": {"orders": 3}}'):
        code = exchange.client.post(f"{exchange.url}/exchange", content=body).status_code
        assert code in (200, 422)
    assert exchange.client.get(f"{exchange.url}/exchange").status_code == 405


def test_body_beyond_a_megabyte_is_refused(exchange: Exchange, board: FaultBoard) -> None:
    board.add(fault("drop_request", match={"type": "order"}))

    answer = exchange.client.post(f"{exchange.url}/info", content=b" " * 1_000_001)

    assert answer.status_code == 413
    assert exchange.info("meta").status_code == 200
