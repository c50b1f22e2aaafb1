"""What FreqUI shows: why the strategy traded, drawn from the same columns it traded on."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
import pandas as pd
from freqtrade.ft_types import AnnotationType

from fractal_strategies.smc import SmcConfig, Zones, detect_all

from .plan import TradePlan

BULL, BEAR = "rgba(38, 166, 154, 0.25)", "rgba(239, 83, 80, 0.25)"
BULL_GAP, BEAR_GAP = "rgba(66, 133, 244, 0.20)", "rgba(255, 152, 0, 0.20)"
LIQUIDITY, STRUCTURE = "rgba(158, 158, 158, 0.8)", "rgba(120, 120, 220, 0.9)"
STOP, TARGET = "rgba(239, 83, 80, 0.95)", "rgba(38, 166, 154, 0.95)"
MOST_MARKS = 60
"""Structure marks drawn at most, the newest; more would hide the candles."""

PLOT_CONFIG: dict[str, Any] = {
    "main_plot": {
        "last_swing_high": {"color": "rgba(239, 83, 80, 0.6)"},
        "last_swing_low": {"color": "rgba(38, 166, 154, 0.6)"},
        "setup_stop": {"color": "red", "type": "scatter"},
        "setup_limit": {"color": "blue", "type": "scatter"},
    },
    "subplots": {
        "Trend": {
            "trend": {"color": "purple"},
            "bos": {"color": "green"},
            "choch": {"color": "orange"},
        },
        "Confidence": {
            "confidence_long": {"color": "green"},
            "confidence_short": {"color": "red"},
        },
        "ATR": {"atr": {"color": "gray"}},
    },
}


def annotations(
    frame: pd.DataFrame,
    config: SmcConfig,
    start: datetime,
    end: datetime,
    plans: Sequence[tuple[datetime, TradePlan]] = (),
) -> list[AnnotationType]:
    """Draw the picture that the strategy saw at the last candle.

    Parameters
    ----------
    frame
        Candles as freqtrade analysed them.
    config
        The detector settings that the strategy uses.
    start, end
        The span that the chart shows, UTC.
    plans
        Open trades of this pair: when each opened, and its plan.

    Returns
    -------
    list
        freqtrade annotations: live order blocks and gaps as areas, liquidity as lines, breaks
        of structure as labelled lines, stop and target of open trades as lines.
    """
    if not len(frame):
        return []
    candles = frame[["date", "open", "high", "low", "close", "volume"]]
    found = detect_all(candles, config)
    dates = candles["date"]
    last = pd.Timestamp(dates.iloc[-1])
    right = max(last, _utc(end))
    marks: list[AnnotationType] = [
        *_areas(found.order_blocks, dates, right, "OB", BULL, BEAR),
        *_areas(found.fair_value_gaps, dates, right, "FVG", BULL_GAP, BEAR_GAP),
        *_liquidity(found.columns, dates, right),
        *_structure(found.columns, dates, start),
    ]
    for opened, plan in plans:
        marks.append(_level(plan.stop, opened, right, STOP, f"stop {plan.tag}"))
        if plan.target is not None:
            marks.append(_level(plan.target, opened, right, TARGET, f"target {plan.tag}"))
    return marks


def _areas(
    zones: Zones,
    dates: "pd.Series[pd.Timestamp]",
    right: pd.Timestamp,
    name: str,
    up: str,
    down: str,
) -> list[AnnotationType]:
    """Draw the zones that live at the last candle, from the candle that made them."""
    areas: list[AnnotationType] = []
    for z in np.flatnonzero(zones.end_row < 0):
        bull = zones.direction[z] > 0
        detail = f" {zones.fill[z]:.0%} filled" if name == "FVG" else ""
        united = f" x{zones.members[z]}" if zones.members[z] > 1 else ""
        areas.append(
            {
                "type": "area",
                "start": dates.iloc[int(zones.source_row[z])].to_pydatetime(),
                "end": right.to_pydatetime(),
                "y_start": float(zones.bottom[z]),
                "y_end": float(zones.top[z]),
                "color": up if bull else down,
                "label": f"{'bull' if bull else 'bear'} {name}{united}{detail}",
            }
        )
    return areas


def _liquidity(
    columns: pd.DataFrame, dates: "pd.Series[pd.Timestamp]", right: pd.Timestamp
) -> list[AnnotationType]:
    """Draw the nearest untaken liquidity on either side."""
    now = columns.iloc[-1]
    lines: list[AnnotationType] = []
    for side, name in (("high", "buy-side"), ("low", "sell-side")):
        price = float(now[f"liquidity_{side}"])
        if np.isnan(price):
            continue
        touches = int(now[f"liquidity_{side}_touches"])
        label = f"{name} liquidity" + (f" (equal {side}s x{touches})" if touches > 1 else "")
        made = dates.iloc[-1 - int(now[f"liquidity_{side}_bars_ago"])].to_pydatetime()
        lines.append(_level(price, made, right, LIQUIDITY, label, style="dashed"))
    return lines


def _structure(
    columns: pd.DataFrame, dates: "pd.Series[pd.Timestamp]", start: datetime
) -> list[AnnotationType]:
    """Draw a line from each broken swing to the candle that broke it."""
    event = (columns["bos"] + columns["choch"]).to_numpy()
    shown = (dates >= _utc(start)).to_numpy()
    lines: list[AnnotationType] = []
    for t in np.flatnonzero((event != 0) & shown)[-MOST_MARKS:]:
        name = "BOS" if columns["bos"].iloc[t] else "CHoCH"
        swing = dates.iloc[int(t) - int(columns["broken_bars_ago"].iloc[t])].to_pydatetime()
        lines.append(
            _level(
                float(columns["broken_level"].iloc[t]),
                swing,
                pd.Timestamp(dates.iloc[t]),
                STRUCTURE,
                f"{name} {'up' if event[t] > 0 else 'down'}",
                style="dotted",
            )
        )
    return lines


def _utc(moment: datetime) -> pd.Timestamp:
    """Take a moment without a time zone for UTC, as freqtrade's candles are."""
    return pd.Timestamp(moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))


def _level(
    price: float,
    start: datetime,
    end: pd.Timestamp,
    color: str,
    label: str,
    style: Literal["solid", "dashed", "dotted"] = "solid",
) -> AnnotationType:
    return {
        "type": "line",
        "start": start,
        "end": end.to_pydatetime(),
        "y_start": price,
        "y_end": price,
        "color": color,
        "label": label,
        "width": 2,
        "line_style": style,
    }
