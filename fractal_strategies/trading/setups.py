"""Setups: what a strategy proposes on a closed candle, before any money is involved."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Directions = npt.NDArray[np.int8]

SETUP_COLUMNS = (
    "setup_side",
    "setup_tag",
    "setup_confidence",
    "setup_limit",
    "setup_stop",
    "setup_target",
    "setup_target_r",
    "setup_expiry_bars",
    "setup_max_bars",
)
"""Columns that :func:`combine` makes."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of one strategy over all candles: where it would enter, and how.

    Parameters
    ----------
    tag
        Names strategy and reading; becomes freqtrade's ``enter_tag``.
    side
        int8 of shape (n,): +1 long, -1 short, 0 no setup on this candle.
    stop
        Price at which the setup is wrong, shape (n,); ignored where `side` is 0.
    limit
        Price of a resting entry, shape (n,); NaN enters at the market. None: NaN throughout.
    target
        Price at which to take profit, shape (n,); NaN leaves it to `target_r`. None: NaN
        throughout.
    target_r
        Take profit at this multiple of the risk, measured from the fill; NaN for no target.
    expiry_bars
        A resting entry is withdrawn after this many candles; 0 for market entries.
    max_bars
        The time stop: leave after this many candles in the trade; 0 for none.
    """

    tag: str
    side: Directions
    stop: Floats
    limit: Floats | None = None
    target: Floats | None = None
    target_r: float = float("nan")
    expiry_bars: int = 0
    max_bars: int = 0


@dataclass(frozen=True, slots=True)
class Setup:
    """One row of the setup columns: a proposal on one candle. Prices; NaN means none."""

    side: int
    tag: str
    confidence: float
    limit: float
    stop: float
    target: float
    target_r: float
    expiry_bars: int
    max_bars: int

    @classmethod
    def from_row(cls, row: "pd.Series[Any]") -> "Setup | None":
        """Read the setup on a candle; None where there is none."""
        if not row["setup_side"]:
            return None
        return cls(
            side=int(row["setup_side"]),
            tag=str(row["setup_tag"]),
            confidence=float(row["setup_confidence"]),
            limit=float(row["setup_limit"]),
            stop=float(row["setup_stop"]),
            target=float(row["setup_target"]),
            target_r=float(row["setup_target_r"]),
            expiry_bars=int(row["setup_expiry_bars"]),
            max_bars=int(row["setup_max_bars"]),
        )

    @property
    def is_resting(self) -> bool:
        """Whether the entry waits at a limit instead of taking the market."""
        return not np.isnan(self.limit)


def combine(
    frame: pd.DataFrame,
    readings: Sequence[Reading],
    *,
    min_confidence: float,
    min_stop_ratio: float,
    max_stop_ratio: float,
) -> pd.DataFrame:
    """Keep the tradable setups of all readings; the first reading wins a candle.

    Parameters
    ----------
    frame
        Candles with the SMC columns.
    readings
        In order of priority.
    min_confidence
        Least confidence of the setup's direction, 0 to 100.
    min_stop_ratio, max_stop_ratio
        Bounds of the stop's distance over the entry price. A setup outside is skipped: its
        stop is where the idea is wrong, so moving it would trade another idea.

    Returns
    -------
    pandas.DataFrame
        :data:`SETUP_COLUMNS` on `frame`'s index.

    Notes
    -----
    Row-wise, so as causal as its input. The entry price is the limit, or the close where the
    entry is at the market.
    """
    n = len(frame)
    close = frame["close"].to_numpy(dtype=np.float64)
    scores = {
        1: frame["confidence_long"].to_numpy(dtype=np.float64),
        -1: frame["confidence_short"].to_numpy(dtype=np.float64),
    }
    nothing = np.full(n, np.nan)
    out: dict[str, Any] = {
        "setup_side": np.zeros(n, np.int8),
        "setup_tag": np.full(n, "", dtype=object),
        "setup_confidence": np.full(n, np.nan),
        "setup_limit": np.full(n, np.nan),
        "setup_stop": np.full(n, np.nan),
        "setup_target": np.full(n, np.nan),
        "setup_target_r": np.full(n, np.nan),
        "setup_expiry_bars": np.zeros(n, np.int64),
        "setup_max_bars": np.zeros(n, np.int64),
    }
    for reading in readings:
        limit = nothing if reading.limit is None else reading.limit
        target = nothing if reading.target is None else reading.target
        entry = np.where(np.isnan(limit), close, limit)
        confidence = np.where(reading.side > 0, scores[1], scores[-1])
        # Signed: a stop on the wrong side of the entry is negative and falls out here.
        distance = reading.side * (entry - reading.stop) / entry
        good = (
            (reading.side != 0)
            & (out["setup_side"] == 0)
            & (confidence >= min_confidence)
            & (distance >= min_stop_ratio)
            & (distance <= max_stop_ratio)
            & ~(reading.side * (target - entry) <= 0.0)
        )
        for name, value in (
            ("setup_side", reading.side),
            ("setup_tag", reading.tag),
            ("setup_confidence", confidence),
            ("setup_limit", limit),
            ("setup_stop", reading.stop),
            ("setup_target", target),
            ("setup_target_r", reading.target_r),
            ("setup_expiry_bars", reading.expiry_bars),
            ("setup_max_bars", reading.max_bars),
        ):
            out[name] = np.where(good, value, out[name])
    return pd.DataFrame(out, index=frame.index)
