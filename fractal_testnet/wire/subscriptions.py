"""What a WebSocket client may subscribe to, and what each subscription sends."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any

from fractal_testnet.market import AssetSpec
from fractal_testnet.market.intervals import INTERVALS_MS, open_ms
from fractal_testnet.wire import shapes
from fractal_testnet.wire.errors import WireError, malformed
from fractal_testnet.wire.venue import Request, Venue

Message = dict[str, Any]


class Subscription(ABC):
    """One stream of one client; remembers what it has sent.

    Parameters
    ----------
    venue : Venue
        The market and its clock.
    """

    echo: Message

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._sent: object = None

    @property
    def key(self) -> str:
        """What makes two subscriptions the same."""
        return json.dumps(self.echo, sort_keys=True)

    @abstractmethod
    def due(self, now_ms: int) -> list[Message]:
        """Return the messages that are due at a moment, oldest first."""

    def _if_new(self, channel: str, data: Any, compare: object) -> list[Message]:
        if compare == self._sent:
            return []
        self._sent = compare
        return [{"channel": channel, "data": data}]


class CandleStream(Subscription):
    """Send the open candle when it changes, and each closed one a last time."""

    def __init__(self, venue: Venue, spec: AssetSpec, interval: str) -> None:
        super().__init__(venue)
        self.echo = {"type": "candle", "coin": spec.name, "interval": interval}
        self._spec = spec
        self._interval = interval
        self._from_ms: int | None = None

    def due(self, now_ms: int) -> list[Message]:
        """Return the closed candles since the last call in full, then the open one."""
        start = self._from_ms if self._from_ms is not None else open_ms(self._interval, now_ms)
        market = self._venue.market
        bars = market.candles(self._spec.name, self._interval, start, now_ms, now_ms)
        rows = shapes.candles(bars, self._spec, self._interval)
        if not rows or rows == self._sent:
            return []
        sent, self._sent = self._sent, rows[-1:]
        self._from_ms = rows[-1]["t"]
        fresh = rows[1:] if isinstance(sent, list) and rows[:1] == sent else rows
        return [{"channel": "candle", "data": row} for row in fresh]


class BookStream(Subscription):
    """Send the order book whenever it changes."""

    def __init__(
        self, venue: Venue, spec: AssetSpec, figures: int | None, mantissa: int | None
    ) -> None:
        super().__init__(venue)
        self.echo = {
            "type": "l2Book",
            "coin": spec.name,
            "nSigFigs": figures,
            "mantissa": mantissa,
        }
        self._spec = spec
        self._precision = figures, mantissa

    def due(self, now_ms: int) -> list[Message]:
        """Return the book if it differs from the last one sent."""
        made = self._venue.market.book(self._spec.name, now_ms)
        data = shapes.book(made, self._spec, *self._precision)
        return self._if_new("l2Book", data, data["levels"])


class TradeStream(Subscription):
    """Send the prints since the last time; the first message brings the newest ones."""

    def __init__(self, venue: Venue, spec: AssetSpec) -> None:
        super().__init__(venue)
        self.echo = {"type": "trades", "coin": spec.name}
        self._spec = spec
        self._after_ms = 0

    def due(self, now_ms: int) -> list[Message]:
        """Return the new prints as one message, newest first."""
        made = self._venue.market.trades(self._spec.name, self._after_ms, now_ms, 30)
        if not made:
            return []
        self._after_ms = made[0].time_ms
        return [{"channel": "trades", "data": shapes.prints(made, self._spec)}]


class MidsStream(Subscription):
    """Send all mid prices whenever one changes."""

    def __init__(self, venue: Venue) -> None:
        super().__init__(venue)
        self.echo = {"type": "allMids"}

    def due(self, now_ms: int) -> list[Message]:
        """Return the mids if they differ from the last ones sent."""
        mids = shapes.mids(self._venue, now_ms)
        return self._if_new("allMids", {"mids": mids}, mids)


class ContextStream(Subscription):
    """Send an asset's context whenever it changes."""

    def __init__(self, venue: Venue, spec: AssetSpec) -> None:
        super().__init__(venue)
        self.echo = {"type": "activeAssetCtx", "coin": spec.name}
        self._spec = spec

    def due(self, now_ms: int) -> list[Message]:
        """Return the context if it differs from the last one sent."""
        context = shapes.asset_context(self._venue, self._spec, now_ms)
        data = {"coin": self._spec.name, "ctx": context}
        return self._if_new("activeAssetCtx", data, context)


def subscription_of(venue: Venue, request: Request) -> Subscription:
    """Return the subscription that a client asks for.

    Raises
    ------
    WireError
        If there is no such stream, asset or interval.
    """
    kind = request.get("type")
    if kind == "allMids":
        if request.get("dex"):
            raise WireError(500, "null", f"unknown dex {request.get('dex')!r}")
        return MidsStream(venue)
    if kind not in ("candle", "l2Book", "trades", "activeAssetCtx"):  # may not be hashable
        raise malformed(f"unknown subscription {kind!r}")
    spec = venue.spec(request.get("coin"))
    if kind == "l2Book":
        return BookStream(venue, spec, *shapes.book_precision(request))
    if kind == "trades":
        return TradeStream(venue, spec)
    if kind == "activeAssetCtx":
        return ContextStream(venue, spec)
    interval = request.get("interval")
    if not isinstance(interval, str) or interval not in INTERVALS_MS:
        raise malformed(f"interval is {interval!r}, not one of {', '.join(INTERVALS_MS)}")
    return CandleStream(venue, spec, interval)
