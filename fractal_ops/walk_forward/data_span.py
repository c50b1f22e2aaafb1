"""Which candles a freqtrade data directory has: from when to when, and with which holes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from freqtrade.data.history.datahandlers import get_datahandler
from freqtrade.enums import CandleType, TradingMode
from freqtrade.exchange import timeframe_to_seconds

from fractal_ops.walk_forward.errors import WalkForwardError
from fractal_ops.walk_forward.file_span import FileSpan, file_span
from fractal_ops.walk_forward.periods import day_text


@dataclass(frozen=True)
class DataSpan:
    """What a data directory has of some pairs, in every timeframe.

    Parameters
    ----------
    datadir : Path
        Where.
    pairs : tuple of str
        Which pairs were asked for.
    kind : CandleType
        The candles that are traded: futures or spot.
    files : tuple of FileSpan
        One for each file that belongs to a pair.
    """

    datadir: Path
    pairs: tuple[str, ...]
    kind: CandleType
    files: tuple[FileSpan, ...]

    def candles(self, timeframe: str) -> tuple[FileSpan, ...]:
        """Return the candles of every pair.

        Raises
        ------
        WalkForwardError
            A pair has none; the text names the timeframes it has.
        """
        found = {file.pair: file for file in self.files if self._is(file, timeframe)}
        for pair in self.pairs:
            if pair not in found:
                has = sorted(
                    (f.timeframe for f in self.files if f.pair == pair and f.kind == self.kind),
                    key=timeframe_to_seconds,
                )
                there = f"it has {', '.join(has)}" if has else "it has nothing of the pair"
                raise WalkForwardError(
                    f"--datadir {self.datadir} has no {timeframe} candles of {pair} ({there}): get "
                    "them with `fractal data` or `freqtrade download-data`, or name another "
                    "--datadir"
                )
        return tuple(found[pair] for pair in self.pairs)

    def common(self, timeframe: str) -> tuple[FileSpan, FileSpan]:
        """Return the file that begins last and the one that ends first.

        Returns
        -------
        tuple of FileSpan
            All pairs have candles from the first's `start` to the second's `end`.

        Raises
        ------
        WalkForwardError
            A pair has no candles, or no moment is in all files.
        """
        files = self.candles(timeframe)
        last, first = max(files, key=lambda f: f.start), min(files, key=lambda f: f.end)
        if last.start >= first.end:
            raise WalkForwardError(
                f"{first.name} end at {day_text(first.end)}, before {last.name} begin "
                f"({day_text(last.start)}): leave one of the two out with --pairs"
            )
        return last, first

    def detail_timeframes(
        self, timeframe: str, start: datetime, end: datetime, *, most_missing_ratio: float = 0.01
    ) -> tuple[str, ...]:
        """Return the finer timeframes that could be ``--timeframe-detail``, finest first.

        Parameters
        ----------
        timeframe : str
            The strategy's.
        start, end : datetime
            The span that is backtested.
        most_missing_ratio : float
            Share of a file's candles that may be missing; freqtrade trades on filled ones.
        """
        usable: dict[str, set[str]] = {}
        for file in self.files:
            missing = sum(gap.candles for gap in file.gaps)
            is_finer = timeframe_to_seconds(file.timeframe) < timeframe_to_seconds(timeframe)
            is_whole = missing <= most_missing_ratio * (file.rows + missing)
            if file.kind == self.kind and is_finer and is_whole and file.covers(start, end):
                usable.setdefault(file.timeframe, set()).add(file.pair)
        complete = [name for name, pairs in usable.items() if pairs >= set(self.pairs)]
        return tuple(sorted(complete, key=timeframe_to_seconds))

    def of_kind(self, kind: CandleType) -> tuple[FileSpan, ...]:
        """Return the files of one kind, such as mark prices; pairs may be missing."""
        return tuple(file for file in self.files if file.kind == kind)

    def _is(self, file: FileSpan, timeframe: str) -> bool:
        return file.timeframe == timeframe and file.kind == self.kind


def read_span(
    datadir: Path,
    pairs: Sequence[str],
    *,
    trading_mode: TradingMode = TradingMode.FUTURES,
    data_format: str = "feather",
) -> DataSpan:
    """Look at every file of some pairs.

    Parameters
    ----------
    datadir : Path
        freqtrade's data directory, such as ``user_data/data/hyperliquid``.
    pairs : sequence of str
        As in freqtrade: ``BTC/USDC:USDC``.
    trading_mode : TradingMode
        Spot candles lie in the directory itself, the others below ``futures``.
    data_format : str
        freqtrade's ``dataformat_ohlcv``.

    Raises
    ------
    WalkForwardError
        There is no such directory, or no pair was named.
    """
    if not datadir.is_dir():
        raise WalkForwardError(
            f"--datadir {datadir} is no directory: name freqtrade's data directory, or fill it "
            "with `fractal data`"
        )
    if not pairs:
        raise WalkForwardError("no pairs were named: give --pairs, or a config with a whitelist")
    handler = get_datahandler(datadir, data_format)
    available = handler.ohlcv_get_available_data(datadir, trading_mode)
    files = []
    for pair, timeframe, kind in sorted(set(available), key=lambda found: tuple(map(str, found))):
        if pair in pairs:
            frame = handler.ohlcv_load(
                pair, timeframe, kind, fill_missing=False, drop_incomplete=False, warn_no_data=False
            )
            if len(frame):
                files.append(file_span(pair, timeframe, kind, frame["date"]))
    traded = CandleType.FUTURES if trading_mode == TradingMode.FUTURES else CandleType.SPOT
    return DataSpan(datadir, tuple(dict.fromkeys(pairs)), traded, tuple(files))
