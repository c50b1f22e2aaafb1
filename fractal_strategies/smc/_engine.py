"""All detectors in one pass: a candle frame in, a frame with the SMC columns out."""

from typing import Any, NamedTuple

import pandas as pd

from ._candles import Candles
from ._config import SmcConfig
from .atr import average_true_range
from .confidence import Confidence, confidence
from .displacement import Displacement, displacement
from .fair_value_gaps import FairValueGaps, fair_value_gaps
from .liquidity import Liquidity, liquidity
from .order_blocks import OrderBlocks, order_blocks
from .premium_discount import premium_discount
from .structure import Structure, structure
from .swings import Swings, swings
from .zones import Zones

_GROUPS: tuple[type, ...] = (
    Swings,
    Structure,
    Displacement,
    OrderBlocks,
    FairValueGaps,
    Liquidity,
    Confidence,
)

COLUMNS: tuple[str, ...] = (
    "atr",
    *(name for group in _GROUPS for name in group._fields if name != "zones"),  # type: ignore[attr-defined]
    "range_position",
)
"""The names of all columns that :func:`detect` adds."""


class Detection(NamedTuple):
    """Everything found in one frame of candles."""

    columns: pd.DataFrame
    """One row per candle, one column per name in :data:`COLUMNS`; index as the input's."""
    order_blocks: Zones
    """Life stories of the order-block zones."""
    fair_value_gaps: Zones
    """Life stories of the gaps."""


def detect_all(frame: pd.DataFrame, config: SmcConfig | None = None) -> Detection:
    """Run every detector on a candle frame.

    Parameters
    ----------
    frame
        A freqtrade candle frame; see :meth:`Candles.from_frame` for what is refused.
    config
        Detector settings; the defaults if None.

    Returns
    -------
    Detection
        Columns and zones. With fewer rows than a detector's warm-up its columns carry no
        signals; no error.

    Raises
    ------
    ValueError
        The candles are not legal.

    Notes
    -----
    Row t of every column depends on rows <= t only. Linear in the number of candles.
    """
    config = config or SmcConfig()
    candles = Candles.from_frame(frame)
    atr = average_true_range(candles, config.atr_period)
    found = swings(candles, config.swing_width)
    breaks = structure(candles, found, config.swing_width)
    impulse = displacement(
        candles,
        atr,
        body_atr=config.displacement_body_atr,
        volume_ratio=config.displacement_volume_ratio,
        window=config.volume_window_bars,
    )
    blocks = order_blocks(
        candles,
        breaks,
        impulse.volume_ratio,
        max_lookback_bars=config.ob_max_lookback_bars,
        max_age_bars=config.ob_max_age_bars,
        weak_volume_ratio=config.ob_weak_volume_ratio,
    )
    gaps = fair_value_gaps(
        candles,
        atr,
        least_size_atr=config.fvg_least_size_atr,
        max_age_bars=config.fvg_max_age_bars,
    )
    levels = liquidity(
        candles,
        found,
        atr,
        width=config.swing_width,
        equal_tolerance_atr=config.equal_tolerance_atr,
        reclaim_bars=config.reclaim_bars,
        max_age_bars=config.liquidity_max_age_bars,
    )
    score = confidence(candles, breaks.trend, impulse, gaps, trend_ema_bars=config.trend_ema_bars)
    columns: dict[str, Any] = {"atr": atr}
    for group in (found, breaks, impulse, blocks, gaps, levels, score):
        columns.update(group._asdict())
    del columns["zones"]
    columns["range_position"] = premium_discount(candles, found)
    return Detection(pd.DataFrame(columns, index=frame.index, copy=False), blocks.zones, gaps.zones)


def detect(frame: pd.DataFrame, config: SmcConfig | None = None) -> pd.DataFrame:
    """Add the SMC columns to a candle frame.

    Parameters
    ----------
    frame
        A freqtrade candle frame. Columns of a former run are replaced.
    config
        Detector settings; the defaults if None.

    Returns
    -------
    pandas.DataFrame
        A new frame: the input's columns and :data:`COLUMNS`.

    Raises
    ------
    ValueError
        The candles are not legal; see :meth:`Candles.from_frame`.
    """
    kept = frame.drop(columns=[name for name in COLUMNS if name in frame.columns])
    return pd.concat([kept, detect_all(frame, config).columns], axis=1)
