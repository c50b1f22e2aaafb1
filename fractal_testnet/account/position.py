"""A position in one contract: what a fill makes of it, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from .bank import ZERO, usdc


@dataclass(frozen=True, slots=True)
class Position:
    """An open position.

    Parameters
    ----------
    coin : str
        The contract.
    size : Decimal
        Contracts, below zero for a short; never 0.
    cost : Decimal
        What the contracts cost, USDC, 0 or more: entry price times size. Kept instead of the
        price, since an average price can not be exact and money has to be.
    leverage : int
        Notional over margin at the time of opening.
    """

    coin: str
    size: Decimal
    cost: Decimal
    leverage: int

    @property
    def side(self) -> int:
        """+1 long, -1 short."""
        return 1 if self.size > 0 else -1

    @property
    def entry_price(self) -> Decimal:
        """Average price of the contracts."""
        return self.cost / abs(self.size)

    def unrealised(self, mark: Decimal) -> Decimal:
        """Return the profit if all were closed at `mark`, USDC."""
        return self.side * (abs(self.size) * mark - self.cost)

    def with_leverage(self, leverage: int) -> Position:
        """Return the same position for another leverage."""
        return Position(self.coin, self.size, self.cost, leverage)


@dataclass(frozen=True, slots=True)
class FillEffect:
    """What one fill does.

    Parameters
    ----------
    position : Position or None
        The position after it; None when it is closed.
    realised : Decimal
        Profit of the part that was closed, before fees, USDC.
    closed_share : Decimal
        Share of the old position that was closed, 0 to 1: so much of its margin comes back.
    opened : Decimal
        Notional of the part that was opened, USDC.
    """

    position: Position | None
    realised: Decimal
    closed_share: Decimal
    opened: Decimal


def fill(
    position: Position | None, coin: str, size: Decimal, price: Decimal, leverage: int
) -> FillEffect:
    """Apply a fill to a position.

    Parameters
    ----------
    position : Position or None
        The position before; None where there is none.
    coin : str
        The contract.
    size : Decimal
        Contracts filled, above zero bought, below sold; not 0.
    price : Decimal
        Price of the fill, above 0.
    leverage : int
        For what is opened; an open position keeps its own.

    Returns
    -------
    FillEffect
        A fill against the position closes it first and opens the other side with the rest.

    Raises
    ------
    ValueError
        A size of 0, a price that is not above 0, or a leverage below 1.
    """
    if size == 0 or not price > 0 or leverage < 1:
        msg = f"a fill of {size} at {price} with leverage {leverage} can not be"
        raise ValueError(msg)
    if position is None:
        cost = usdc(abs(size) * price)
        return FillEffect(Position(coin, size, cost, leverage), ZERO, ZERO, cost)
    if (size > 0) == (position.size > 0):
        added = usdc(abs(size) * price)
        grown = Position(coin, position.size + size, position.cost + added, position.leverage)
        return FillEffect(grown, ZERO, ZERO, added)
    closing = min(abs(size), abs(position.size))
    share = closing / abs(position.size)
    # The last part takes what is left of the cost, so that rounding adds up to nothing.
    is_all = closing == abs(position.size)
    cost = position.cost if is_all else usdc(position.cost * share)
    realised = position.side * (usdc(closing * price) - cost)
    if not is_all:
        left = Position(coin, position.size + size, position.cost - cost, position.leverage)
        return FillEffect(left, realised, share, ZERO)
    rest = abs(size) - closing
    if rest == 0:
        return FillEffect(None, realised, Decimal(1), ZERO)
    opened = usdc(rest * price)
    turned = Position(coin, rest if size > 0 else -rest, opened, leverage)
    return FillEffect(turned, realised, Decimal(1), opened)
