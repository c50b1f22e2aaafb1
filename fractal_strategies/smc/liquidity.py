"""Liquidity: swing levels where stops rest, equal highs and lows, and the sweeps of them."""

from typing import NamedTuple

import numpy as np

from ._candles import Candles, Directions, Floats, Rows
from ._kernel import kernel
from .swings import Swings


class Liquidity(NamedTuple):
    """Levels and sweeps as of each candle, arrays of shape (n,)."""

    liquidity_high: Floats
    """Nearest untaken swing high (or pool of equal highs) as of this candle; NaN if none."""
    liquidity_high_touches: Rows
    """Swings in that pool; 1 for a single swing high, 0 if none."""
    liquidity_high_bars_ago: Rows
    """Candles since its newest swing; -1 if none."""
    liquidity_low: Floats
    """Nearest untaken swing low (or pool of equal lows)."""
    liquidity_low_touches: Rows
    """Swings in that pool."""
    liquidity_low_bars_ago: Rows
    """Candles since its newest swing; -1 if none."""
    sweep: Directions
    """+1 where lows were swept and reclaimed (bullish), -1 where highs were; 0 none or both."""
    sweep_high_level: Floats
    """Outermost high that this candle completes the sweep of; NaN if none."""
    sweep_high_extreme: Floats
    """Highest price of that excursion."""
    sweep_high_touches: Rows
    """Swings in the swept levels, all levels reclaimed by this candle together."""
    sweep_low_level: Floats
    """Outermost low that this candle completes the sweep of; NaN if none."""
    sweep_low_extreme: Floats
    """Lowest price of that excursion."""
    sweep_low_touches: Rows
    """Swings in the swept levels, all levels reclaimed by this candle together."""


def liquidity(
    candles: Candles,
    found: Swings,
    atr: Floats,
    *,
    width: int = 5,
    equal_tolerance_atr: float = 0.1,
    reclaim_bars: int = 3,
    max_age_bars: int = 500,
) -> Liquidity:
    """Follow resting liquidity and mark sweeps.

    Every confirmed swing high is a level. A new one within the tolerance below the nearest
    level joins it: a pool of equal highs, at the outermost price. A level is taken by the first
    high above it. If a close comes back below it on that candle or one of the next
    `reclaim_bars`, the first such close is the sweep; otherwise the level was broken, not
    swept. Each level is swept once; several may be swept in succession, or by one candle.
    Lows mirror all this.

    Parameters
    ----------
    candles
        Validated candles of shape (n,).
    found
        Swings of the same candles.
    atr
        Average true range of the same candles, price units.
    width
        Width of the swings in bars.
    equal_tolerance_atr
        How far below a pool a new high may lie to join it, in ATR of its confirming candle.
    reclaim_bars
        Bars after the taking candle in which the close may come back; 0: the same candle only.
    max_age_bars
        A level older than this (counted from its newest swing's confirmation) no longer counts.

    Returns
    -------
    Liquidity
        Arrays of shape (n,).

    Notes
    -----
    Warm-up: 2 x `width` bars, and the ATR's for pools. A sweep is marked on the reclaiming candle,
    never on the extreme. Row t uses rows <= t. O(n x (1 + reclaim_bars)): untaken highs
    always descend in time, so they form a stack, and every level is pushed and popped once.
    """
    tolerance = np.nan_to_num(atr, nan=0.0) * equal_tolerance_atr
    up = liquidity_nb(
        candles.high,
        candles.close,
        found.swing_high,
        tolerance,
        width,
        reclaim_bars,
        max_age_bars,
    )
    # Lows seen upside down are highs.
    down = liquidity_nb(
        -candles.low,
        -candles.close,
        -found.swing_low,
        tolerance,
        width,
        reclaim_bars,
        max_age_bars,
    )
    bullish = ~np.isnan(down[3])
    bearish = ~np.isnan(up[3])
    return Liquidity(
        up[0],
        up[1],
        up[2],
        -down[0],
        down[1],
        down[2],
        (bullish.astype(np.int8) - bearish.astype(np.int8)),
        up[3],
        up[4],
        up[5],
        -down[3],
        -down[4],
        down[5],
    )


@kernel
def liquidity_nb(
    high: Floats,
    close: Floats,
    swing_high: Floats,
    tolerance: Floats,
    width: int,
    reclaim_bars: int,
    max_age: int,
) -> tuple[Floats, Rows, Rows, Floats, Floats, Rows]:
    """Follow the levels above price; see :func:`liquidity`."""
    n = close.size
    nearest = np.full(n, np.nan)
    nearest_touches = np.zeros(n, np.int64)
    nearest_bars_ago = np.full(n, -1, np.int64)
    swept_level = np.full(n, np.nan)
    swept_extreme = np.full(n, np.nan)
    swept_touches = np.zeros(n, np.int64)
    # Untaken levels: a stack, outermost and oldest at the bottom.
    level = np.empty(n)
    touches = np.empty(n, np.int64)
    known = np.empty(n, np.int64)
    size = 0
    # Taken levels that may still be reclaimed. Later takings lie further out, and a close that
    # reclaims a level reclaims all beyond it, so these form a stack too.
    taken_level = np.empty(n)
    taken_touches = np.empty(n, np.int64)
    taken_row = np.empty(n, np.int64)
    taken_extreme = np.empty(n)
    first = 0
    taken = 0
    for t in range(n):
        while size > 0 and high[t] > level[size - 1]:
            size -= 1
            if t - known[size] <= max_age:
                taken_level[taken] = level[size]
                taken_touches[taken] = touches[size]
                taken_row[taken] = t
                taken_extreme[taken] = high[t]
                taken += 1
        while first < taken and t - taken_row[first] > reclaim_bars:
            first += 1
        if first >= taken:
            first = 0
            taken = 0
        for k in range(first, taken):
            taken_extreme[k] = max(taken_extreme[k], high[t])
        while taken > first and close[t] < taken_level[taken - 1]:
            taken -= 1
            if np.isnan(swept_level[t]):
                swept_level[t] = taken_level[taken]
            # The innermost reclaimed level was taken first: its excursion holds the others'.
            swept_extreme[t] = taken_extreme[taken]
            swept_touches[t] += taken_touches[taken]
        # Before the new swing looks for a pool: an expired level must not be revived by it.
        while size > 0 and t - known[size - 1] > max_age:
            size -= 1
        if not np.isnan(swing_high[t]):
            price = swing_high[t]
            if size > 0 and level[size - 1] - price <= tolerance[t]:
                touches[size - 1] += 1
                known[size - 1] = t
            else:
                level[size] = price
                touches[size] = 1
                known[size] = t
                size += 1
        if size > 0:
            nearest[t] = level[size - 1]
            nearest_touches[t] = touches[size - 1]
            nearest_bars_ago[t] = t - known[size - 1] + width
    return nearest, nearest_touches, nearest_bars_ago, swept_level, swept_extreme, swept_touches
