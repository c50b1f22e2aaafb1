"""Moments, months and spans, as freqtrade and people write them."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta

from fractal_ops.walk_forward.errors import WalkForwardError

_SECOND = timedelta(seconds=1)


def timerange(start: datetime, end: datetime) -> str:
    """Write a half-open span as freqtrade's ``--timerange``.

    Parameters
    ----------
    start, end : datetime
        UTC.

    Returns
    -------
    str
        Such as ``20240701-20240831T235959``.

    Notes
    -----
    freqtrade takes the candle that opens at the stop for part of the range, so that
    ``20240701-20240901`` would score one candle of the next window: the stop is a second earlier.
    """
    start, stop = start.astimezone(UTC), end.astimezone(UTC) - _SECOND
    first = f"{start:%Y%m%d}" if start == _midnight(start) else f"{start:%Y%m%dT%H%M%S}"
    return f"{first}-{stop:%Y%m%dT%H%M%S}"


def holding_time(max_bars: int, bar: timedelta, *, expiry_bars: int = 0) -> timedelta:
    """Return the longest that a setup binds money: until its entry expires, then its time stop.

    Parameters
    ----------
    max_bars : int
        The time stop, in candles.
    bar : timedelta
        Length of a candle.
    expiry_bars : int
        How many candles an entry may rest before it fills.

    Returns
    -------
    timedelta
        With one candle more, since the signal's own candle has to close first.

    Raises
    ------
    WalkForwardError
        There is no time stop, so that a trade may be held for ever.
    """
    if max_bars < 1:
        raise WalkForwardError(
            "the strategy has no time stop, so nothing says how long a trade is held: give the "
            "purge with --purge-days"
        )
    return (1 + expiry_bars + max_bars) * bar


def months_before(moment: datetime, months: int) -> datetime:
    """Go back by calendar months; a day that the month does not have becomes its last."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def day_text(moment: datetime) -> str:
    """Write a moment, without the time at midnight."""
    return f"{moment:%Y-%m-%d}" if moment == _midnight(moment) else f"{moment:%Y-%m-%d %H:%M}"


def length_text(span: timedelta) -> str:
    """Write a length in days, or in hours where they are not whole."""
    hours = span.total_seconds() / 3600
    return f"{hours / 24:g} days" if hours % 24 == 0 else f"{hours:g} hours"
