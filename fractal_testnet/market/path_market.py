"""A market on a source of candles: the one place that cuts the future off."""

from __future__ import annotations

import numpy as np

from fractal_testnet.market import noise
from fractal_testnet.market.base import NoPriceError
from fractal_testnet.market.book import Book, make_book
from fractal_testnet.market.candles import Bar, Bars, aggregate
from fractal_testnet.market.funding import FundingRow
from fractal_testnet.market.intervals import (
    DAY_MS,
    HOUR_MS,
    INTERVALS_MS,
    open_ms,
    step_back_ms,
)
from fractal_testnet.market.path import Knots, grown, knots_of, price_on, walked
from fractal_testnet.market.rounding import floor_size, round_price, round_prices
from fractal_testnet.market.source import BarSource
from fractal_testnet.market.trades import SLOT_MS, Print
from fractal_testnet.market.universe import AssetSpec

MAX_CANDLES = 5_000  # the venue keeps no more of any interval


class PathMarket:
    """Implement `Market` on a `BarSource`.

    Parameters
    ----------
    source : BarSource
        Complete candles; it knows the future, this class does not pass it on.
    """

    def __init__(self, source: BarSource) -> None:
        self._source = source
        self._specs = {spec.name: spec for spec in source.assets}

    @property
    def kind(self) -> str:
        """``synthetic`` or ``replay``."""
        return self._source.kind

    @property
    def seed(self) -> int:
        """The seed of everything that is drawn."""
        return self._source.seed

    @property
    def assets(self) -> tuple[AssetSpec, ...]:
        """The assets in the order of their indices."""
        return self._source.assets

    def candles(self, coin: str, interval: str, start_ms: int, end_ms: int, now_ms: int) -> Bars:
        """Return candles that overlap [start_ms, end_ms], the last one maybe open.

        Parameters
        ----------
        coin : str
            Name of one of the assets.
        interval : str
            A key of `INTERVALS_MS`.
        start_ms, end_ms : int
            The span, ms UTC.
        now_ms : int
            The moment of the question.

        Returns
        -------
        Bars
            Valid prices, sizes to the asset's decimals; at most the newest 5,000 of the
            interval; the candle that holds `now_ms` as it stands then.
        """
        current = open_ms(interval, now_ms)
        oldest = step_back_ms(interval, current, MAX_CANDLES - 1)
        first = max(open_ms(interval, max(start_ms, 0)), oldest)
        if end_ms < first or start_ms > now_ms:
            return Bars.empty()
        parts = [self._source.bars(coin, interval, first, min(end_ms + 1, current))]
        if end_ms >= current:
            parts.append(self._open_candle(coin, interval, current, now_ms))
        return self._valid(Bars.join(parts), self._specs[coin])

    def price(self, coin: str, now_ms: int) -> float:
        """Return the mid price, unrounded.

        Raises
        ------
        NoPriceError
            Before the first candle of the asset.
        """
        bar = self._source.base_bar(coin, now_ms)
        if bar is not None:
            return price_on(knots_of(bar, self.seed, coin), now_ms)
        close = self._source.last_close(coin, now_ms)
        if close is None:
            raise NoPriceError(f"{coin} has no price at {now_ms}")
        return close

    def path(self, coin: str, start_ms: int, now_ms: int) -> Knots:
        """Return the corners of the price's way over [start_ms, now_ms]."""
        times: list[int] = []
        prices: list[float] = []
        for bar in self._source.base_bars(coin, start_ms, now_ms):
            knots = knots_of(bar, self.seed, coin)
            start = max(start_ms, bar.open_ms)
            part = walked(knots, start, min(now_ms, bar.open_ms + bar.length_ms))
            times.extend(part.t)
            prices.extend(part.p)
        if not times:
            price = self.price(coin, now_ms)
            return Knots((start_ms, now_ms), (price, price))
        return Knots(tuple(times), tuple(prices))

    def mark(self, coin: str, now_ms: int) -> float:
        """Return the mark price, valid under the venue's price rule."""
        return round_price(self.price(coin, now_ms), self._specs[coin])

    def book(self, coin: str, now_ms: int) -> Book:
        """Return the order book, 20 levels a side."""
        return make_book(self.price(coin, now_ms), self._specs[coin], self.seed, now_ms)

    def trades(self, coin: str, after_ms: int, now_ms: int, limit: int) -> list[Print]:
        """Return the newest prints of (after_ms, now_ms], newest first."""
        prints: list[Print] = []
        slot = now_ms // SLOT_MS
        while len(prints) < limit and slot * SLOT_MS > max(after_ms, now_ms - HOUR_MS):
            made = self._print_of(coin, slot)
            if made is not None and after_ms < made.time_ms <= now_ms:
                prints.append(made)
            slot -= 1
        return prints

    def funding(
        self, coin: str, start_ms: int, end_ms: int, now_ms: int, limit: int
    ) -> list[FundingRow]:
        """Return the first `limit` settlements of [start_ms, end_ms], oldest first."""
        return self._source.funding(coin, start_ms, min(end_ms, now_ms), limit)

    def funding_now(self, coin: str, now_ms: int) -> FundingRow:
        """Return the rate that the next settlement would have if nothing changed."""
        return self._source.funding_at(coin, now_ms)

    def day_before(self, coin: str, now_ms: int) -> Bar:
        """Return the 24 hours up to `now_ms` as one candle.

        Notes
        -----
        Its start is moved to a border of a quarter hour, as the venue's day volume is
        a running sum of buckets, too.
        """
        start = open_ms("15m", now_ms - DAY_MS)
        bars = self._so_far(coin, start, now_ms)
        if not len(bars):
            price = self.price(coin, now_ms)
            return Bar(start, DAY_MS, price, price, price, price, 0.0)
        notional = float((bars.v * bars.c).sum())
        close = float(bars.c[-1])
        return Bar(
            start,
            DAY_MS,
            float(bars.o[0]),
            float(bars.h.max()),
            float(bars.l.min()),
            close,
            notional / close,
        )

    def _so_far(self, coin: str, start_ms: int, now_ms: int) -> Bars:
        """Return candles of any lengths that tell [start_ms, now_ms] and no more."""
        closed = self._source.tail(coin, start_ms, now_ms)
        bar = self._source.base_bar(coin, now_ms)
        if bar is None or bar.open_ms < start_ms:
            return closed
        return Bars.join([closed, Bars.of(grown(bar, knots_of(bar, self.seed, coin), now_ms))])

    def _open_candle(self, coin: str, interval: str, current_ms: int, now_ms: int) -> Bars:
        bar = self._source.base_bar(coin, now_ms)
        if bar is not None and bar.length_ms > INTERVALS_MS[interval]:
            return Bars.empty()  # recorded too coarsely for this interval
        return aggregate(self._so_far(coin, current_ms, now_ms), interval)

    def _print_of(self, coin: str, slot: int) -> Print | None:
        """Return the print of a slot of time, or None where nothing traded."""
        state = noise.key(self.seed, "print", coin, slot)
        moment = slot * SLOT_MS + state % SLOT_MS
        bar = self._source.base_bar(coin, moment)
        if bar is None or bar.volume <= 0:
            return None
        spec = self._specs[coin]
        share = 0.25 + 1.5 * ((state >> 20 & 0xFFFF) / 0x10000)
        size = floor_size(bar.volume * SLOT_MS / bar.length_ms * share, spec)
        price = round_price(price_on(knots_of(bar, self.seed, coin), moment), spec)
        side = "B" if state >> 50 & 1 else "A"
        return None if size <= 0 else Print(moment, price, size, side, state >> 14)

    @staticmethod
    def _valid(bars: Bars, spec: AssetSpec) -> Bars:
        if not len(bars):
            return bars
        scale = 10.0**spec.sz_decimals
        o, h, low, c = (round_prices(x, spec) for x in (bars.o, bars.h, bars.l, bars.c))
        return Bars(bars.t, o, h, low, c, np.floor(bars.v * scale + 1e-4) / scale)
