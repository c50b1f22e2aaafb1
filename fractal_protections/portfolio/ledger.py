"""The ledger: what every bot of the portfolio knows about all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .book import Book, BotReport, Fence, StateChange, TradingState
from .decisions import Decision, DenialCode, Denied
from .drift import AccountLook, LookStatus, MarkChange
from .positions import ClosedTrade, EntryRequest, Reservation


class LedgerError(Exception):
    """The ledger can not answer: locked, gone, damaged, or of another version."""


Judge = Callable[[Book], Decision]
"""Decides on a book; called inside the ledger's transaction, so it must be quick and pure."""


@dataclass(frozen=True, slots=True)
class DenialRecord:
    """A denial and its repeats on one candle.

    Parameters
    ----------
    bot, pair, side
        Who asked for what.
    code, message
        Why not, in the words of the first time.
    candle
        Close time of the candle that the signal stands on, UTC; None for what has no candle.
    first_at, last_at
        First and latest time, UTC.
    count
        How often.
    """

    bot: str
    pair: str
    side: int
    code: DenialCode
    message: str
    candle: datetime | None
    first_at: datetime
    last_at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """One line of the ledger's append-only journal.

    Parameters
    ----------
    id
        Running number.
    at
        When, UTC.
    bot
        Who did it; a person is "operator".
    kind
        ``reserved``, ``matched``, ``released``, ``ambiguous``, ``positions``, ``closed``,
        ``fenced``, ``cleared``, ``drifted``, ``aligned``, ``state``, ``rebased``, ``forgotten``.
    pair
        The pair, where it is about one.
    detail
        JSON text with the amounts.
    """

    id: int
    at: datetime
    bot: str
    kind: str
    pair: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class Patience:
    """How a report treats reservations without a trade.

    Parameters
    ----------
    pending_before
        Reservations made before this time have waited long enough.
    orders_are_local
        Whether no venue can hold an order that the bot does not know (dry-run, backtest): such
        a reservation is released at once instead of fencing the pair.
    """

    pending_before: datetime
    orders_are_local: bool


class Ledger(Protocol):
    """Storage of the portfolio. Every method is one transaction.

    Raises
    ------
    LedgerError
        Any method: the storage can not answer. Nothing was changed then.
    """

    def book(self, now: datetime) -> Book:
        """Read the book."""

    def reserve(
        self, request: EntryRequest, judge: Judge, capital_until: datetime
    ) -> tuple[Decision, Reservation | None]:
        """Decide on an entry and, if approved, reserve its budget; atomic across processes."""

    def report(self, report: BotReport, patience: Patience) -> Book:
        """Take in a bot's loop: equity, positions, and what became of its reservations.

        A reservation is matched by a position of the same bot and pair that was entered at or
        after it. One that has waited long enough without is released or becomes ambiguous.
        """

    def release(self, reservation_id: str, reason: str, now: datetime) -> None:
        """End a reservation: its order is known, or known not to exist."""

    def record_closed(self, trades: Sequence[ClosedTrade]) -> None:
        """Remember finished trades; ones that are known already are ignored."""

    def closed_trades(self, limit: int) -> tuple[ClosedTrade, ...]:
        """Return the latest finished trades of all bots, newest first."""

    def deny(
        self,
        request_bot: str,
        pair: str,
        side: int,
        denied: Denied,
        candle: datetime | None,
        now: datetime,
    ) -> bool:
        """Log a denial; True if it is the first of its kind on this candle."""

    def denials(self, limit: int) -> tuple[DenialRecord, ...]:
        """Return the latest denials, newest first."""

    def set_state(self, state: TradingState, reason: str, by: str, now: datetime) -> StateChange:
        """Change the trading state; returns the one before."""

    def mark_daily_loss(self, now: datetime) -> bool:
        """Note that today's loss limit was reached; True if that is new."""

    def rebase(self, *, peak: bool, day: bool, by: str, now: datetime) -> None:
        """Measure drawdown and/or today's loss from the present equity."""

    def fence(self, fence: Fence) -> bool:
        """Close a pair; True if it was open."""

    def clear(self, pair: str, by: str, now: datetime) -> bool:
        """Open a pair, whatever closed it, and drop its ambiguous reservations.

        A drift that is still there closes it again with the next look.

        Returns
        -------
        bool
            Whether there was anything.
        """

    def take_look(self, look: AccountLook) -> MarkChange:
        """Write what a look at an account's venue has found; closes and opens its pairs."""

    def looks(self) -> tuple[LookStatus, ...]:
        """Return the latest look at every account, by account."""

    def forget(self, bot: str, by: str, now: datetime) -> bool:
        """Drop a bot that is gone, with its positions and account; True if it was known."""

    def events(self, after: int = 0) -> tuple[LedgerEvent, ...]:
        """Read the journal in order, from behind event number `after`."""

    def close(self) -> None:
        """Give back connections."""
