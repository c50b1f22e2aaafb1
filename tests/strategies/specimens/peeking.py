"""A guilty strategy: it knows a fair value gap one candle early, the commonest SMC leak."""

from collections.abc import Sequence

import pandas as pd

from fractal_strategies.trading import Reading, SmcStrategy
from fractal_strategies.trading.playbook import fvg_fill


class PeekingFvg(SmcStrategy):
    """Reads the gap on its middle candle."""

    def readings(self, frame: pd.DataFrame) -> Sequence[Reading]:
        early = frame.copy()
        for name in ("fvg", "fvg_top", "fvg_bottom", "fvg_size_atr"):
            early[name] = frame[name].shift(-1).fillna(0).astype(frame[name].dtype)
        return [fvg_fill(early, entry="momentum", volume_ratio=0.0)]
