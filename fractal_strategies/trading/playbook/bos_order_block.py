"""A break of structure, and the order block behind it."""

import numpy as np
import pandas as pd

from fractal_strategies.trading.setups import Directions, Reading

from ._columns import column, unknown_choice

ENTRIES = ("break", "retest")


def bos_order_block(
    frame: pd.DataFrame,
    *,
    entry: str = "break",
    body_atr: float = 1.5,
    volume_ratio: float = 1.5,
    stop_buffer_atr: float = 0.25,
    target_r: float = 3.0,
    retest_target_r: float = 2.0,
    expiry_bars: int = 30,
    max_bars: int = 24,
    higher_trend: Directions | None = None,
) -> Reading:
    """Trade with a break of structure.

    Parameters
    ----------
    frame
        Candles with SMC columns.
    entry
        ``break`` enters at the market when the breaking candle is a displacement. ``retest``
        rests at the near edge of the order block until price pulls back into it; weak blocks
        (low volume) are left alone.
    body_atr, volume_ratio
        Least body (ATR) and volume (prior medians) of the breaking candle, for ``break``.
    stop_buffer_atr
        Room beyond the order block, in ATR.
    target_r, retest_target_r
        Targets of the two readings, in R.
    expiry_bars
        Candles after which an unfilled retest is withdrawn.
    max_bars
        Time stop in candles.
    higher_trend
        Trend of the higher timeframe per row; where given, only breaks along it count.

    Returns
    -------
    Reading
        Row t uses rows <= t.
    """
    side = np.where(frame["bos"].to_numpy() == frame["ob"].to_numpy(), frame["bos"].to_numpy(), 0)
    if higher_trend is not None:
        side = np.where(side == higher_trend, side, 0)
    buffer = stop_buffer_atr * column(frame, "atr")
    top, bottom = column(frame, "ob_top"), column(frame, "ob_bottom")
    stop = np.where(side > 0, bottom - buffer, top + buffer)
    if entry == "break":
        displaced = side * column(frame, "body_atr") >= body_atr
        loud = column(frame, "volume_ratio") >= volume_ratio
        return Reading(
            tag="bos_ob_break",
            side=np.where(displaced & loud, side, 0).astype(np.int8),
            stop=stop,
            target_r=target_r,
            max_bars=max_bars,
        )
    if entry == "retest":
        strong = frame["ob_weak"].to_numpy() == 0
        return Reading(
            tag="bos_ob_retest",
            side=np.where(strong, side, 0).astype(np.int8),
            stop=stop,
            limit=np.where(side > 0, top, bottom),
            target_r=retest_target_r,
            expiry_bars=expiry_bars,
            max_bars=max_bars,
        )
    raise unknown_choice("entry", entry, ENTRIES)
