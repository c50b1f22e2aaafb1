"""Take in a bot's report: few statements, for every bot sends one every few seconds."""

from dataclasses import asdict, replace

from sqlalchemy import Connection, delete, insert, update

from ..book import Book, BotReport
from ..equity import AccountTrack
from ..journal import positions_detail
from ..ledger import Patience
from ..positions import Position, Reservation
from ..settlement import Settlement, settle, status_of, track_account
from . import equity_history
from .records import Snapshot, note, position_rows, put, status_row
from .schema import accounts, bots, positions, reservations


def take_in(
    connection: Connection, before: Snapshot, report: BotReport, patience: Patience
) -> Book:
    """Write what a report changes, and return the book after it."""
    book = before.book
    settlement = settle(book.reservations, report, patience)
    _write_settlement(connection, settlement, report)

    status = status_of(report)
    status_by_bot = {**book.bots, report.bot: status}
    tracks = {track.account: track for track in book.tracks}
    track = track_account(tracks.get(report.account), status_by_bot, report)
    _write_track(connection, before, track)
    put(connection, bots, status_row(status), is_known=report.bot in book.bots)
    # Behind the bot's own row, which theirs refer to.
    _write_positions(connection, book, report)
    return replace(
        book,
        at=report.at,
        positions=tuple(
            sorted(
                (*(p for p in book.positions if p.bot != report.bot), *report.positions),
                key=lambda position: position.bot,
            )
        ),
        reservations=_remaining(book.reservations, settlement),
        tracks=tuple({**tracks, track.account: track}.values()),
        bots=status_by_bot,
    )


def _write_settlement(connection: Connection, settlement: Settlement, report: BotReport) -> None:
    for kind, gone in (("matched", settlement.matched), ("released", settlement.released)):
        for reservation in gone:
            connection.execute(delete(reservations).where(reservations.c.id == reservation.id))
            note(connection, report.at, report.bot, kind, reservation.request.pair)
    for reservation in settlement.ambiguous:
        connection.execute(
            update(reservations).where(reservations.c.id == reservation.id).values(ambiguous=True)
        )
        note(connection, report.at, report.bot, "ambiguous", reservation.request.pair)


def _remaining(held: tuple[Reservation, ...], settlement: Settlement) -> tuple[Reservation, ...]:
    gone = {reservation.id for reservation in settlement.matched + settlement.released}
    doubtful = {reservation.id for reservation in settlement.ambiguous}
    return tuple(
        replace(reservation, ambiguous=True) if reservation.id in doubtful else reservation
        for reservation in held
        if reservation.id not in gone
    )


def _write_track(connection: Connection, before: Snapshot, track: AccountTrack) -> None:
    latest = before.snapshot_at.get(track.account)
    is_due = equity_history.is_due(latest, track.updated_at)
    snapshot_at = track.updated_at if is_due or latest is None else latest
    put(
        connection,
        accounts,
        {**asdict(track), "snapshot_at": snapshot_at},
        is_known=latest is not None,
    )
    if is_due:
        equity_history.append(connection, track)


def _write_positions(connection: Connection, book: Book, report: BotReport) -> None:
    known: tuple[Position, ...] = tuple(p for p in book.positions if p.bot == report.bot)
    if known == report.positions:
        return
    connection.execute(delete(positions).where(positions.c.bot == report.bot))
    if report.positions:
        connection.execute(insert(positions), position_rows(report.positions))
    note(connection, report.at, report.bot, "positions", None, positions_detail(report.positions))
