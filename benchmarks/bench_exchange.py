"""Measure the loopback exchange: answers under load, and memory over many orders.

``python benchmarks/bench_exchange.py`` starts `fractal testnet` pinned to one core and sends it a
mixed 300 requests a second from another one, at fixed moments (a late answer does not delay the
next question), then sends 100,000 orders through the request handler in this process and looks
at its memory. Every answer is checked. ``--write`` stores what was measured in
benchmarks/results/exchange.md.
"""

import argparse
import asyncio
import gc
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

PROJECT_ROOT = Path(__file__).resolve().parents[1]
if str(PROJECT_ROOT) not in sys.path:
    sys.path.insert(0, str(PROJECT_ROOT))

import ccxt  # noqa: E402
import httpx  # noqa: E402

from fractal_ops.drills.processes import BIN, free_port  # noqa: E402
from fractal_testnet.account.exchange import Exchange  # noqa: E402
from fractal_testnet.market import PathMarket  # noqa: E402
from fractal_testnet.market.clock import ManualClock  # noqa: E402
from fractal_testnet.market.synthetic import SyntheticSource  # noqa: E402
from fractal_testnet.wire.eth import Account  # noqa: E402
from fractal_testnet.wire.exchange import ExchangeRouter  # noqa: E402
from fractal_testnet.wire.venue import Venue  # noqa: E402

RATE = 300
LIMIT_P99_MS = 50.0
ORDERS = 100_000
LIMIT_GROWTH = 0.05
RESULTS = PROJECT_ROOT / "benchmarks" / "results" / "exchange.md"
KEY = Account.from_key("0x" + "77" * 32)
BTC = "BTC/USDC:USDC"
WARM_UP_SECONDS = 3.0


def client(url: str) -> Any:
    """Return a ccxt client that only makes and signs requests."""
    urls = {"test": {"public": url, "private": url}}
    made = ccxt.hyperliquid(
        {
            "walletAddress": KEY.address,
            "privateKey": KEY.key.hex(),
            "sandbox": True,
            "enableRateLimit": False,
            "urls": urls,
        }
    )
    made.options["approvedBuilderFee"] = False
    return made


def bodies(url: str, count: int) -> list[tuple[str, bytes]]:
    """Make a bot's mix of requests: half actions, half questions, signed beforehand."""
    made = client(url)
    made.load_markets()
    price = float(made.price_to_precision(BTC, made.fetch_ticker(BTC)["last"] * 0.95))
    user = {"user": KEY.address}
    now = int(time.time() * 1000)
    questions = [
        {"type": "clearinghouseState", **user},
        {"type": "frontendOpenOrders", **user},
        {"type": "l2Book", "coin": "BTC"},
        {"type": "orderStatus", **user, "oid": 1_000_000_001},
        {"type": "userFillsByTime", **user, "startTime": now},
        {
            "type": "candleSnapshot",
            "req": {
                "coin": "ETH",
                "interval": "5m",
                "startTime": now - 20 * 300_000,
                "endTime": now + 3_600_000,
            },
        },
    ]
    requests: list[tuple[str, bytes]] = []
    for number in range(count):
        if number % 2:
            question = questions[number // 2 % len(questions)]
            requests.append(("/info", json.dumps(question).encode()))
            continue
        turn = number // 2 % 4
        if turn == 3:
            # Both that rest, so that the account has a bot's few open orders.
            cloids = [f"0x{number - back:032x}" for back in (6, 2)]
            made.options["lastNonce"] = now + number
            body = made.cancel_orders_request([], BTC, {"clientOrderId": cloids})
        else:
            size, side = 0.001, "buy"
            limit = price if turn != 1 else price * 1.2  # every fourth one takes
            order = {
                "symbol": BTC,
                "type": "limit",
                "side": side if turn != 1 else ("sell" if number // 8 % 2 else "buy"),
                "amount": size,
                "price": limit if turn != 1 or not number // 8 % 2 else price * 0.9,
                "params": {"clientOrderId": f"0x{number:032x}"},
            }
            made.options["lastNonce"] = now + number
            body = made.create_orders_request([order], {})
        requests.append(("/exchange", json.dumps(body).encode()))
    return requests


async def load(port: int, requests: list[tuple[str, bytes]], rate: float) -> list[float]:
    """Send requests at fixed moments over a pool of connections; return latencies in ms."""
    idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(16):
        idle.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    latencies: list[float] = []

    async def one(path: str, body: bytes, due: float) -> None:
        reader, writer = await idle.get()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        status = await reader.readline()
        length = 0
        while (line := await reader.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        answer = await reader.readexactly(length)
        latencies.append((time.perf_counter() - due) * 1000)
        if b" 200 " not in status or b'"status":"err"' in answer:
            raise RuntimeError(f"{path} answered {status!r}: {answer[:300]!r}")
        idle.put_nowait((reader, writer))

    start = time.perf_counter() + 0.1
    tasks = []
    for number, (path, body) in enumerate(requests):
        due = start + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(path, body, due)))
    await asyncio.gather(*tasks)
    return latencies[round(WARM_UP_SECONDS * rate) :]


def measure_load(seconds: float) -> dict[str, float]:
    """Start the exchange on one core and load it from another."""
    port = free_port()
    cores = sorted(os.sched_getaffinity(0))
    command = [str(BIN / "fractal"), "testnet", "--port", str(port)]
    server = subprocess.Popen(  # noqa: S603  # our own command
        command,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {cores[0]}),
    )
    try:
        if server.stdout is None or "ready at" not in server.stdout.readline():
            raise RuntimeError("the exchange did not start")
        os.sched_setaffinity(0, set(cores[1:]) or {cores[0]})
        url = f"http://127.0.0.1:{port}"
        fund = {"user": KEY.address, "amount": "1000000"}
        httpx.post(f"{url}/admin/fund", json=fund).raise_for_status()
        requests = bodies(url, round((seconds + WARM_UP_SECONDS) * RATE))
        latencies = asyncio.run(load(port, requests, RATE))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)
        os.sched_setaffinity(0, set(cores))
    latencies.sort()
    return {
        "requests": len(latencies),
        "median": statistics.median(latencies),
        "p95": latencies[int(len(latencies) * 0.95)],
        "p99": latencies[int(len(latencies) * 0.99)],
        "worst": latencies[-1],
    }


