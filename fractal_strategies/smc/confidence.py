"""Confidence: how many of six independent signs stand behind a direction, 0 to 100."""

from typing import NamedTuple

import numpy as np
import talib

from ._candles import Candles, Directions, Floats
from ._kernel import kernel
from .displacement import Displacement
from .fair_value_gaps import FairValueGaps

FACTORS = {
    "gap": "a fair value gap of the direction, at least `gap_atr`, within the look-back",
    "wide_gap": "the same, at least `wide_gap_atr`",
    "volume": "a candle of at least `volume_ratio` times its prior median volume",
    "structure": "the newest break of structure points in the direction",
    "impulse": "a body in the direction of at least `impulse_atr`",
    "trend_side": "the close lies on the direction's side of the long moving average",
}
"""The factors, one point each, and what they mean."""


class Confidence(NamedTuple):
    """Score and factors for either direction, arrays of shape (n,)."""

    confidence_long: Floats
    """0 to 100 for a long entry at this candle's close."""
    confidence_short: Floats
    """0 to 100 for a short entry."""
    long_gap: Directions
    long_wide_gap: Directions
    long_volume: Directions
    long_structure: Directions
    long_impulse: Directions
    long_trend_side: Directions
    short_gap: Directions
    short_wide_gap: Directions
    short_volume: Directions
    short_structure: Directions
    short_impulse: Directions
    short_trend_side: Directions


def confidence(
    candles: Candles,
    trend: Directions,
    impulse: Displacement,
    gaps: FairValueGaps,
    *,
    gap_atr: float = 0.75,
    wide_gap_atr: float = 1.25,
    volume_ratio: float = 1.5,
    impulse_atr: float = 1.0,
    lookback_bars: int = 3,
    trend_ema_bars: int = 100,
) -> Confidence:
    """Score both directions by the factors in :data:`FACTORS`, 100/6 points each.

    Parameters
    ----------
    candles
        Validated candles of shape (n,).
    trend
        Direction of the newest structure break, per candle.
    impulse
        Bodies and volume ratios of the same candles.
    gaps
        Their fair value gaps.
    gap_atr, wide_gap_atr, impulse_atr
        Thresholds in ATR.
    volume_ratio
        Threshold in prior median volumes.
    lookback_bars
        The newest candles (this one included) in which gap, volume and impulse count: a gap is
        known one candle after its impulse, so 3 covers one setup.
    trend_ema_bars
        Length of the exponential average of closes, bars; 100 bars of 2h are EMA50 of 4h.

    Returns
    -------
    Confidence
        Arrays of shape (n,). A factor that is not known yet is 0.

    Notes
    -----
    The factors and their even weights come from the study in docs/strategies.md, where five or
    more of six separated good from poor setups in both periods looked at. Row t uses rows <= t.
    O(n x lookback_bars).
    """
    if len(candles) >= trend_ema_bars > 1:
        average = talib.EMA(candles.close, timeperiod=trend_ema_bars)
    else:
        average = np.full(len(candles), np.nan)
    factors = confidence_nb(
        candles.close,
        average,
        trend,
        impulse.body_atr,
        impulse.volume_ratio,
        gaps.fvg,
        gaps.fvg_size_atr,
        gap_atr,
        wide_gap_atr,
        volume_ratio,
        impulse_atr,
        lookback_bars,
    )
    return Confidence(*factors)


@kernel
def confidence_nb(
    close: Floats,
    average: Floats,
    trend: Directions,
    body_atr: Floats,
    volume_ratio: Floats,
    fvg: Directions,
    fvg_size_atr: Floats,
    least_gap: float,
    least_wide_gap: float,
    least_volume: float,
    least_impulse: float,
    lookback: int,
) -> tuple[
    Floats,
    Floats,
    Directions,
    Directions,
    Directions,
    Directions,
    Directions,
    Directions,
    Directions,
    Directions,
    Directions,
    Directions,
    Directions,
    Directions,
]:
    """Set the factors; see :func:`confidence`."""
    n = close.size
    score_long = np.zeros(n)
    score_short = np.zeros(n)
    long_gap = np.zeros(n, np.int8)
    long_wide = np.zeros(n, np.int8)
    loud = np.zeros(n, np.int8)
    long_structure = np.zeros(n, np.int8)
    long_impulse = np.zeros(n, np.int8)
    long_side = np.zeros(n, np.int8)
    short_gap = np.zeros(n, np.int8)
    short_wide = np.zeros(n, np.int8)
    short_structure = np.zeros(n, np.int8)
    short_impulse = np.zeros(n, np.int8)
    short_side = np.zeros(n, np.int8)
    for t in range(n):
        gap_up = 0.0
        gap_down = 0.0
        body_up = 0.0
        body_down = 0.0
        volume = 0.0
        for r in range(max(0, t - lookback + 1), t + 1):
            # Comparisons with NaN are false: what is not known scores nothing.
            if fvg[r] > 0:
                gap_up = max(gap_up, fvg_size_atr[r])
            elif fvg[r] < 0:
                gap_down = max(gap_down, fvg_size_atr[r])
            if body_atr[r] > body_up:
                body_up = body_atr[r]
            if -body_atr[r] > body_down:
                body_down = -body_atr[r]
            if volume_ratio[r] > volume:
                volume = volume_ratio[r]
        long_gap[t] = gap_up >= least_gap
        long_wide[t] = gap_up >= least_wide_gap
        short_gap[t] = gap_down >= least_gap
        short_wide[t] = gap_down >= least_wide_gap
        loud[t] = volume >= least_volume
        long_structure[t] = trend[t] > 0
        short_structure[t] = trend[t] < 0
        long_impulse[t] = body_up >= least_impulse
        short_impulse[t] = body_down >= least_impulse
        long_side[t] = close[t] > average[t]
        short_side[t] = close[t] < average[t]
        points = long_gap[t] + long_wide[t] + loud[t]
        points += long_structure[t] + long_impulse[t] + long_side[t]
        score_long[t] = points * 100.0 / 6.0
        points = short_gap[t] + short_wide[t] + loud[t]
        points += short_structure[t] + short_impulse[t] + short_side[t]
        score_short[t] = points * 100.0 / 6.0
    return (
        score_long,
        score_short,
        long_gap,
        long_wide,
        loud,
        long_structure,
        long_impulse,
        long_side,
        short_gap,
        short_wide,
        loud.copy(),
        short_structure,
        short_impulse,
        short_side,
    )
