"""One backtest's result: its trades and its days. The file that holds it is in `result`."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Plain values that do not change, and no others than the named."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class TradeRecord(Record):
    """One closed trade.

    Parameters
    ----------
    pair, side : str
        `side` is ``long`` or ``short``.
    open_time, close_time : datetime
        When it was entered and left.
    open_rate, close_rate : float
        Average prices.
    amount : float
        In the base currency, leverage included.
    stake, leverage : float
        Margin, and what it is multiplied with.
    profit_abs, profit_ratio : float
        After fees and funding; the ratio is of the stake.
    fees : float
        Paid on both sides, above 0.
    funding : float
        Received if above 0, paid if below.
    stop : float or None
        The stop that the trade began with: its plan's, else freqtrade's initial one. None where
        a strategy moves its stop by itself and has no plan.
    r : float or None
        `profit_abs` in units of the loss at `stop` before costs.
    enter_tag, exit_reason : str
        As in freqtrade.
    """

    pair: str
    side: Literal["long", "short"]
    open_time: datetime
    close_time: datetime
    open_rate: float
    close_rate: float
    amount: float
    stake: float
    leverage: float
    profit_abs: float
    profit_ratio: float
    fees: float
    funding: float
    stop: float | None
    r: float | None
    enter_tag: str
    exit_reason: str


class SpanResult(Record):
    """One backtest.

    Parameters
    ----------
    timerange : str
        freqtrade's.
    start, end : datetime
        The first and the last candle (their opening) that were scored.
    timeframe, timeframe_detail : str, str or None
        What was backtested on, and what its fills were looked up in.
    starting_balance, final_balance : float
        All trades are closed at the end.
    first_day : date
        Of `daily_profits`.
    daily_profits : tuple of float
        Closed profit of every UTC day of the span, days without trades included.
    trades : tuple of TradeRecord
        In the order of their close.
    rejected_signals, locks : int
        Signals for which no slot was free, and locks that protections and exits set.
    """

    timerange: str
    start: datetime
    end: datetime
    timeframe: str
    timeframe_detail: str | None
    starting_balance: float
    final_balance: float
    first_day: date
    daily_profits: tuple[float, ...]
    trades: tuple[TradeRecord, ...]
    rejected_signals: int
    locks: int


def dense_days(profits: dict[date, float], start: datetime, end: datetime) -> tuple[float, ...]:
    """Lay profits out over every UTC day of the half-open span.

    Raises
    ------
    ValueError
        A profit lies outside.
    """
    last = (end - timedelta(microseconds=1)).date()
    days = [start.date() + timedelta(days=n) for n in range((last - start.date()).days + 1)]
    if strays := sorted(set(profits) - set(days)):
        raise ValueError(f"profit was booked on {strays[0]}, outside {days[0]} to {days[-1]}")
    return tuple(float(profits.get(day, 0.0)) for day in days)
