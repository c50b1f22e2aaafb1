"""Displacement: a candle whose body and volume say that somebody is in a hurry."""

from typing import NamedTuple

import numpy as np

from ._candles import Candles, Directions, Floats
from ._kernel import kernel


class Displacement(NamedTuple):
    """Impulse of each candle, arrays of shape (n,)."""

    displacement: Directions
    """+1 or -1 where body and volume both reach their thresholds, else 0."""
    body_atr: Floats
    """Signed body (close - open) in ATR; NaN in the ATR's warm-up, 0 where the ATR is 0."""
    volume_ratio: Floats
    """Volume over the median volume of the `window` candles before; NaN in its warm-up."""


def displacement(
    candles: Candles,
    atr: Floats,
    *,
    body_atr: float = 1.5,
    volume_ratio: float = 1.5,
    window: int = 50,
) -> Displacement:
    """Measure each candle's impulse.

    Parameters
    ----------
    candles
        Validated candles of shape (n,).
    atr
        Average true range of the same candles, price units.
    body_atr
        Least body, in ATR of the same candle.
    volume_ratio
        Least volume, in medians of the `window` candles before; 0 switches the test off.
    window
        Length of the median, bars.

    Returns
    -------
    Displacement
        Arrays of shape (n,).

    Notes
    -----
    Warm-up: max(ATR period, `window`) bars. The candle itself is left out of its median, so a
    burst does not raise the bar it has to clear. A median of zero (a dead market) makes the
    ratio infinite for any trade at all and NaN for none. Row t uses rows <= t.
    O(n log window) comparisons, O(n x window) moves of at most `window` doubles.
    """
    return Displacement(
        *displacement_nb(
            candles.open, candles.close, candles.volume, atr, body_atr, volume_ratio, window
        )
    )


@kernel
def displacement_nb(
    open_: Floats,
    close: Floats,
    volume: Floats,
    atr: Floats,
    least_body_atr: float,
    least_volume_ratio: float,
    window: int,
) -> tuple[Directions, Floats, Floats]:
    """Measure bodies and volumes; see :func:`displacement`."""
    n = close.size
    found = np.zeros(n, np.int8)
    body_atr = np.full(n, np.nan)
    ratio = prior_median_ratio_nb(volume, window)
    for t in range(n):
        if np.isnan(atr[t]):
            continue
        body = close[t] - open_[t]
        body_atr[t] = body / atr[t] if atr[t] > 0.0 else 0.0
        loud = least_volume_ratio <= 0.0 or ratio[t] >= least_volume_ratio
        if loud and abs(body_atr[t]) >= least_body_atr and body != 0.0:
            found[t] = 1 if body > 0.0 else -1
    return found, body_atr, ratio


@kernel
def prior_median_ratio_nb(values: Floats, window: int) -> Floats:
    """Divide each value by the median of the `window` values before it.

    The window is kept sorted: one value leaves, one enters, found by bisection.
    """
    n = values.size
    result = np.full(n, np.nan)
    ordered = np.empty(window)
    middle = window // 2
    for t in range(n):
        if t >= window:
            if window % 2 == 1:
                median = ordered[middle]
            else:
                median = 0.5 * (ordered[middle - 1] + ordered[middle])
            if median > 0.0:
                result[t] = values[t] / median
            elif values[t] > 0.0:
                result[t] = np.inf
            hole = np.searchsorted(ordered, values[t - window])
        else:
            hole = t
            ordered[hole] = np.inf
        value = values[t]
        # Shift the neighbours over the hole until the new value fits.
        while hole > 0 and ordered[hole - 1] > value:
            ordered[hole] = ordered[hole - 1]
            hole -= 1
        last = min(t, window - 1)
        while hole < last and ordered[hole + 1] < value:
            ordered[hole] = ordered[hole + 1]
            hole += 1
        ordered[hole] = value
    return result
