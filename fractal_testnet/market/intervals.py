"""Candle intervals and the moments at which their candles open.

Candles up to a day, and those of three days, open at multiples of their length since
1970-01-01 UTC; a week opens on Monday, a month on its first day.
"""

from __future__ import annotations

from datetime import UTC, datetime

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS
_FIRST_MONDAY_MS = 4 * DAY_MS  # 1970-01-05

INTERVALS_MS: dict[str, int] = {
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": HOUR_MS,
    "2h": 2 * HOUR_MS,
    "4h": 4 * HOUR_MS,
    "8h": 8 * HOUR_MS,
    "12h": 12 * HOUR_MS,
    "1d": DAY_MS,
    "3d": 3 * DAY_MS,
    "1w": WEEK_MS,
    "1M": 31 * DAY_MS,  # the longest month; use open_ms() and next_open_ms() for borders
}
"""Interval name -> length in ms (for ``1M`` the longest there is)."""


def _month_ms(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1000


def open_ms(interval: str, t_ms: int) -> int:
    """Return when the candle that holds `t_ms` opened.

    Parameters
    ----------
    interval : str
        A key of `INTERVALS_MS`.
    t_ms : int
        A moment, ms UTC.
    """
    if interval == "1M":
        date = datetime.fromtimestamp(t_ms // 1000, tz=UTC)
        return _month_ms(date.year, date.month)
    length = INTERVALS_MS[interval]
    if interval == "1w":
        return (t_ms - _FIRST_MONDAY_MS) // length * length + _FIRST_MONDAY_MS
    return t_ms // length * length


def next_open_ms(interval: str, candle_open_ms: int) -> int:
    """Return when the candle after the one opened at `candle_open_ms` opens."""
    if interval == "1M":
        date = datetime.fromtimestamp(candle_open_ms // 1000, tz=UTC)
        years, month = divmod(date.month, 12)
        return _month_ms(date.year + years, month + 1)
    return candle_open_ms + INTERVALS_MS[interval]


def step_back_ms(interval: str, candle_open_ms: int, count: int) -> int:
    """Return the open of the candle `count` candles before `candle_open_ms`."""
    if interval == "1M":
        date = datetime.fromtimestamp(candle_open_ms // 1000, tz=UTC)
        months = date.year * 12 + date.month - 1 - count
        if months < 1970 * 12:
            return 0
        return _month_ms(months // 12, months % 12 + 1)
    return candle_open_ms - count * INTERVALS_MS[interval]
