"""What one candle file has: from when to when, and with which holes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from freqtrade.enums import CandleType
from freqtrade.exchange import timeframe_to_seconds


@dataclass(frozen=True)
class Gap:
    """Candles that a file lacks: `start` is the first missing, `end` the next that is there."""

    start: datetime
    end: datetime
    candles: int


@dataclass(frozen=True)
class FileSpan:
    """What one file has.

    Parameters
    ----------
    pair, timeframe : str
        As in freqtrade.
    kind : CandleType
        Candles, mark prices or funding rates.
    start, end : datetime
        UTC; half-open: `end` is when the last candle closes.
    rows : int
        Candles in the file.
    gaps : tuple of Gap
        Oldest first. freqtrade fills them with the last close.
    """

    pair: str
    timeframe: str
    kind: CandleType
    start: datetime
    end: datetime
    rows: int
    gaps: tuple[Gap, ...]

    @property
    def name(self) -> str:
        """The file in words: ``2h candles of SOL/USDC:USDC``."""
        words = {CandleType.MARK: "mark prices", CandleType.FUNDING_RATE: "funding rates"}
        return f"{self.timeframe} {words.get(self.kind, 'candles')} of {self.pair}"

    def covers(self, start: datetime, end: datetime) -> bool:
        """Tell whether the file reaches over a span; it may have gaps."""
        return self.start <= start and end <= self.end


def file_span(
    pair: str, timeframe: str, kind: CandleType, dates: pd.Series[pd.Timestamp]
) -> FileSpan:
    """Measure one file from its candles' opening times (UTC, ascending)."""
    bar = pd.Timedelta(seconds=timeframe_to_seconds(timeframe))
    steps = np.round(dates.diff().to_numpy()[1:] / bar.to_timedelta64()).astype(np.int64)
    gaps = tuple(
        Gap(
            _utc(dates.iloc[row] + bar),
            _utc(dates.iloc[row + 1]),
            int(steps[row]) - 1,
        )
        for row in np.flatnonzero(steps > 1)
    )
    first, last = _utc(dates.iloc[0]), _utc(dates.iloc[-1] + bar)
    return FileSpan(pair, timeframe, kind, first, last, len(dates), gaps)


def _utc(moment: pd.Timestamp) -> datetime:
    # Not pandas' own zone object: two equal moments should also print alike.
    return moment.to_pydatetime().astimezone(UTC)
