"""What a database's error means for people, and its way out as :class:`LedgerError`."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError

from ..ledger import LedgerError

LOCKED = "is locked: another bot held it for too long; look for one that hangs"
READ_ONLY = "is read-only: give the user that runs the bots write access to it and its folder"
FULL = "can not be written: the disk is full; free some space"
DAMAGED = "is damaged: stop all bots, and restore a backup or move it away to begin a new one"
NO_DATABASE = "is not a ledger but some other file: correct the ledger's URL"
NO_FILE = "can not be opened: check that it and its folder exist and may be written"
BROKEN_DISK = "can not be read or written: check disk and file system"
UNREACHABLE = "can not be reached: check that the database server runs and the URL is right"
NO_ACCESS = "refuses the login or the right to write: check user and password in its URL"
MISSING_TABLE = "lacks its tables: restore a backup, or restart the bot to begin a new one"

# Result codes of SQLite by the beginning of their names (https://sqlite.org/rescode.html).
_SQLITE = {
    "SQLITE_BUSY": LOCKED,
    "SQLITE_LOCKED": LOCKED,
    "SQLITE_READONLY": READ_ONLY,
    "SQLITE_PERM": READ_ONLY,
    "SQLITE_FULL": FULL,
    "SQLITE_CORRUPT": DAMAGED,
    "SQLITE_NOTADB": NO_DATABASE,
    "SQLITE_CANTOPEN": NO_FILE,
    "SQLITE_IOERR": BROKEN_DISK,
}
# SQLSTATE codes of PostgreSQL by their beginning (its manual's appendix A), longest first.
_POSTGRESQL = {
    "25006": READ_ONLY,
    "42P01": MISSING_TABLE,
    "55P03": LOCKED,
    "57014": LOCKED,
    "3D000": "does not exist on its server: create the database",
    "42501": NO_ACCESS,
    "53100": FULL,
    "28": NO_ACCESS,
    "08": UNREACHABLE,
    "25P03": UNREACHABLE,
    "57P": UNREACHABLE,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
}


def meaning_of(error: SQLAlchemyError) -> str:
    """Say what is wrong with the ledger, and what to do."""
    original = error.orig if isinstance(error, StatementError) else None
    name = getattr(original, "sqlite_errorname", None)
    if name is not None:
        if "no such table" in str(original):
            return MISSING_TABLE
        code, known = str(name), _SQLITE
    else:
        code, known = str(getattr(original, "sqlstate", None) or ""), _POSTGRESQL
    for beginning, meaning in known.items():
        if code.startswith(beginning):
            return meaning
    if isinstance(error, DBAPIError) and not name and not code:
        # The server said nothing: the connection was refused or has ended.
        return UNREACHABLE
    return "can not answer: the log has the trace"


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn errors of storage into :class:`LedgerError` with the ledger's name.

    A value that a column refuses is the caller's mistake and stays the ValueError that it is;
    one that was found in the database is damage.
    """
    try:
        yield
    except SQLAlchemyError as error:
        cause = error.orig if isinstance(error, StatementError) else error
        if isinstance(cause, ValueError):
            raise cause from error
        said = " ".join(str(cause).split())
        raise LedgerError(f"the ledger {name} {meaning_of(error)} ({said})") from error
    except (ValueError, ArithmeticError) as error:
        raise LedgerError(f"the ledger {name} {DAMAGED} ({error})") from error
    except OSError as error:
        raise LedgerError(f"the ledger {name} {NO_FILE} ({error})") from error
