"""Order blocks: the last opposing candle before the move that broke structure."""

from typing import NamedTuple

import numpy as np

from ._candles import Candles, Directions, Floats, Rows
from ._kernel import kernel
from .structure import Structure
from .zones import EndReason, Zones

_LIVE, _INVALIDATED = int(EndReason.LIVE), int(EndReason.INVALIDATED)
_EXPIRED, _MERGED = int(EndReason.EXPIRED), int(EndReason.MERGED)
_CROWDED_OUT = int(EndReason.CROWDED_OUT)

MOST_LIVE_ZONES = 32
"""Zones followed per side. More than a chart can show; it bounds the work per candle."""


class OrderBlocks(NamedTuple):
    """Order blocks as of each candle, arrays of shape (n,), and their zones' life stories."""

    ob: Directions
    """+1 or -1 on the candle whose break makes an order block known."""
    ob_top: Floats
    """High of that new block's candle; NaN if none."""
    ob_bottom: Floats
    """Low of that new block's candle; NaN if none."""
    ob_bars_ago: Rows
    """Candles since that candle; -1 if none."""
    ob_volume_ratio: Floats
    """Its volume over the median volume before it; a block below the threshold is weak."""
    ob_weak: Directions
    """1 where the new block is weak, else 0."""
    ob_mitigated: Directions
    """Direction of a zone that this candle's range enters for the first time, else 0."""
    ob_invalidated: Directions
    """Direction of a zone that this candle closes beyond, else 0."""
    ob_bull_top: Floats
    """Upper edge of the newest live bullish zone as of this candle."""
    ob_bull_bottom: Floats
    """Lower edge of the newest live bullish zone."""
    ob_bull_blocks: Rows
    """Blocks united in it; 0 if there is none."""
    ob_bear_top: Floats
    """Upper edge of the newest live bearish zone."""
    ob_bear_bottom: Floats
    """Lower edge of the newest live bearish zone."""
    ob_bear_blocks: Rows
    """Blocks united in it; 0 if there is none."""
    zones: Zones
    """Every zone with its life story."""


def order_blocks(
    candles: Candles,
    breaks: Structure,
    volume_ratio: Floats,
    *,
    max_lookback_bars: int = 20,
    max_age_bars: int = 200,
    weak_volume_ratio: float = 1.0,
) -> OrderBlocks:
    """Find order blocks and follow their zones.

    When a close breaks structure upwards, the newest candle before it that closed below its
    open is the order block; the zone is that candle's range. Downwards mirrors it. A zone is
    mitigated when price first enters it again, and ends by a close beyond its far edge
    (invalidated) or by age. A new block that overlaps live zones of its side unites with them:
    the zone then spans all of them and starts its age anew.

    Parameters
    ----------
    candles
        Validated candles of shape (n,).
    breaks
        Structure of the same candles; both BOS and CHoCH make blocks.
    volume_ratio
        Volume over its prior median, per candle.
    max_lookback_bars
        Furthest that the block may lie before the break, at least 1; without an opposing candle
        within it there is no block.
    max_age_bars
        Bars after it became known during which a zone is live, at least 1.
    weak_volume_ratio
        A block whose candle traded below this ratio (or whose ratio is unknown) is weak.

    Returns
    -------
    OrderBlocks
        Arrays of shape (n,) and the table of zones.

    Notes
    -----
    Warm-up: that of the structure; blocks are weak while the volume's median is not known. A
    block is known on the breaking candle and can be mitigated from the next one on. Row t uses
    rows <= t. O(n): per candle, at most `MOST_LIVE_ZONES` zones a side are looked at.
    """
    event = (breaks.bos + breaks.choch).astype(np.int8)
    marks = order_blocks_nb(
        candles.open,
        candles.high,
        candles.low,
        candles.close,
        event,
        volume_ratio,
        max_lookback_bars,
        weak_volume_ratio,
    )
    ob, top, bottom, *_ = marks
    bull = follow_zones_nb(candles.low, candles.close, ob, top, bottom, 1, max_age_bars)
    # A bearish zone seen upside down is a bullish one.
    bear = follow_zones_nb(-candles.high, -candles.close, ob, -bottom, -top, -1, max_age_bars)
    return OrderBlocks(
        *marks,
        *_newest_direction(bull[3], bear[3]),
        *_newest_direction(bull[4], bear[4]),
        bull[0],
        bull[1],
        bull[2],
        -bear[1],
        -bear[0],
        bear[2],
        _table(marks[3], bull[5], bear[5]),
    )


def _newest_direction(bull: Directions, bear: Directions) -> tuple[Directions]:
    """Merge the events of both sides; a candle that does both (rare) cancels to 0."""
    return ((bull - bear).astype(np.int8),)


