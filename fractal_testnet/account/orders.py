"""Orders: what is asked for, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from .bank import ZERO

Side = Literal[1, -1]


class Tif(StrEnum):
    """How long a limit order lives.

    ``GTC`` rests until it is cancelled, ``IOC`` takes what is there and ends, ``ALO`` rests or is
    refused (post-only).
    """

    GTC = "Gtc"
    IOC = "Ioc"
    ALO = "Alo"


@dataclass(frozen=True, slots=True)
class Trigger:
    """What wakes a stop or take-profit order.

    Parameters
    ----------
    price : Decimal
        Mark price at which it becomes an order.
    is_market : bool
        Then takes at any price up to its limit and ends; otherwise rests at its limit.
    tpsl : str
        ``sl`` (wakes when the price goes against the position) or ``tp``.
    """

    price: Decimal
    is_market: bool
    tpsl: Literal["sl", "tp"]


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order as it is asked for.

    Parameters
    ----------
    coin : str
        The contract.
    side : int
        +1 buys, -1 sells.
    size : Decimal
        Contracts, above 0.
    price : Decimal
        Limit, USDC.
    tif : Tif
        Of a plain order, and of one that a trigger wakes.
    reduce_only : bool
        May only make the position smaller.
    trigger : Trigger, optional
        Makes it a stop or take-profit order.
    cloid : str, optional
        The client's own id, 128 bits in hexadecimal.
    builder_ratio : Decimal
        Fee that the trader pays to the maker of the program, over notional.
    """

    coin: str
    side: Side
    size: Decimal
    price: Decimal
    tif: Tif = Tif.GTC
    reduce_only: bool = False
    trigger: Trigger | None = None
    cloid: str | None = None
    builder_ratio: Decimal = ZERO


@dataclass(slots=True)
class Order:
    """An accepted order.

    Parameters
    ----------
    oid : int
        The venue's id.
    trader : str
        Address.
    request : OrderRequest
        What was asked for.
    placed_ms : int
        When, ms UTC.
    """

    oid: int
    trader: str
    request: OrderRequest
    placed_ms: int
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    status: str = "open"
    status_ms: int = field(default=0)
    is_triggered: bool = False
    fill_cap: Decimal | None = None
    """Most that may ever fill, where a fault says so."""
    again_ms: int | None = None
    """When it takes again: it has emptied the book, which is drawn anew then."""

    @property
    def remaining(self) -> Decimal:
        """Contracts that are not filled."""
        return self.request.size - self.filled

    @property
    def fillable(self) -> Decimal:
        """Contracts that may fill."""
        if self.fill_cap is None:
            return self.remaining
        return max(min(self.fill_cap, self.request.size) - self.filled, ZERO)

    @property
    def average(self) -> Decimal:
        """Average price of what is filled, USDC."""
        return self.cost / self.filled

    @property
    def is_live(self) -> bool:
        """It rests in the book or waits for its trigger."""
        return self.status in ("open", "triggered")

    @property
    def waits(self) -> bool:
        """It waits for its trigger."""
        return self.request.trigger is not None and not self.is_triggered

    @property
    def kind(self) -> str:
        """The type by the venue's name, such as ``Stop Limit``."""
        trigger = self.request.trigger
        if trigger is None:
            return "Limit"
        name = "Stop" if trigger.tpsl == "sl" else "Take Profit"
        return f"{name} {'Market' if trigger.is_market else 'Limit'}"


def fires_below(request: OrderRequest) -> bool:
    """Tell whether a trigger fires when the mark falls to its price, instead of rising to it."""
    if request.trigger is None:
        msg = "only an order with a trigger fires"
        raise ValueError(msg)
    return (request.side == -1) == (request.trigger.tpsl == "sl")
