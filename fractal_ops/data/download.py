"""Bring a data directory up to the exchange's present."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from freqtrade.enums import CandleType

from fractal_ops.data.client import TestnetClient
from fractal_ops.data.errors import DataError
from fractal_ops.data.mark import hourly_marks
from fractal_ops.data.merge import append
from fractal_ops.data.pairs import coin_of
from fractal_ops.data.store import Store

MARK_SOURCES = ("5m", "15m", "30m", "1h", "2h", "4h", "8h", "12h", "1d")
_OVERLAP_ROWS = 50


@dataclass(frozen=True)
class FileReport:
    """What became of one file: its name, rows, new rows, first and last date."""

    name: str
    rows: int
    added: int
    first: pd.Timestamp
    last: pd.Timestamp
    note: str = ""


class Download:
    """One update of a data directory.

    Parameters
    ----------
    client : TestnetClient
        The exchange.
    store : Store
        The data directory.
    fresh : bool
        Replace files instead of appending to them.
    step : callable
        Called with a file's name before each file.
    """

    def __init__(
        self, client: TestnetClient, store: Store, *, fresh: bool, step: Callable[[str], None]
    ) -> None:
        self._client = client
        self._store = store
        self._fresh = fresh
        self._step = step
        self._now_ms = client.now_ms()
        self._coins = client.coins()
        self.reports: list[FileReport] = []

    def check_pairs(self, pairs: list[str]) -> None:
        """Raise DataError for a pair that cannot be fetched, before anything is."""
        for pair in pairs:
            coin_of(pair, self._coins)

    def run(self, pair: str, timeframes: list[str]) -> None:
        """Stage a pair's candles, funding and marks.

        Raises
        ------
        DataError
            If the exchange fails, has no data, or the stored files are another market's.
        """
        coin = coin_of(pair, self._coins)
        frames = {tf: self._candles(pair, coin, tf) for tf in timeframes}
        if not self._fresh:
            for tf in MARK_SOURCES:
                if tf not in frames:
                    frames[tf] = self._store.load(pair, tf, CandleType.FUTURES)
        starts = [frame["date"].iloc[0] for frame in frames.values() if not frame.empty]
        self._funding(pair, coin, min(starts))
        marks = hourly_marks(frames)
        kind = CandleType.MARK
        before = pd.DataFrame() if self._fresh else self._store.load(pair, "1h", kind)
        self._finish(pair, "1h", kind, marks, len(marks) - len(before), "")

    def _candles(self, pair: str, coin: str, timeframe: str) -> pd.DataFrame:
        kind = CandleType.FUTURES
        name = self._name(pair, timeframe, kind)
        self._step(name)
        stored = pd.DataFrame() if self._fresh else self._store.load(pair, timeframe, kind)
        start = 0 if stored.empty else _ms(stored["date"].iloc[-_OVERLAP_ROWS:].iloc[0])
        self._not_ahead(stored, name)
        fetched = self._client.candles(coin, timeframe, start, self._now_ms)
        return self._joined(pair, timeframe, kind, stored, fetched)

    def _funding(self, pair: str, coin: str, start: pd.Timestamp) -> None:
        kind = CandleType.FUNDING_RATE
        name = self._name(pair, "1h", kind)
        self._step(name)
        stored = pd.DataFrame() if self._fresh else self._store.load(pair, "1h", kind)
        self._not_ahead(stored, name)
        if not stored.empty:
            stored = stored[["date", "funding_rate"]]
            if start >= stored["date"].iloc[0] - pd.Timedelta(hours=9):
                start = stored["date"].iloc[-_OVERLAP_ROWS:].iloc[0]
        fetched = self._client.funding(coin, _ms(start), self._now_ms)
        self._joined(pair, "1h", kind, stored, fetched)

    def _joined(
        self,
        pair: str,
        timeframe: str,
        kind: CandleType,
        stored: pd.DataFrame,
        fetched: pd.DataFrame,
    ) -> pd.DataFrame:
        name = self._name(pair, timeframe, kind)
        note = ""
        if stored.empty:
            merged = fetched
        elif fetched.empty or fetched["date"].iloc[0] > stored["date"].iloc[-1]:
            merged, note = fetched, "begun anew: older than all the exchange keeps"
        else:
            merged = append(stored, fetched, name)
        if merged.empty:
            msg = (
                f"the exchange has no {timeframe} {kind} rows of {pair}: leave {timeframe} out "
                "of --timeframes, or replay finer candles"
            )
            raise DataError(msg)
        self._finish(pair, timeframe, kind, merged, len(merged) - len(stored), note)
        return merged

    def _finish(
        self,
        pair: str,
        timeframe: str,
        kind: CandleType,
        frame: pd.DataFrame,
        added: int,
        note: str,
    ) -> None:
        if added or note or self._fresh:
            self._store.put(pair, timeframe, kind, frame)
        dates = frame["date"]
        name = self._name(pair, timeframe, kind)
        self.reports.append(
            FileReport(name, len(frame), added, dates.iloc[0], dates.iloc[-1], note)
        )

    def _not_ahead(self, stored: pd.DataFrame, name: str) -> None:
        if not stored.empty and _ms(stored["date"].iloc[-1]) > self._now_ms:
            now = pd.Timestamp(self._now_ms, unit="ms", tz="UTC")
            msg = (
                f"{name} reaches {stored['date'].iloc[-1]}, but the exchange's clock stands at "
                f"{now:%Y-%m-%d %H:%M} UTC: it comes from another market; replace it with --fresh"
            )
            raise DataError(msg)

    def _name(self, pair: str, timeframe: str, kind: CandleType) -> str:
        return self._store.path(pair, timeframe, kind).name


def _ms(date: pd.Timestamp) -> int:
    return int(date.timestamp() * 1000)
