"""Market structure: trend, break of structure (BOS), change of character (CHoCH)."""

from typing import NamedTuple

import numpy as np

from ._candles import Candles, Directions, Floats, Rows
from ._kernel import kernel
from .swings import Swings


class Structure(NamedTuple):
    """Structure as of each candle, arrays of shape (n,)."""

    trend: Directions
    """Direction of the newest break: +1 up, -1 down, 0 before the first."""
    bos: Directions
    """+1 or -1 on the candle whose close breaks a level with the trend (or starts one)."""
    choch: Directions
    """+1 or -1 on the candle whose close breaks a level against the trend."""
    broken_level: Floats
    """Price of the level that this candle's close breaks; NaN if none."""
    broken_bars_ago: Rows
    """Candles since the swing that made that level; -1 if none."""


def structure(candles: Candles, found: Swings, width: int = 5) -> Structure:
    """Mark breaks of structure on the candle whose close breaks the level.

    The newest confirmed swing high (low) is the level to break. A close above (below) it is a
    BOS if the trend already points there or has not been set, and a CHoCH if it turns the
    trend. Wicks do not break. A level is broken once: until a new swing is confirmed on that
    side, there is nothing left to break.

    Parameters
    ----------
    candles
        Validated candles of shape (n,).
    found
        The swings of the same candles.
    width
        Their width in bars.

    Returns
    -------
    Structure
        Arrays of shape (n,).

    Notes
    -----
    First possible break: row 2 x width + 1. Row t uses rows <= t. O(n).
    """
    return Structure(*structure_nb(candles.close, found.swing_high, found.swing_low, width))


@kernel
def structure_nb(
    close: Floats, swing_high: Floats, swing_low: Floats, width: int
) -> tuple[Directions, Directions, Directions, Floats, Rows]:
    """Follow the breaks; see :func:`structure`."""
    n = close.size
    trend = np.zeros(n, np.int8)
    bos = np.zeros(n, np.int8)
    choch = np.zeros(n, np.int8)
    broken_level = np.full(n, np.nan)
    broken_bars_ago = np.full(n, -1, np.int64)
    direction = 0
    level_high = np.nan
    level_low = np.nan
    row_high = -1
    row_low = -1
    for t in range(n):
        if not np.isnan(swing_high[t]):
            level_high = swing_high[t]
            row_high = t - width
        if not np.isnan(swing_low[t]):
            level_low = swing_low[t]
            row_low = t - width
        broken = 0
        if close[t] > level_high:
            broken = 1
            broken_level[t] = level_high
            broken_bars_ago[t] = t - row_high
            level_high = np.nan
        elif close[t] < level_low:
            broken = -1
            broken_level[t] = level_low
            broken_bars_ago[t] = t - row_low
            level_low = np.nan
        if broken != 0:
            if direction == -broken:
                choch[t] = broken
            else:
                bos[t] = broken
            direction = broken
        trend[t] = direction
    return trend, bos, choch, broken_level, broken_bars_ago
