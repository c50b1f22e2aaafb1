"""Strategies of which nothing can be proved."""

import numpy as np
import pandas as pd
from freqtrade.strategy import IStrategy


class Broken(IStrategy):
    timeframe = "2h"
    stoploss = -0.1
    startup_candle_count = 40

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe


class Dice(Broken):
    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe["dice"] = np.random.default_rng().random(len(dataframe))
        return dataframe


class Dropper(Broken):
    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe["mean"] = dataframe["close"].rolling(5).mean()
        return dataframe.dropna()


class Hungry(Broken):
    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe["old"] = dataframe["close"].iloc[150]
        return dataframe


class NoStart(Broken):
    def bot_start(self, **kwargs: object) -> None:
        raise RuntimeError("no model file")


class NoConstruction(Broken):
    def __init__(self, config: dict) -> None:
        raise KeyError("api")
