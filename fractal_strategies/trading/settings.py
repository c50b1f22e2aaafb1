"""What the operator may set for the strategies in the config, checked at start."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fractal_protections.portfolio import read_block

Ratio = Annotated[float, Field(gt=0.0, le=1.0)]


class StrategySettings(BaseModel):
    """The ``fractal.strategy`` block of the config.

    Raises
    ------
    pydantic.ValidationError
        An unknown key, a value out of range, or a contradiction.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    leverage: Annotated[float, Field(ge=1.0, le=20.0)] = 3.0
    """Leverage of new positions; Hyperliquid takes whole numbers only."""
    min_stop_ratio: Ratio = 0.01
    """Setups with a nearer stop are skipped: fees would eat the edge."""
    max_stop_ratio: Ratio = 0.08
    """Setups with a further stop are skipped."""
    higher_timeframe_alignment: bool = False
    """BosOrderBlock: trade only with the 12h structure (needs 12h candles)."""

    @model_validator(mode="after")
    def _check_together(self) -> "StrategySettings":
        if self.leverage != int(self.leverage):
            raise ValueError(
                f"leverage is {self.leverage}; Hyperliquid would cut it to {int(self.leverage)}: "
                "give a whole number"
            )
        if self.min_stop_ratio >= self.max_stop_ratio:
            raise ValueError(
                f"min_stop_ratio {self.min_stop_ratio} is not below max_stop_ratio "
                f"{self.max_stop_ratio}: no setup could pass"
            )
        if self.max_stop_ratio * self.leverage > 0.5:
            raise ValueError(
                f"max_stop_ratio {self.max_stop_ratio} x leverage {self.leverage:g} risks more "
                "than half of the margin, too near to liquidation: lower one of them"
            )
        return self

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "StrategySettings":
        """Read the ``fractal.strategy`` block of a freqtrade config.

        Raises
        ------
        ValueError
            The block does not fit; the message names each key, its value and the reason.
        """
        return read_block(config, "strategy", cls)
