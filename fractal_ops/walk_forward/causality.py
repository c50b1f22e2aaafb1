"""Prove that a strategy does not look ahead, on any candles, or show where it does.

The strategy runs on all candles and again on many prefixes of them. A reading of a prefix that is
another one with all candles depended on candles after its own row. freqtrade's own
``lookahead-analysis`` cuts after trades only, and can not see a leak of one candle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from freqtrade.persistence.usedb_context import FtNoDBContext
from freqtrade.strategy import IStrategy

from fractal_ops.walk_forward.causality_report import CausalityReport, Leak, PairCheck
from fractal_ops.walk_forward.errors import WalkForwardError
from fractal_ops.walk_forward.leak_size import Ruler, Sighting
from fractal_ops.walk_forward.prefix_choice import choose_prefixes
from fractal_ops.walk_forward.prefix_compare import SIGNALS, compare, is_signal, kept
from fractal_ops.walk_forward.prefix_replay import Columns, CutProvider, FrameLoader, Replay, start

PREFIXES = 200
"""Prefixes of each pair, if nobody says how many."""


def check(
    strategy: IStrategy,
    frames: FrameLoader,
    pairs: Sequence[str],
    *,
    prefixes: int = PREFIXES,
    seed: int = 0,
    ignore_columns: Iterable[str] = (),
    step: Callable[[str], None] = lambda _: None,
) -> CausalityReport:
    """Replay a strategy on prefixes of its candles.

    Parameters
    ----------
    strategy : IStrategy
        As ``StrategyResolver.load_strategy`` gives it.
    frames : callable
        From pair, timeframe and kind to all candles, oldest first; empty if there are none. The
        strategy's own timeframe decides what is replayed, others are cut to the same moment.
    pairs : sequence of str
        The whitelist; each is replayed.
    prefixes : int
        How many of each pair: the last ones, those that end with a signal or another event, and
        random ones.
    seed : int
        Of the random ones.
    ignore_columns : iterable of str
        Names or patterns (``chart_*``) of columns that may look ahead. Signals can not be ignored.
    step : callable
        Called with the pair before each run.

    Returns
    -------
    CausalityReport
        What leaks, from where, and by how much.

    Raises
    ------
    WalkForwardError
        A pair has too few candles, the strategy fails, or it answers differently each time.

    Notes
    -----
    Only rows after ``startup_candle_count`` are held against the strategy, as freqtrade trades on
    no others. Checked is what ``populate_*`` computes, informative pairs included; what the other
    hooks read (``custom_exit`` and so on) is not. A proof holds for the candles it was run on.
    """
    config: dict[str, Any] = strategy.config
    provider = CutProvider(config, frames, pairs)
    strategy.dp = provider
    ignored = tuple(ignore_columns)
    with FtNoDBContext(strategy.timeframe):
        start(strategy)
        checks = []
        for pair in pairs:
            frame = frames(pair, strategy.timeframe, config["candle_type_def"])
            proof = _PairProof(strategy, pair, frame, ignored, step)
            checks.append(proof.run(prefixes, seed))
    return CausalityReport(
        strategy=type(strategy).__name__,
        timeframe=strategy.timeframe,
        checks=tuple(checks),
        ignored=ignored,
    )


class _PairProof:
    """The proof on one pair."""

    def __init__(
        self,
        strategy: IStrategy,
        pair: str,
        frame: pd.DataFrame,
        ignored: tuple[str, ...],
        step: Callable[[str], None],
    ) -> None:
        first = int(strategy.startup_candle_count)
        if len(frame) < first + 2:
            raise WalkForwardError(
                f"{pair} has {len(frame):,} {strategy.timeframe} candles, the strategy needs "
                f"{first:,} to start and 2 more to compare: name a longer --timerange, or get more "
                "with `fractal data` or `freqtrade download-data`"
            )
        self._replay = Replay(strategy, pair, frame)
        self._pair = pair
        self._first = first
        self._ignored = ignored
        self._step = step
        self._whole: Columns = {}

    def run(self, count: int, seed: int) -> PairCheck:
        """Compare prefixes with the whole, then measure what was found."""
        rows = len(self._replay)
        self._whole = self._read(rows)
        self._must_repeat()
        sightings: dict[str, Sighting] = {}
        rounded: set[str] = set()
        readings = 0
        lengths = choose_prefixes(self._whole, self._first, rows, count, seed)
        for length in lengths:
            part = self._read(length)
            found = compare(part, self._whole, length, self._first)
            readings += found.readings
            rounded.update(found.rounded)
            for name, changed in found.changed.items():
                row = int(changed[0])
                then, now = _value(part, name, row), _value(self._whole, name, row)
                sightings.setdefault(name, Sighting()).note(row, length, then, now)
        ruler = Ruler(self._read, self._whole, self._first, most_runs=max(count, 50))
        ordered = sorted(sightings, key=lambda n: (not is_signal(n), sightings[n].row, n))
        signals = (self._whole[name][self._first :] for name in SIGNALS if name in self._whole)
        return PairCheck(
            pair=self._pair,
            start=_moment(self._replay.date(self._first)),
            end=_moment(self._replay.date(rows - 1)),
            candles=rows,
            prefixes=len(lengths),
            columns=len(self._whole),
            readings=readings,
            signals=sum(int(np.sum(values)) for values in signals),
            leaks=tuple(self._leak(name, sightings[name], ruler) for name in ordered),
            rounded=tuple(sorted(rounded - set(ordered))),
        )

    def _read(self, rows: int) -> Columns:
        self._step(self._pair)
        return kept(self._replay.run(rows), self._ignored)

    def _must_repeat(self) -> None:
        rows = len(self._replay)
        odd = sorted(compare(self._read(rows), self._whole, rows, self._first).changed)
        if odd:
            raise WalkForwardError(
                f"{', '.join(odd)} of {self._pair} differ between two runs over the same candles: "
                "they are random, or remembered from another run, and nothing can be proved of "
                "them; seed them, or leave columns out with --ignore-columns"
            )

    def _leak(self, name: str, sighting: Sighting, ruler: Ruler) -> Leak:
        needed, is_exact = ruler.candles_needed(name, sighting)
        return Leak(
            column=name,
            is_signal=is_signal(name),
            pair=self._pair,
            row=sighting.row,
            date=_moment(self._replay.date(sighting.row)),
            known_candles=sighting.length,
            then=sighting.then,
            now=sighting.now,
            prefixes=sighting.times,
            candles_needed=needed,
            is_exact=is_exact,
        )


def _value(columns: Columns, name: str, row: int) -> str:
    if name not in columns:
        return "absent"
    value = columns[name][row]
    return f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)


def _moment(date: pd.Timestamp) -> datetime:
    return date.to_pydatetime().astimezone(UTC)
