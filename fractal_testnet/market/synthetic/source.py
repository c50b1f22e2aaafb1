"""The synthetic market as a source of candles."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from fractal_testnet.market import noise
from fractal_testnet.market.candles import Bar, Bars, aggregate
from fractal_testnet.market.funding import FundingRow, hourly_rate
from fractal_testnet.market.intervals import (
    DAY_MS,
    HOUR_MS,
    INTERVALS_MS,
    MINUTE_MS,
    next_open_ms,
    open_ms,
)
from fractal_testnet.market.synthetic.intraday import Walk, as_bars, minutes_of, walk_of
from fractal_testnet.market.synthetic.skeleton import MARKET, Skeleton
from fractal_testnet.market.universe import UNIVERSE, AssetSpec

EPOCH_MS = 1_719_792_000_000
"""2024-07-01 00:00 UTC, where every seed's path begins: a Monday, the first of a month
and a multiple of three days, so that candles of every interval begin whole."""

_QUARTER_MS = INTERVALS_MS["15m"]
_PREMIUM_BASE = 0.00012
_PREMIUM_TREND = 0.00038
_PREMIUM_NOISE = 0.00030


class SyntheticSource:
    """Candles of every interval from one seeded path of minutes.

    Parameters
    ----------
    seed : int
        Same seed, same prices at the same moments, whenever the server starts.
    assets : tuple of AssetSpec, optional
        What trades.
    minute_days : int, default 160
        Days of minutes kept in memory (about 58 kB each), over all assets; older ones
        are made anew when asked for.

    Notes
    -----
    Quarter hours of each visited day are kept (4.6 kB), and everything longer is
    aggregated from them; shorter intervals come from the minutes.
    """

    kind = "synthetic"

    def __init__(
        self,
        seed: int = 1,
        assets: tuple[AssetSpec, ...] = UNIVERSE,
        minute_days: int = 160,
    ) -> None:
        self.seed = seed
        self.assets = assets
        self._numbers = {spec.name: i for i, spec in enumerate(assets)}
        self._skeleton = Skeleton(seed, assets)
        self._kept = minute_days
        self._minutes: OrderedDict[tuple[int, int], Bars] = OrderedDict()
        self._factors: OrderedDict[int, Walk] = OrderedDict()
        self._quarters: dict[tuple[int, int], Bars] = {}

    def bars(self, coin: str, interval: str, start_ms: int, end_ms: int) -> Bars:
        """Return the complete candles of `interval` that open in [start_ms, end_ms)."""
        number = self._numbers[coin]
        start = max(start_ms, EPOCH_MS)
        first = open_ms(interval, start)
        if first < start:
            first = next_open_ms(interval, first)
        if end_ms <= first:
            return Bars.empty()
        end = next_open_ms(interval, open_ms(interval, end_ms - 1))
        fine = INTERVALS_MS[interval] < _QUARTER_MS
        days = range((first - EPOCH_MS) // DAY_MS, (end - 1 - EPOCH_MS) // DAY_MS + 1)
        make = self._day_minutes if fine else self._day_quarters
        return aggregate(Bars.join([make(number, d) for d in days]).between(first, end), interval)

    def base_bar(self, coin: str, t_ms: int) -> Bar | None:
        """Return the minute that holds `t_ms`; None before the epoch."""
        if t_ms < EPOCH_MS:
            return None
        day, rest = divmod(t_ms - EPOCH_MS, DAY_MS)
        minutes = self._day_minutes(self._numbers[coin], day)
        i = rest // MINUTE_MS
        return Bar(
            int(minutes.t[i]),
            MINUTE_MS,
            float(minutes.o[i]),
            float(minutes.h[i]),
            float(minutes.l[i]),
            float(minutes.c[i]),
            float(minutes.v[i]),
        )

    def base_bars(self, coin: str, start_ms: int, end_ms: int) -> list[Bar]:
        """Return the minutes that overlap [start_ms, end_ms), oldest first."""
        first = max(open_ms("1m", start_ms), EPOCH_MS)
        found = (self.base_bar(coin, t) for t in range(first, end_ms, MINUTE_MS))
        return [bar for bar in found if bar is not None]

    def tail(self, coin: str, start_ms: int, now_ms: int) -> Bars:
        """Return quarter hours, then minutes, closed by `now_ms`, from `start_ms` on."""
        quarter = max(open_ms("15m", now_ms), start_ms)
        minute = open_ms("1m", now_ms)
        parts = [self.bars(coin, "15m", start_ms, quarter)] if quarter > start_ms else []
        if minute > quarter:
            parts.append(self.bars(coin, "1m", quarter, minute))
        return Bars.join(parts)

    def last_close(self, coin: str, t_ms: int) -> float | None:
        """Return None: there are no gaps, and nothing before the epoch."""
        del coin, t_ms
        return None

    def funding(self, coin: str, start_ms: int, end_ms: int, limit: int) -> list[FundingRow]:
        """Return the first `limit` settlements of [start_ms, end_ms], oldest first."""
        first = max(-(-start_ms // HOUR_MS) * HOUR_MS, EPOCH_MS + DAY_MS)
        hours = range(first, end_ms + 1, HOUR_MS)[:limit]
        if not len(hours):
            return []
        quarters = self.bars(coin, "15m", first - DAY_MS, hours[-1] + 1)
        log_open = np.log(quarters.o)
        at = np.arange(len(hours)) * 4
        return [
            self._funding_row(coin, hour, float(move))
            for hour, move in zip(hours, log_open[at + 96] - log_open[at], strict=True)
        ]

    def funding_at(self, coin: str, now_ms: int) -> FundingRow:
        """Return the rate as it stands at `now_ms`: the last settlement's."""
        rows = self.funding(coin, now_ms - HOUR_MS + 1, now_ms, 1)
        return rows[-1] if rows else FundingRow(now_ms, hourly_rate(0.0), 0.0)

    def _funding_row(self, coin: str, hour_ms: int, day_move: float) -> FundingRow:
        """Return an hour's funding: crowds pay for the side the last day moved to."""
        vol = self._skeleton.total_daily_vol(self._numbers[coin])
        swing = 2.0 * noise.uniform(self.seed, "premium", coin, hour_ms // HOUR_MS) - 1.0
        premium = (
            _PREMIUM_BASE
            + _PREMIUM_TREND * max(-3.0, min(3.0, day_move / vol))
            + _PREMIUM_NOISE * swing
        )
        return FundingRow(hour_ms, hourly_rate(premium), premium)

    def _factor(self, day: int) -> Walk:
        if day not in self._factors:
            vol = self._skeleton.factor_daily_vol
            self._factors[day] = walk_of(self._skeleton, self.seed, day, MARKET, vol)
            if len(self._factors) > self._kept:
                self._factors.popitem(last=False)
        return self._factors[day]

    def _day_minutes(self, number: int, day: int) -> Bars:
        place = (number, day)
        if place in self._minutes:
            self._minutes.move_to_end(place)
            return self._minutes[place]
        spec = self.assets[number]
        values = minutes_of(self._skeleton, self.seed, day, number, spec, self._factor(day))
        made = as_bars(EPOCH_MS + day * DAY_MS, values)
        self._minutes[place] = made
        if len(self._minutes) > self._kept:
            self._minutes.popitem(last=False)
        return made

    def _day_quarters(self, number: int, day: int) -> Bars:
        place = (number, day)
        if place not in self._quarters:
            self._quarters[place] = aggregate(self._day_minutes(number, day), "15m")
        return self._quarters[place]
