"""Engines and their transactions: one writer at a time, readers on one snapshot."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text

from ..ledger import LedgerError
from .errors import translated
from .sqlite_file import SqliteFile

_WRITERS_LOCK = 0x46524143544C
"""Key of the advisory lock that every writer takes first. With a single lock nobody can wait in
a circle, so a deadlock is impossible by construction."""

_LIMITS = text(
    "SELECT set_config('lock_timeout', :lock, true),"
    " set_config('statement_timeout', :statement, true),"
    " set_config('idle_in_transaction_session_timeout', :idle, true)"
)


class Database:
    """Where the ledger is, and its transactions.

    Parameters
    ----------
    url
        SQLAlchemy URL with its driver.
    name
        What messages call it: never with a password.
    lock_timeout_seconds
        How long a transaction waits for the lock, and a login for the server.
    file
        The file, on SQLite.

    Raises
    ------
    ModuleNotFoundError
        The URL's driver is not installed.
    """

    def __init__(
        self, url: URL, name: str, lock_timeout_seconds: float, file: SqliteFile | None
    ) -> None:
        self.name = name
        self.lock_timeout_seconds = lock_timeout_seconds
        self.file = file
        self.engine = _sqlite(url, self) if file else _postgresql(url, self)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give one snapshot.

        Raises
        ------
        LedgerError
            The storage can not answer.
        """
        with self._transaction(writes=False) as connection, translated(self.name):
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a transaction that no other writer is beside.

        Raises
        ------
        LedgerError
            The storage can not answer, or was locked for too long. Nothing was changed, except
            where a PostgreSQL server vanished in the very moment of the commit.
        """
        with self.write_for_callback() as connection, translated(self.name):
            yield connection

    @contextmanager
    def write_for_callback(self) -> Iterator[Connection]:
        """Give a writing transaction whose block's own errors go out as they are."""
        with self._transaction(writes=True) as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        # The held connection goes back to the pool first, which closes only what it has.
        if self.file:
            self.file.release()
        self.engine.dispose()

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Connection]:
        with translated(self.name):
            self._check_file()
            connection = self.engine.connect()
        try:
            with translated(self.name):
                self._begin(connection, writes=writes)
            # Once more: it may have been replaced before the transaction had hold of it.
            self._check_file()
            yield connection
            with translated(self.name):
                connection.commit()
        except LedgerError:
            # What state the connection is in is unknown. The next one begins afresh.
            connection.invalidate()
            raise
        finally:
            connection.close()  # rolls back what was not committed

    def _check_file(self) -> None:
        if self.file:
            self.file.check()

    def _begin(self, connection: Connection, *, writes: bool) -> None:
        if self.file:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
            return
        if not writes:
            connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        wait_ms = math.ceil(self.lock_timeout_seconds * 1000)
        # A statement may take a little longer than its wait for the lock. A bot that stops in
        # the middle (suspended machine) must not hold up the others for ever.
        limits = {"lock": wait_ms, "statement": wait_ms + 500, "idle": 2 * wait_ms + 1000}
        connection.execute(_LIMITS, {key: str(value) for key, value in limits.items()})
        if writes:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITERS_LOCK})


def _sqlite(url: URL, database: Database) -> Engine:
    engine = create_engine(
        url,
        # Transactions begin where we say so, not where the driver guesses.
        connect_args={"isolation_level": None, "timeout": database.lock_timeout_seconds},
        pool_timeout=database.lock_timeout_seconds,
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        # FULL: what was approved survives a power cut.
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        # Nothing is remembered between transactions, so that damage to the file is met at once.
        connection.execute("PRAGMA cache_size=0")

    return engine


def _postgresql(url: URL, database: Database) -> Engine:
    wait = math.ceil(database.lock_timeout_seconds)
    return create_engine(
        url,
        isolation_level="READ COMMITTED",
        pool_size=2,
        pool_timeout=database.lock_timeout_seconds,
        pool_pre_ping=True,  # after a restart of the server the first call works again
        connect_args={
            "connect_timeout": wait,
            "application_name": "fractaltrader ledger",
            # A server that went silent is noticed instead of waited for.
            "keepalives_idle": max(wait, 2),
            "keepalives_interval": 1,
            "keepalives_count": 3,
            "tcp_user_timeout": (wait + 3) * 1000,
        },
    )
