"""The price of one asset after an operator has pushed it.

Each push is a layer over the line below it. A line is straight between its corners, and stays so:
while a push is under way its factor is applied to the corners of the line below (a product of two
straight lines would be curved, and could have its extreme where no corner is).
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Protocol

from fractal_testnet.market.base import Market
from fractal_testnet.market.intervals import MINUTE_MS
from fractal_testnet.market.move import Move
from fractal_testnet.market.path import Knots


class Line(Protocol):
    """The price of one asset over time.

    From `first_ms` on it differs from the market's own price, from `settled_ms` on by `factor`.
    """

    first_ms: int
    settled_ms: int
    factor: float

    def price(self, t_ms: int) -> float:
        """Return the price at a moment, after everything that happens at it."""
        ...

    def path(self, start_ms: int, end_ms: int) -> Knots:
        """Return the corners over [start_ms, end_ms], both ends included."""
        ...


class BareLine:
    """A market's own price of one asset.

    Parameters
    ----------
    market : Market
        The market.
    coin : str
        The asset.
    """

    first_ms = 1 << 62
    settled_ms = 0
    factor = 1.0

    def __init__(self, market: Market, coin: str) -> None:
        self._market = market
        self._coin = coin

    def price(self, t_ms: int) -> float:
        """Return the price at a moment."""
        return self._market.price(self._coin, t_ms)

    def path(self, start_ms: int, end_ms: int) -> Knots:
        """Return the corners over [start_ms, end_ms], both ends included.

        Notes
        -----
        Where nothing was recorded the market's `price` stands still until the next candle opens,
        while its `path` has no corner at all. Here the price stands still on the path, too:
        a straight line to the next open would tell the future.
        """
        if start_ms == end_ms:
            return Knots((start_ms,), (self.price(start_ms),))
        knots = self._market.path(self._coin, start_ms, end_ms)
        times, prices = [knots.t[0]], [knots.p[0]]
        if times[0] > start_ms:
            standing = self.price(start_ms)
            times[:0], prices[:0] = [start_ms, times[0]], [standing, standing]
        for t, p in zip(knots.t[1:], knots.p[1:], strict=True):
            before = times[-1]
            if before < t and not t % MINUTE_MS and not before % MINUTE_MS:
                standing = self.price((before + t) // 2)
                if abs(standing - (prices[-1] + p) / 2) > 1e-9 * p:
                    times.append(t)
                    prices.append(standing)
            times.append(t)
            prices.append(p)
        if times[-1] < end_ms:
            times.append(end_ms)
            prices.append(self.price(end_ms))
        return Knots(tuple(times), tuple(prices))


class MovedLine:
    """A line with one push on top.

    Parameters
    ----------
    bare : BareLine
        The line under all pushes.
    below : Line
        The line under this push.
    move : Move
        The push.
    """

    def __init__(self, bare: BareLine, below: Line, move: Move) -> None:
        self._bare = bare
        self._below = below
        self._at, self._end = move.at_ms, move.end_ms
        self._ratio = move.ratio
        self.first_ms = min(move.at_ms, below.first_ms)
        self.settled_ms = max(move.end_ms, below.settled_ms)
        self.factor = below.factor * (1.0 + move.ratio)
        # The ramp is laid out as a whole; what lies after the asked-for moment is cut off later.
        self._ramp = self._lay() if move.over_ms else Knots((), ())

    def _lay(self) -> Knots:
        knots = self._below.path(self._at, self._end)
        speed = self._ratio / (self._end - self._at)
        pairs = zip(knots.t, knots.p, strict=True)
        return Knots(knots.t, tuple(p * (1.0 + speed * (t - self._at)) for t, p in pairs))

    def price(self, t_ms: int) -> float:
        """Return the price at a moment, after everything that happens at it."""
        if t_ms >= self.settled_ms:
            return self._bare.price(t_ms) * self.factor
        if t_ms < self._at:
            return self._below.price(t_ms)
        if t_ms < self._end:
            return price_at(self._ramp, t_ms)
        return self._below.price(t_ms) * (1.0 + self._ratio)

    def path(self, start_ms: int, end_ms: int) -> Knots:
        """Return the corners over [start_ms, end_ms], both ends included.

        A gap has two corners at its moment; one at `start_ms` has happened already.
        """
        if start_ms >= self.settled_ms:
            return _times(self._bare.path(start_ms, end_ms), self.factor)
        parts = []
        if start_ms < self._at:
            parts.append(self._below.path(start_ms, min(end_ms, self._at)))
        if start_ms < self._end and end_ms >= self._at and self._ramp.t:
            parts.append(_cut(self._ramp, max(start_ms, self._at), min(end_ms, self._end)))
        after = max(start_ms, self._end)
        if after < self.settled_ms and end_ms >= after:
            until = min(end_ms, self.settled_ms)
            parts.append(_times(self._below.path(after, until), 1.0 + self._ratio))
        if end_ms >= self.settled_ms:
            parts.append(_times(self._bare.path(self.settled_ms, end_ms), self.factor))
        return _join(parts)


def price_at(knots: Knots, t_ms: int) -> float:
    """Return the price at a moment, after a step at it; outside the corners it stands still."""
    i = bisect_right(knots.t, t_ms)
    if i in (0, len(knots.t)):
        return knots.p[0 if i == 0 else -1]
    share = (t_ms - knots.t[i - 1]) / (knots.t[i] - knots.t[i - 1])
    return knots.p[i - 1] + share * (knots.p[i] - knots.p[i - 1])


def _times(knots: Knots, factor: float) -> Knots:
    return Knots(knots.t, tuple([p * factor for p in knots.p]))


def _cut(knots: Knots, start_ms: int, end_ms: int) -> Knots:
    """Return a part of a path; of a step at its end both corners, of one at its start the last."""
    first, last = bisect_right(knots.t, start_ms), bisect_right(knots.t, end_ms)
    times = (start_ms, *knots.t[first:last])
    prices = (price_at(knots, start_ms), *knots.p[first:last])
    if times[-1] < end_ms:
        return Knots((*times, end_ms), (*prices, price_at(knots, end_ms)))
    return Knots(times, prices)


def _join(parts: list[Knots]) -> Knots:
    """Return the parts as one path; where one goes on as the last ended there is one corner."""
    times, prices = list(parts[0].t), list(parts[0].p)
    for part in parts[1:]:
        skipped = 1 if (part.t[0], part.p[0]) == (times[-1], prices[-1]) else 0
        times.extend(part.t[skipped:])
        prices.extend(part.p[skipped:])
    return Knots(tuple(times), tuple(prices))
