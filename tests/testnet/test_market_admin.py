"""Pushing prices over HTTP: what is answered, journalled, and refused."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from fractal_testnet.market import PathMarket
from fractal_testnet.market.clock import ManualClock
from fractal_testnet.market.moves import MovedMarket
from fractal_testnet.market_admin import market_router


class Desk:
    def __init__(self, market: PathMarket, clock: ManualClock) -> None:
        self.market, self.clock = MovedMarket(market), clock
        self.journal: list[dict] = []
        self.app = FastAPI()
        self.app.include_router(market_router(self.market, clock, self.journal.append))

    def ask(self, method: str, path: str, **options) -> httpx.Response:
        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
                return await client.request(method, path, **options)

        return asyncio.run(answer())

    def push(self, **body) -> httpx.Response:
        return self.ask("POST", "/admin/market/move", json=body)

    def shown(self) -> dict:
        return self.ask("GET", "/admin/market").json()


@pytest.fixture
def desk(market: PathMarket, clock: ManualClock) -> Desk:
    return Desk(market, clock)


def test_push_moves_the_price_is_told_and_journalled(desk: Desk, market: PathMarket) -> None:
    now = desk.clock.now_ms()

    answer = desk.push(coin="BTC", ratio=-0.05, over_seconds=10)

    told = {"coin": "BTC", "ratio": -0.05, "at_ms": now, "over_seconds": 10.0}
    assert (answer.status_code, answer.json()) == (200, told)
    assert desk.journal == [
        {"event": "marketMove", "time": now, "coin": "BTC", "ratio": -0.05, "over_ms": 10_000}
    ]
    desk.clock.advance(10_000)
    shown = desk.shown()
    assert shown["prices"]["BTC"] == pytest.approx(
        0.95 * market.mark("BTC", now + 10_000), rel=1e-4
    )
    assert shown["prices"]["ETH"] == market.mark("ETH", now + 10_000)
    assert shown["moves"] == [told]
    assert shown["now_ms"] == now + 10_000


def test_push_without_a_duration_is_a_gap(desk: Desk, market: PathMarket) -> None:
    desk.push(coin="BTC", ratio=0.5)

    assert desk.market.price("BTC", desk.clock.now_ms()) == pytest.approx(
        1.5 * market.price("BTC", desk.clock.now_ms())
    )


def test_push_after_the_clock_was_put_back_begins_where_prices_were_shown(desk: Desk) -> None:
    desk.market.price("BTC", desk.clock.now_ms() + 5_000)

    answer = desk.push(coin="BTC", ratio=0.1)

    assert answer.json()["at_ms"] == desk.clock.now_ms() + 5_000


@pytest.mark.parametrize("path", ["/admin/market", "/admin/market/move"])
@pytest.mark.parametrize("origin", ["https://example.org", "null", "http://127.0.0.1:8484", ""])
def test_pages_in_a_browser_are_refused(desk: Desk, path: str, origin: str) -> None:
    method = "GET" if path.endswith("market") else "POST"
    body = {"coin": "BTC", "ratio": -0.5}

    answer = desk.ask(method, path, json=body, headers={"Origin": origin})

    assert answer.status_code == 403
    assert desk.market.moves == ()
    assert desk.journal == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"coin": "NOPE", "ratio": 0.1}, 400),
        ({"coin": "BTC", "ratio": -1.5}, 400),
        ({"coin": "BTC", "ratio": 0}, 400),
        ({"coin": "BTC"}, 422),
        ({"coin": "BTC", "ratio": "-5%"}, 422),
        ({"coin": "BTC", "ratio": True}, 422),
        ({"coin": "BTC", "ratio": 0.1, "over_seconds": -1}, 422),
        ({"coin": "BTC", "ratio": 0.1, "over_seconds": 1e9}, 422),
        ({"coin": "BTC", "ratio": 0.1, "over": 10}, 422),
        ([], 422),
    ],
)
def test_bad_push_is_refused_and_changes_nothing(desk: Desk, body: object, status: int) -> None:
    answer = desk.ask("POST", "/admin/market/move", json=body)

    assert answer.status_code == status
    assert answer.json()["detail"]
    assert desk.market.moves == ()
    assert desk.journal == []


def test_asset_without_a_price_yet_is_told_as_null(market: PathMarket) -> None:
    desk = Desk(market, ManualClock(1_000))

    assert desk.shown()["prices"]["BTC"] is None
    assert desk.push(coin="BTC", ratio=0.1).status_code == 400
