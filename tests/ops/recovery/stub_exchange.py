"""Hyperliquid's wire as far as the reconciler uses it, under the real ccxt client.

Only the network is replaced: requests are what ccxt signs and sends, answers are what it parses.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import ccxt

from fractal_ops.recovery.client import QuietHyperliquid
from tests.ops.recovery.specimens import NOW

WALLET = "0x" + "ab" * 20
KEY = "0x" + "11" * 32
COINS = ("BTC", "ETH")


@dataclass
class StubOrder:
    oid: int
    coin: str
    side: str
    size: Decimal
    price: Decimal
    reduce_only: bool
    trigger: Decimal | None = None
    cloid: str | None = None
    filled: Decimal = Decimal(0)
    status: str = "open"

    def wire(self) -> dict[str, Any]:
        return {
            "coin": self.coin,
            "side": self.side,
            "limitPx": str(self.price),
            "sz": str(self.size - self.filled),
            "origSz": str(self.size),
            "oid": self.oid,
            "timestamp": 1_795_000_000_000,
            "isTrigger": self.trigger is not None,
            "triggerPx": str(self.trigger or "0.0"),
            "triggerCondition": "N/A",
            "children": [],
            "isPositionTpsl": False,
            "reduceOnly": self.reduce_only,
            "orderType": "Stop Limit" if self.trigger is not None else "Limit",
            "tif": None if self.trigger is not None else "Gtc",
            "cloid": self.cloid,
        }


@dataclass
class StubExchange:
    """An account on the venue, and what goes wrong on the way to it."""

    equity: str = "1000"
    marks: dict[str, Decimal] = field(default_factory=lambda: {c: Decimal(100) for c in COINS})
    positions: dict[str, Decimal] = field(default_factory=dict)
    orders: dict[int, StubOrder] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    lose_requests: int = 0
    """So many requests to /exchange never arrive."""
    lose_answers: int = 0
    """So many are carried out, and their answer is lost."""
    refusal: str | None = None
    """What the venue answers to every order."""
    cancel_refusal: str | None = None
    fill_share: Decimal = Decimal(1)
    """How much of an immediate order finds a counterpart."""
    is_down: bool = False
    info_answer: list[Any] | None = None
    """Its one element answers everything that is asked, in the place of the truth."""
    now: Callable[[], datetime] = lambda: NOW
    """Its clock."""
    hiccups: int = 0
    """So many questions get no answer."""

    def client(self, **changes: Any) -> "StubClient":
        client = StubClient(
            {
                "walletAddress": WALLET,
                "privateKey": KEY,
                "enableRateLimit": False,
                **changes,
            }
        )
        client.stub = self
        client.set_markets([_market(client, index, coin) for index, coin in enumerate(COINS)])
        return client

    def add(self, coin: str, side: str, size: str, price: str, **options: Any) -> StubOrder:
        oid = 1 + max(self.orders, default=100)
        reduce_only = options.pop("reduce_only", False)
        order = StubOrder(oid, coin, side, Decimal(size), Decimal(price), reduce_only, **options)
        self.orders[oid] = order
        return order

    def hold(self, coin: str, size: str) -> None:
        self.positions[coin] = Decimal(size)

    def live(self) -> list[StubOrder]:
        return [order for order in self.orders.values() if order.status == "open"]

    # -- /info -----------------------------------------------------------------------------

    def info(self, request: dict[str, Any]) -> Any:
        if self.is_down:
            raise ccxt.RequestTimeout("no answer")
        if self.hiccups:
            self.hiccups -= 1
            raise ccxt.RequestTimeout("once")
        if self.info_answer is not None:
            return self.info_answer[0]
        kind = request["type"]
        if kind == "exchangeStatus":
            return {"specialStatuses": None, "time": round(1000 * self.now().timestamp())}
        if kind == "clearinghouseState":
            held = [
                {
                    "type": "oneWay",
                    "position": {
                        "coin": coin,
                        "szi": str(size),
                        "positionValue": str(abs(size) * self.marks[coin]),
                        "entryPx": "100.0",
                        "leverage": {"type": "isolated", "value": 3, "rawUsd": "0.0"},
                        "marginUsed": "10.0",
                        "unrealizedPnl": "0.0",
                        "liquidationPx": None,
                    },
                }
                for coin, size in self.positions.items()
                if size
            ]
            summary = {"accountValue": self.equity, "totalMarginUsed": "0.0"}
            return {
                "assetPositions": held,
                "marginSummary": summary,
                "withdrawable": self.equity,
                "time": 1_795_000_000_000,
            }
        if kind == "frontendOpenOrders":
            return [order.wire() for order in self.live()]
        if kind == "spotClearinghouseState":
            return {"balances": []}
        if kind == "userAbstraction":
            return "disabled"
        assert kind == "orderStatus", kind
        wanted = request["oid"]
        for order in self.orders.values():
            if wanted in (order.oid, order.cloid):
                return {
                    "status": "order",
                    "order": {
                        "order": order.wire(),
                        "status": order.status,
                        "statusTimestamp": 1_795_000_000_000,
                    },
                }
        return {"status": "unknownOid"}

    # -- /exchange -------------------------------------------------------------------------

    def exchange(self, action: dict[str, Any]) -> Any:
        self.requests.append(action)
        if self.lose_requests:
            self.lose_requests -= 1
            raise ccxt.RequestTimeout("the request was lost")
        statuses = self._cancel(action) if action["type"] == "cancel" else self._order(action)
        if self.lose_answers:
            self.lose_answers -= 1
            raise ccxt.RequestTimeout("the answer was lost")
        return {
            "status": "ok",
            "response": {"type": action["type"], "data": {"statuses": statuses}},
        }

    def _cancel(self, action: dict[str, Any]) -> list[Any]:
        if self.cancel_refusal is not None:
            return [{"error": self.cancel_refusal}]
        order = self.orders.get(action["cancels"][0]["o"])
        if order is None or order.status != "open":
            return [{"error": "Order was never placed, already canceled, or filled."}]
        order.status = "canceled"
        return ["success"]

    def _order(self, action: dict[str, Any]) -> list[Any]:
        (asked,) = action["orders"]
        assert asked["r"] is True, "the reconciler sends reduce-only orders only"
        if self.refusal is not None:
            return [{"error": self.refusal}]
        coin, is_buy = COINS[asked["a"]], asked["b"]
        trigger = asked["t"].get("trigger")
        order = self.add(
            coin,
            "B" if is_buy else "A",
            asked["s"],
            asked["p"],
            reduce_only=True,
            trigger=Decimal(trigger["triggerPx"]) if trigger else None,
            cloid=asked["c"],
        )
        if trigger:
            return [{"resting": {"oid": order.oid}}]
        assert asked["t"]["limit"]["tif"] == "Ioc"
        mark = self.marks[coin]
        crosses = order.price >= mark if is_buy else order.price <= mark
        size = self.positions.get(coin, Decimal(0))
        if not crosses or (size > 0) == is_buy or not size:
            order.status = "iocCancelRejected"
            return [{"error": "Order could not immediately match against any resting orders."}]
        order.filled = min(order.size, abs(size)) * self.fill_share
        self.positions[coin] = size + (order.filled if is_buy else -order.filled)
        order.status = "filled"
        filled = {"oid": order.oid, "totalSz": str(order.filled), "avgPx": str(mark)}
        return [{"filled": filled}]


class StubClient(QuietHyperliquid):  # type: ignore[misc]
    """The real client on the stub's wire."""

    stub: StubExchange

    def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        request = json.loads(body)
        if url.endswith("/info"):
            answer = self.stub.info(request)
        else:
            answer = self.stub.exchange(request["action"])
        text = json.dumps(answer)
        self.handle_errors(200, "OK", url, method, {}, text, answer, headers, body)
        return answer


def _market(client: Any, index: int, coin: str) -> dict[str, Any]:
    return client.safe_market_structure(
        {
            "id": str(index),
            "symbol": f"{coin}/USDC:USDC",
            "base": coin,
            "quote": "USDC",
            "settle": "USDC",
            "baseId": index,
            "quoteId": "USDC",
            "settleId": "USDC",
            "type": "swap",
            "spot": False,
            "swap": True,
            "contract": True,
            "linear": True,
            "active": True,
            "contractSize": 1,
            "precision": {"amount": 0.001, "price": 0.001},
            "limits": {},
            "info": {"name": coin},
        }
    )
