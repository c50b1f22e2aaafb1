"""BosOrderBlock: structure breaks, and the order block behind the break holds the stop."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from freqtrade.strategy import (
    CategoricalParameter,
    DecimalParameter,
    IntParameter,
    informative,
)

from fractal_strategies.smc import detect
from fractal_strategies.trading import Reading, SmcStrategy
from fractal_strategies.trading.playbook import bos_order_block

HIGHER_TIMEFRAME = "12h"


class BosOrderBlock(SmcStrategy):
    """Trade with a break of structure.

    ``entry`` chooses the reading: ``break`` enters when the breaking candle is a displacement;
    ``retest`` is the textbook: rest at the order block until price pulls back into it. With
    ``fractal.strategy.higher_timeframe_alignment`` in the config, only breaks along the 12h trend
    count.
    """

    reads_higher_timeframe = True

    entry = CategoricalParameter(["break", "retest"], default="break", space="buy", optimize=False)
    body_atr = DecimalParameter(1.0, 2.5, default=1.5, decimals=1, space="buy")
    volume_ratio = DecimalParameter(1.0, 2.5, default=1.5, decimals=1, space="buy")
    stop_buffer_atr = DecimalParameter(0.0, 1.0, default=0.25, decimals=2, space="buy")
    expiry_bars = IntParameter(5, 60, default=30, space="buy")
    target_r = DecimalParameter(1.5, 5.0, default=3.0, decimals=1, space="sell")
    retest_target_r = DecimalParameter(1.0, 4.0, default=2.0, decimals=1, space="sell")
    max_bars = IntParameter(12, 96, default=24, space="sell")

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        if not self.settings.higher_timeframe_alignment:
            # Nobody should need 12h candles for an option that is off.
            self._ft_informative: list[Any] = []

    @informative(HIGHER_TIMEFRAME)
    def populate_higher_timeframe(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        """Find the higher timeframe's trend; freqtrade merges it once that candle has closed."""
        dataframe["trend"] = detect(dataframe, self.smc_config())["trend"]
        return dataframe

    def readings(self, frame: pd.DataFrame) -> Sequence[Reading]:
        """Find breaks in the chosen reading."""
        higher = None
        if self.settings.higher_timeframe_alignment:
            higher = frame[f"trend_{HIGHER_TIMEFRAME}"].fillna(0).to_numpy(np.int8)
        return [
            bos_order_block(
                frame,
                entry=self.entry.value,
                body_atr=self.body_atr.value,
                volume_ratio=self.volume_ratio.value,
                stop_buffer_atr=self.stop_buffer_atr.value,
                target_r=self.target_r.value,
                retest_target_r=self.retest_target_r.value,
                expiry_bars=self.expiry_bars.value,
                max_bars=self.max_bars.value,
                higher_trend=higher,
            )
        ]
