"""FvgFill: an impulse leaves a fair value gap, and price comes back for it, or does not."""

from collections.abc import Sequence

import pandas as pd
from freqtrade.exceptions import OperationalException
from freqtrade.strategy import CategoricalParameter, DecimalParameter, IntParameter

from fractal_strategies.trading import Reading, SmcStrategy
from fractal_strategies.trading.playbook import fvg_fill


class FvgFill(SmcStrategy):
    """Trade a fair value gap.

    ``entry`` chooses the reading: ``fill`` rests at the near edge and goes with the impulse;
    ``momentum`` goes with the impulse at once; ``mean_reversion`` is the textbook's way back
    towards the far edge.
    """

    entry = CategoricalParameter(
        ["fill", "momentum", "mean_reversion"], default="fill", space="buy", optimize=False
    )
    least_size_atr = DecimalParameter(0.5, 2.0, default=1.0, decimals=2, space="buy")
    volume_ratio = DecimalParameter(1.0, 2.5, default=1.5, decimals=1, space="buy")
    fill_buffer_atr = DecimalParameter(0.0, 0.5, default=0.1, decimals=2, space="buy")
    stop_buffer_atr = DecimalParameter(0.0, 1.0, default=0.25, decimals=2, space="buy")
    expiry_bars = IntParameter(10, 100, default=50, space="buy")
    target_r = DecimalParameter(1.5, 5.0, default=3.0, decimals=1, space="sell")
    max_bars = IntParameter(12, 96, default=24, space="sell")

    def readings(self, frame: pd.DataFrame) -> Sequence[Reading]:
        """Find gaps in the chosen reading."""
        return [
            fvg_fill(
                frame,
                entry=self.entry.value,
                least_size_atr=self.least_size_atr.value,
                volume_ratio=self.volume_ratio.value,
                fill_buffer_atr=self.fill_buffer_atr.value,
                stop_buffer_atr=self.stop_buffer_atr.value,
                target_r=self.target_r.value,
                expiry_bars=self.expiry_bars.value,
                max_bars=self.max_bars.value,
            )
        ]

    def check_parameters(self) -> None:
        """Refuse an entry that would rest longer than its gap lives."""
        super().check_parameters()
        lifetime = self.smc_config().fvg_max_age_bars
        if self.entry.value == "fill" and self.expiry_bars.value > lifetime:
            raise OperationalException(
                f"expiry_bars is {self.expiry_bars.value}, but a gap lives {lifetime} bars: "
                f"lower it to at most {lifetime}"
            )
