"""Look at a ledger with suspicion."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, update

from ..book import Book
from ..ledger import LedgerError
from ..money import ZERO
from ..positions import Position
from . import migrate
from .engine import Database
from .errors import DAMAGED
from .records import load_snapshot
from .schema import meta

_CLOCK_TOLERANCE = timedelta(minutes=1)


def problems(database: Database, ledger_id: str, now: datetime) -> list[str]:
    """Return what is wrong with a ledger, in words for people."""
    found: list[str] = []
    try:
        with database.read() as connection:
            found += _damage(connection, database)
            found += _age(connection, database.name)
            book = load_snapshot(connection, now, ledger_id, database.name).book
        with database.write() as connection:
            # Written and not only begun: a full disk shows at the commit.
            connection.execute(update(meta).values(state=meta.c.state))
    except LedgerError as error:
        return [*found, str(error)]
    return [*found, *implausible(book)]


def _damage(connection: Connection, database: Database) -> Iterator[str]:
    if database.file:
        said = connection.exec_driver_sql("PRAGMA quick_check(5)").scalars().all()
        if list(said) != ["ok"]:
            yield f"the ledger {database.name} {DAMAGED} ({'; '.join(map(str, said))})"


def _age(connection: Connection, name: str) -> Iterator[str]:
    newest = migrate.versions()[-1]
    version = migrate.current_version(connection, name)
    if version != newest:
        yield f"the ledger {name} has version {version}, not {newest}: restart the bots"


def implausible(book: Book) -> Iterator[str]:
    """Find entries of a book that nothing we do could have written."""
    yield from _of_exposures("position", book.positions)
    yield from _of_exposures("reservation", (held.as_position() for held in book.reservations))
    for track in book.tracks:
        if track.peak_equity < track.equity:
            yield (
                f"account {track.account}: peak equity {track.peak_equity} is below its equity "
                f"{track.equity}; rebase the peak"
            )
        if track.updated_at > book.at + _CLOCK_TOLERANCE:
            yield (
                f"account {track.account} was reported at {track.updated_at:%Y-%m-%d %H:%M:%S} "
                "UTC, which is in the future: set the bots' clocks"
            )


def _of_exposures(what: str, exposures: Iterable[Position]) -> Iterator[str]:
    for held in exposures:
        if held.margin <= ZERO or held.notional <= ZERO or held.side not in (1, -1):
            yield (
                f"{what} of {held.bot} in {held.pair}: side {held.side}, margin {held.margin}, "
                f"notional {held.notional}; look at the bot's trades"
            )
