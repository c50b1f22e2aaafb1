"""The book: everything that a decision looks at, at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from .drift import DriftMark, LookStatus
from .equity import AccountTrack
from .money import ZERO
from .positions import Position, Reservation


class TradingState(StrEnum):
    """What the portfolio may do. Exits are free in every state."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


@dataclass(frozen=True, slots=True)
class BotReport:
    """What a bot tells the ledger in every loop.

    Parameters
    ----------
    bot
        Name, unique in the portfolio.
    account
        Where its money is.
    at
        When, UTC.
    balance
        Money of the account without the profit of open positions, stake currency.
    realised_profit, open_profit
        Of this bot's trades since its database began, and of its open ones; stake currency.
    positions
        Its open positions and resting entries.
    clusters
        Groups of pairs that move together, each pair with its sign, as the bot last saw them:
        for people who look at the portfolio, not for decisions.
    """

    bot: str
    account: str
    at: datetime
    balance: Decimal
    realised_profit: Decimal
    open_profit: Decimal
    positions: tuple[Position, ...]
    clusters: tuple[Mapping[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class BotStatus:
    """One bot as the ledger knows it: its latest report without the positions."""

    bot: str
    account: str
    reported_at: datetime
    balance: Decimal
    realised_profit: Decimal
    open_profit: Decimal
    clusters: tuple[Mapping[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Fence:
    """A pair that stays closed until its doubt is resolved.

    Parameters
    ----------
    pair
        The pair.
    code
        ``AMBIGUOUS_ORDER`` or ``POSITION_DRIFT``.
    reason
        What is in doubt, for people.
    bot
        Who met the doubt.
    since
        When, UTC.
    """

    pair: str
    code: str
    reason: str
    bot: str
    since: datetime


@dataclass(frozen=True, slots=True)
class StateChange:
    """Trading state, who set it, why and when."""

    state: TradingState = TradingState.ACTIVE
    reason: str = ""
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Book:
    """Snapshot of the ledger.

    Parameters
    ----------
    at
        Moment of the snapshot, UTC.
    positions
        Every bot's open positions and resting entries.
    reservations
        Approved entries whose order is not known yet.
    tracks
        Equity of every account.
    bots
        Latest report of every bot, by name.
    state
        Trading state of the portfolio.
    fences
        Closed pairs, by pair.
    daily_loss_on
        Latest UTC day on which the daily loss limit was reached: it holds until that day ends.
    drifts
        Pairs of which a venue and its databases disagree.
    looks
        The latest look at every account.
    """

    at: datetime
    positions: tuple[Position, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    tracks: tuple[AccountTrack, ...] = ()
    bots: Mapping[str, BotStatus] = field(default_factory=dict)
    state: StateChange = StateChange()
    fences: Mapping[str, Fence] = field(default_factory=dict)
    daily_loss_on: date | None = None
    drifts: tuple[DriftMark, ...] = ()
    looks: tuple[LookStatus, ...] = ()

    def exposures(self) -> tuple[Position, ...]:
        """Positions, and reservations that still hold capital as if they had filled."""
        held = tuple(
            reservation.as_position()
            for reservation in self.reservations
            if not reservation.ambiguous or reservation.capital_until > self.at
        )
        return self.positions + held

    def equity(self, max_age: timedelta) -> Decimal:
        """Money that positions are measured against: accounts heard of within `max_age` only."""
        return sum(
            (
                track.equity
                for track in self.tracks
                if abs(self.at - track.updated_at) <= max_age  # a report from the future is none
            ),
            ZERO,
        )

    def silent_bots(self, max_age: timedelta) -> tuple[str, ...]:
        """Bots that hold positions and have not reported within `max_age`."""
        holding = {position.bot for position in self.positions}
        return tuple(
            sorted(
                name
                for name in holding
                if name not in self.bots or abs(self.at - self.bots[name].reported_at) > max_age
            )
        )
