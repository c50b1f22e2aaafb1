"""What a replay on prefixes found, in words, in a table and in JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from rich import box
from rich.table import Column, Table


@dataclass(frozen=True)
class Leak:
    """A column that reads candles after its own.

    Parameters
    ----------
    column, pair : str
        Which.
    is_signal : bool
        Whether freqtrade trades on it.
    row, date : int, datetime
        The first reading that was seen to change: its row in the frame, and when its candle opens.
    known_candles : int
        How many candles were known when it read otherwise.
    then, now : str
        What it read then, and what it reads with all candles.
    prefixes : int
        On how many prefixes it differed.
    candles_needed : int
        Candles after its own until a reading is final.
    is_exact : bool
        False if it may be more.
    """

    column: str
    is_signal: bool
    pair: str
    row: int
    date: datetime
    known_candles: int
    then: str
    now: str
    prefixes: int
    candles_needed: int
    is_exact: bool

    @property
    def needs(self) -> str:
        """The candles needed: ``1 candle``, ``at least 812 candles``."""
        noun = "candle" if self.candles_needed == 1 else "candles"
        return f"{'' if self.is_exact else 'at least '}{self.candles_needed:,} {noun}"


@dataclass(frozen=True)
class PairCheck:
    """The replay of one pair.

    Parameters
    ----------
    pair : str
        Which.
    start, end : datetime
        Opening times of the first and the last candle that were held against the strategy.
    candles, prefixes, columns : int
        Length of the frame, with start-up rows; prefixes run; columns compared.
    readings : int
        Values compared.
    signals : int
        Entry and exit signals among them, with all candles known.
    leaks : tuple of Leak
        Signals first, then by row.
    rounded : tuple of str
        Columns that differed by rounding only, which is no leak.
    """

    pair: str
    start: datetime
    end: datetime
    candles: int
    prefixes: int
    columns: int
    readings: int
    signals: int
    leaks: tuple[Leak, ...]
    rounded: tuple[str, ...]


@dataclass(frozen=True)
class CausalityReport:
    """What the replay of a strategy found.

    Parameters
    ----------
    strategy, timeframe : str
        What was replayed.
    checks : tuple of PairCheck
        One for each pair.
    ignored : tuple of str
        Columns and patterns that were left out.
    """

    strategy: str
    timeframe: str
    checks: tuple[PairCheck, ...]
    ignored: tuple[str, ...] = ()

    @property
    def leaks(self) -> tuple[Leak, ...]:
        """Every leak of every pair, signals first."""
        found = [leak for check in self.checks for leak in check.leaks]
        return tuple(sorted(found, key=lambda leak: not leak.is_signal))

    @property
    def is_causal(self) -> bool:
        """Whether nothing that was read ever changed."""
        return not self.leaks

    @property
    def signals_leak(self) -> bool:
        """Whether freqtrade would trade on what was not known yet."""
        return any(leak.is_signal for leak in self.leaks)

    def sentence(self) -> str:
        """Return the result in one or two sentences."""
        prefixes = sum(check.prefixes for check in self.checks)
        if self.is_causal:
            readings = sum(check.readings for check in self.checks)
            columns = max(check.columns for check in self.checks)
            signals = sum(check.signals for check in self.checks)
            text = (
                f"{self.strategy} is causal on these candles: {readings:,} readings of {columns} "
                f"columns on {prefixes:,} prefixes, none changed."
            )
            return text if signals else f"{text} It gave no signal, so little was proved."
        columns = len({leak.column for leak in self.leaks})
        text = f"{self.strategy} looks ahead: {columns} column{'s' if columns > 1 else ''} changed "
        text += f"when later candles arrived, on {prefixes:,} prefixes."
        if self.signals_leak:
            worst = max((x for x in self.leaks if x.is_signal), key=lambda x: x.candles_needed)
            return (
                f"{text} {worst.column} needs {worst.needs} of the future: no backtest of it holds."
            )
        return f"{text} No signal changed here; --ignore-columns leaves out what only draws."

    def to_json(self) -> str:
        """Return one JSON object; its keys are the fields of these classes."""
        record: dict[str, Any] = {"version": 1, "verdict": "causal" if self.is_causal else "leak"}
        record |= {"signals_leak": self.signals_leak, **asdict(self)}
        return json.dumps(record, default=lambda moment: moment.isoformat())

    def tables(self) -> list[Table]:
        """Return the pairs, and the leaks if there are any, for a Rich console."""
        pairs = Table("pair", "from (UTC)", "to (UTC)", box=box.SIMPLE, padding=(0, 1, 0, 0))
        for name in ("candles", "prefixes", "signals", "leaks"):
            pairs.add_column(name, justify="right")
        for check in self.checks:
            numbers = (check.candles, check.prefixes, check.signals, len(check.leaks))
            dates = (f"{check.start:%Y-%m-%d}", f"{check.end:%Y-%m-%d}")
            pairs.add_row(check.pair, *dates, *(f"{number:,}" for number in numbers))
        if self.is_causal:
            return [pairs]
        leaks = Table(
            Column("column", overflow="fold"),
            "pair",
            "first (UTC)",
            "needs",
            Column("then -> now", overflow="fold"),
            box=box.SIMPLE,
            padding=(0, 1, 0, 0),
        )
        for leak in self.leaks:
            name = f"{leak.column} (signal)" if leak.is_signal else leak.column
            date = f"{leak.date:%Y-%m-%d %H:%M}"
            change = f"{leak.then} -> {leak.now}"
            leaks.add_row(name, leak.pair.partition("/")[0], date, leak.needs, change)
        return [pairs, leaks]
