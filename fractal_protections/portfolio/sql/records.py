"""Rows of the ledger's tables and the book's objects, one into the other."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, insert, select

from ..book import Book, BotStatus, Fence, StateChange, TradingState
from ..drift import DriftMark, LookStatus
from ..equity import AccountTrack
from ..ledger import LedgerError
from ..positions import EntryRequest, Position, Reservation
from .schema import accounts, bots, drifts, events, fences, looks, meta, positions, reservations


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The book, and what only the storage knows of it.

    Parameters
    ----------
    book
        The book.
    snapshot_at
        Time of each account's latest equity point.
    """

    book: Book
    snapshot_at: dict[str, datetime]


def load_meta(connection: Connection, ledger_id: str, name: str) -> Row[Any]:
    """Read the ledger's single row.

    Raises
    ------
    LedgerError
        It is not the ledger that was opened.
    """
    row = connection.execute(select(meta)).one_or_none()
    if row is None or row.ledger_id != ledger_id:
        raise LedgerError(
            f"the ledger {name} was replaced by another one: restore it, or restart all bots to "
            "go on with the new one"
        )
    return row


def state_of(row: Row[Any]) -> StateChange:
    """Return the trading state of a row of `meta`."""
    return StateChange(TradingState(row.state), row.state_reason, row.state_by, row.state_at)


def load_snapshot(connection: Connection, now: datetime, ledger_id: str, name: str) -> Snapshot:
    """Read everything that a decision looks at."""
    row = load_meta(connection, ledger_id, name)
    tracks = list(connection.execute(select(accounts).order_by(accounts.c.account)))
    order = (positions.c.bot, positions.c.place)
    book = Book(
        at=now,
        positions=tuple(
            Position(p.bot, p.pair, p.side, p.margin, p.notional, p.entered_at)
            for p in connection.execute(select(positions).order_by(*order))
        ),
        reservations=tuple(
            reservation_of(r)
            for r in connection.execute(select(reservations).order_by(reservations.c.number))
        ),
        tracks=tuple(AccountTrack(*track[:-1]) for track in tracks),
        bots={bot.bot: _status_of(bot) for bot in connection.execute(select(bots))},
        state=state_of(row),
        fences={fence.pair: Fence(*fence) for fence in connection.execute(select(fences))},
        daily_loss_on=row.daily_loss_on,
        drifts=tuple(
            DriftMark(*mark)
            for mark in connection.execute(select(drifts).order_by(drifts.c.account, drifts.c.pair))
        ),
        looks=tuple(
            LookStatus(*look)
            for look in connection.execute(select(looks).order_by(looks.c.account))
        ),
    )
    return Snapshot(book, {track.account: track.snapshot_at for track in tracks})


def status_row(status: BotStatus) -> dict[str, Any]:
    """Return the row of a bot."""
    return {
        "bot": status.bot,
        "account": status.account,
        "reported_at": status.reported_at,
        "balance": status.balance,
        "realised_profit": status.realised_profit,
        "open_profit": status.open_profit,
        "clusters": [dict(cluster) for cluster in status.clusters],
    }


def _status_of(row: Row[Any]) -> BotStatus:
    return BotStatus(
        row.bot,
        row.account,
        row.reported_at,
        row.balance,
        row.realised_profit,
        row.open_profit,
        tuple(row.clusters),
    )


def reservation_of(row: Row[Any]) -> Reservation:
    """Return the reservation of a row."""
    request = EntryRequest(
        row.bot,
        row.pair,
        row.side,
        row.margin,
        row.notional,
        row.loss_at_stop,
        row.confidence,
        row.at,
        row.is_addition,
    )
    return Reservation(row.id, request, row.ambiguous, row.capital_until)


def reservation_row(reservation: Reservation) -> dict[str, Any]:
    """Return the row of a reservation."""
    return {
        "id": reservation.id,
        "ambiguous": reservation.ambiguous,
        "capital_until": reservation.capital_until,
        **asdict(reservation.request),
    }


def position_rows(held: Iterable[Position]) -> list[dict[str, Any]]:
    """Return the rows of a bot's positions, numbered in their order."""
    return [{"place": place, **asdict(position)} for place, position in enumerate(held)]


def put(connection: Connection, table: Table, row: dict[str, Any], *, is_known: bool) -> None:
    """Write a row of a table with a single key: over the known one, or as a new one."""
    (key,) = table.primary_key
    statement = (
        table.update().where(key == row[key.name]).values(row)
        if is_known
        else table.insert().values(row)
    )
    connection.execute(statement)


def note(
    connection: Connection, at: datetime, bot: str, kind: str, pair: str | None, detail: str = "{}"
) -> None:
    """Append a line to the journal."""
    line = {"at": at, "bot": bot, "kind": kind, "pair": pair, "detail": detail}
    connection.execute(insert(events).values(line))
