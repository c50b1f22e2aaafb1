"""LiquiditySweep: stops are taken beyond a swing level, and price comes back."""

from collections.abc import Sequence

import pandas as pd
from freqtrade.exceptions import OperationalException
from freqtrade.strategy import CategoricalParameter, DecimalParameter, IntParameter

from fractal_strategies.trading import Reading, SmcStrategy
from fractal_strategies.trading.playbook import liquidity_sweep


class LiquiditySweep(SmcStrategy):
    """Trade away from swept liquidity.

    ``confirmation`` chooses the reading: ``displacement`` waits for a fair value gap in the new
    direction (stop beyond the gap, no target, time stop); ``reclaim`` is the textbook: enter when
    price closes back inside (stop beyond the sweep, fixed target).
    """

    confirmation = CategoricalParameter(
        ["displacement", "reclaim"], default="displacement", space="buy", optimize=False
    )
    confirm_within_bars = IntParameter(3, 20, default=10, space="buy")
    least_gap_atr = DecimalParameter(0.3, 1.5, default=0.5, decimals=2, space="buy")
    stop_buffer_atr = DecimalParameter(0.0, 1.0, default=0.25, decimals=2, space="buy")
    reclaim_target_r = DecimalParameter(1.0, 4.0, default=2.0, decimals=1, space="sell")
    max_bars = IntParameter(12, 96, default=48, space="sell")

    def readings(self, frame: pd.DataFrame) -> Sequence[Reading]:
        """Find sweeps in the chosen reading."""
        return [
            liquidity_sweep(
                frame,
                confirmation=self.confirmation.value,
                confirm_within_bars=self.confirm_within_bars.value,
                least_gap_atr=self.least_gap_atr.value,
                stop_buffer_atr=self.stop_buffer_atr.value,
                reclaim_target_r=self.reclaim_target_r.value,
                max_bars=self.max_bars.value,
            )
        ]

    def check_parameters(self) -> None:
        """Refuse a confirming gap smaller than the gaps that are looked for at all."""
        super().check_parameters()
        detected = self.smc_config().fvg_least_size_atr
        if self.least_gap_atr.value < detected:
            raise OperationalException(
                f"least_gap_atr is {self.least_gap_atr.value}, but gaps below {detected} ATR are "
                f"not detected: raise it to at least {detected}"
            )
