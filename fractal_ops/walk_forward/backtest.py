"""One backtest in this process, by freqtrade's own Backtesting."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.persistence import LocalTrade
from freqtrade.resolvers import StrategyResolver
from freqtrade.strategy import IStrategy
from freqtrade.util import get_dry_run_wallet

from fractal_ops.walk_forward.result import Parameters
from fractal_ops.walk_forward.span_result import SpanResult, TradeRecord, dense_days
from fractal_strategies.trading.plan import PLAN_KEY


def run_backtest(
    config: dict[str, Any], start: datetime, end: datetime, parameters: Parameters | None = None
) -> tuple[SpanResult, Parameters]:
    """Backtest one strategy as ``freqtrade backtesting`` does, without its tables and files.

    Parameters
    ----------
    config : dict
        Of this backtest alone: freqtrade writes into it.
    start, end : datetime
        The half-open span of its timerange.
    parameters : dict or None
        By space; None takes those of the strategy's class and of the user's file beside it.

    Returns
    -------
    SpanResult
        What was traded.

    Parameters
    ----------
        All that it ran with; given to another backtest, they freeze it.
    """
    testing = Backtesting(config)
    try:
        (strategy,) = testing.strategylist
        if parameters is not None:
            hand_over(strategy, parameters)
        data, timerange = testing.load_bt_data()
        first, last = testing.backtest_one_strategy(strategy, data, timerange)
        content = testing.all_bt_content[strategy.get_strategy_name()]
        trades = _records(content["results"], strategy)
        profits: dict[date, float] = defaultdict(float)
        for trade in trades:
            profits[trade.close_time.date()] += trade.profit_abs
        result = SpanResult(
            timerange=str(config["timerange"]),
            start=first.astimezone(UTC),
            end=last.astimezone(UTC),
            timeframe=testing.timeframe,
            timeframe_detail=testing.timeframe_detail or None,
            # Not `testing.starting_balance`, which is the tradable part of it.
            starting_balance=get_dry_run_wallet(config),
            final_balance=content["final_balance"],
            first_day=start.date(),
            daily_profits=dense_days(profits, start, end),
            trades=trades,
            rejected_signals=content["rejected_signals"],
            locks=len(content["locks"]),
        )
        return result, parameters_of(strategy)
    finally:
        testing.exchange.close()


def hand_over(strategy: IStrategy, parameters: Parameters) -> None:
    """Give a strategy parameters where freqtrade keeps those of a parameter file.

    The file itself would have to lie beside the user's strategy.
    """
    strategy._ft_params_from_file = parameters
    strategy.ft_set_special_params_from_file()
    StrategyResolver._normalize_attributes(strategy)
    # The reports take it from here.
    strategy.config["max_open_trades"] = strategy.max_open_trades


def parameters_of(strategy: IStrategy) -> Parameters:
    """Return all parameters of a strategy that has started, as a parameter file has them."""
    found: Parameters = {}
    for _, parameter in strategy.enumerate_parameters():
        found.setdefault(str(parameter.space), {})[str(parameter.name)] = parameter.value
    slots = strategy.max_open_trades
    return found | {
        "roi": {str(minutes): ratio for minutes, ratio in strategy.minimal_roi.items()},
        "stoploss": {"stoploss": strategy.stoploss},
        "trailing": {
            name: getattr(strategy, name)
            for name in (
                "trailing_stop",
                "trailing_stop_positive",
                "trailing_stop_positive_offset",
                "trailing_only_offset_is_reached",
            )
        },
        # freqtrade's files write "no limit" as -1, and JSON has no infinity.
        "max_open_trades": {"max_open_trades": -1 if math.isinf(slots) else slots},
    }


def _records(frame: pd.DataFrame, strategy: IStrategy) -> tuple[TradeRecord, ...]:
    # The frame is made of these objects, in this order; the plan is only with them.
    return tuple(
        _record(row, trade, strategy)
        for row, trade in zip(frame.to_dict("records"), LocalTrade.bt_trades, strict=True)
    )


def _record(row: dict[Any, Any], trade: LocalTrade, strategy: IStrategy) -> TradeRecord:
    stop = _initial_stop(row, trade, strategy)
    risk = abs(row["open_rate"] - stop) * row["amount"] if stop is not None else 0.0
    fees = sum(
        order["amount"]
        * order["safe_price"]
        * (row["fee_open"] if order["ft_is_entry"] else row["fee_close"])
        for order in row["orders"]
    )
    return TradeRecord(
        pair=row["pair"],
        side="short" if row["is_short"] else "long",
        open_time=row["open_date"].to_pydatetime().astimezone(UTC),
        close_time=row["close_date"].to_pydatetime().astimezone(UTC),
        open_rate=row["open_rate"],
        close_rate=row["close_rate"],
        amount=row["amount"],
        stake=row["stake_amount"],
        leverage=row["leverage"],
        profit_abs=row["profit_abs"],
        profit_ratio=row["profit_ratio"],
        fees=fees,
        funding=row["funding_fees"] or 0.0,
        stop=stop,
        r=row["profit_abs"] / risk if risk > 0.0 else None,
        enter_tag=row["enter_tag"] or "",
        exit_reason=row["exit_reason"],
    )


def _initial_stop(row: dict[Any, Any], trade: LocalTrade, strategy: IStrategy) -> float | None:
    plan = trade.get_custom_data(PLAN_KEY)
    if isinstance(plan, dict) and "stop" in plan:
        return float(plan["stop"])
    if strategy.use_custom_stoploss:
        # freqtrade's initial stop is the class's widest then, which nobody meant to lose.
        return None
    return float(row["initial_stop_loss_abs"])
