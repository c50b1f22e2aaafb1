"""Where a ledger's URL leads, and what messages may say of it."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from ..ledger import LedgerError
from .engine import Database
from .sqlite_file import SqliteFile

_POSTGRESQL = {"postgresql", "postgres", "postgresql+psycopg"}
_SQLITE = {"sqlite", "sqlite+pysqlite"}


def connect(url: str, lock_timeout_seconds: float) -> Database:
    """Make the database object of a URL; nothing is opened yet.

    Raises
    ------
    LedgerError
        The URL is none, or one that no ledger can be at, or its driver is not installed.
    ValueError
        The timeout is not above 0.
    """
    if lock_timeout_seconds <= 0:  # to PostgreSQL, 0 means to wait for ever
        raise ValueError(f"lock_timeout_seconds is {lock_timeout_seconds}: give more than 0")
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Neither the text nor the error is repeated: a password may be in it.
        raise LedgerError(
            "the ledger's URL can not be read: write sqlite:///FILE or "
            "postgresql://USER:PASSWORD@HOST/DATABASE"
        ) from None
    if parsed.drivername in _SQLITE:
        file = _file(parsed)
        here = URL.create("sqlite+pysqlite", database=str(file.path))
        return Database(here, str(file.path), lock_timeout_seconds, file)
    if parsed.drivername not in _POSTGRESQL:
        raise LedgerError(
            f"the ledger's URL begins with {parsed.drivername}: it can be on sqlite or postgresql"
        )
    try:
        server = parsed.set(drivername="postgresql+psycopg")
        return Database(server, _name(server), lock_timeout_seconds, None)
    except ModuleNotFoundError as error:
        raise LedgerError(
            f"the ledger {_name(server)} needs {error.name}, which is not installed: "
            "pip install 'fractaltrader[postgresql]'"
        ) from error


def _file(url: URL) -> SqliteFile:
    path = url.database
    if not path or path == ":memory:":
        raise LedgerError(
            "the ledger's URL names no file: bots share a file (sqlite:///FILE); in memory there "
            "is MemoryLedger"
        )
    if url.query or path.startswith("file:"):
        raise LedgerError(
            f"the ledger's URL {url.set(query={})} has options: write sqlite:///FILE and no more"
        )
    return SqliteFile(path)


def _name(url: URL) -> str:
    # Options may hold a password too; the socket's folder is all that is worth telling.
    shown = {key: value for key, value in url.query.items() if key == "host"}
    return url.set(drivername="postgresql", query=shown).render_as_string(hide_password=True)
