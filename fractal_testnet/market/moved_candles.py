"""The candles of an asset whose price an operator has pushed.

They are told by the moved path itself, minute by minute from the first push on, so candles of every
interval agree with each other and with the price. What lies before is the market's own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fractal_testnet.market.base import Market
from fractal_testnet.market.candles import Bar, Bars, Floats, Times
from fractal_testnet.market.intervals import (
    DAY_MS,
    MINUTE_MS,
    next_open_ms,
    open_ms,
)
from fractal_testnet.market.moved_line import MovedLine
from fractal_testnet.market.path import Knots
from fractal_testnet.market.rounding import round_prices
from fractal_testnet.market.universe import AssetSpec


def minutes_of(knots: Knots, first_ms: int, count: int) -> Bars:
    """Return the minutes that a path walks through.

    Parameters
    ----------
    knots : Knots
        A path that covers the minutes.
    first_ms : int
        When the first minute opens, ms UTC.
    count : int
        How many minutes.

    Returns
    -------
    Bars
        Unrounded, without volume. A step at a border belongs to neither minute: one closes before
        it, the next opens after it. Minutes in which nothing was recorded are left out.
    """
    t, p = np.array(knots.t, np.int64), np.array(knots.p)
    borders = first_ms + MINUTE_MS * np.arange(count + 1, dtype=np.int64)
    before = np.searchsorted(t, borders, "left")
    after = np.searchsorted(t, borders, "right")
    opens = _between(t, p, after[:-1], borders[:-1])
    closes = _between(t, p, before[1:], borders[1:])
    high, low = np.maximum(opens, closes), np.minimum(opens, closes)
    inner = (t % MINUTE_MS != 0) & (t > first_ms) & (t < borders[-1])
    place = (t[inner] - first_ms) // MINUTE_MS
    np.maximum.at(high, place, p[inner])
    np.minimum.at(low, place, p[inner])
    # Whatever was recorded has corners inside, and if it is flat any part of it tells all of it.
    told = (np.bincount(place, minlength=count) > 0) | (high > low)
    whole = Bars(borders[:-1], opens, high, low, closes, np.zeros(count))
    return whole[told]


def _between(t: Times, p: Floats, following: npt.NDArray[np.intp], at: Times) -> Floats:
    """Return the price at moments, each on the line that ends at the `following` corner."""
    right = np.clip(following, 0, len(t) - 1)
    left = np.clip(following - 1, 0, len(t) - 1)
    length = np.maximum(t[right] - t[left], 1)
    share = np.where(right == left, 0.0, (at - t[left]) / length)
    prices: Floats = p[left] + share * (p[right] - p[left])
    return prices


class MovedCandles:
    """Candles of one asset from its first push on.

    Parameters
    ----------
    market : Market
        The market under the pushes: its candles before, its volumes, and which candles exist.
    spec : AssetSpec
        The asset.

    Notes
    -----
    Closed minutes are kept (48 bytes each): a later push can not change them.
    """

    def __init__(self, market: Market, spec: AssetSpec) -> None:
        self._market = market
        self._spec = spec
        self._start: int | None = None
        self._end = 0
        self._closed = Bars.empty()
        self._earlier: dict[str, Bars] = {}

    def redraw(self, bars: Bars, interval: str, line: MovedLine, now_ms: int) -> Bars:
        """Return the market's candles with the prices of the moved line.

        Parameters
        ----------
        bars : Bars
            The market's own candles as they stand at `now_ms`.
        interval : str
            Their interval.
        line : MovedLine
            The asset's price; its first push is not later than `now_ms`.
        now_ms : int
            The moment.

        Returns
        -------
        Bars
            The same candles; those that closed before the first push are the same bit for bit.
        """
        row = int(np.searchsorted(bars.t, open_ms(interval, line.first_ms)))
        if row == len(bars):
            return bars
        end = next_open_ms(interval, int(bars.t[-1]))
        minutes = self.minutes(line, int(bars.t[row]), end, now_ms)
        first = np.searchsorted(minutes.t, bars.t[row:])
        last = np.append(first[1:], len(minutes))
        filled = np.flatnonzero(last > first)
        values = [np.array(x) for x in (bars.o, bars.h, bars.l, bars.c)]
        if len(filled):
            at, until = first[filled], last[filled] - 1
            drawn = (
                minutes.o[at],
                np.maximum.reduceat(minutes.h, at),
                np.minimum.reduceat(minutes.l, at),
                minutes.c[until],
            )
            for column, made in zip(values, drawn, strict=True):
                column[row + filled] = round_prices(made, self._spec)
        for i in row + np.flatnonzero(last <= first):  # nothing recorded since it opened
            still = line.price(min(next_open_ms(interval, int(bars.t[i])) - 1, now_ms))
            for column in values:
                column[i] = round_prices(np.array([still]), self._spec)[0]
        o, h, low, c = values
        drawn_bars = Bars(bars.t, o, h, low, c, bars.v)
        self._add_earlier(drawn_bars, row, interval, line)
        return drawn_bars

    def minutes(self, line: MovedLine, start_ms: int, end_ms: int, now_ms: int) -> Bars:
        """Return the minutes of [start_ms, end_ms) up to now, the last one maybe open.

        They reach back to the minute before the one that holds the first push, and no further.
        """
        current = now_ms // MINUTE_MS * MINUTE_MS
        self._close(line, current)
        closed = self._closed.between(start_ms, min(end_ms, current))
        if end_ms <= current:
            return closed
        seen = line.path(current, now_ms).p
        bar = Bar(current, MINUTE_MS, seen[0], max(seen), min(seen), seen[-1], 0.0)
        return Bars.join([closed, Bars.of(bar)])

    def start_ms(self, line: MovedLine) -> int:
        """Return when the first minute opens.

        It is the one before the first push: the market's own candle at this moment, which holds
        the price at the moment itself, then lies wholly before any push.
        """
        if self._start is None:
            return line.first_ms // MINUTE_MS * MINUTE_MS - MINUTE_MS
        return self._start

    def _close(self, line: MovedLine, current_ms: int) -> None:
        if self._start is None:
            self._start = self._end = self.start_ms(line)
        parts = [self._closed]
        while self._end < current_ms:
            until = min(self._end + DAY_MS, current_ms)
            knots = line.path(self._end, until)
            parts.append(minutes_of(knots, self._end, (until - self._end) // MINUTE_MS))
            self._end = until
        if len(parts) > 1:
            self._closed = Bars.join(parts)

    def _add_earlier(self, bars: Bars, row: int, interval: str, line: MovedLine) -> None:
        """Widen the first redrawn candle by what it was before its minutes begin."""
        start = self.start_ms(line)
        opened = int(bars.t[row])
        if not opened < start < next_open_ms(interval, opened):
            return
        if interval not in self._earlier:
            coin = self._spec.name
            self._earlier[interval] = self._market.candles(coin, interval, opened, opened, start)
        earlier = self._earlier[interval]
        if len(earlier):
            bars.o[row] = earlier.o[0]
            bars.h[row] = max(bars.h[row], earlier.h[0])
            bars.l[row] = min(bars.l[row], earlier.l[0])
