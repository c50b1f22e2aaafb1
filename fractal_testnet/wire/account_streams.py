"""What a WebSocket client may hear about an account: its orders and its fills."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fractal_testnet.account.exchange import Exchange
from fractal_testnet.wire import orders as wire_orders
from fractal_testnet.wire.account_info import user_of
from fractal_testnet.wire.subscriptions import Message, Subscription
from fractal_testnet.wire.venue import Request, Venue

SNAPSHOT_FILLS = 100


class AccountStream(Subscription):
    """A stream about one account.

    Parameters
    ----------
    venue : Venue
        The market and its clock.
    exchange : Exchange
        The matching engine.
    kind : str
        The subscription's type.
    user : str
        The account's address.
    """

    def __init__(self, venue: Venue, exchange: Exchange, kind: str, user: str) -> None:
        super().__init__(venue)
        self.echo = {"type": kind, "user": user}
        self._exchange = exchange
        self._user = user


class OrderStream(AccountStream):
    """Send every change of an order from the subscription on."""

    def __init__(self, venue: Venue, exchange: Exchange, user: str) -> None:
        super().__init__(venue, exchange, "orderUpdates", user)
        trader = exchange.find(user)
        self._last = 0 if trader is None else trader.event_count

    def due(self, now_ms: int) -> list[Message]:
        """Return the changes since the last call as one message, oldest first."""
        self._exchange.advance(now_ms)
        trader = self._exchange.find(self._user)
        if trader is None or trader.event_count == self._last:
            return []
        fresh = [event for event in trader.events if event.number > self._last]
        self._last = trader.event_count
        specs = self._exchange.specs
        rows = [wire_orders.event_row(event, specs[event.order.request.coin]) for event in fresh]
        return [{"channel": "orderUpdates", "data": rows}]


class FillStream(AccountStream):
    """Send the newest fills first, as a snapshot, and then every new one."""

    def __init__(self, venue: Venue, exchange: Exchange, user: str) -> None:
        super().__init__(venue, exchange, "userFills", user)
        self._last: int | None = None

    def due(self, now_ms: int) -> list[Message]:
        """Return the snapshot at first, later the fills since the last call."""
        self._exchange.advance(now_ms)
        trader = self._exchange.find(self._user)
        fills = [] if trader is None else list(trader.fills)
        specs = self._exchange.specs
        data: dict[str, Any] = {"user": self._user}
        if self._last is None:
            data["isSnapshot"] = True
            fresh = fills[-SNAPSHOT_FILLS:][::-1]
        else:
            fresh = [fill for fill in fills if fill.number > self._last]
            if not fresh:
                return []
        self._last = 0 if trader is None else trader.fill_count
        data["fills"] = [wire_orders.fill_row(f, specs[f.coin], self._user) for f in fresh]
        return [{"channel": "userFills", "data": data}]


def account_streams(exchange: Exchange) -> dict[str, Callable[[Venue, Request], Subscription]]:
    """Return what makes each subscription about an account."""
    return {
        "orderUpdates": lambda venue, request: OrderStream(venue, exchange, user_of(request)),
        "userFills": lambda venue, request: FillStream(venue, exchange, user_of(request)),
    }