def resident_bytes() -> int:
    """Return this process's resident memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure_memory() -> dict[str, float]:
    """Send 100,000 signed orders through the request handler; look at memory on the way.

    Signatures are made once and their check is replaced by their known result: making 100,000 of
    them would be a benchmark of the client.
    """
    clock = ManualClock(int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000))
    market = PathMarket(SyntheticSource(1))
    exchange = Exchange(market, clock.now_ms())
    user = KEY.address.lower()
    exchange.deposit(user, Decimal(10_000_000), clock.now_ms())
    router = ExchangeRouter(Venue(market, clock), exchange)
    router._signer = lambda *_: user  # type: ignore[method-assign]
    mark = int(market.mark("BTC", clock.now_ms()))
    sizes: dict[int, int] = {}
    started = time.process_time()
    for number in range(1, ORDERS + 1):
        clock.advance(200)
        mark = int(market.mark("BTC", clock.now_ms())) if number % 50 == 0 else mark
        is_buy = number % 2 == 0
        takes = number % 5 == 0
        price = (
            mark * (1.02 if is_buy == takes else 0.98) if takes else mark * (0.9 if is_buy else 1.1)
        )
        order = {
            "a": 0,
            "b": is_buy,
            "p": str(round(price)),
            "s": "0.01",
            "r": False,
            "t": {"limit": {"tif": "Ioc" if takes else "Gtc"}},
            "c": f"0x{number:032x}",
        }
        action: dict[str, Any] = {"type": "order", "orders": [order], "grouping": "na"}
        send(router, action, clock)
        if not takes:
            cancel = {"asset": 0, "cloid": order["c"]}
            send(router, {"type": "cancelByCloid", "cancels": [cancel]}, clock)
        if number in (ORDERS // 2, ORDERS):
            sizes[number] = resident_bytes()
    taken = time.process_time() - started
    half, full = sizes[ORDERS // 2] / 2**20, sizes[ORDERS] / 2**20
    trader = exchange.trader(user)
    if exchange.bank.total() != 0 or trader.fill_count < ORDERS // 10:
        raise RuntimeError("the orders were not traded as they should")
    return {"half": half, "full": full, "growth": full / half - 1, "us": taken / ORDERS * 1e6}


def send(router: ExchangeRouter, action: dict[str, Any], clock: ManualClock) -> None:
    """Send one action and check its answer."""
    clock.advance(1)
    signature = {"r": "0x1", "s": "0x1", "v": 27}
    answer = router.answer({"action": action, "nonce": clock.now_ms(), "signature": signature})
    if answer["status"] != "ok":
        raise RuntimeError(f"{action} was refused: {answer}")


def main() -> int:
    """Run both, print, and tell by the exit status whether the limits hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the load")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    options = parser.parse_args()
    memory = measure_memory()
    found = measure_load(options.seconds)
    text = (
        "# What the loopback exchange can take\n\n"
        "Generated by `python benchmarks/bench_exchange.py --write`; do not edit.\n\n"
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}.\n\n"
        f"{found['requests']:.0f} requests at {RATE} a second (half of them signed actions), the "
        f"exchange on one core: median {found['median']:.1f} ms, p95 {found['p95']:.1f} ms, p99 "
        f"{found['p99']:.1f} ms (limit {LIMIT_P99_MS:g} ms), worst {found['worst']:.1f} ms.\n\n"
        f"{ORDERS:,} orders, four fifths of them cancelled again: {memory['half']:.0f} MiB after "
        f"the first half, {memory['full']:.0f} MiB at the end ({memory['growth']:+.1%}, limit "
        f"{LIMIT_GROWTH:+.0%}); {memory['us']:.0f} µs of processor time for an order and its "
        "cancellation.\n"
    )
    print(text)
    if options.write:
        RESULTS.write_text(text, "utf-8")
    holds = found["p99"] < LIMIT_P99_MS and memory["growth"] < LIMIT_GROWTH
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
