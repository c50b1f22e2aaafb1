"""A fair value gap: its fill, its momentum, or the way back into it."""

import numpy as np
import pandas as pd

from fractal_strategies.trading.setups import Reading

from ._columns import column, previous, unknown_choice

ENTRIES = ("fill", "momentum", "mean_reversion")


def fvg_fill(
    frame: pd.DataFrame,
    *,
    entry: str = "fill",
    least_size_atr: float = 1.0,
    volume_ratio: float = 1.5,
    fill_buffer_atr: float = 0.1,
    stop_buffer_atr: float = 0.25,
    target_r: float = 3.0,
    expiry_bars: int = 50,
    max_bars: int = 24,
) -> Reading:
    """Trade a fair value gap.

    Parameters
    ----------
    frame
        Candles with SMC columns.
    entry
        ``fill`` rests at the near edge of the gap and goes with the impulse, its stop beyond the
        impulse candle. ``momentum`` goes with the impulse at once, its stop beyond the far edge.
        ``mean_reversion`` goes against it at once, towards the far edge of the gap, its stop
        beyond the impulse's extreme.
    least_size_atr
        Least height of the gap, in ATR.
    volume_ratio
        Least volume of the impulse candle for ``momentum``, in prior medians.
    fill_buffer_atr, stop_buffer_atr
        Room beyond the stop's anchor, in ATR, for ``fill`` and for the other readings.
    target_r
        Target of ``fill`` and ``momentum``, in R.
    expiry_bars
        Candles after which an unfilled ``fill`` entry is withdrawn.
    max_bars
        Time stop in candles.

    Returns
    -------
    Reading
        Row t uses rows <= t; the impulse is the candle before the one that completes the gap.
    """
    gap = frame["fvg"].to_numpy(np.int8)
    gap = np.where(column(frame, "fvg_size_atr") >= least_size_atr, gap, 0).astype(np.int8)
    atr = column(frame, "atr")
    high, low = column(frame, "high"), column(frame, "low")
    top, bottom = column(frame, "fvg_top"), column(frame, "fvg_bottom")
    if entry == "fill":
        room = fill_buffer_atr * atr
        below = np.minimum(previous(low), bottom) - room
        above = np.maximum(previous(high), top) + room
        return Reading(
            tag="fvg_fill",
            side=gap,
            stop=np.where(gap > 0, below, above),
            limit=np.where(gap > 0, top, bottom),
            target_r=target_r,
            expiry_bars=expiry_bars,
            max_bars=max_bars,
        )
    room = stop_buffer_atr * atr
    if entry == "momentum":
        loud = previous(column(frame, "volume_ratio")) >= volume_ratio
        return Reading(
            tag="fvg_momentum",
            side=np.where(loud, gap, 0).astype(np.int8),
            stop=np.where(gap > 0, bottom - room, top + room),
            target_r=target_r,
            max_bars=max_bars,
        )
    if entry == "mean_reversion":
        above = np.maximum(previous(high), high) + room
        below = np.minimum(previous(low), low) - room
        return Reading(
            tag="fvg_mean_reversion",
            side=(-gap).astype(np.int8),
            stop=np.where(gap > 0, above, below),
            target=np.where(gap > 0, bottom, top),
            max_bars=max_bars,
        )
    raise unknown_choice("entry", entry, ENTRIES)
