"""Strategies that go wrong in ways a runner must survive; shared state is in the user's folder."""

import os
import signal
from pathlib import Path
from typing import Any

import pandas as pd
from freqtrade.strategy import IStrategy


class FailsInOneWindow(IStrategy):
    """Raises when the last candle is one of February, and never trades."""

    timeframe = "2h"
    can_short = True
    minimal_roi = {"0": 10.0}  # noqa: RUF012  # freqtrade's way
    stoploss = -0.1
    startup_candle_count = 10

    def populate_indicators(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        self.look(dataframe)
        return dataframe

    def look(self, dataframe: pd.DataFrame) -> None:
        if dataframe["date"].iloc[-1] < pd.Timestamp("2025-03-02", tz="UTC"):
            raise ZeroDivisionError("no strategy for February")

    def populate_entry_trend(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        dataframe["enter_long"] = 0
        return dataframe

    def populate_exit_trend(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        return dataframe


class KillsItsProcessOnce(FailsInOneWindow):
    """Takes its process along, the first time that anybody runs it."""

    def look(self, dataframe: pd.DataFrame) -> None:
        mark = Path(self.config["datadir"]).parent / "killed"
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)


class AlwaysKillsItsProcess(FailsInOneWindow):
    """Takes every process along."""

    def look(self, dataframe: pd.DataFrame) -> None:
        os.kill(os.getpid(), signal.SIGKILL)
