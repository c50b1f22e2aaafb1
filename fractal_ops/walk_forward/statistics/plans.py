"""Candles, what trades risk, and what fills cost: the input of simulated entries."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._checks import Floats, at_least, same_length, vector

Rows = NDArray[np.int64]
SMALLEST_RATIO = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """Candles of one pair over the scored span.

    Parameters
    ----------
    open, high, low, close
        Prices above 0 in order of time without gaps, shape (candles,); low <= open, close <= high.

    Raises
    ------
    ValueError
        Prices are not finite, not above 0 or not in order, or the lengths differ.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats

    def __post_init__(self) -> None:
        for name in ("open", "high", "low", "close"):
            object.__setattr__(self, name, vector(name, getattr(self, name)))
        same_length(open=self.open, high=self.high, low=self.low, close=self.close)
        body_low = np.minimum(self.open, self.close)
        body_high = np.maximum(self.open, self.close)
        bad = np.flatnonzero((self.low > body_low) | (self.high < body_high) | (self.low <= 0))
        if bad.size:
            row = int(bad[0])
            raise ValueError(
                f"candle {row} is open {self.open[row]}, high {self.high[row]}, low"
                f" {self.low[row]}, close {self.close[row]}: give 0 < low <= open, close <= high"
            )


@dataclass(frozen=True, slots=True, eq=False)
class TradePlans:
    """What trades risk and how long they may last; where they start is not said here.

    Parameters
    ----------
    side
        +1 long, -1 short, shape (trades,).
    stop_ratio
        Distance from entry to stop over the entry price, above 0 and for longs below 1.
    target_ratio
        Distance from entry to target over the entry price, above 0; nan for none.
    holding_bars
        Candles after which the trade is closed at the next open, 1 or more: the time stop, or
        where there is none the candles the trade was held.
    notional_ratio
        Leveraged size over starting equity, above 0; what `total_return` is weighted with.

    Raises
    ------
    ValueError
        A value is out of range, or the lengths differ.
    """

    side: NDArray[np.int64]
    stop_ratio: Floats
    target_ratio: Floats
    holding_bars: Rows
    notional_ratio: Floats

    def __post_init__(self) -> None:
        target = np.asarray(self.target_ratio, dtype=np.float64)
        columns = {
            "side": np.asarray(self.side, dtype=np.int64),
            "stop_ratio": vector("stop_ratio", self.stop_ratio),
            "target_ratio": target,
            "holding_bars": np.asarray(self.holding_bars, dtype=np.int64),
            "notional_ratio": vector("notional_ratio", self.notional_ratio),
        }
        same_length(**columns)
        for name, column in columns.items():
            object.__setattr__(self, name, column)
        _refuse("side", self.side, np.abs(self.side) != 1, "+1 (long) or -1 (short)")
        bad_stop = (self.stop_ratio < SMALLEST_RATIO) | (self.side * self.stop_ratio >= 1.0)
        _refuse("stop_ratio", self.stop_ratio, bad_stop, "entry to stop over entry, above 0")
        bad_target = (target < SMALLEST_RATIO) | np.isinf(target) | (self.side * target <= -1.0)
        _refuse("target_ratio", target, bad_target, "entry to target over entry, or nan for none")
        _refuse("holding_bars", self.holding_bars, self.holding_bars < 1, "1 candle or more")
        bad_size = self.notional_ratio <= 0
        _refuse("notional_ratio", self.notional_ratio, bad_size, "size over equity, above 0")

    def __len__(self) -> int:
        return len(self.side)


@dataclass(frozen=True, slots=True)
class Costs:
    """What a fill costs.

    Parameters
    ----------
    taker_ratio
        Fee of entries, stops and time exits over the notional filled.
    maker_ratio
        Fee of targets, which rest as limit orders; negative is a rebate.
    slippage_ratio
        By how much entries, stops and time exits fill worse than the price, 0 or more.

    Raises
    ------
    ValueError
        A ratio is NaN, or below 0 (below -1 for `maker_ratio`).
    """

    taker_ratio: float = 0.0
    maker_ratio: float = 0.0
    slippage_ratio: float = 0.0

    def __post_init__(self) -> None:
        at_least("taker_ratio", self.taker_ratio, 0.0)
        at_least("maker_ratio", self.maker_ratio, -1.0)
        at_least("slippage_ratio", self.slippage_ratio, 0.0)


def _refuse(name: str, values: NDArray[np.generic], bad: NDArray[np.bool_], wanted: str) -> None:
    rows = np.flatnonzero(bad)
    if rows.size:
        raise ValueError(f"{name}[{rows[0]}] is {values[rows[0]]}: give {wanted}")
