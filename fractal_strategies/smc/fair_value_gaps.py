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
    lookahead analysis cannot see. Row t uses rows <= t. O(n), whatever
    `max_age_bars` is.
    """
    fvg, top, bottom, size_atr = fair_value_gaps_nb(candles.high, candles.low, atr, least_size_atr)
    bull = follow_gaps_nb(candles.low, fvg, top, bottom, 1, max_age_bars)
    # A bearish gap seen upside down is a bullish one.
    bear = follow_gaps_nb(-candles.high, fvg, -bottom, -top, -1, max_age_bars)
    return FairValueGaps(
        fvg,
        top,
        bottom,
        size_atr,
        np.sign(bull[3] - bear[3]).astype(np.int8),
        *bull[:3],
        -bear[1],
        -bear[0],
        bear[2],
        _table(fvg, top, bottom, bull[4], bear[4]),
    )


def _table(
    fvg: Directions,
    top: Floats,
    bottom: Floats,
    bull: tuple[Rows, Rows, Rows, Directions, Floats],
    bear: tuple[Rows, Rows, Rows, Directions, Floats],
) -> Zones:
    known = np.concatenate([bull[0], bear[0]])
    order = np.argsort(known)
    known = known[order]
    rest = [np.concatenate([up, down])[order] for up, down in zip(bull[1:], bear[1:], strict=True)]
    rest.append(np.ones(known.size, np.int64))
    return Zones(fvg[known], known - 2, known, top[known], bottom[known], *rest)


@kernel
def fair_value_gaps_nb(
    high: Floats, low: Floats, atr: Floats, least_size_atr: float
) -> tuple[Directions, Floats, Floats, Floats]:
    """Find the gaps; see :func:`fair_value_gaps`."""
    n = high.size
    fvg = np.zeros(n, np.int8)
    top = np.full(n, np.nan)
    bottom = np.full(n, np.nan)
    size_atr = np.full(n, np.nan)
    for t in range(2, n):
        if low[t] > high[t - 2]:
            direction, upper, lower = 1, low[t], high[t - 2]
        elif high[t] < low[t - 2]:
            direction, upper, lower = -1, low[t - 2], high[t]
        else:
            continue
        if upper - lower >= least_size_atr * atr[t]:
            fvg[t] = direction
            top[t] = upper
            bottom[t] = lower
            size_atr[t] = (upper - lower) / atr[t] if atr[t] > 0.0 else np.inf
    return fvg, top, bottom, size_atr


@kernel
def follow_gaps_nb(
    low: Floats, fvg: Directions, top: Floats, bottom: Floats, side: int, max_age: int
) -> tuple[Floats, Floats, Floats, Rows, tuple[Rows, Rows, Rows, Directions, Floats]]:
    """Follow one side's gaps as support (the caller turns the bearish side upside down).

    Every gap enters and leaves each of three lists once, so the work per candle is constant:

    - `live`: the unfilled gaps by age. Their far edges rise with time, as price stands above
      all of them when a new one forms; only the gaps of two neighbouring candles may stand the
      other way round, so the newest two are looked at for filling.
    - `untouched`: the same for their near edges, without that exception.
    - `lows`: rows of ascending lows, for the depth reached by a gap that expires.

    `lowest` of a live gap covers the rows until the next live gap became known.
    """
    n = low.size
    newest_top = np.full(n, np.nan)
    newest_bottom = np.full(n, np.nan)
    newest_fill = np.full(n, np.nan)
    filled = np.full(n, -1, np.int64)  # when the newest gap filled in a row became known
    known = np.nonzero(fvg == side)[0]
    count = known.size
    near = top[known]
    far = bottom[known]
    touched = np.full(count, -1, np.int64)
    end = np.full(count, -1, np.int64)
    reason = np.full(count, _LIVE, np.int8)
    fill = np.zeros(count)
    lowest = np.full(count, np.inf)
    live = np.empty(count, np.int64)
    first = 0
    size = 0
    untouched = np.empty(count, np.int64)
    waiting = 0
    lows = np.empty(n, np.int64)
    lows_first = 0
    lows_size = 0
    found = 0
    for t in range(n):
        while first < size and t - known[live[first]] > max_age:
            z = live[first]
            first += 1
            end[z] = t
            reason[z] = _EXPIRED
            while lows[lows_first] <= known[z]:
                lows_first += 1
            fill[z] = share_nb(near[z], far[z], low[lows[lows_first]])
        if first == size:
            first = size = waiting = lows_first = lows_size = 0
        else:
            while lows_size > lows_first and low[lows[lows_size - 1]] >= low[t]:
                lows_size -= 1
            lows[lows_size] = t
            lows_size += 1
            lowest[live[size - 1]] = min(lowest[live[size - 1]], low[t])
            while waiting > 0 and low[t] <= near[untouched[waiting - 1]]:
                waiting -= 1
                if reason[untouched[waiting]] == _LIVE:
                    touched[untouched[waiting]] = t
            last = reached_gap_nb(live, first, size, far, low[t])
            while last >= 0:
                z = live[last]
                end[z] = t
                reason[z] = _FILLED
                fill[z] = 1.0
                filled[t] = max(filled[t], known[z])
                if last > first:
                    lowest[live[last - 1]] = min(lowest[live[last - 1]], lowest[z])
                size -= 1
                live[last] = live[size]
                last = reached_gap_nb(live, first, size, far, low[t])
        if fvg[t] == side:
            live[size] = found
            size += 1
            untouched[waiting] = found
            waiting += 1
            found += 1
        if first < size:
            z = live[size - 1]
            newest_top[t] = near[z]
            newest_bottom[t] = far[z]
            newest_fill[t] = share_nb(near[z], far[z], lowest[z])
    reached = np.inf
    for k in range(size - 1, first - 1, -1):
        z = live[k]
        reached = min(reached, lowest[z])
        fill[z] = share_nb(near[z], far[z], reached)
    return newest_top, newest_bottom, newest_fill, filled, (known, touched, end, reason, fill)


@kernel
def share_nb(near: float, far: float, lowest: float) -> float:
    """Work out which share of a gap price has entered when its lowest was `lowest`."""
    return max(0.0, (near - lowest) / (near - far))


@kernel
def reached_gap_nb(live: Rows, first: int, size: int, far: Floats, low: float) -> int:
    """Look among the newest two live gaps for one whose far edge price reaches; -1 if none."""
    for k in range(size - 1, max(first, size - 2) - 1, -1):
        if low <= far[live[k]]:
            return k
    return -1
