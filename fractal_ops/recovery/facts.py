"""What the venue and the databases say at one moment: facts, no judgement.

Sizes are in contracts of the base currency; signed ones are above zero for a long. A side is +1
for long or buy, -1 for short or sell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class VenuePosition:
    """An open position: its pair, its signed size, and the venue's mark price."""

    pair: str
    size: Decimal
    mark_price: Decimal

    @property
    def side(self) -> int:
        """+1 long, -1 short."""
        return 1 if self.size > 0 else -1


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """An order that is open on the venue.

    Parameters
    ----------
    id, cloid
        The venue's id, and the client's own where it gave one.
    pair, side
        What it does; +1 buys, -1 sells.
    remaining, filled
        Contracts that are still open, and those that are filled.
    limit_price
        Worst price that it takes.
    reduce_only
        Whether it can only make a position smaller.
    trigger_price
        Where it wakes; None for an order without a trigger, or one that has woken.
    is_stop
        Whether it is a stop by the venue's own words.
    """

    id: str
    pair: str
    side: int
    remaining: Decimal
    filled: Decimal
    limit_price: Decimal
    reduce_only: bool
    trigger_price: Decimal | None = None
    is_stop: bool = False
    cloid: str | None = None


class Role(StrEnum):
    """What an order is for in its trade."""

    ENTRY = "entry"
    EXIT = "exit"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class RecordedOrder:
    """An order of an open trade in a database."""

    id: str
    role: Role
    is_open: bool
    status: str
    filled: Decimal


@dataclass(frozen=True, slots=True)
class RecordedTrade:
    """An open trade in a database.

    Parameters
    ----------
    database
        Which database, for people.
    id, pair, side
        The trade; +1 long, -1 short.
    amount
        Contracts by its finished orders: freqtrade leaves out what open ones have filled.
    stop_price
        Where the bot wants the stop; None where it has none.
    orders
        All its orders.
    """

    database: str
    id: int
    pair: str
    side: int
    amount: Decimal
    stop_price: Decimal | None
    orders: tuple[RecordedOrder, ...] = ()

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"trade {self.id} in {self.database}"


@dataclass(frozen=True, slots=True)
class OrderAnswer:
    """What the venue says of an order that is not open; `status` is empty if it knows none."""

    status: str
    filled: Decimal = ZERO

    @property
    def is_known(self) -> bool:
        """Whether the venue knows such an order."""
        return bool(self.status)


@dataclass(frozen=True, slots=True)
class Claim:
    """A position or resting entry that a bot of this account has reported to the ledger."""

    bot: str
    pair: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An account's venue and databases, read at one moment.

    Parameters
    ----------
    at
        When the reading was finished, UTC.
    equity
        Worth of the account, stake currency.
    positions
        Open positions, by pair.
    orders
        Open orders.
    trades
        Open trades of all databases.
    booked
        Status in the databases of orders that are open on the venue and in no open trade, or
        closed there; by id.
    answers
        What the venue says of orders that are open in a database only, by id.
    steps
        Smallest step of a pair's size.
    claims
        What the account's bots have told the ledger.
    clock_ahead
        How far this machine's clock is ahead of the venue's; below zero where it is behind.
    in_motion
        Pairs with an order under way, or whose trades changed while all this was read.
    """

    at: datetime
    equity: Decimal
    positions: Mapping[str, VenuePosition] = field(default_factory=dict)
    orders: tuple[VenueOrder, ...] = ()
    trades: tuple[RecordedTrade, ...] = ()
    booked: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, OrderAnswer] = field(default_factory=dict)
    steps: Mapping[str, Decimal] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    clock_ahead: timedelta = timedelta()
    in_motion: frozenset[str] = frozenset()

    def pairs(self) -> tuple[str, ...]:
        """Every pair that anything is known of, by name."""
        named = {*self.positions, *(claim.pair for claim in self.claims)}
        named |= {order.pair for order in self.orders} | {trade.pair for trade in self.trades}
        return tuple(sorted(named))

    def fingerprint(self, pair: str) -> tuple[object, ...]:
        """Return what changes whenever a position, an order or a trade of the pair does.

        Prices are left out: they move with every look.
        """
        position = self.positions.get(pair)
        orders = sorted((o.id, o.remaining) for o in self.orders if o.pair == pair)
        trades = sorted(
            (t.database, t.id, t.amount, tuple((o.id, o.is_open, o.filled) for o in t.orders))
            for t in self.trades
            if t.pair == pair
        )
        return (None if position is None else position.size, tuple(orders), tuple(trades))
