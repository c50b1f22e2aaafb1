"""One push of a price, and which pushes there may be."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fractal_testnet.market.intervals import DAY_MS

MAX_OVER_MS = 7 * DAY_MS
_FARTHEST = 1_000.0  # times the market's own price, up or down


class MoveError(ValueError):
    """A price can not be pushed so; the text names thing, value and remedy."""


@dataclass(frozen=True, slots=True)
class Move:
    """One push of a price.

    Parameters
    ----------
    coin : str
        The asset.
    ratio : float
        What is added in the end, as a share of the price: -0.05 is 5 % down.
    at_ms : int
        The moment from which it counts, ms UTC.
    over_ms : int
        How long it takes; 0 is a gap.
    """

    coin: str
    ratio: float
    at_ms: int
    over_ms: int = 0

    @property
    def end_ms(self) -> int:
        """When the whole ratio is reached."""
        return self.at_ms + self.over_ms


def check(move: Move, shown_ms: int, factor: float) -> None:
    """Refuse a push that can not be.

    Parameters
    ----------
    move : Move
        The push.
    shown_ms : int
        The latest moment whose prices are known to somebody, ms UTC.
    factor : float
        What the pushes so far come to.

    Raises
    ------
    MoveError
        A number is out of its range, or the push would change what was shown already.
    """
    if not math.isfinite(move.ratio) or move.ratio <= -1.0 or move.ratio == 0.0:
        msg = f"ratio is {move.ratio}: give a number above -1 but not 0, such as -0.05 for -5 %"
        raise MoveError(msg)
    if not 0 <= move.over_ms <= MAX_OVER_MS:
        raise MoveError(f"over_ms is {move.over_ms}: give 0 to {MAX_OVER_MS} (7 days)")
    if move.at_ms < shown_ms:
        msg = (
            f"at_ms is {move.at_ms}, but prices up to {shown_ms} were shown already: "
            "begin then or later"
        )
        raise MoveError(msg)
    after = factor * (1.0 + move.ratio)
    if not 1.0 / _FARTHEST <= after <= _FARTHEST:
        msg = (
            f"ratio is {move.ratio}: with the moves so far {move.coin} would stand at {after:g} "
            f"times the market's own price; stay within {_FARTHEST:g} times, up or down"
        )
        raise MoveError(msg)
