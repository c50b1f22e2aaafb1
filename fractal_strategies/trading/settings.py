"""What the operator may set for the strategies in the config, checked at start."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

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
    stake_ratio: Ratio = 0.05
    """Margin of one position over the equity."""
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
        fractal = config.get("fractal") or {}
        if not isinstance(fractal, dict):
            # One kind of error for every bad config, whatever is wrong with it.
            raise ValueError(  # noqa: TRY004
                f"config: fractal = {fractal!r}: give a block of keys and values"
            )
        block = fractal.get("strategy")
        try:
            return cls.model_validate({} if block is None else block)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(('fractal', 'strategy', *map(str, problem['loc'])))} = "
                f"{problem['input']!r}: "
                f"{problem['msg']}"
                for problem in error.errors()
            )
            raise ValueError(
                f"config: {problems} (known keys: {', '.join(cls.model_fields)})"
            ) from error
