"""Strategies that read the past only."""

import numpy as np
import pandas as pd
import talib
from freqtrade.strategy import IStrategy, informative, merge_informative_pair


class Averages(IStrategy):
    """Crossing averages, with higher timeframes merged in both of freqtrade's ways."""

    timeframe = "2h"
    stoploss = -0.1
    can_short = True
    startup_candle_count = 40

    def informative_pairs(self) -> list[tuple[str, str]]:
        return [(pair, "12h") for pair in self.dp.current_whitelist()]

    @informative("4h")
    def populate_indicators_4h(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe["rsi"] = talib.RSI(dataframe["close"], 14)
        return dataframe

    @informative("4h", "ETH/{stake}:{stake}")
    def populate_eth_4h(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe["mean"] = dataframe["close"].ewm(span=10).mean()
        return dataframe

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        higher = self.dp.get_pair_dataframe(metadata["pair"], "12h")
        higher["trend"] = np.sign(higher["close"].diff())
        dataframe = merge_informative_pair(dataframe, higher, self.timeframe, "12h", ffill=True)
        dataframe["fast"] = dataframe["close"].ewm(span=5).mean()
        dataframe["slow"] = talib.EMA(dataframe["close"], 20)
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        above = dataframe["fast"] > dataframe["slow"]
        crossed = above & ~above.shift(1, fill_value=True)
        dataframe.loc[crossed, ["enter_long", "enter_tag"]] = (1, "cross")
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe.loc[dataframe["fast"] < dataframe["slow"], "exit_long"] = 1
        return dataframe


class Lengths(Averages):
    """Sums by Fourier transforms, whose rounding depends on the frame's length."""

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe = super().populate_indicators(dataframe, metadata)
        size = 2 * len(dataframe)
        kernel = np.fft.rfft(np.ones(5) / 5, size)
        sums = np.fft.irfft(np.fft.rfft(dataframe["close"], size) * kernel, size)
        dataframe["smooth"] = sums[: len(dataframe)]
        return dataframe
