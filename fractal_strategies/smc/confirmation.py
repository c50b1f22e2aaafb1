"""Confirmation: a sweep is believed once displacement away from it leaves a gap."""

import numpy as np

from ._candles import Candles, Directions, Floats
from ._kernel import kernel
from .fair_value_gaps import FairValueGaps
from .liquidity import Liquidity


def confirmed_sweeps(
    candles: Candles,
    levels: Liquidity,
    gaps: FairValueGaps,
    *,
    within_bars: int = 10,
    least_gap_atr: float = 0.5,
) -> Directions:
    """Mark the first same-direction fair value gap after each sweep.

    Parameters
    ----------
    candles
        Validated candles of shape (n,).
    levels, gaps
        Liquidity and gaps of the same candles.
    within_bars
        Bars after the reclaiming candle in which the gap must become known; 0: that candle only.
    least_gap_atr
        Least height of the gap, in ATR.

    Returns
    -------
    numpy.ndarray
        int8 of shape (n,): +1 or -1 on the gap's third candle, else 0.

    Notes
    -----
    A sweep is confirmed once, and no more after a close beyond its extreme: that sweep has
    failed. A newer sweep of the same side replaces an older one. Row t uses rows <= t. O(n).
    """
    return confirmed_sweeps_nb(
        candles.close,
        levels.sweep_low_extreme,
        levels.sweep_high_extreme,
        gaps.fvg,
        gaps.fvg_size_atr,
        within_bars,
        least_gap_atr,
    )


@kernel
def confirmed_sweeps_nb(
    close: Floats,
    low_extreme: Floats,
    high_extreme: Floats,
    fvg: Directions,
    fvg_size_atr: Floats,
    within: int,
    least_gap: float,
) -> Directions:
    """Wait for gaps; see :func:`confirmed_sweeps`."""
    n = close.size
    confirmed = np.zeros(n, np.int8)
    long_until = -1
    short_until = -1
    floor = np.nan
    ceiling = np.nan
    for t in range(n):
        if not np.isnan(low_extreme[t]):
            long_until = t + within
            floor = low_extreme[t]
        if not np.isnan(high_extreme[t]):
            short_until = t + within
            ceiling = high_extreme[t]
        if close[t] < floor:
            long_until = -1
        if close[t] > ceiling:
            short_until = -1
        if fvg[t] > 0 and t <= long_until and fvg_size_atr[t] >= least_gap:
            confirmed[t] = 1
            long_until = -1
        elif fvg[t] < 0 and t <= short_until and fvg_size_atr[t] >= least_gap:
            confirmed[t] = -1
            short_until = -1
    return confirmed
