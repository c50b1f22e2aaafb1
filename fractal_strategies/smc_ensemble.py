"""SmcEnsemble: all three setups in one bot, sharing its slots."""

from collections.abc import Sequence

import pandas as pd
from freqtrade.exceptions import OperationalException
from freqtrade.strategy import BooleanParameter, CategoricalParameter

from fractal_strategies.trading import Reading, SmcStrategy
from fractal_strategies.trading.playbook import bos_order_block, fvg_fill, liquidity_sweep


class SmcEnsemble(SmcStrategy):
    """Trade every setup, the break of structure first.

    When setups meet on one candle, BOS + order block takes it, then the gap, then the sweep:
    in the study behind the defaults that order earned most. ``enter_tag`` says which setup
    and reading a trade came from. Numbers are those of the single strategies' defaults.
    """

    use_bos_order_block = BooleanParameter(default=True, space="buy", optimize=False)
    use_fvg_fill = BooleanParameter(default=True, space="buy", optimize=False)
    use_liquidity_sweep = BooleanParameter(default=True, space="buy", optimize=False)
    bos_entry = CategoricalParameter(
        ["break", "retest"], default="break", space="buy", optimize=False
    )
    fvg_entry = CategoricalParameter(
        ["fill", "momentum", "mean_reversion"], default="fill", space="buy", optimize=False
    )
    sweep_confirmation = CategoricalParameter(
        ["displacement", "reclaim"], default="displacement", space="buy", optimize=False
    )

    def readings(self, frame: pd.DataFrame) -> Sequence[Reading]:
        """Find the setups of all strategies that are on, in order of priority."""
        found = []
        if self.use_bos_order_block.value:
            found.append(bos_order_block(frame, entry=self.bos_entry.value))
        if self.use_fvg_fill.value:
            found.append(fvg_fill(frame, entry=self.fvg_entry.value))
        if self.use_liquidity_sweep.value:
            found.append(liquidity_sweep(frame, confirmation=self.sweep_confirmation.value))
        return found

    def check_parameters(self) -> None:
        """Refuse an ensemble of nothing."""
        super().check_parameters()
        switches = (self.use_bos_order_block, self.use_fvg_fill, self.use_liquidity_sweep)
        if not any(switch.value for switch in switches):
            raise OperationalException(
                "SmcEnsemble has every strategy switched off: turn on one of "
                "use_bos_order_block, use_fvg_fill, use_liquidity_sweep"
            )
