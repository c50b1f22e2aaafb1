"""The closes of every pair that this process has seen, read as of a moment."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import ArrayLike, NDArray

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
DAY_MS = 24 * 60 * 60 * 1000
KEPT_DAYS = 366
"""Days in front of a pair's newest frame that outlive it: the longest window that the limits
accept, and a day. A bot of 1m candles that runs for years must not grow with them."""


class CloseBook:
    """Remember each pair's closes, so that the risk gate knows the market without asking anybody.

    Parameters
    ----------
    timeframe_minutes
        Length of a candle, minutes.

    Raises
    ------
    ValueError
        `timeframe_minutes` is below 1.

    Notes
    -----
    Causality: a backtest hands over its whole history at once, so the book knows the future.
    Every reading as of a moment `now` cuts at the candles that are closed then (open time plus
    timeframe at or before `now`); what lies behind can be changed, added or removed and the
    reading stays the same.
    """

    def __init__(self, timeframe_minutes: int) -> None:
        if timeframe_minutes < 1:
            raise ValueError(
                f"a candle of {timeframe_minutes} minutes does not exist: give the timeframe in "
                "whole minutes, 1 or more"
            )
        self._candle_ms = timeframe_minutes * 60_000
        self._known: dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]] = {}

    @property
    def timeframe(self) -> timedelta:
        """Length of a candle."""
        return self._candle_ms * MILLISECOND

    @property
    def pairs(self) -> tuple[str, ...]:
        """Every pair that was remembered, by name."""
        return tuple(sorted(self._known))

    @property
    def end(self) -> datetime | None:
        """Open time of the last candle over all pairs, UTC: a backtest's last candle.

        The only reading that does not cut at a moment, so nothing may be decided by it.
        """
        last = max(
            (int(opens[-1]) for opens, _ in self._known.values() if len(opens)), default=None
        )
        return None if last is None else EPOCH + last * MILLISECOND

    def remember(self, pair: str, dates: ArrayLike, closes: ArrayLike) -> None:
        """Take in a pair's frame in the place of what was known of the pair.

        A frame that begins within what is known, as hyperopt's trimmed ones do, keeps the older
        rows in front of it (at most :data:`KEPT_DAYS` days). From its first row on only the frame
        counts.

        Parameters
        ----------
        pair
            freqtrade's pair name.
        dates
            Open times of the candles, shape (n,), strictly ascending: datetime64, or a pandas
            Series of dates. Dates without a time zone are UTC.
        closes
            Closing prices, shape (n,). A candle whose close is NaN, infinite, zero or below is
            left out: it becomes a gap.

        Raises
        ------
        ValueError
            Dates and closes differ in shape; the dates are missing, not ascending or not on one
            grid of the timeframe. What was known of the pair stays.
        """
        opens = np.asarray(dates, dtype="datetime64[ms]").astype(np.int64)
        prices = np.asarray(closes, dtype=np.float64)
        self._check(pair, opens, prices)
        good = (prices > 0.0) & (prices < np.inf)  # NaN compares false
        known_opens, known_prices = self._known.get(pair, _NOTHING)
        front = self._front(known_opens, opens)
        self._known[pair] = (  # copies: the frame belongs to the strategy
            np.concatenate([known_opens[front], opens[good]]),
            np.concatenate([known_prices[front], prices[good]]),
        )

    def last_close(self, pair: str, now: datetime) -> tuple[float, datetime] | None:
        """Return the close and the close time of the last candle that is closed at `now`.

        Parameters
        ----------
        pair
            freqtrade's pair name.
        now
            Moment of the reading, aware of its time zone.

        Returns
        -------
        tuple[float, datetime] or None
            Price and UTC time; None when no candle of the pair is closed.
        """
        opens, prices = self._known.get(pair, _NOTHING)
        rows = self._closed_rows(opens, _milliseconds(now))
        if rows == 0:
            return None
        closed_at = int(opens[rows - 1]) + self._candle_ms
        return float(prices[rows - 1]), EPOCH + closed_at * MILLISECOND

    def returns(self, pairs: Sequence[str], now: datetime, days: int) -> NDArray[np.float64]:
        """Return the log returns of several pairs on one grid, up to `now`.

        Parameters
        ----------
        pairs
            freqtrade's pair names; one that is not known has no returns.
        now
            Moment of the reading, aware of its time zone.
        days
            Length of the window, days, 1 or more.

        Returns
        -------
        numpy.ndarray
            Shape (pairs, returns), the natural logarithm of close over the close before, oldest
            first; as many returns as candles fit into `days`. The last column belongs to the
            newest candle of the grid that can be closed at `now`. NaN where the candle or the one
            before it is missing: no return spans a gap.

        Raises
        ------
        ValueError
            `days` is below 1.
        """
        if days < 1:
            raise ValueError(f"a window of {days} days holds no returns: give 1 day or more")
        now_ms = _milliseconds(now)
        width = days * DAY_MS // self._candle_ms
        first = now_ms // self._candle_ms - 1 - width
        logs = np.full((len(pairs), width + 1), np.nan)
        for row, pair in enumerate(pairs):
            opens, prices = self._known.get(pair, _NOTHING)
            start = opens.searchsorted(first * self._candle_ms)
            stop = self._closed_rows(opens, now_ms)
            columns = opens[start:stop] // self._candle_ms - first
            logs[row, columns] = np.log(prices[start:stop])
        # Differences of logarithms, for the quotient of two extreme prices can overflow.
        differences: NDArray[np.float64] = logs[:, 1:] - logs[:, :-1]
        return differences

    def _closed_rows(self, opens: NDArray[np.int64], now_ms: int) -> int:
        return int(opens.searchsorted(now_ms - self._candle_ms, side="right"))

    def _front(self, known: NDArray[np.int64], opens: NDArray[np.int64]) -> slice:
        # The known rows that stay in front of a new frame: none unless it begins within them, on
        # their grid.
        if not len(known) or not len(opens):
            return slice(0, 0)
        begin = opens[0]
        if begin > known[-1] or (begin - known[0]) % self._candle_ms:
            return slice(0, 0)
        oldest = begin - KEPT_DAYS * DAY_MS
        return slice(int(known.searchsorted(oldest)), int(known.searchsorted(begin)))

    def _check(self, pair: str, opens: NDArray[np.int64], prices: NDArray[np.float64]) -> None:
        if opens.ndim != 1 or opens.shape != prices.shape:
            raise ValueError(
                f"{pair}: {opens.shape} dates and {prices.shape} closes do not belong together: "
                "give two columns of one frame"
            )
        if not len(opens):
            return
        if opens[0] == _NOT_A_TIME or not (opens[1:] > opens[:-1]).all():
            raise ValueError(
                f"{pair}: the dates are not strictly ascending: sort the frame and drop missing "
                "and double dates"
            )
        if ((opens - opens[0]) % self._candle_ms).any():
            raise ValueError(
                f"{pair}: the dates are not {self._candle_ms // 60_000} minutes or multiples of it "
                "apart: give candles of the book's timeframe"
            )


_NOTHING = np.empty(0, np.int64), np.empty(0, np.float64)
_NOT_A_TIME = np.iinfo(np.int64).min


def _milliseconds(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone: give a moment in UTC")
    return (moment - EPOCH) // MILLISECOND
