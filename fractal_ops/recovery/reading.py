"""One look: databases, venue, databases again, and the ledger."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fractal_ops.recovery import advice
from fractal_ops.recovery.databases import DatabaseUnreadableError, TradeDatabase
from fractal_ops.recovery.drift import Drift, DriftKind, whole_account
from fractal_ops.recovery.facts import Claim, RecordedTrade, Snapshot
from fractal_ops.recovery.venue import Venue, VenueUnreachableError
from fractal_protections.portfolio.book import Book
from fractal_protections.portfolio.ledger import Ledger, LedgerError

LONGEST_FLIGHT = timedelta(seconds=30)
"""A reserved entry without a trade is no excuse for a position any longer than this."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A snapshot; or, where something could not be read, the reason."""

    snapshot: Snapshot | None
    blindness: Drift | None = None


class Reader:
    """Reads one account.

    Parameters
    ----------
    account
        Its name in the ledger.
    venue, databases, ledger
        Where to look; all databases of all bots of this account.
    reservation_time
        How long an entry may be under way.
    clock
        Returns now, UTC.
    """

    def __init__(
        self,
        account: str,
        venue: Venue,
        databases: Sequence[TradeDatabase],
        ledger: Ledger,
        reservation_time: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._account = account
        self._venue = venue
        self._databases = tuple(databases)
        self._ledger = ledger
        self._flight = min(reservation_time, LONGEST_FLIGHT)
        self._clock = clock

    def read(self) -> Reading:
        """Read everything. What can not be read is told, never taken for empty."""
        try:
            return Reading(self._read())
        except VenueUnreachableError as error:
            kind, text, said = DriftKind.VENUE_UNREACHABLE, advice.VENUE_UNREACHABLE, str(error)
        except (DatabaseUnreadableError, LedgerError) as error:
            kind, text, said = DriftKind.DATABASE_UNREADABLE, advice.DATABASE_UNREADABLE, str(error)
        return Reading(None, whole_account(kind, said, text))

    def _read(self) -> Snapshot:
        before = self._trades()
        positions, orders = self._venue.positions(), self._venue.orders()
        equity = self._venue.equity()
        trades = self._trades()
        on_venue = {order.id for order in orders}
        recorded = {o.id: t.pair for t in trades for o in t.orders if o.is_open}
        answers = {
            order_id: self._venue.answer(order_id, pair)
            for order_id, pair in sorted(recorded.items())
            if order_id not in on_venue
        }
        booked: dict[str, str] = {}
        for database in self._databases:
            booked |= database.booked(on_venue - recorded.keys())
        clock_ahead = self._clock_ahead()
        now = self._clock()
        book = self._ledger.book(now)
        pairs = {*positions, *recorded.values()}
        pairs |= {order.pair for order in orders} | {trade.pair for trade in trades}
        return Snapshot(
            at=now,
            equity=equity,
            positions=positions,
            orders=orders,
            trades=trades,
            booked=booked,
            answers=answers,
            steps={pair: self._venue.step(pair) for pair in sorted(pairs)},
            claims=self._claims(book),
            clock_ahead=clock_ahead,
            in_motion=_changed(before, trades) | self._in_flight(book),
        )

    def _clock_ahead(self) -> timedelta:
        """Compare clocks; the time that the answer was under way counts as no difference."""
        asked = self._clock()
        venue = self._venue.time()
        answered = self._clock()
        return max(asked - venue, timedelta()) + min(answered - venue, timedelta())

    def _trades(self) -> tuple[RecordedTrade, ...]:
        return tuple(trade for base in self._databases for trade in base.open_trades())

    def _claims(self, book: Book) -> tuple[Claim, ...]:
        mine = {name for name, bot in book.bots.items() if bot.account == self._account}
        return tuple(Claim(p.bot, p.pair) for p in book.positions if p.bot in mine)

    def _in_flight(self, book: Book) -> frozenset[str]:
        """Pairs with an approved entry that the venue may be taking at this moment."""
        return frozenset(
            held.request.pair
            for held in book.reservations
            if not held.ambiguous and abs(book.at - held.request.at) < self._flight
        )


def _changed(before: Sequence[RecordedTrade], after: Sequence[RecordedTrade]) -> frozenset[str]:
    """Pairs whose trades were touched while the venue was read."""
    first, second = set(before), set(after)
    return frozenset(trade.pair for trade in first ^ second)
