"""Adding faults to a running exchange, by its endpoint and by `fractal testnet fault`."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from fractal_ops.commands.testnet_fault import app
from fractal_testnet.faults import FaultBoard
from fractal_testnet.market.clock import ManualClock
from tests.testnet.faults.exchange import Exchange, served


@pytest.fixture
def exchange(board: FaultBoard) -> Iterator[Exchange]:
    with served(board) as seen:
        yield seen


def admin(exchange: Exchange, method: str, path: str = "", **more: Any) -> httpx.Response:
    return exchange.client.request(method, f"{exchange.url}/admin/faults{path}", **more)


def fractal(exchange: Exchange, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--url", exchange.url], env={"COLUMNS": "200"})


def test_added_fault_is_listed_with_its_hits_and_removed(
    exchange: Exchange, clock: ManualClock
) -> None:
    spec = {"kind": "server_error", "match": {"type": "meta"}, "count": 1, "for_seconds": 9}
    made = admin(exchange, "POST", json=spec)
    exchange.info("meta")

    assert made.status_code == 201
    number = made.json()["id"]
    (shown,) = admin(exchange, "GET").json()["faults"]
    assert (shown["id"], shown["hits"], shown["seen"], shown["state"]) == (number, 1, 1, "spent")
    assert shown["end_ms"] == clock.now_ms() + 9_000
    assert shown["spec"] == spec | {"status": 502, "processed": False}
    assert admin(exchange, "DELETE", f"/{number}").json() == {"removed": 1}
    assert admin(exchange, "DELETE", f"/{number}").status_code == 404
    assert exchange.info("meta").status_code == 200


@pytest.mark.parametrize("path", ["/0", "/x", "/-1", "/٣", "/" + "9" * 4000])
def test_removing_what_is_no_fault_is_a_clear_404(exchange: Exchange, path: str) -> None:
    answer = admin(exchange, "DELETE", path)

    assert answer.status_code == 404
    assert "there is no fault" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "body is not JSON"),
        (b"[" * 100_000, "body is not JSON"),
        (b"[]", "fault is list"),
        (b'{"kind": "reject"}', "reason is missing: reject needs it"),
        (b'{"kind": "malformed", "count": NaN}', "count is nan"),
        (b'{"kind": "stale_candles", "coins": ["DOGE"]}', "does not trade here"),
        (b" " * 1_000_001, "longer than"),
    ],
)
def test_bad_fault_is_refused_in_words(exchange: Exchange, body: bytes, text: str) -> None:
    answer = admin(exchange, "POST", content=body)

    assert answer.status_code == 422
    assert text in answer.json()["detail"]
    assert admin(exchange, "GET").json()["faults"] == []


@pytest.mark.parametrize(
    ("method", "path"), [("POST", ""), ("GET", ""), ("DELETE", "/1"), ("DELETE", "")]
)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
def test_web_page_is_refused(exchange: Exchange, method: str, path: str, origin: str) -> None:
    admin(exchange, "POST", json={"kind": "malformed"})

    answer = admin(exchange, method, path, json={"kind": "malformed"}, headers={"Origin": origin})

    assert answer.status_code == 403
    assert "web pages" in answer.json()["detail"]
    assert len(admin(exchange, "GET").json()["faults"]) == 1


def test_command_adds_lists_and_clears(exchange: Exchange, board: FaultBoard) -> None:
    assert "no faults" in fractal(exchange, "list").output
    match = "path=exchange, type=order,role=entry,coin=ETH"

    added = fractal(
        exchange, "add", "drop_response", "--match", match, "--probability", "0.5",
        "--count", "2", "--skip", "1", "--after", "3", "--for", "60", "--seed", "4",
    )  # fmt: skip

    assert added.exit_code == 0, added.output
    assert added.output.startswith("fault 1 added: drop_response path=exchange type=order")
    assert board.faults[0].spec.shown() == {
        "kind": "drop_response",
        "match": {"path": "exchange", "type": "order", "role": "entry", "coin": "ETH"},
        "probability": 0.5,
        "count": 2,
        "skip": 1,
        "after_seconds": 3.0,
        "for_seconds": 60.0,
        "seed": 4,
    }
    listed = fractal(exchange, "list")
    assert "waiting" in listed.output
    assert "drop_response" in listed.output
    assert json.loads(fractal(exchange, "list", "--json").output)["faults"][0]["id"] == 1
    assert fractal(exchange, "clear", "1").output == "1 fault removed\n"
    assert fractal(exchange, "clear").output == "0 faults removed\n"


@pytest.mark.parametrize(
    ("words", "key", "value"),
    [
        (("latency", "--seconds", "2", "--processed"), "processed", True),
        (("latency", "--seconds", "2.5"), "seconds", 2.5),
        (("server_error", "--status", "503"), "status", 503),
        (("reject", "--reason", "reduce_only"), "reason", "reduce_only"),
        (("partial_fill", "--ratio", "0.25"), "ratio", 0.25),
        (("clock_offset", "--offset", "-90"), "offset_seconds", -90.0),
        (("stale_candles", "--coins", "BTC, ETH"), "coins", ("BTC", "ETH")),
        (("missing_candle", "--interval", "15m"), "interval", "15m"),
        (("rate_limit", "--weight", "0"), "weight_per_minute", 0),
    ],
)
def test_command_passes_the_kinds_own_options(
    exchange: Exchange, board: FaultBoard, words: tuple[str, ...], key: str, value: object
) -> None:
    done = fractal(exchange, "add", *words)

    assert done.exit_code == 0, done.output
    assert getattr(board.faults[0].spec, key) == value


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("add", "slow"), "KIND is 'slow': it must be 'latency'"),
        (("add", "down"), "--for is missing: down needs it"),
        (("add", "malformed", "--weight", "3"), "--weight is not for malformed"),
        (("add", "malformed", "--match", "rolle=entry"), "--match rolle is unknown: did you"),
        (("add", "malformed", "--match", "entry"), "write key=value"),
        (("add", "malformed", "--match", "coin=BTC,coin=ETH"), "holds coin twice"),
        (("add", "malformed", "--match", "coin=DOGE"), "DOGE"),
        (("clear", "7"), "there is no fault '7'"),
    ],
)
def test_command_refuses_in_words_with_status_2(
    exchange: Exchange, words: tuple[str, ...], text: str
) -> None:
    done = fractal(exchange, *words)

    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")
    assert text in done.stderr


def test_exchange_that_is_not_there_is_an_error_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = CliRunner().invoke(app, ["list", "--url", f"http://127.0.0.1:{port}"])

    assert done.exit_code == 2
    assert "start it with `fractal testnet`" in done.stderr


@pytest.mark.parametrize("url", ["file:///etc/passwd", "127.0.0.1:8484", "http://[", "http://a b"])
def test_url_that_is_none_is_an_error(url: str) -> None:
    done = CliRunner().invoke(app, ["list", "--url", url])

    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")
    assert "--url" in done.stderr


@pytest.mark.parametrize("path", ["/other", "/health"])
def test_server_that_takes_no_faults_is_named(exchange: Exchange, path: str) -> None:
    done = CliRunner().invoke(app, ["list", "--url", exchange.url + path])

    assert done.exit_code == 2
    assert "is no loopback exchange" in done.stderr
