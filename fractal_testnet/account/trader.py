"""One account of the exchange: its money, its orders and what became of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from .bank import ZERO, Bank
from .isolated import IsolatedAccount
from .orders import Order

KEPT_EVENTS = 2_000
KEPT_ORDERS = 10_000
DEFAULT_LEVERAGE = 20


class OrderEvent(NamedTuple):
    """A change of an order: its number, the order, what was left of it, its status, when."""

    number: int
    order: Order
    remaining: Decimal
    status: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class FillRow:
    """One execution as the trader sees it.

    Parameters
    ----------
    number : int
        Counts this trader's fills.
    tid, oid : int
        Ids of the execution and of the order; the order of a liquidation is 0.
    cloid : str or None
        The client's id of the order.
    coin : str
        The contract.
    side : int
        +1 bought, -1 sold.
    price, size : Decimal
        USDC, contracts.
    start_position : Decimal
        Signed size of the position before.
    direction : str
        ``Open Long``, ``Close Short``, ``Long > Short``, …
    closed_pnl : Decimal
        Profit of what was closed, before fees, USDC.
    fee, builder_fee : Decimal
        USDC.
    is_taker : bool
        It took from the book.
    at_ms : int
        When, ms UTC.
    liquidation_mark : Decimal or None
        Mark price of a liquidation.
    """

    number: int
    tid: int
    oid: int
    cloid: str | None
    coin: str
    side: int
    price: Decimal
    size: Decimal
    start_position: Decimal
    direction: str
    closed_pnl: Decimal
    fee: Decimal
    builder_fee: Decimal
    is_taker: bool
    at_ms: int
    liquidation_mark: Decimal | None = None


class FundingPayment(NamedTuple):
    """Funding of one hour: when, contract, USDC received (below 0: paid), size, rate."""

    at_ms: int
    coin: str
    usdc: Decimal
    size: Decimal
    rate: Decimal


class Transfer(NamedTuple):
    """Mock money that came in (below 0: went out): when, USDC."""

    at_ms: int
    usdc: Decimal


@dataclass
class FundingSum:
    """Funding that a position has paid, USDC (below 0: received)."""

    all_time: Decimal = ZERO
    since_open: Decimal = ZERO


@dataclass
class Trader:
    """Everything the exchange knows about one address.

    Parameters
    ----------
    address : str
        Lower case.
    account : IsolatedAccount
        Money and positions.
    """

    address: str
    account: IsolatedAccount
    leverage: dict[str, int] = field(default_factory=dict)
    live: dict[int, Order] = field(default_factory=dict)
    finished: dict[int, Order] = field(default_factory=dict)
    cloids: dict[str, int] = field(default_factory=dict)
    events: deque[OrderEvent] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))
    fills: deque[FillRow] = field(default_factory=lambda: deque(maxlen=KEPT_ORDERS))
    funding: deque[FundingPayment] = field(default_factory=lambda: deque(maxlen=KEPT_ORDERS))
    funding_sums: dict[str, FundingSum] = field(default_factory=dict)
    transfers: deque[Transfer] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))
    approved_builders: dict[str, Decimal] = field(default_factory=dict)
    traded: Decimal = ZERO
    actions: int = 0
    fill_count: int = 0
    event_count: int = 0

    @classmethod
    def open(cls, address: str, bank: Bank) -> Trader:
        """Open an account without money."""
        return cls(address, IsolatedAccount(address, bank))

    def leverage_of(self, coin: str, highest: int) -> int:
        """Return the leverage that a new position in a contract would have."""
        return self.leverage.get(coin, min(DEFAULT_LEVERAGE, highest))

    def order(self, oid: int) -> Order | None:
        """Return an order, live or finished; None where it is unknown or long forgotten."""
        return self.live.get(oid) or self.finished.get(oid)

    def by_cloid(self, cloid: str) -> Order | None:
        """Return the order with the client's own id."""
        oid = self.cloids.get(cloid.lower())
        return None if oid is None else self.order(oid)

    def note(self, order: Order, status: str, at_ms: int) -> None:
        """Give an order a status, and keep the change for whoever listens."""
        order.status, order.status_ms = status, at_ms
        self.event_count += 1
        self.events.append(OrderEvent(self.event_count, order, order.remaining, status, at_ms))
        if order.is_live:
            self.live[order.oid] = order
            return
        self.live.pop(order.oid, None)
        self.finished[order.oid] = order
        if len(self.finished) > KEPT_ORDERS:
            oldest = self.finished.pop(next(iter(self.finished)))
            cloid = oldest.request.cloid
            if cloid is not None and self.cloids.get(cloid) == oldest.oid:
                del self.cloids[cloid]
