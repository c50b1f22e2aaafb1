"""Guilty strategies, one for each way to read the future."""

from typing import Any

import numpy as np
import pandas as pd
from freqtrade.strategy import IStrategy


class Plain(IStrategy):
    """The least that freqtrade takes for a strategy."""

    timeframe = "2h"
    stoploss = -0.1
    startup_candle_count = 40

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe


class NextClose(Plain):
    """Buys before a rise of 2 %: one candle early, with no column that shows it."""

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        rises = dataframe["close"].shift(-1) > 1.02 * dataframe["close"]
        dataframe.loc[rises, ["enter_long", "enter_tag"]] = (1, "rise")
        return dataframe


class CentredMean(Plain):
    """Its mean of 11 candles has 5 of them to come."""

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe["mean"] = dataframe["close"].rolling(11, center=True).mean()
        return dataframe


class WholeMaximum(Plain):
    """Divides by the highest price of the whole frame."""

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe["share"] = dataframe["volume"] / dataframe["volume"].max()
        return dataframe


class WrongMerge(Plain):
    """Merges 12h candles by their opening time, so that 2h candles know how they will close."""

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        by_day = dataframe.resample("12h", on="date")["close"].last().rename("close_12h")
        return pd.merge_asof(dataframe, by_day.reset_index(), on="date")


class WrongInformative(Plain):
    """The same with stored 4h candles."""

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        higher = self.dp.get_pair_dataframe(metadata["pair"], "4h")[["date", "close"]]
        return pd.merge_asof(dataframe, higher.rename(columns={"close": "close_4h"}), on="date")


class SwingOnExtreme(Plain):
    """Stamps a swing of width 3 on its extreme candle."""

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        highest = dataframe["high"].rolling(7, center=True).max()
        dataframe["swing"] = np.where(dataframe["high"] == highest, dataframe["high"], np.nan)
        dataframe["enter_short"] = dataframe["swing"].notna().astype(int)
        return dataframe


class Repaint(Plain):
    """Sells wherever price was never higher again: on the last candle always."""

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        later = dataframe["close"][::-1].cummax()[::-1]
        dataframe["exit_long"] = (dataframe["close"] >= later).astype(int)
        return dataframe


class Memory(Plain):
    """Keeps the first maximum it saw, so that a prefix run after the whole shows nothing."""

    seen: dict[str, Any] = {}  # noqa: RUF012 - shared by design: that is the fault

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        highest = self.seen.setdefault(metadata["pair"], dataframe["volume"].max())
        dataframe["share"] = dataframe["volume"] / highest
        return dataframe


class ChartOnly(Plain):
    """Draws with the future, trades without."""

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe["chart_next"] = dataframe["close"].shift(-1)
        dataframe["enter_long"] = (dataframe["close"] > dataframe["open"]).astype(int)
        return dataframe


class StartUpOnly(Plain):
    """Innocent: fills the start-up rows from later ones, on which nobody trades."""

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe["mean"] = dataframe["close"].rolling(30).mean().bfill()
        return dataframe
