"""Fair value gaps: three candles whose outer two do not overlap."""

from typing import NamedTuple

import numpy as np

from ._candles import Candles, Directions, Floats, Rows
from ._kernel import kernel
from .zones import EndReason, Zones

_LIVE, _FILLED, _EXPIRED = int(EndReason.LIVE), int(EndReason.FILLED), int(EndReason.EXPIRED)


class FairValueGaps(NamedTuple):
    """Gaps as of each candle, arrays of shape (n,), and their life stories."""

    fvg: Directions
    """+1 or -1 on the third candle of a gap: the first that can know it."""
    fvg_top: Floats
    """Upper edge of that new gap; NaN if none."""
    fvg_bottom: Floats
    """Lower edge of that new gap; NaN if none."""
    fvg_size_atr: Floats
    """Height of that new gap in ATR; NaN if none."""
    fvg_filled: Directions
    """Direction of a gap that this candle fills to its far edge, 0 if none; the newest counts."""
    fvg_bull_top: Floats
    """Upper edge of the newest live bullish gap as of this candle."""
    fvg_bull_bottom: Floats
    """Lower edge of the newest live bullish gap."""
    fvg_bull_fill: Floats
    """Share of it that price has entered so far, 0 to 1."""
    fvg_bear_top: Floats
    """Upper edge of the newest live bearish gap."""
    fvg_bear_bottom: Floats
    """Lower edge of the newest live bearish gap."""
    fvg_bear_fill: Floats
    """Share of it that price has entered so far, 0 to 1."""
    zones: Zones
    """Every gap with its life story."""


def fair_value_gaps(
    candles: Candles, atr: Floats, *, least_size_atr: float = 0.25, max_age_bars: int = 100
) -> FairValueGaps:
    """Find fair value gaps and follow how far price fills them.

    A bullish gap lies between the high of the first and the low of the third of three candles
    when that low is the higher; a bearish gap mirrors it. The near edge is the one price
    left last (the top of a bullish gap). A gap is live until price reaches its far edge (filled)
    or it is older than `max_age_bars` (expired).

    Parameters
    ----------
    candles
        Validated candles of shape (n,).
    atr
        Average true range of the same candles, price units.
    least_size_atr
        Least height, in ATR of the third candle; 0 takes every gap.
    max_age_bars
        Bars after the third candle during which a gap is live, at least 1.

    Returns
    -------
    FairValueGaps
        Arrays of shape (n,) and the table of zones.

    Notes
    -----
    Warm-up: the ATR's. A gap is known on its third candle and can be touched from the next one
    on; reading it on the middle candle (``shift(-1)``) is the one-candle leak that freqtrade's
    lookahead analysis cannot see. Row t uses rows <= t. O(n x max_age_bars) at worst, for a
    market in which every candle leaves a gap that nobody fills; in practice near O(n).
    """
    found = fair_value_gaps_nb(candles.high, candles.low, atr, least_size_atr, max_age_bars)
    table = found[11]
    zones = Zones(*table, np.ones(table[0].size, np.int64))
    return FairValueGaps(*found[:11], zones)


@kernel
def fair_value_gaps_nb(
    high: Floats, low: Floats, atr: Floats, least_size_atr: float, max_age: int
) -> tuple[
    Directions,
    Floats,
    Floats,
    Floats,
    Directions,
    Floats,
    Floats,
    Floats,
    Floats,
    Floats,
    Floats,
    tuple[Directions, Rows, Rows, Floats, Floats, Rows, Rows, Directions, Floats],
]:
    """Find and follow gaps; see :func:`fair_value_gaps`.

    Every gap is followed on its own and paints the rows of its life; as gaps are taken in the
    order they became known, the newest live one stays on top in every row.
    """
    n = high.size
    fvg = np.zeros(n, np.int8)
    fvg_top = np.full(n, np.nan)
    fvg_bottom = np.full(n, np.nan)
    fvg_size = np.full(n, np.nan)
    filled = np.zeros(n, np.int8)
    bull_top = np.full(n, np.nan)
    bull_bottom = np.full(n, np.nan)
    bull_fill = np.full(n, np.nan)
    bear_top = np.full(n, np.nan)
    bear_bottom = np.full(n, np.nan)
    bear_fill = np.full(n, np.nan)
    # The table grows with the gaps found; untouched pages of these cost nothing.
    known = np.empty(n, np.int64)
    touched = np.empty(n, np.int64)
    end = np.empty(n, np.int64)
    reason = np.empty(n, np.int8)
    deepest = np.empty(n)
    found = 0
    for t in range(2, n):
        direction = 0
        if low[t] > high[t - 2]:
            direction = 1
            top = low[t]
            bottom = high[t - 2]
        elif high[t] < low[t - 2]:
            direction = -1
            top = low[t - 2]
            bottom = high[t]
        if direction == 0 or not top - bottom >= least_size_atr * atr[t]:
            continue
        size = top - bottom
        fvg[t] = direction
        fvg_top[t] = top
        fvg_bottom[t] = bottom
        fvg_size[t] = size / atr[t] if atr[t] > 0.0 else np.inf
        known[found] = t
        touched[found] = -1
        end[found] = -1
        reason[found] = _LIVE
        share = 0.0
        if direction > 0:
            bull_top[t], bull_bottom[t], bull_fill[t] = top, bottom, share
        else:
            bear_top[t], bear_bottom[t], bear_fill[t] = top, bottom, share
        for r in range(t + 1, n):
            if r - t > max_age:
                end[found] = r
                reason[found] = _EXPIRED
                break
            depth = top - low[r] if direction > 0 else high[r] - bottom
            if depth >= 0.0 and touched[found] < 0:
                touched[found] = r
            if depth >= size:
                share = 1.0
                end[found] = r
                reason[found] = _FILLED
                filled[r] = direction
                break
            share = max(share, depth / size)
            if direction > 0:
                bull_top[r], bull_bottom[r], bull_fill[r] = top, bottom, share
            else:
                bear_top[r], bear_bottom[r], bear_fill[r] = top, bottom, share
        deepest[found] = share
        found += 1
    known = known[:found].copy()
    table = (
        fvg[known],
        known - 2,
        known,
        fvg_top[known],
        fvg_bottom[known],
        touched[:found].copy(),
        end[:found].copy(),
        reason[:found].copy(),
        deepest[:found].copy(),
    )
    return (
        fvg,
        fvg_top,
        fvg_bottom,
        fvg_size,
        filled,
        bull_top,
        bull_bottom,
        bull_fill,
        bear_top,
        bear_bottom,
        bear_fill,
        table,
    )
