"""ccxt's own client trades on the exchange: signs, sends, and understands every answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import ccxt
import ccxt.pro
import httpx
import pytest
from eth_account import Account

from fractal_testnet.market import PathMarket
from fractal_testnet.market.clock import ManualClock
from fractal_testnet.wire.user_signed import sign_user_action
from tests.kit import eventually
from tests.testnet.conftest import NOW_MS
from tests.testnet.serving import served

BTC = "BTC/USDC:USDC"
MAIN = Account.from_key("0x" + "11" * 32)
AGENT = Account.from_key("0x" + "22" * 32)
STRANGER = Account.from_key("0x" + "33" * 32)
DAY_MS = 86_400_000


@dataclass
class Desk:
    """The served exchange, and how to talk to it."""

    address: str
    clock: ManualClock

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def options(self, key: Any = MAIN) -> dict[str, Any]:
        return {
            "walletAddress": MAIN.address,
            "privateKey": key.key.hex(),
            "enableRateLimit": False,
            "timeout": 5_000,
            "sandbox": True,
            "urls": {
                "test": {
                    "public": self.url,
                    "private": self.url,
                    "ws": {"public": f"ws://{self.address}/ws"},
                }
            },
        }

    def client(self, key: Any = MAIN) -> ccxt.hyperliquid:
        made = ccxt.hyperliquid(self.options(key))
        made.milliseconds = lambda: self.clock.now_ms()
        return made

    def info(self, kind: str, **more: Any) -> Any:
        body = {"type": kind, "user": MAIN.address, **more}
        return httpx.post(f"{self.url}/info", json=body).json()

    def send(self, body: dict[str, Any]) -> httpx.Response:
        return httpx.post(f"{self.url}/exchange", json=body)

    def approve_agent(self, name: str, nonce: int) -> Any:
        action = {
            "type": "approveAgent",
            "hyperliquidChain": "Testnet",
            "signatureChainId": "0x66eee",
            "agentAddress": AGENT.address,
            "agentName": name,
            "nonce": nonce,
        }
        signature = sign_user_action(MAIN.key.hex(), action)
        return self.send({"action": action, "nonce": nonce, "signature": signature}).json()


@pytest.fixture
def desk(market: PathMarket) -> Iterator[Desk]:
    clock = ManualClock(NOW_MS)
    with served(market, clock) as address:
        made = Desk(address, clock)
        fund = httpx.post(f"{made.url}/admin/fund", json={"user": MAIN.address, "amount": "10000"})
        assert fund.status_code == 200, fund.text
        yield made


@pytest.fixture
def client(desk: Desk) -> ccxt.hyperliquid:
    made = desk.client()
    made.load_markets()
    made.set_margin_mode("isolated", BTC, {"leverage": 5})
    return made


def mark(client: ccxt.hyperliquid) -> float:
    return float(client.fetch_ticker(BTC)["last"])


class TestOrders:
    def test_a_market_order_opens_a_position(self, client, desk):
        price = mark(client)
        order = client.create_order(BTC, "market", "buy", 0.01, price)
        assert order["id"]
        assert order["filled"] == 0.01
        assert order["average"] == pytest.approx(price, rel=1e-3)

        [position] = client.fetch_positions([BTC])
        assert (position["side"], position["contracts"]) == ("long", 0.01)
        assert position["marginMode"] == "isolated"
        assert position["leverage"] == 5
        assert position["entryPrice"] == pytest.approx(order["average"], abs=0.06)
        assert position["liquidationPrice"] == pytest.approx(price * 0.81, rel=0.02)

        [trade] = client.fetch_my_trades(BTC)
        assert trade["order"] == order["id"]
        assert trade["takerOrMaker"] == "taker"
        assert trade["fee"]["cost"] == pytest.approx(trade["cost"] * 0.00055, rel=1e-3)
        again = client.fetch_my_trades(BTC, since=trade["timestamp"] - 1)
        assert [t["id"] for t in again] == [trade["id"]]
        assert client.fetch_my_trades(BTC, since=trade["timestamp"] + 1) == []

        balance = client.fetch_balance()["USDC"]
        spread = 2 * 0.01 * (order["average"] - price)
        assert balance["total"] == pytest.approx(10_000 - trade["fee"]["cost"], abs=spread + 0.5)
        assert balance["used"] == pytest.approx(price * 0.01 / 5, rel=0.02)

    def test_a_limit_order_rests_is_found_and_is_cancelled(self, client):
        price = float(client.price_to_precision(BTC, mark(client) * 0.98))
        order = client.create_order(BTC, "limit", "buy", 0.01, price)
        found = client.fetch_order(order["id"], BTC)
        assert (found["status"], found["remaining"], found["price"]) == ("open", 0.01, price)
        assert [o["id"] for o in client.fetch_open_orders(BTC)] == [order["id"]]
        balance = client.fetch_balance({"marginMode": "isolated"})["USDC"]
        assert balance["free"] == pytest.approx(10_000 - price * 0.01 / 5)

        client.cancel_order(order["id"], BTC)
        assert client.fetch_order(order["id"], BTC)["status"] == "canceled"
        assert client.fetch_open_orders(BTC) == []
        [listed] = client.fetch_orders(BTC)
        assert listed["status"] == "canceled"
        with pytest.raises(ccxt.OrderNotFound, match="never placed, already canceled"):
            client.cancel_order(order["id"], BTC)

    def test_the_stop_that_freqtrade_places(self, client):
        price = mark(client)
        client.create_order(BTC, "market", "buy", 0.01, price)
        trigger = float(client.price_to_precision(BTC, price * 0.95))
        limit = float(client.price_to_precision(BTC, price * 0.94))
        order = client.create_order(
            BTC, "limit", "sell", 0.01, limit, {"stopPrice": trigger, "reduceOnly": True}
        )
        found = client.fetch_order(order["id"], BTC)
        assert found["status"] == "open"
        assert (found["type"], found["reduceOnly"]) == ("limit", True)
        assert found["stopPrice"] == found["triggerPrice"] == trigger

        moved = client.edit_order(
            order["id"],
            BTC,
            "limit",
            "sell",
            0.01,
            limit - 100,
            {"stopPrice": trigger - 100, "reduceOnly": True},
        )
        assert client.fetch_order(moved["id"], BTC)["triggerPrice"] == trigger - 100
        assert client.fetch_order(order["id"], BTC)["status"] == "canceled"

    def test_client_order_ids(self, client):
        cloid = "0x" + "ab" * 16
        price = float(client.price_to_precision(BTC, mark(client) * 0.98))
        order = client.create_order(BTC, "limit", "buy", 0.01, price, {"clientOrderId": cloid})
        found = client.fetch_order(cloid, BTC)
        assert (found["id"], found["clientOrderId"]) == (order["id"], cloid)
        client.cancel_order("", BTC, {"clientOrderId": cloid})
        assert client.fetch_order(cloid, BTC)["status"] == "canceled"

    def test_an_unknown_order(self, client):
        with pytest.raises(ccxt.OrderNotFound, match="unknownOid"):
            client.fetch_order("12345", BTC)

    @pytest.mark.parametrize(
        ("size", "share", "more", "error", "text"),
        [
            (0.00005, 0.98, {}, ccxt.InvalidOrder, "minimum value"),
            (10, 0.98, {}, ccxt.InsufficientFunds, "Insufficient margin"),
            (0.01, 0.98, {"reduceOnly": True}, ccxt.InvalidOrder, "Reduce only"),
            (0.01, 1.01, {"postOnly": True}, ccxt.InvalidOrder, "immediately matched"),
            (0.01, 0.98, {"timeInForce": "Ioc"}, ccxt.InvalidOrder, "could not immediately"),
            (0.01, 0.1, {}, ccxt.InvalidOrder, "80% away"),
        ],
    )
    def test_refusals_become_ccxt_errors(self, client, size, share, more, error, text):
        price = float(client.price_to_precision(BTC, mark(client) * share))
        with pytest.raises(error, match=text):
            client.create_order(BTC, "limit", "buy", size, price, more)
        assert client.fetch_open_orders(BTC) == []

    def test_margin_can_be_added_and_taken(self, client):
        client.create_order(BTC, "market", "buy", 0.01, mark(client))
        before = client.fetch_positions([BTC])[0]["collateral"]
        client.add_margin(BTC, 50)
        assert client.fetch_positions([BTC])[0]["collateral"] == pytest.approx(before + 50)
        client.reduce_margin(BTC, 40)
        assert client.fetch_positions([BTC])[0]["collateral"] == pytest.approx(before + 10)

    def test_cross_margin_is_not_offered(self, client):
        with pytest.raises(ccxt.ExchangeError, match="Cross margin is not allowed"):
            client.set_margin_mode("cross", BTC, {"leverage": 5})

    def test_a_dead_mans_switch_needs_volume(self, client):
        with pytest.raises(ccxt.ExchangeError, match="until enough volume traded"):
            client.cancel_all_orders_after(60_000)

    def test_funding_is_listed(self, client, desk):
        client.create_order(BTC, "market", "buy", 0.01, mark(client))
        desk.clock.advance(3_600_000)
        [income] = client.fetch_funding_history(BTC, since=NOW_MS)
        assert income["timestamp"] == (NOW_MS // 3_600_000 + 1) * 3_600_000
        [position] = client.fetch_positions([BTC])
        paid = float(position["info"]["position"]["cumFunding"]["sinceOpen"])
        assert paid == pytest.approx(-income["amount"])

    def test_a_wrong_address_is_an_empty_account_and_no_error(self, desk):
        client = desk.client()
        client.walletAddress = STRANGER.address
        assert client.fetch_balance()["USDC"]["total"] == 0
        assert client.fetch_positions() == []
        assert desk.info("userRole", user=STRANGER.address) == {"role": "missing"}


class TestSigners:
    def test_an_approved_agent_trades_until_it_expires(self, desk):
        until = NOW_MS + 10 * DAY_MS
        assert desk.approve_agent(f"bot valid_until {until}", NOW_MS)["status"] == "ok"
        assert desk.info("extraAgents") == [
            {"address": AGENT.address.lower(), "name": "bot", "validUntil": until}
        ]
        client = desk.client(AGENT)
        price = float(client.price_to_precision(BTC, mark(client) * 0.98))
        order = client.create_order(BTC, "limit", "buy", 0.01, price)
        # The order is the account's, not the agent's.
        assert client.fetch_order(order["id"], BTC)["status"] == "open"

        desk.clock.advance(10 * DAY_MS)
        with pytest.raises(ccxt.InvalidOrder, match=r"User or API Wallet .* does not exist"):
            client.create_order(BTC, "limit", "buy", 0.01, price)
        assert desk.info("extraAgents") == []

    def test_an_agent_can_not_approve_agents(self, desk):
        desk.approve_agent("bot", NOW_MS)
        action = {
            "type": "approveAgent",
            "hyperliquidChain": "Testnet",
            "signatureChainId": "0x66eee",
            "agentAddress": STRANGER.address,
            "agentName": "mine",
            "nonce": NOW_MS + 1,
        }
        signature = sign_user_action(AGENT.key.hex(), action)
        answer = desk.send({"action": action, "nonce": NOW_MS + 1, "signature": signature})
        assert "does not exist" in answer.json()["response"]

    def test_a_strangers_signature_is_refused(self, desk):
        client = desk.client(STRANGER)
        with pytest.raises(ccxt.InvalidOrder, match=f"{STRANGER.address.lower()} does not exist"):
            client.create_order(BTC, "limit", "buy", 0.01, 90_000)

    def test_a_signature_for_mainnet_is_somebody_elses(self, client):
        client.options["sandboxMode"] = False
        with pytest.raises(ccxt.InvalidOrder, match="does not exist"):
            client.create_order(BTC, "limit", "buy", 0.01, 90_000)

    def test_a_recorded_request_can_not_be_sent_again(self, client, desk):
        sent: list[dict[str, Any]] = []
        original = client.privatePostExchange
        client.privatePostExchange = lambda body: sent.append(body) or original(body)
        price = float(client.price_to_precision(BTC, mark(client) * 0.98))
        client.create_order(BTC, "limit", "buy", 0.01, price)

        again = desk.send(sent[-1])
        assert again.status_code == 200
        assert again.json()["status"] == "err"
        assert "duplicate nonce" in again.json()["response"]
        assert len(client.fetch_open_orders(BTC)) == 1

    def test_a_changed_order_is_somebody_elses(self, client, desk):
        sent: list[dict[str, Any]] = []
        original = client.privatePostExchange
        client.privatePostExchange = lambda body: sent.append(body) or original(body)
        price = float(client.price_to_precision(BTC, mark(client) * 0.98))
        client.create_order(BTC, "limit", "buy", 0.01, price)
        forged = {**sent[-1], "nonce": sent[-1]["nonce"] + 1}
        assert "does not exist" in desk.send(forged).json()["response"]

    @pytest.mark.parametrize("days", [-3, 2])
    def test_a_clock_that_is_days_wrong(self, desk, days):
        client = desk.client()
        client.milliseconds = lambda: NOW_MS + days * DAY_MS
        with pytest.raises(ccxt.ExchangeError, match="Invalid nonce"):
            client.create_order(BTC, "limit", "buy", 0.01, 90_000)

    @pytest.mark.parametrize(
        "body",
        [
            [],
            {},
            {"action": {"type": "order"}, "nonce": 1},
            {
                "action": {"type": "dance"},
                "nonce": 1,
                "signature": {"r": "0x1", "s": "0x1", "v": 27},
            },
            {"action": 5, "nonce": 1, "signature": {"r": "0x1", "s": "0x1", "v": 27}},
            {"action": {"type": "order"}, "nonce": "1", "signature": {}},
        ],
    )
    def test_what_is_no_request_is_422(self, desk, body):
        answer = httpx.post(f"{desk.url}/exchange", json=body)
        assert answer.status_code == 422
        assert "deserialize" in answer.text


class TestStreams:
    def test_orders_and_fills_arrive_over_the_socket(self, desk):
        async def watch() -> tuple[list[Any], list[Any]]:
            client = ccxt.pro.hyperliquid(desk.options())
            client.milliseconds = lambda: desk.clock.now_ms()
            orders: list[Any] = []
            fills: list[Any] = []
            try:
                await client.load_markets()
                await client.set_margin_mode("isolated", BTC, {"leverage": 5})

                async def listen_orders() -> None:
                    while True:
                        orders.extend(await client.watch_orders(BTC))

                async def listen_fills() -> None:
                    while True:
                        fills.extend(await client.watch_my_trades(BTC))

                tasks = [asyncio.ensure_future(f()) for f in (listen_orders, listen_fills)]
                await asyncio.sleep(0)
                price = float((await client.fetch_ticker(BTC))["last"])
                made = await client.create_order_ws(BTC, "market", "buy", 0.01, price)
                assert made["filled"] == 0.01
                deadline = asyncio.get_event_loop().time() + 20
                while not (fills and any(o["status"] == "closed" for o in orders)):
                    assert asyncio.get_event_loop().time() < deadline, (orders, fills)
                    await asyncio.sleep(0.05)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            finally:
                await client.close()
            return orders, fills

        orders, fills = asyncio.run(watch())
        assert {o["id"] for o in orders} == {f["order"] for f in fills}
        assert sum(f["amount"] for f in {f["id"]: f for f in fills}.values()) == pytest.approx(0.01)


def test_the_journal_has_every_request_and_what_came_of_it(client, desk):
    client.create_order(BTC, "market", "buy", 0.01, mark(client))
    rows = httpx.get(f"{desk.url}/admin/journal").json()["rows"]

    assert [row["seq"] for row in rows] == sorted(row["seq"] for row in rows)
    events = [row["event"] for row in rows]
    assert {"info", "action", "order", "fill", "booking"} <= set(events)
    [fill] = [row for row in rows if row["event"] == "fill"]
    [trade] = client.fetch_my_trades(BTC)
    assert (float(fill["px"]), str(fill["tid"])) == (trade["price"], trade["id"])
    fees = [r for r in rows if r["event"] == "booking" and r["kind"] == "fee"]
    assert float(fees[0]["usdc"]) == pytest.approx(trade["fee"]["cost"])


def test_a_web_page_may_not_give_money(desk):
    answer = httpx.post(
        f"{desk.url}/admin/fund",
        json={"user": MAIN.address, "amount": "1"},
        headers={"Origin": "http://evil.example"},
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("amount", ["x", "0", "NaN", "-20000", "1e30"])
def test_money_that_can_not_be(desk, amount):
    answer = httpx.post(f"{desk.url}/admin/fund", json={"user": MAIN.address, "amount": amount})
    assert answer.status_code in (409, 422)
    assert desk.info("clearinghouseState")["withdrawable"] == "10000.0"


def test_a_lost_answer_leaves_the_order_on_the_venue(client, desk):
    fault = {"kind": "drop_response", "match": {"path": "exchange", "type": "order"}, "count": 1}
    assert httpx.post(f"{desk.url}/admin/faults", json=fault).status_code == 201
    price = float(client.price_to_precision(BTC, mark(client) * 0.98))
    with pytest.raises(ccxt.NetworkError):
        client.create_order(BTC, "limit", "buy", 0.01, price)

    eventually(lambda: client.fetch_open_orders(BTC), 5, "the order that nobody was told of")
