"""Read freqtrade's databases without touching them.

freqtrade's own models would create tables and migrate on opening; here plain SELECTs run on a
read-only connection, in one transaction each.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Row,
    create_engine,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from fractal_ops.recovery.facts import RecordedTrade
from fractal_ops.recovery.trade_rows import orders, trade_of, trades
from fractal_ops.risk.errors import without_passwords

T = TypeVar("T")

TRIES = 3
PAUSE_SECONDS = 0.3
_CHUNK = 500  # ids of one statement, far below the databases' limits of parameters


class DatabaseUnreadableError(Exception):
    """A database can not be read, so nothing is known of its trades."""


class TradeDatabase:
    """One bot's trades.

    Parameters
    ----------
    url
        freqtrade's ``db_url``.
    sleep
        Waits between two tries.

    Raises
    ------
    ValueError
        The URL names no database that two programs can share.
    """

    def __init__(self, url: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep
        try:
            self._url = make_url(url)
        except (ArgumentError, ValueError):
            raise ValueError(
                "a database's URL can not be read: write sqlite:///FILE or "
                "postgresql://USER:PASSWORD@HOST/DATABASE"
            ) from None
        try:
            self._url.get_dialect().import_dbapi()
        except (ImportError, SQLAlchemyError) as error:
            raise ValueError(
                f"{self._url.drivername} can not be used ({error}): install its driver, or name "
                "one in the URL, e.g. postgresql+psycopg://"
            ) from error
        self._file: Path | None = None
        if self._url.get_backend_name() == "sqlite":
            path = self._url.database
            if not path or path == ":memory:":
                raise ValueError(f"{url} is in the bot's memory: nobody else can read it")
            self._file = Path(path).absolute()
        self.name = self._file.name if self._file else self._url.render_as_string()

    def open_trades(self) -> tuple[RecordedTrade, ...]:
        """Read the open trades with all their orders.

        Raises
        ------
        DatabaseUnreadableError
            It is not there, locked for long, damaged, or no freqtrade database.
        """
        return self._retried(self._open_trades)

    def booked(self, order_ids: Iterable[str]) -> dict[str, str]:
        """Read the status of those of the orders that the database has, by id.

        Raises
        ------
        DatabaseUnreadableError
            See :meth:`open_trades`.
        """
        wanted = sorted(order_ids)

        def read(connection: Connection) -> dict[str, str]:
            found: dict[str, str] = {}
            for start in range(0, len(wanted), _CHUNK):
                known = orders.c.order_id.in_(wanted[start : start + _CHUNK])
                query = select(orders.c.order_id, orders.c.status).where(known)
                found |= {row.order_id: row.status or "" for row in connection.execute(query)}
            return found

        return self._retried(read) if wanted else {}

    def _open_trades(self, connection: Connection) -> tuple[RecordedTrade, ...]:
        is_open = trades.c.is_open.is_(True)
        found = connection.execute(select(trades).where(is_open).order_by(trades.c.id)).all()
        join = orders.join(trades, orders.c.ft_trade_id == trades.c.id)
        query = select(orders).select_from(join).where(is_open).order_by(orders.c.id)
        by_trade: dict[int, list[Row[Any]]] = {}
        for order in connection.execute(query):
            by_trade.setdefault(order.ft_trade_id, []).append(order)
        return tuple(trade_of(self.name, row, by_trade.get(row.id, [])) for row in found)

    def _retried(self, read: Callable[[Connection], T]) -> T:
        for attempt in range(1, TRIES + 1):
            try:
                with self._connection() as connection:
                    return read(connection)
            except (SQLAlchemyError, OSError, ValueError, ArithmeticError) as error:
                if attempt == TRIES:
                    said = next(iter(str(error).splitlines()), type(error).__name__)
                    raise DatabaseUnreadableError(
                        without_passwords(f"{self.name} can not be read: {said}")
                    ) from error
            self._sleep(PAUSE_SECONDS)
        raise AssertionError("the last try returns or raises")

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        if self._file is not None and not self._file.exists():
            raise FileNotFoundError(f"there is no file {self._file}")
        engine = self._engine()
        try:
            with engine.connect() as connection, connection.begin():
                yield connection
        finally:
            engine.dispose()

    def _engine(self) -> Engine:
        # Opened anew for every reading: a database that was replaced must not be read on from the
        # old file.
        if self._file is None:
            return create_engine(
                self._url,
                poolclass=NullPool,
                execution_options={
                    "isolation_level": "REPEATABLE READ",
                    "postgresql_readonly": True,
                },
            )
        uri = f"file:{quote(str(self._file))}?mode=ro"
        url = URL.create("sqlite+pysqlite", database=uri, query={"uri": "true"})
        return create_engine(url, poolclass=NullPool, connect_args={"timeout": 2.0})
