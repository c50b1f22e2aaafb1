"""Candles as arrays, and their aggregation into longer ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fractal_testnet.market.intervals import INTERVALS_MS, open_ms

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]


class Bar(NamedTuple):
    """One candle: open time (ms), length (ms), prices (USDC), volume (base units)."""

    open_ms: int
    length_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True)
class Bars:
    """Candles as parallel arrays, oldest first.

    Parameters
    ----------
    t : ndarray of int64
        Open times, ms UTC, strictly increasing.
    o, h, l, c : ndarray of float64
        Prices in USDC.
    v : ndarray of float64
        Volumes in base units.
    """

    t: Times
    o: Floats
    h: Floats
    l: Floats  # noqa: E741 - the field's own letter, beside o, h and c
    c: Floats
    v: Floats

    def __len__(self) -> int:
        return len(self.t)

    def __getitem__(self, rows: slice | npt.NDArray[np.bool_]) -> Bars:
        return Bars(
            self.t[rows], self.o[rows], self.h[rows], self.l[rows], self.c[rows], self.v[rows]
        )

    def between(self, start_ms: int, end_ms: int) -> Bars:
        """Return the candles that open in [start_ms, end_ms)."""
        first, last = np.searchsorted(self.t, [start_ms, end_ms])
        return self[int(first) : int(last)]

    @classmethod
    def empty(cls) -> Bars:
        """Return no candles."""
        none = np.empty(0)
        return cls(np.empty(0, np.int64), none, none, none, none, none)

    @classmethod
    def of(cls, bar: Bar) -> Bars:
        """Return one candle as arrays."""
        values = (np.array([x]) for x in (bar.open, bar.high, bar.low, bar.close, bar.volume))
        return cls(np.array([bar.open_ms], np.int64), *values)

    @classmethod
    def join(cls, parts: list[Bars]) -> Bars:
        """Return the candles of all parts, in the given order."""
        filled = [part for part in parts if len(part)]
        if not filled:
            return cls.empty()
        if len(filled) == 1:
            return filled[0]
        return cls(
            np.concatenate([part.t for part in filled]),
            *(
                np.concatenate([getattr(part, name) for part in filled])
                for name in ("o", "h", "l", "c", "v")
            ),
        )


def bucket_opens(t: Times, interval: str) -> Times:
    """Return, for each moment, when the candle of `interval` that holds it opened."""
    if interval in {"1w", "1M"}:
        return np.array([open_ms(interval, int(x)) for x in t], np.int64)
    length = INTERVALS_MS[interval]
    opens: Times = t // length * length
    return opens


def aggregate(bars: Bars, interval: str) -> Bars:
    """Build candles of `interval` from shorter ones.

    Parameters
    ----------
    bars : Bars
        Candles whose length divides the interval; gaps are allowed.
    interval : str
        A key of `INTERVALS_MS`.

    Returns
    -------
    Bars
        First open, highest high, lowest low, last close, summed volume of each bucket
        that holds at least one candle. The last one may be incomplete: the caller knows
        which moment it stands at.
    """
    if not len(bars):
        return bars
    opens = bucket_opens(bars.t, interval)
    first = np.flatnonzero(np.concatenate(([True], opens[1:] != opens[:-1])))
    last = np.concatenate((first[1:], [len(opens)])) - 1
    return Bars(
        opens[first],
        bars.o[first],
        np.maximum.reduceat(bars.h, first),
        np.minimum.reduceat(bars.l, first),
        bars.c[last],
        np.add.reduceat(bars.v, first),
    )
