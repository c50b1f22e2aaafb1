"""From closed trades to daily profits, equity and daily returns. Days are UTC days, all of them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._checks import Floats, finite, same_length, vector


def daily_profits(
    profits: ArrayLike,
    close_times: ArrayLike,
    start: np.datetime64,
    end: np.datetime64,
) -> Floats:
    """Sum the profits of trades by the UTC day in which they closed.

    Parameters
    ----------
    profits
        Profit of each trade after all costs, stake currency, shape (trades,).
    close_times
        When each trade closed, datetime64 in UTC, shape (trades,), any order.
    start
        First day of the span.
    end
        First day after the span.

    Returns
    -------
    numpy.ndarray
        float64 of shape (days,), stake currency; 0 on days without a close.

    Raises
    ------
    ValueError
        The span is empty, the lengths differ, or a trade closed outside the span.

    Notes
    -----
    A close at the very instant `end` counts to the last day: freqtrade's time ranges include the
    candle that opens at their end, and force exits happen there.
    """
    amounts = vector("profits", profits)
    times = np.asarray(close_times, dtype="datetime64[ns]")
    same_length(profits=amounts, close_times=times)
    first, after = start.astype("datetime64[D]"), end.astype("datetime64[D]")
    days = int((after - first).astype(np.int64))
    if days < 1:
        raise ValueError(f"the span {first} to {after} has no day: give an end after its start")
    at_end = times == after.astype("datetime64[ns]")
    numbers: NDArray[np.int64] = (times.astype("datetime64[D]") - first).astype(np.int64)
    numbers = np.where(at_end, days - 1, numbers)
    outside = np.flatnonzero((numbers < 0) | (numbers >= days))
    if outside.size:
        raise ValueError(
            f"close_times[{outside[0]}] is {times[outside[0]]}, outside {first} to {after}:"
            " give only the trades of the scored span"
        )
    return np.bincount(numbers, weights=amounts, minlength=days).astype(np.float64)


def equity_curve(profits_per_day: ArrayLike, starting_equity: float) -> Floats:
    """Return equity at the start of each day and after the last, shape (days + 1,).

    Raises
    ------
    ValueError
        `starting_equity` is not a finite number above 0, or a profit is not finite.
    """
    daily = vector("profits_per_day", profits_per_day)
    finite("starting_equity", starting_equity)
    if starting_equity <= 0:
        raise ValueError(f"starting_equity is {starting_equity}: give the wallet at the start")
    return np.concatenate(([0.0], np.cumsum(daily))) + starting_equity


def daily_returns(profits_per_day: ArrayLike, starting_equity: float) -> Floats:
    """Divide each day's profit by the equity at that day's start.

    Parameters
    ----------
    profits_per_day
        From :func:`daily_profits`, stake currency, shape (days,).
    starting_equity
        Equity at the start of the first day, stake currency, above 0.

    Returns
    -------
    numpy.ndarray
        float64 of shape (days,), ratios; a day without a close is 0. A day that loses all is -1,
        and every day after that is 0.

    Raises
    ------
    ValueError
        As :func:`equity_curve`.
    """
    equity = equity_curve(profits_per_day, starting_equity)
    before = np.minimum.accumulate(equity)[:-1]
    result = np.zeros(len(before))
    np.divide(np.diff(equity), equity[:-1], out=result, where=before > 0)
    return np.maximum(result, -1.0)
