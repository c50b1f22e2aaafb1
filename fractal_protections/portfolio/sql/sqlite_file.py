"""The ledger's SQLite file: made for its owner alone, and known again by its inode."""

import os
import sqlite3
import time
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from ..ledger import LedgerError

_COMPANIONS = ("", "-wal", "-shm")


class SqliteFile:
    """A file that must stay the one it was at opening.

    An open connection would go on writing into a file that was deleted or replaced, where no
    other bot sees it. The same goes for the file's log and its index (``-wal``, ``-shm``).

    Parameters
    ----------
    path
        The file; a relative path is taken from the current folder now, not later.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path).expanduser().absolute()
        self._anchor: Connection | None = None
        self._known: tuple[tuple[int, int], ...] = ()

    def find(self, *, create: bool) -> None:
        """Make sure that there is a file; a new one can be read by its owner only.

        Raises
        ------
        LedgerError
            There is none and none may be made, or its folder is missing.
        OSError
            The folder does not let it.
        """
        if self.path.exists():
            return
        if not self.path.parent.is_dir():
            raise LedgerError(
                f"the ledger {self.path} can not be opened: its folder does not exist; make the "
                "folder or correct the ledger's URL"
            )
        if not create:
            raise LedgerError(
                f"there is no ledger {self.path}: start a bot, which makes it, or correct its URL"
            )
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:  # another bot of the portfolio was first
            return

    def use_wal(self, engine: Engine, timeout_seconds: float) -> None:
        """Let readers and the writer work side by side.

        SQLite does not always wait for other connections when it changes this mode, so we do.

        Raises
        ------
        LedgerError
            The file system does not allow it.
        OperationalError
            Other connections were in the way until the timeout, or the file is read-only.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                with engine.connect() as connection:
                    mode = connection.exec_driver_sql("PRAGMA journal_mode=WAL").scalar()
                break
            except OperationalError as error:
                if not _is_busy(error) or time.monotonic() > deadline:
                    raise
            time.sleep(0.01)
        if mode != "wal":
            raise LedgerError(
                f"the ledger {self.path} can not have a write-ahead log on this file system: "
                "put it on a local disk"
            )

    def hold(self, engine: Engine) -> None:
        """Take the file as it is now for the one to stay with.

        One connection stays open until :meth:`release`: without it the number of a deleted file
        could be given to the next one, and SQLite would remove log and index in between.
        """
        self._anchor = engine.connect()
        # Log and index are opened with the first reading.
        self._anchor.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar()
        self._anchor.rollback()
        self._known = self._identity()

    def release(self) -> None:
        """Close the connection of :meth:`hold`."""
        if self._anchor is not None:
            self._anchor.close()
            self._anchor = None

    def check(self) -> None:
        """Hold the file against the one of :meth:`hold`.

        Raises
        ------
        LedgerError
            The file is gone, or it is another one.
        """
        if self._anchor is None:
            return
        try:
            same = self._identity() == self._known
        except FileNotFoundError:
            same = False
        if not same:
            raise LedgerError(
                f"the ledger {self.path} is gone or was replaced: restore it and restart all "
                "bots, or restart them without it to begin a new one"
            )

    def _identity(self) -> tuple[tuple[int, int], ...]:
        # Log and index lie beside the file itself, not beside a link to it.
        real = os.path.realpath(self.path)
        found = [os.stat(real + companion) for companion in _COMPANIONS]  # noqa: PTH116  # twice a transaction
        return tuple((stat.st_dev, stat.st_ino) for stat in found)


def _is_busy(error: OperationalError) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", 0)
    return bool(code & 0xFF == sqlite3.SQLITE_BUSY)