def _table(
    bars_ago: Rows,
    bull: tuple[Rows, Floats, Floats, Rows, Rows, Directions, Floats, Rows],
    bear: tuple[Rows, Floats, Floats, Rows, Rows, Directions, Floats, Rows],
) -> Zones:
    known = np.concatenate([bull[0], bear[0]])
    order = np.argsort(known, kind="stable")
    direction = np.repeat(np.array([1, -1], np.int8), [bull[0].size, bear[0].size])
    rest = [np.concatenate([up, down])[order] for up, down in zip(bull[3:], bear[3:], strict=True)]
    return Zones(
        direction[order],
        (known - bars_ago[known])[order],
        known[order],
        np.concatenate([bull[1], -bear[2]])[order],
        np.concatenate([bull[2], -bear[1]])[order],
        *rest,
    )


@kernel
def order_blocks_nb(
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    event: Directions,
    volume_ratio: Floats,
    max_lookback: int,
    weak_volume_ratio: float,
) -> tuple[Directions, Floats, Floats, Rows, Floats, Directions]:
    """Find the block behind every break; see :func:`order_blocks`."""
    n = close.size
    ob = np.zeros(n, np.int8)
    top = np.full(n, np.nan)
    bottom = np.full(n, np.nan)
    bars_ago = np.full(n, -1, np.int64)
    ratio = np.full(n, np.nan)
    weak = np.zeros(n, np.int8)
    last_down = -1
    last_up = -1
    for t in range(n):
        if event[t] != 0:
            source = last_down if event[t] > 0 else last_up
            if source >= 0 and t - source <= max_lookback:
                ob[t] = event[t]
                top[t] = high[source]
                bottom[t] = low[source]
                bars_ago[t] = t - source
                ratio[t] = volume_ratio[source]
                weak[t] = 0 if ratio[t] >= weak_volume_ratio else 1
        if close[t] < open_[t]:
            last_down = t
        elif close[t] > open_[t]:
            last_up = t
    return ob, top, bottom, bars_ago, ratio, weak


@kernel
def follow_zones_nb(
    low: Floats,
    close: Floats,
    ob: Directions,
    ob_top: Floats,
    ob_bottom: Floats,
    side: int,
    max_age: int,
) -> tuple[
    Floats,
    Floats,
    Rows,
    Directions,
    Directions,
    tuple[Rows, Floats, Floats, Rows, Rows, Directions, Floats, Rows],
]:
    """Follow one side's zones as support (the caller turns the bearish side upside down)."""
    n = close.size
    live_top = np.full(n, np.nan)
    live_bottom = np.full(n, np.nan)
    live_members = np.zeros(n, np.int64)
    mitigated = np.zeros(n, np.int8)
    invalidated = np.zeros(n, np.int8)
    known = np.empty(n, np.int64)
    top = np.empty(n)
    bottom = np.empty(n)
    touched = np.empty(n, np.int64)
    end = np.empty(n, np.int64)
    reason = np.empty(n, np.int8)
    fill = np.empty(n)
    members = np.empty(n, np.int64)
    live = np.empty(MOST_LIVE_ZONES, np.int64)  # zone numbers, oldest first
    alive = 0
    found = 0
    for t in range(n):
        kept = 0
        for k in range(alive):
            z = live[k]
            if t - known[z] > max_age:
                end[z] = t
                reason[z] = _EXPIRED
                continue
            if low[t] <= top[z]:
                if touched[z] < 0:
                    touched[z] = t
                    mitigated[t] = 1
                height = top[z] - bottom[z]
                depth = (top[z] - low[t]) / height if height > 0.0 else 1.0
                fill[z] = max(fill[z], min(depth, 1.0))
            if close[t] < bottom[z]:
                end[z] = t
                reason[z] = _INVALIDATED
                invalidated[t] = 1
                continue
            live[kept] = z
            kept += 1
        alive = kept
        if ob[t] == side:
            new_top = ob_top[t]
            new_bottom = ob_bottom[t]
            united = 1
            kept = 0
            for k in range(alive):
                z = live[k]
                if bottom[z] <= ob_top[t] and top[z] >= ob_bottom[t]:
                    end[z] = t
                    reason[z] = _MERGED
                    new_top = max(new_top, top[z])
                    new_bottom = min(new_bottom, bottom[z])
                    united += members[z]
                else:
                    live[kept] = z
                    kept += 1
            alive = kept
            if alive == MOST_LIVE_ZONES:
                end[live[0]] = t
                reason[live[0]] = _CROWDED_OUT
                for k in range(1, alive):
                    live[k - 1] = live[k]
                alive -= 1
            known[found] = t
            top[found] = new_top
            bottom[found] = new_bottom
            touched[found] = -1
            end[found] = -1
            reason[found] = _LIVE
            fill[found] = 0.0
            members[found] = united
            live[alive] = found
            alive += 1
            found += 1
        if alive > 0:
            z = live[alive - 1]
            live_top[t] = top[z]
            live_bottom[t] = bottom[z]
            live_members[t] = members[z]
    table = (
        known[:found].copy(),
        top[:found].copy(),
        bottom[:found].copy(),
        touched[:found].copy(),
        end[:found].copy(),
        reason[:found].copy(),
        fill[:found].copy(),
        members[:found].copy(),
    )
    return live_top, live_bottom, live_members, mitigated, invalidated, table
