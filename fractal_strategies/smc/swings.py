"""Swing highs and lows (Williams fractals of width n)."""

from typing import NamedTuple

import numpy as np

from ._candles import Candles, Floats
from ._kernel import kernel


class Swings(NamedTuple):
    """Confirmed swings, one value per candle (float64, price, NaN where there is none)."""

    swing_high: Floats
    """Price of the swing high that this candle confirms; the swing itself is `width` rows back."""
    swing_low: Floats
    """Price of the swing low that this candle confirms."""
    last_swing_high: Floats
    """Newest confirmed swing high as of this candle."""
    last_swing_low: Floats
    """Newest confirmed swing low as of this candle."""


def swings(candles: Candles, width: int = 5) -> Swings:
    """Find swing highs and lows, stamped on the candle that confirms them.

    A swing high of width n at row i is a high above the n highs before it and not below the n
    highs after it; of equal highs, the first counts (the tie rule). Swing lows mirror that.

    Parameters
    ----------
    candles
        Validated candles of shape (n,).
    width
        Candles on either side, at least 1.

    Returns
    -------
    Swings
        Each array of shape (n,). The swing confirmed in row t happened in row t - width.

    Notes
    -----
    Nothing is known before row 2 x width. Reading a swing on its extreme candle would be a
    look-ahead of `width` bars, the commonest leak of public SMC code; here row t uses rows
    <= t only. O(n x width) at worst, and near O(n) since most candles fail the first comparison.

    References
    ----------
    Bill Williams, *Trading Chaos*, 1995 (fractals, there with width 2).
    """
    return Swings(*swings_nb(candles.high, candles.low, width))


@kernel
def swings_nb(high: Floats, low: Floats, width: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Confirm swings; see :func:`swings`."""
    n = high.size
    swing_high = np.full(n, np.nan)
    swing_low = np.full(n, np.nan)
    last_high = np.full(n, np.nan)
    last_low = np.full(n, np.nan)
    newest_high = np.nan
    newest_low = np.nan
    for t in range(n):
        i = t - width
        if i >= width:
            is_high = True
            is_low = True
            for k in range(1, width + 1):
                if is_high and (high[i - k] >= high[i] or high[i + k] > high[i]):
                    is_high = False
                if is_low and (low[i - k] <= low[i] or low[i + k] < low[i]):
                    is_low = False
                if not (is_high or is_low):
                    break
            if is_high:
                newest_high = high[i]
                swing_high[t] = newest_high
            if is_low:
                newest_low = low[i]
                swing_low[t] = newest_low
        last_high[t] = newest_high
        last_low[t] = newest_low
    return swing_high, swing_low, last_high, last_low
