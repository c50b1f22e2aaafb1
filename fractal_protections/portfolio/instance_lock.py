"""One process per bot name: two would overwrite each other's positions in the ledger."""

import hashlib
import os
from pathlib import Path

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
        self._bot = bot

    def acquire(self) -> None:
        """Take the lock; nothing happens where this process has it already.

        Raises
        ------
        ValueError
            Another process trades under this name.
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
                raise ValueError(
                    f"a bot named {self._bot!r} is already running in this portfolio: stop it, or "
                    "give this one another bot_name in its config"
                ) from error
        _held[self.path] = descriptor
