"""The real `fractal testnet` process, with ccxt as its client."""

import asyncio
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import ccxt
import ccxt.pro
import httpx
import pytest

from tests.kit import ProcessRunner, RunningProcess

FRACTAL = Path(sys.executable).with_name("fractal")


def options(url: str) -> dict[str, object]:
    ws = {"public": f"{url.replace('http', 'ws')}/ws"}
    return {"urls": {"test": {"public": url, "private": url, "ws": ws}}}


def address(process: RunningProcess) -> str:
    process.wait_for_output("ready at ", 60)
    found = re.search(r"ready at (http://127\.0\.0\.1:\d+):", process.output())
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    runner = ProcessRunner(tmp_path_factory.mktemp("exchange"))
    process = runner.start([FRACTAL, "testnet", "--port", "0", "--seed", "3"])
    yield address(process)
    assert "Traceback" not in process.output()
    runner.close()


@pytest.fixture(scope="module")
def exchange(url: str) -> ccxt.hyperliquid:
    client = ccxt.hyperliquid(options(url))
    client.set_sandbox_mode(True)
    client.load_markets()
    return client


def post(url: str, body: bytes) -> tuple[int, str]:
    answer = httpx.post(f"{url}/info", content=body, headers={"Content-Type": "application/json"})
    return answer.status_code, answer.text


def test_health_tells_seed_clock_and_kind_of_market(url: str) -> None:
    health = httpx.get(f"{url}/health").json()

    assert (health["status"], health["seed"], health["market"]) == ("ok", 3, "synthetic")
    assert health["speed"] == 1.0
    assert health["now_ms"] > 1_700_000_000_000


def test_ccxt_reads_markets_with_the_venues_rules(exchange: ccxt.hyperliquid) -> None:
    market = exchange.market("BTC/USDC:USDC")

    assert (market["precision"]["amount"], market["limits"]["leverage"]["max"]) == (1e-5, 40)
    assert market["limits"]["cost"]["min"] == 10
    assert "KPEPE/USDC:USDC" in exchange.markets


def test_ccxt_reads_candles_book_tickers_funding_and_status(exchange: ccxt.hyperliquid) -> None:
    symbol = "ETH/USDC:USDC"
    candles = exchange.fetch_ohlcv(symbol, "2h", limit=5000)
    book = exchange.fetch_order_book(symbol)
    ticker = exchange.fetch_tickers([symbol])[symbol]
    funding = exchange.fetch_funding_rate_history(symbol, limit=24)
    rate = exchange.fetch_funding_rate(symbol)

    assert len(candles) >= 4_999
    assert len(book["bids"]) == len(book["asks"]) == 20
    assert book["bids"][0][0] < book["asks"][0][0]
    assert ticker["bid"] == pytest.approx(candles[-1][4], rel=0.01)
    assert len(funding) == 24
    assert rate["markPrice"] == pytest.approx(candles[-1][4], rel=0.01)
    assert exchange.fetch_status()["status"] == "ok"
    assert exchange.fetch_time() > candles[-1][0]


def test_ccxt_pro_watches_candles_book_and_trades(url: str) -> None:
    async def watch() -> tuple[list, list, dict, list]:
        client = ccxt.pro.hyperliquid(options(url))
        client.set_sandbox_mode(True)
        try:
            async with asyncio.timeout(30):
                await client.load_markets()
                first = await client.watch_ohlcv("BTC/USDC:USDC", "1m")
                second = await client.watch_ohlcv("BTC/USDC:USDC", "1m")
                book = await client.watch_order_book("BTC/USDC:USDC")
                trades = await client.watch_trades("BTC/USDC:USDC")
                await client.un_watch_ohlcv("BTC/USDC:USDC", "1m")
        finally:
            await client.close()
        return first, second, dict(book), trades

    first, second, book, trades = asyncio.run(watch())

    assert second[-1][0] >= first[-1][0]
    assert first[-1][3] <= first[-1][4] <= first[-1][2]
    assert book["bids"][0][0] < book["asks"][0][0]
    assert trades[-1]["amount"] > 0


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (b'{"type":"nope"}', 422, "Failed to deserialize the JSON body into the target type"),
        (b"\xff\x00not json", 422, "Failed to deserialize the JSON body into the target type"),
        (b"[" * 100_000, 422, "Failed to deserialize the JSON body into the target type"),
        (b'{"type":"l2Book","coin":"NOPE"}', 500, "null"),
        (b'"' + b"x" * 1_100_000 + b'"', 413, "length limit exceeded"),
    ],
)
def test_bad_body_is_refused_and_the_exchange_lives(
    url: str, body: bytes, status: int, text: str
) -> None:
    assert post(url, body) == (status, text)
    assert post(url, b'{"type":"exchangeStatus"}')[0] == 200


def test_busy_port_is_one_clear_line_and_status_2(url: str, processes: ProcessRunner) -> None:
    port = url.rpartition(":")[2]

    process = processes.start([FRACTAL, "testnet", "--port", port])

    assert process.wait(60) == 2
    assert process.output().startswith(f"error: port {port} on 127.0.0.1 is taken")
    assert "--port" in process.output()
    assert len(process.output().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--start", "2025-01-01"], "--start only fits recorded candles: add --replay DIR"),
        (["--replay", "."], "--replay needs to know which recorded day is now: add --start"),
        (["--replay", "nowhere", "--start", "2025-01-01"], "nowhere/futures is not a folder"),
        (["--replay", ".", "--start", "someday"], "--start 'someday' is no date: write it as"),
        (["--speed", "0"], "speed is 0.0: give a number above 0"),
    ],
)
def test_bad_option_is_one_clear_line_and_status_2(
    arguments: list[str], text: str, processes: ProcessRunner
) -> None:
    process = processes.start([FRACTAL, "testnet", "--port", "0", *arguments])

    assert process.wait(60) == 2
    assert process.output().startswith(f"error: {text}")
    assert len(process.output().splitlines()) == 1


def test_exchange_ends_cleanly_on_sigterm(processes: ProcessRunner) -> None:
    process = processes.start([FRACTAL, "testnet", "--port", "0"])
    address(process)

    process.popen.terminate()

    assert process.wait(15) in {0, -15}
    assert "Traceback" not in process.output()
