"""Open a ledger: find it, make it or bring it up to date, and refuse what is not ours."""

import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from sqlalchemy import Connection, insert, select

from ..book import StateChange
from ..ledger import LedgerError
from . import location, migrate
from .engine import Database
from .errors import DAMAGED, translated
from .schema import meta

logger = logging.getLogger(__name__)

Mode = Literal["dry_run", "live"]


@dataclass(frozen=True, slots=True)
class Found:
    """Which ledger there is, and for which kind of trading."""

    ledger_id: str
    mode: Mode


def prepared_database(
    url: str, mode: Mode | None, lock_timeout_seconds: float, *, create: bool
) -> tuple[Database, Found]:
    """Open a ledger's database, ready for use; see :func:`~.ledger.open_ledger`."""
    if mode is not None and mode not in get_args(Mode):
        raise ValueError(f"mode is {mode!r}: a ledger is for dry_run or for live")
    database = location.connect(url, lock_timeout_seconds)
    try:
        return database, _prepare(database, mode, may_create=create and mode is not None)
    except BaseException:
        database.close()
        raise


def _prepare(database: Database, mode: Mode | None, *, may_create: bool) -> Found:
    if database.file:
        with translated(database.name):
            database.file.find(create=may_create)
    with database.read() as connection:
        version = migrate.current_version(connection, database.name)
        if database.file:
            _refuse_damage(connection, database.name)
        if version is None and not may_create:
            raise LedgerError(
                f"there is no ledger in {database.name}: start a bot, which makes it, or correct "
                "its URL"
            )
    if database.file:
        with translated(database.name):
            database.file.use_wal(database.engine, database.lock_timeout_seconds)
            database.file.hold(database.engine)
    if mode is None and version == migrate.versions()[-1]:
        # Looking on must not need the lock: a bot that hangs with it is what people look for.
        with database.read() as connection:
            return _found(connection, database.name)
    # A bot takes the lock even where nothing is to do: what it can not write it must not trade on.
    with database.write() as connection:
        is_new = _bring_up_to_date(connection, database.name, mode)
        found = _found(connection, database.name)
        if mode is not None and found.mode != mode:
            raise LedgerError(
                f"the ledger {database.name} is for {found.mode} trading and this bot's mode is "
                f"{mode}: set another fractal.portfolio.ledger_url"
            )
    if is_new:
        logger.warning(
            "new ledger %s for %s trading: peak equity and today's loss are measured from now",
            database.name,
            found.mode,
        )
    return found


def _bring_up_to_date(connection: Connection, name: str, mode: Mode | None) -> bool:
    version = migrate.current_version(connection, name)
    if version != migrate.versions()[-1]:
        migrate.upgrade(connection)
    if version is not None:
        return False
    fresh = StateChange()
    row = {
        "id": 1,
        "ledger_id": uuid.uuid4().hex,
        "mode": mode,
        "created_at": datetime.now(UTC),
        "state": fresh.state.value,
        "state_reason": fresh.reason,
        "state_by": fresh.by,
    }
    connection.execute(insert(meta).values(row))
    return True


def _found(connection: Connection, name: str) -> Found:
    row = connection.execute(select(meta.c.ledger_id, meta.c.mode)).one_or_none()
    if row is None:
        raise LedgerError(f"the ledger {name} {DAMAGED} (its table meta is empty)")
    return Found(row.ledger_id, row.mode)


def _refuse_damage(connection: Connection, name: str) -> None:
    said = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if said != "ok":
        raise LedgerError(f"the ledger {name} {DAMAGED} ({said})")
