"""Strategies whose setups are written down in the candle table, and their guilty twins."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from fractal_strategies.trading import Reading, SmcStrategy


class ScriptedTrades(SmcStrategy):
    """Trades the setup columns that the table brings along."""

    timeframe = "1h"

    def readings(self, frame: pd.DataFrame) -> Sequence[Reading]:
        return []

    def populate_indicators(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        return dataframe

    def populate_entry_trend(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        dataframe["enter_long"] = (dataframe["setup_side"] > 0).astype(int)
        dataframe["enter_short"] = (dataframe["setup_side"] < 0).astype(int)
        dataframe["enter_tag"] = dataframe["setup_tag"]
        return dataframe


class StopSetLate(ScriptedTrades):
    """Guilty: without `after_fill` the stop becomes a trailing stop, checked after the target."""

    def custom_stoploss(  # type: ignore[override]
        self, pair, trade, current_time, current_rate, current_profit, **kwargs
    ):
        hook_call = {"pair": pair, "trade": trade, "current_time": current_time}
        numbers = {"current_rate": current_rate, "current_profit": current_profit}
        return super().custom_stoploss(**hook_call, **numbers, **(kwargs | {"after_fill": False}))


class NoEntryPrice(ScriptedTrades):
    """Its entry price fails; freqtrade then proposes the market's price."""

    def custom_entry_price(self, **kwargs) -> float:  # type: ignore[override]
        raise RuntimeError("no price")


class TargetInFillingCandle(ScriptedTrades):
    """Guilty: takes a target whose price may have come before the fill."""

    def custom_roi(
        self, pair, trade, current_time, trade_duration, entry_tag, side, **kwargs
    ) -> float | None:
        plan = self.plan_of(trade)
        return float(trade.calc_profit_ratio(plan.target)) if plan and plan.target else None
