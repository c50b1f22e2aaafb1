"""One process per bot name and per database.

Two of one name would overwrite each other's positions in the ledger; two on one database would
both look after the same trades.
"""

import hashlib
import os
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

try:
    import fcntl
except ImportError:  # pragma: no cover  # not a POSIX system: freqtrade's own checks remain
    fcntl = None  # type: ignore[assignment]

_held: dict[Path, int] = {}
"""Locks of this process. They outlive the strategy: freqtrade's ``/reload_config`` makes a new
one in the same process, and the kernel frees them when the process ends, however it does."""


class InstanceLock:
    """A lock on a file, held until the process ends.

    Parameters
    ----------
    folder
        Where the lock file is kept.
    bot
        The bot's name in the portfolio.
    ledger_url
        The ledger; the same bot name may exist in two portfolios.
    """

    def __init__(self, folder: Path, bot: str, ledger_url: str) -> None:
        name = hashlib.sha256(f"{bot}\n{ledger_url}".encode()).hexdigest()[:16]
        self.path = folder.resolve() / f".fractal_bot_{name}.lock"
        self._refusal = (
            f"a bot named {bot!r} is already running in this portfolio: stop it, or "
            "give this one another bot_name in its config"
        )

    def acquire(self) -> None:
        """Take the lock; nothing happens where this process has it already.

        Raises
        ------
        ValueError
            Another process has it.
        OSError
            The folder can not be written to.
        """
        if self.path in _held:
            return
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        if fcntl is not None:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(descriptor)
                raise ValueError(self._refusal) from error
        _held[self.path] = descriptor


class DatabaseLock(InstanceLock):
    """A lock on a bot's database: beside the file on SQLite, else in `folder`.

    Parameters
    ----------
    folder
        Where the lock file is kept for a database that is no file.
    db_url
        freqtrade's.

    Raises
    ------
    ValueError
        The URL can not be read.
    """

    def __init__(self, folder: Path, db_url: str) -> None:
        try:
            url = make_url(db_url)
        except ArgumentError as error:
            raise ValueError("db_url can not be read: write sqlite:///FILE") from error
        shown = url.render_as_string(hide_password=True)
        self.is_shareable = url.get_backend_name() != "sqlite" or bool(url.database)
        if url.get_backend_name() == "sqlite" and url.database:
            file = Path(url.database).resolve()
            self.path = file.with_name(f"{file.name}.lock")
        else:
            name = hashlib.sha256(shown.encode()).hexdigest()[:16]
            self.path = folder.resolve() / f".fractal_database_{name}.lock"
        self._refusal = (
            f"another bot trades on the database {shown} already: stop it, or give this one a "
            "db_url of its own"
        )

    def acquire(self) -> None:
        """Take the lock; a database in memory needs none."""
        if self.is_shareable:
            super().acquire()
