"""The plan of a trade: what its setup decided, kept with the trade in freqtrade's database."""

from dataclasses import asdict, dataclass
from typing import Any

from .setups import Setup

PLAN_KEY = "fractal_plan"
"""Key of the plan among a trade's custom data."""


@dataclass(frozen=True, slots=True)
class TradePlan:
    """Stop, target and time limit of one open trade.

    Parameters
    ----------
    tag
        The setup's tag.
    side
        +1 long, -1 short.
    entry
        Average fill price.
    stop
        Price at which the trade is wrong.
    target
        Take-profit price; None for a trade without one.
    max_bars
        Time stop in candles after the fill; 0 for none.
    confidence
        The setup's score, 0 to 100.
    resting
        Whether the entry rested at a limit.
    """

    tag: str
    side: int
    entry: float
    stop: float
    target: float | None
    max_bars: int
    confidence: float
    resting: bool

    @classmethod
    def from_setup(cls, setup: Setup, fill_price: float) -> "TradePlan":
        """Fix stop and target once the fill price is known.

        A target in R is measured from the fill, so a worse fill moves it along and keeps the
        promised ratio of reward to risk.
        """
        if setup.target == setup.target:  # not NaN
            target: float | None = setup.target
        elif setup.target_r == setup.target_r:
            # Below zero only if a short's target would need a negative price: unreachable.
            target = fill_price + setup.target_r * (fill_price - setup.stop)
            target = target if target > 0.0 else None
        else:
            target = None
        return cls(
            tag=setup.tag,
            side=setup.side,
            entry=fill_price,
            stop=setup.stop,
            target=target,
            max_bars=setup.max_bars,
            confidence=setup.confidence,
            resting=setup.is_resting,
        )

    @classmethod
    def without_setup(cls, tag: str, side: int, entry: float, stop: float) -> "TradePlan":
        """Plan for a trade whose setup is not known: a stop, and nothing else."""
        return cls(
            tag=tag,
            side=side,
            entry=entry,
            stop=stop,
            target=None,
            max_bars=0,
            confidence=0.0,
            resting=False,
        )

    def r_multiple(self, price: float) -> float:
        """Profit at `price` in units of the risk taken (R), before costs."""
        return self.side * (price - self.entry) / (self.side * (self.entry - self.stop))

    def is_beyond_stop(self, price: float, slack_ratio: float = 0.0) -> bool:
        """Whether `price` is worse than the stop by more than `slack_ratio` of it."""
        return self.side * (price - self.stop) < -slack_ratio * self.stop

    def to_json(self) -> dict[str, Any]:
        """Represent the plan as plain JSON types, as custom data stores them."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "TradePlan":
        """Read a stored plan.

        Raises
        ------
        ValueError
            A key is missing or unknown: another version wrote it.
        """
        try:
            return cls(**stored)
        except TypeError as error:
            raise ValueError(f"the stored trade plan {stored!r} does not fit: {error}") from error
