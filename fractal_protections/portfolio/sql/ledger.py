"""The ledger that all bots of a portfolio share."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Connection, delete, insert, select, tuple_, update

from ..book import Book, BotReport, Fence, StateChange, TradingState
from ..decisions import Approved, Decision, Denied
from ..drift import AccountLook, LookStatus, MarkChange
from ..journal import request_detail
from ..ledger import DenialRecord, Judge, LedgerEvent, Patience
from ..positions import ClosedTrade, EntryRequest, Reservation
from . import drifts, equity_history, health
from .column_types import as_utc
from .denial_log import count_denial, load_denials
from .engine import Database
from .errors import translated
from .opening import Mode, prepared_database
from .records import Snapshot, load_meta, load_snapshot, note, put, reservation_row, state_of
from .reports import take_in
from .schema import (
    accounts,
    bots,
    closed_trades,
    events,
    fences,
    meta,
    positions,
    reservations,
)
from .schema import drifts as drifts_table

_CHUNK = 500  # rows of one statement, far below the databases' limits of parameters


def open_ledger(
    url: str,
    *,
    mode: Literal["dry_run", "live"] | None,
    lock_timeout_seconds: float = 2.0,
    create: bool = True,
) -> "SqlLedger":
    """Open the ledger, and make it or bring it to this version's tables where needed.

    Parameters
    ----------
    url
        SQLAlchemy URL: ``sqlite:///path/to/file`` or ``postgresql://user:password@host/name``.
    mode
        What the bot trades with; None takes an existing ledger of either mode.
    lock_timeout_seconds
        How long any call may wait for the ledger's lock.
    create
        Whether a ledger that is not there is made. Without a mode, none is made.

    Raises
    ------
    LedgerError
        The URL leads to no ledger, to one of the other mode or of a newer version, or to one
        that can not be used; the message names it, with the remedy.
    """
    database, found = prepared_database(url, mode, lock_timeout_seconds, create=create)
    return SqlLedger(database, found.ledger_id, found.mode)


class SqlLedger:
    """Ledger in a database; see :class:`~fractal_protections.portfolio.ledger.Ledger`.

    Made by :func:`open_ledger`. Threads may share it; a forked child must open its own.

    Parameters
    ----------
    database
        Where it is.
    ledger_id
        Which ledger that must be.
    mode
        ``dry_run`` or ``live``.
    """

    def __init__(self, database: Database, ledger_id: str, mode: Mode) -> None:
        self._database = database
        self._ledger_id = ledger_id
        self.mode: Mode = mode

    @property
    def name(self) -> str:
        """What messages call it: the file, or the URL without its password."""
        return self._database.name

    def book(self, now: datetime) -> Book:
        """Read the book."""
        now = as_utc(now)
        with self._database.read() as connection:
            return self._snapshot(connection, now).book

    def reserve(
        self, request: EntryRequest, judge: Judge, capital_until: datetime
    ) -> tuple[Decision, Reservation | None]:
        """Decide on an entry and, if approved, reserve its budget; atomic across processes."""
        at = as_utc(request.at)
        with self._database.write_for_callback() as connection:
            with translated(self.name):
                book = self._snapshot(connection, at).book
            decision = judge(book)
            if not isinstance(decision, Approved):
                return decision, None
            reservation = Reservation(uuid.uuid4().hex, request, False, capital_until)
            with translated(self.name):
                connection.execute(insert(reservations).values(reservation_row(reservation)))
                detail = request_detail(request, decision)
                note(connection, request.at, request.bot, "reserved", request.pair, detail)
        return decision, reservation

    def report(self, report: BotReport, patience: Patience) -> Book:
        """Take in a bot's loop: equity, positions, and what became of its reservations."""
        # Before the columns do it: moments are compared, and returned, before they are stored.
        held = (replace(p, entered_at=as_utc(p.entered_at)) for p in report.positions)
        report = replace(report, at=as_utc(report.at), positions=tuple(held))
        patience = replace(patience, pending_before=as_utc(patience.pending_before))
        with self._database.write() as connection:
            before = self._snapshot(connection, report.at)
            return take_in(connection, before, report, patience)

    def release(self, reservation_id: str, reason: str, now: datetime) -> None:
        """End a reservation: its order is known, or known not to exist."""
        with self._database.write() as connection:
            known = reservations.c.id == reservation_id
            row = connection.execute(select(reservations).where(known)).one_or_none()
            if row is not None:
                connection.execute(delete(reservations).where(known))
                note(connection, now, row.bot, "released", row.pair, json.dumps({"reason": reason}))

    def record_closed(self, trades: Sequence[ClosedTrade]) -> None:
        """Remember finished trades; ones that are known already are ignored."""
        if not trades:
            return
        named = {(trade.bot, trade.trade_id): trade for trade in reversed(trades)}
        key = tuple_(closed_trades.c.bot, closed_trades.c.trade_id)
        keys = list(named)
        with self._database.write() as connection:
            known = {
                (row.bot, row.trade_id)
                for start in range(0, len(keys), _CHUNK)
                for row in connection.execute(
                    select(closed_trades.c.bot, closed_trades.c.trade_id).where(
                        key.in_(keys[start : start + _CHUNK])
                    )
                )
            }
            new = [named[k] for k in reversed(keys) if k not in known]
            if new:
                connection.execute(insert(closed_trades), [asdict(trade) for trade in new])
                connection.execute(insert(events), [_closed_event(trade) for trade in new])

    def closed_trades(self, limit: int) -> tuple[ClosedTrade, ...]:
        """Return the latest finished trades of all bots, newest first."""
        table = closed_trades
        newest = (table.c.closed_at.desc(), table.c.trade_id.desc(), table.c.bot)
        with self._database.read() as connection:
            rows = connection.execute(select(table).order_by(*newest).limit(limit))
            return tuple(
                ClosedTrade(row.bot, row.trade_id, row.pair, row.closed_at, row.profit)
                for row in rows
            )

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
        with self._database.write() as connection:
            return count_denial(connection, request_bot, pair, side, denied, candle, now)

    def denials(self, limit: int) -> tuple[DenialRecord, ...]:
        """Return the latest denials, newest first."""
        with self._database.read() as connection:
            return load_denials(connection, limit)

    def set_state(self, state: TradingState, reason: str, by: str, now: datetime) -> StateChange:
        """Change the trading state; returns the one before."""
        with self._database.write() as connection:
            before = state_of(load_meta(connection, self._ledger_id, self.name))
            connection.execute(
                update(meta).values(
                    state=state.value, state_reason=reason, state_by=by, state_at=now
                )
            )
            detail = json.dumps({"state": state, "reason": reason})
            note(connection, now, by, "state", None, detail)
            return before

    def mark_daily_loss(self, now: datetime) -> bool:
        """Note that today's loss limit was reached; True if that is new."""
        today = as_utc(now).date()
        with self._database.write() as connection:
            before = load_meta(connection, self._ledger_id, self.name).daily_loss_on
            if before == today:
                return False
            connection.execute(update(meta).values(daily_loss_on=today))
            return True

    def rebase(self, *, peak: bool, day: bool, by: str, now: datetime) -> None:
        """Measure drawdown and/or today's loss from the present equity."""
        now = as_utc(now)
        with self._database.write() as connection:
            for track in self._snapshot(connection, now).book.tracks:
                moved = track.rebase_peak() if peak else track
                moved = moved.rebase_day() if day else moved
                put(connection, accounts, asdict(moved), is_known=True)
            if day:
                connection.execute(update(meta).values(daily_loss_on=None))
            detail = json.dumps({"peak": peak, "day": day})
            note(connection, now, by, "rebased", None, detail)

    def fence(self, fence: Fence) -> bool:
        """Close a pair; True if it was open."""
        with self._database.write() as connection:
            known = fences.c.pair == fence.pair
            if connection.execute(select(fences.c.pair).where(known)).first():
                return False
            connection.execute(insert(fences).values(asdict(fence)))
            detail = json.dumps({"code": fence.code, "reason": fence.reason})
            note(connection, fence.since, fence.bot, "fenced", fence.pair, detail)
            return True

    def clear(self, pair: str, by: str, now: datetime) -> bool:
        """Open a pair, whatever closed it, and drop its ambiguous reservations."""
        doubtful = delete(reservations).where(reservations.c.pair == pair, reservations.c.ambiguous)
        with self._database.write() as connection:
            dropped = connection.execute(doubtful).rowcount
            for table in (fences, drifts_table):
                dropped += connection.execute(delete(table).where(table.c.pair == pair)).rowcount
            if not dropped:
                return False
            note(connection, now, by, "cleared", pair)
            return True

    def take_look(self, look: AccountLook) -> MarkChange:
        """Write what a look at an account's venue has found; closes and opens its pairs."""
        # As in report(): moments are compared and returned before they are stored.
        look = replace(look, at=as_utc(look.at))
        with self._database.write() as connection:
            return drifts.write_look(connection, look)

    def looks(self) -> tuple[LookStatus, ...]:
        """Return the latest look at every account, by account."""
        with self._database.read() as connection:
            return drifts.load_looks(connection)

    def forget(self, bot: str, by: str, now: datetime) -> bool:
        """Drop a bot that is gone, with its positions and account; True if it was known."""
        with self._database.write() as connection:
            own = select(bots.c.account).where(bots.c.bot == bot)
            account = connection.scalar(own)
            if account is None:
                return False
            for table in (positions, reservations, bots):
                connection.execute(delete(table).where(table.c.bot == bot))
            if not connection.scalar(select(bots.c.bot).where(bots.c.account == account)):
                connection.execute(delete(accounts).where(accounts.c.account == account))
                drifts.drop_account(connection, account)
            note(connection, now, by, "forgotten", None, json.dumps({"bot": bot}))
            return True

    def events(self, after: int = 0) -> tuple[LedgerEvent, ...]:
        """Read the journal in order, from behind event number `after`."""
        query = select(events).where(events.c.id > after).order_by(events.c.id)
        with self._database.read() as connection:
            return tuple(LedgerEvent(*row) for row in connection.execute(query))

    def equity_history(self, since: datetime) -> tuple[equity_history.EquityPoint, ...]:
        """Return the accounts' equity from a moment on, a point every 5 minutes, oldest first."""
        with self._database.read() as connection:
            return equity_history.load(connection, since)

    def check(self) -> list[str]:
        """Return what is wrong with the ledger, in words for people; empty when all is well."""
        return health.problems(self._database, self._ledger_id, datetime.now(UTC))

    def close(self) -> None:
        """Give back connections."""
        self._database.close()

    def _snapshot(self, connection: Connection, now: datetime) -> Snapshot:
        return load_snapshot(connection, now, self._ledger_id, self.name)


def _closed_event(trade: ClosedTrade) -> dict[str, object]:
    detail = json.dumps({"trade_id": trade.trade_id, "profit": str(trade.profit)})
    return {
        "at": trade.closed_at,
        "bot": trade.bot,
        "kind": "closed",
        "pair": trade.pair,
        "detail": detail,
    }
