"""Average true range: the yardstick of every size and distance here."""

import numpy as np
import talib

from ._candles import Candles, Floats


def average_true_range(candles: Candles, period: int = 14) -> Floats:
    """Measure volatility as Wilder's average true range.

    Parameters
    ----------
    candles
        Validated candles of shape (n,).
    period
        Smoothing length in bars, at least 1.

    Returns
    -------
    numpy.ndarray
        float64 of shape (n,), in price units; NaN in the first `period` rows.

    Notes
    -----
    Warm-up is `period` bars; the value in row t uses rows <= t. The recursion never quite
    forgets its start: after 20 periods the share left of it is (1 - 1/period) ** (20 period),
    about 1e-9.

    References
    ----------
    J. Welles Wilder, *New Concepts in Technical Trading Systems*, 1978; computed by TA-Lib.
    """
    if len(candles) <= period:
        return np.full(len(candles), np.nan)
    result: Floats = talib.ATR(candles.high, candles.low, candles.close, timeperiod=period)
    return result
