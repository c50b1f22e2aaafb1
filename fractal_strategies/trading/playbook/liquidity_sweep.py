"""A sweep of a swing level, and price back inside."""

import numpy as np
import pandas as pd

from fractal_strategies.smc.confirmation import confirmed_sweeps_nb
from fractal_strategies.trading.setups import Reading

from ._columns import column, unknown_choice

CONFIRMATIONS = ("displacement", "reclaim")


def liquidity_sweep(
    frame: pd.DataFrame,
    *,
    confirmation: str = "displacement",
    confirm_within_bars: int = 10,
    least_gap_atr: float = 0.5,
    stop_buffer_atr: float = 0.25,
    reclaim_target_r: float = 2.0,
    max_bars: int = 48,
) -> Reading:
    """Trade away from swept liquidity.

    Parameters
    ----------
    frame
        Candles with SMC columns.
    confirmation
        ``reclaim`` enters at the close that comes back inside, with the stop beyond the sweep's
        extreme and a target of `reclaim_target_r`. ``displacement`` waits for the first fair
        value gap in the new direction, puts the stop beyond that gap, and has no target.
    confirm_within_bars, least_gap_atr
        How soon, and how high (ATR), that gap must be.
    stop_buffer_atr
        Room beyond the extreme or the gap, in ATR.
    reclaim_target_r
        Target of the ``reclaim`` reading, in R.
    max_bars
        Time stop in candles.

    Returns
    -------
    Reading
        Market entries; row t uses rows <= t.
    """
    buffer = stop_buffer_atr * column(frame, "atr")
    if confirmation == "reclaim":
        side = frame["sweep"].to_numpy(np.int8)
        long_stop = column(frame, "sweep_low_extreme") - buffer
        short_stop = column(frame, "sweep_high_extreme") + buffer
        target_r = reclaim_target_r
    elif confirmation == "displacement":
        side = confirmed_sweeps_nb(
            column(frame, "close"),
            column(frame, "sweep_low_extreme"),
            column(frame, "sweep_high_extreme"),
            frame["fvg"].to_numpy(np.int8),
            column(frame, "fvg_size_atr"),
            confirm_within_bars,
            least_gap_atr,
        )
        long_stop = column(frame, "fvg_bottom") - buffer
        short_stop = column(frame, "fvg_top") + buffer
        target_r = float("nan")
    else:
        raise unknown_choice("confirmation", confirmation, CONFIRMATIONS)
    return Reading(
        tag=f"sweep_{confirmation}",
        side=side,
        stop=np.where(side > 0, long_stop, short_stop),
        target_r=target_r,
        max_bars=max_bars,
    )
