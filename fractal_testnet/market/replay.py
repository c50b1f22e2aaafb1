"""Recorded candles as a market: shifted onto now, or with their own dates."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from fractal_testnet.market.candles import Bar, Bars, aggregate
from fractal_testnet.market.funding import BASE_HOURLY, FundingRow, premium_of
from fractal_testnet.market.intervals import DAY_MS, HOUR_MS, INTERVALS_MS, open_ms
from fractal_testnet.market.recording import Recording, RecordingError, read_recordings
from fractal_testnet.market.universe import AssetSpec

logger = logging.getLogger(__name__)


def _day(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M")


def shift_days(recorded_ms: int, served_ms: int) -> int:
    """Return the whole days between the date of a recording and the date it plays on."""
    return served_ms // DAY_MS - recorded_ms // DAY_MS


def choose(recordings: list[Recording], moment_ms: int) -> list[Recording]:
    """Return the assets that are recorded at a moment (its own time, ms UTC).

    Raises
    ------
    RecordingError
        If none is.
    """
    chosen = []
    for recording in recordings:
        first, last = recording.span_ms
        if first <= moment_ms <= last:
            chosen.append(recording)
        else:
            logger.warning(
                "%s is not replayed: recorded from %s to %s only",
                recording.spec.name,
                _day(first),
                _day(last),
            )
    if not chosen:
        first = min(r.span_ms[0] for r in recordings)
        last = max(r.span_ms[1] for r in recordings)
        msg = (
            f"--start {_day(moment_ms)} lies outside the recorded data, which run from "
            f"{_day(first)} to {_day(last)} UTC: choose a date between them"
        )
        raise RecordingError(msg)
    return chosen


class _Track:
    """One asset's recorded candles in served time."""

    def __init__(self, recording: Recording, shift_ms: int) -> None:
        moved = {
            interval: Bars(bars.t + shift_ms, bars.o, bars.h, bars.l, bars.c, bars.v)
            for interval, bars in recording.candles.items()
        }
        self.by_interval = dict(sorted(moved.items(), key=lambda item: INTERVALS_MS[item[0]]))
        self.funding_t = recording.funding_t + shift_ms
        self.funding_rate = recording.funding_rate
        self._built: dict[str, Bars] = {}

    def finest_at(self, t_ms: int) -> tuple[str, int] | None:
        """Return the finest interval with a candle that holds `t_ms`, and its row."""
        for interval, bars in self.by_interval.items():
            row = int(np.searchsorted(bars.t, t_ms, side="right")) - 1
            if row >= 0 and t_ms < int(bars.t[row]) + INTERVALS_MS[interval]:
                return interval, row
        return None

    def bars(self, interval: str) -> Bars:
        """Return all candles of an interval: recorded, or built from the best source."""
        if interval in self.by_interval:
            return self.by_interval[interval]
        if interval not in self._built:
            self._built[interval] = self._build(interval)
        return self._built[interval]

    def _build(self, interval: str) -> Bars:
        length = INTERVALS_MS[interval]
        step = DAY_MS if interval in {"1w", "1M"} else length
        fitting = [tf for tf in self.by_interval if step % INTERVALS_MS[tf] == 0]
        if not fitting:
            return Bars.empty()
        # The longest reach counts first, then the finer candles.
        source = min(
            fitting, key=lambda tf: (int(self.by_interval[tf].t[0]) // DAY_MS, INTERVALS_MS[tf])
        )
        bars = self.by_interval[source]
        built = aggregate(bars, interval)
        end = int(bars.t[-1]) + INTERVALS_MS[source]
        whole = np.ones(len(built), np.bool_)
        whole[0] = built.t[0] == bars.t[0]
        whole[-1] &= open_ms(interval, end - 1) != open_ms(interval, end)
        return built[whole]


class ReplaySource:
    """Candles of every interval from recorded files.

    Parameters
    ----------
    recordings : list of Recording
        What was recorded; see `read_recordings` and `choose`.
    shift_ms : int, default 0
        Added to every recorded date: whole days.
    seed : int, default 1
        Seed of what is not recorded: the way inside a candle, the book, the prints.

    Notes
    -----
    An interval that was recorded is served as it was; any other is aggregated from the
    recorded interval that reaches back furthest. The live price walks through the finest
    candle recorded at the moment.
    """

    kind = "replay"

    def __init__(self, recordings: list[Recording], shift_ms: int = 0, seed: int = 1) -> None:
        if shift_ms % DAY_MS:
            msg = f"a shift of {shift_ms} ms is not a whole number of days"
            raise ValueError(msg)
        self.seed = seed
        self.shift_ms = shift_ms
        self.assets: tuple[AssetSpec, ...] = tuple(r.spec for r in recordings)
        self._tracks = {r.spec.name: _Track(r, shift_ms) for r in recordings}

    def bars(self, coin: str, interval: str, start_ms: int, end_ms: int) -> Bars:
        """Return the complete candles of `interval` that open in [start_ms, end_ms)."""
        return self._tracks[coin].bars(interval).between(start_ms, end_ms)

    def base_bar(self, coin: str, t_ms: int) -> Bar | None:
        """Return the finest candle that holds `t_ms`, or None in a gap."""
        track = self._tracks[coin]
        found = track.finest_at(t_ms)
        if found is None:
            return None
        interval, row = found
        bars = track.by_interval[interval]
        values = (float(x[row]) for x in (bars.o, bars.h, bars.l, bars.c, bars.v))
        return Bar(int(bars.t[row]), INTERVALS_MS[interval], *values)

    def base_bars(self, coin: str, start_ms: int, end_ms: int) -> list[Bar]:
        """Return the finest candles that overlap [start_ms, end_ms), oldest first."""
        found: list[Bar] = []
        t = start_ms
        while t < end_ms:
            bar = self.base_bar(coin, t)
            if bar is None:
                t = self._next_known(coin, t)
                continue
            found.append(bar)
            t = bar.open_ms + bar.length_ms
        return found

    def tail(self, coin: str, start_ms: int, now_ms: int) -> Bars:
        """Return closed candles, finest first, that tile [start_ms, the open one)."""
        base = self.base_bar(coin, now_ms)
        end = now_ms if base is None else base.open_ms
        closed = [bar for bar in self.base_bars(coin, start_ms, end) if bar.open_ms >= start_ms]
        return Bars.join([Bars.of(bar) for bar in closed if bar.open_ms + bar.length_ms <= now_ms])

    def last_close(self, coin: str, t_ms: int) -> float | None:
        """Return the close of the last candle that closed at or before `t_ms`."""
        best: tuple[int, float] | None = None
        for interval, bars in self._tracks[coin].by_interval.items():
            closes = bars.t + INTERVALS_MS[interval]
            row = int(np.searchsorted(closes, t_ms, side="right")) - 1
            if row >= 0 and (best is None or int(closes[row]) > best[0]):
                best = int(closes[row]), float(bars.c[row])
        return None if best is None else best[1]

    def funding(self, coin: str, start_ms: int, end_ms: int, limit: int) -> list[FundingRow]:
        """Return the first `limit` settlements of [start_ms, end_ms], oldest first."""
        track = self._tracks[coin]
        if not len(track.funding_t):
            first = max(-(-start_ms // HOUR_MS) * HOUR_MS, self._first_open(coin))
            premium = premium_of(BASE_HOURLY)
            hours = range(first, end_ms + 1, HOUR_MS)[:limit]
            return [FundingRow(t, BASE_HOURLY, premium) for t in hours]
        first = int(np.searchsorted(track.funding_t, start_ms))
        last = int(np.searchsorted(track.funding_t, end_ms, side="right"))
        last = min(last, first + limit)
        return [
            FundingRow(int(t), float(rate), premium_of(float(rate)))
            for t, rate in zip(
                track.funding_t[first:last], track.funding_rate[first:last], strict=True
            )
        ]

    def funding_at(self, coin: str, now_ms: int) -> FundingRow:
        """Return the rate as it stands at `now_ms`: the last settlement's."""
        rows = self.funding(coin, now_ms - DAY_MS, now_ms, 24)
        return rows[-1] if rows else FundingRow(now_ms, BASE_HOURLY, premium_of(BASE_HOURLY))

    def _first_open(self, coin: str) -> int:
        tracks = self._tracks[coin].by_interval.values()
        return -(-min(int(bars.t[0]) for bars in tracks) // HOUR_MS) * HOUR_MS

    def _next_known(self, coin: str, t_ms: int) -> int:
        """Return the open of the first candle after a gap; far away if there is none."""
        opens = [
            int(bars.t[row])
            for bars in self._tracks[coin].by_interval.values()
            if (row := int(np.searchsorted(bars.t, t_ms, side="right"))) < len(bars)
        ]
        return min(opens, default=1 << 62)


def load_replay(
    directory: Path, moment_ms: int, now_ms: int, *, keep_dates: bool, seed: int = 1
) -> ReplaySource:
    """Read a folder and put its candles on the time axis that is served.

    Parameters
    ----------
    directory : Path
        The folder above ``futures``.
    moment_ms : int
        The recorded moment that the market's now stands for at the start, ms UTC. When
        dates are shifted only its day counts: the time of day stays the clock's, so
        that candles and funding hours stay where they belong.
    now_ms : int
        The clock's time, ms UTC.
    keep_dates : bool
        Serve the recorded dates (the clock then has to stand at `moment_ms`).
    seed : int, default 1
        Seed of what is not recorded.

    Raises
    ------
    RecordingError
        If the files cannot be used or the moment lies outside of them.
    """
    shift = 0 if keep_dates else shift_days(moment_ms, now_ms) * DAY_MS
    standing = moment_ms if keep_dates else now_ms - shift
    return ReplaySource(choose(read_recordings(directory), standing), shift, seed)
