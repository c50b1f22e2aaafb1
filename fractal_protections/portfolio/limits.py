"""The limits of the portfolio: the `fractal.limits` block of the config."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from .config_block import read_block

RATIOS = (
    "max_total_exposure_ratio",
    "max_correlated_exposure_ratio",
    "max_position_ratio",
    "risk_per_trade_ratio",
    "daily_loss_ratio",
    "max_drawdown_ratio",
)


def _refuse_words(value: Any) -> Any:
    if isinstance(value, bool | str):
        raise ValueError("give a number, without quotes")  # noqa: TRY004  # pydantic's contract
    return value


# Not strict: strictly, pydantic takes no float as a Decimal. It reads one by its shortest form.
Exact = Annotated[Decimal, Field(strict=False), BeforeValidator(_refuse_words)]


class RiskLimits(BaseModel):
    """What the portfolio can bear, across pairs, strategies and bots.

    Raises
    ------
    pydantic.ValidationError
        An unknown key, a value out of range, a percentage where a ratio belongs, or two limits
        that contradict each other.
    """

    # Strict: neither true nor "3" is a number.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    max_total_exposure_ratio: Annotated[Exact, Field(gt=0)] = Decimal("0.20")
    """Margin of all positions and reservations over the equity."""
    max_correlated_exposure_ratio: Annotated[Exact, Field(gt=0)] = Decimal("0.30")
    """Leveraged notional over the equity, for each group of pairs that move together, signed by
    direction: a hedge offsets."""
    max_positions_per_symbol: Annotated[int, Field(ge=1)] = 1
    """Positions in one pair, across strategies and bots."""
    max_positions: Annotated[int, Field(ge=1)] = 3
    """Positions at the same time, across strategies and bots."""
    max_position_ratio: Annotated[Exact, Field(gt=0)] = Decimal("0.05")
    """Margin of one position over the equity."""
    risk_per_trade_ratio: Annotated[Exact, Field(gt=0)] = Decimal("0.01")
    """Loss at the stop, fees included, over the equity."""
    min_confidence: Annotated[float, Field(ge=0.0, le=100.0)] = 40.0
    """Least score of a setup, of 100."""
    daily_loss_ratio: Annotated[Exact, Field(gt=0)] = Decimal("0.03")
    """Realised and open loss since 00:00 UTC over the equity then; halts entries until the next
    day."""
    max_drawdown_ratio: Annotated[Exact, Field(gt=0)] = Decimal("0.20")
    """Loss from the equity's peak, open positions included; halts entries until a person
    resumes."""
    correlation_threshold: Annotated[float, Field(gt=0.0, le=1.0)] = 0.7
    """Pairs whose returns correlate at least this much, up or down, count as one bet."""
    correlation_days: Annotated[int, Field(ge=2, le=365)] = 30
    """Days of log returns that the correlation is measured over."""
    loss_streak: Annotated[int, Field(ge=1)] = 2
    """After this many losses in a row positions shrink by `loss_streak_factor`."""
    loss_streak_factor: Annotated[Exact, Field(gt=0, le=1)] = Decimal("0.7")
    """Size factor after a streak of losses."""
    win_streak: Annotated[int, Field(ge=1)] = 3
    """After this many wins in a row positions shrink by `win_streak_factor`."""
    win_streak_factor: Annotated[Exact, Field(gt=0, le=1)] = Decimal("0.8")
    """Size factor after a streak of wins: luck turns."""

    @field_validator(*RATIOS)
    @classmethod
    def _check_unit(cls, value: Decimal) -> Decimal:
        # 3 may mean 3 % or three times the equity; the answer to doubt is no.
        if value > 1:
            raise ValueError(
                "is more than the whole equity: it is a ratio, not a percentage; for "
                f"{value} % write {(value / 100).normalize():f}"
            )
        return value

    @field_validator("max_drawdown_ratio")
    @classmethod
    def _check_drawdown(cls, value: Decimal) -> Decimal:
        if value == 1:
            raise ValueError("switches the limit off, since nothing is left at 1: write 0.20")
        return value

    @field_validator("min_confidence")
    @classmethod
    def _check_score(cls, value: float) -> float:
        if 0.0 < value < 1.0:
            raise ValueError(
                f"lets nearly everything through: it is a score of 100, not a ratio; write "
                f"{100 * value:g}"
            )
        return value

    @model_validator(mode="after")
    def _check_together(self) -> "RiskLimits":
        contradictions = []
        for small, large, why in (
            ("max_position_ratio", "max_total_exposure_ratio", "one position would be too many"),
            ("risk_per_trade_ratio", "daily_loss_ratio", "one loss would end every day"),
            ("daily_loss_ratio", "max_drawdown_ratio", "one bad day would halt the portfolio"),
            ("max_positions_per_symbol", "max_positions", "it could never be reached"),
        ):
            low, high = getattr(self, small), getattr(self, large)
            if low > high:
                contradictions.append(
                    f"{small} {low} is above {large} {high}, so {why}: lower the first or raise "
                    "the second"
                )
        if contradictions:
            raise ValueError("; ".join(contradictions))
        return self

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "RiskLimits":
        """Read the ``fractal.limits`` block of a freqtrade config.

        Raises
        ------
        ValueError
            The block does not fit; the message names key, value and remedy.
        """
        return read_block(config, "limits", cls)
