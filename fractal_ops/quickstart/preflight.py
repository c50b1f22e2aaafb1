"""Look for what would fail later, while nothing has been started yet."""

import fcntl
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import IO

from fractal_ops.quickstart.errors import QuickstartError
from fractal_ops.quickstart.ports import require_free_port
from fractal_ops.quickstart.settings import Exchange, Settings

# Candles, backtest results, FreqUI and logs, with room to spare.
NEEDED_DISK_MB = 300
_OLDEST_PYTHON = (3, 11)


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> None:
    """Raise when this Python is older than the project supports."""
    if version < _OLDEST_PYTHON:
        found = ".".join(map(str, version))
        raise QuickstartError(
            f"this is Python {found}, the project needs 3.11 or later",
            "remove .venv, install a newer Python and run scripts/run.sh",
        )


def check_project(root: Path) -> None:
    """Raise when the directory does not hold the project."""
    if not (root / "config.testnet.json").is_file():
        raise QuickstartError(
            f"{root} holds no config.testnet.json", "change into the project's directory first"
        )


def prepare_directories(settings: Settings) -> None:
    """Create the directories that a run writes to, and prove that it may."""
    for directory in (settings.user_data, settings.state_dir, settings.log_dir):
        try:
            directory.mkdir(exist_ok=True)
            with tempfile.TemporaryFile(dir=directory) as file:
                file.write(b"probe")
                file.flush()
        except OSError as error:
            raise QuickstartError(
                f"cannot write into {directory} ({error.strerror})",
                "free disk space, or give yourself write permission there",
            ) from error


def check_disk(directory: Path, needed_mb: int = NEEDED_DISK_MB) -> None:
    """Raise when less disk is free than a run needs."""
    free_mb = shutil.disk_usage(directory).free >> 20
    if free_mb < needed_mb:
        raise QuickstartError(
            f"{directory} has {free_mb} MB of free disk, a run needs {needed_mb} MB",
            "free some space, old files of user_data/backtest_results first",
        )


def take_lock(settings: Settings) -> IO[str]:
    """Keep a second run off the same user directory until this process ends.

    Parameters
    ----------
    settings : Settings
        The run; its directories exist.

    Returns
    -------
    file
        Holds the lock as long as it stays open; the system frees it on any death.

    Raises
    ------
    QuickstartError
        Another run holds it: two bots on one trade database would corrupt its books.
    """
    path = settings.state_dir / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    file = os.fdopen(descriptor, "r+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = file.read().strip()
        file.close()
        raise QuickstartError(
            f"another quickstart (process {owner or 'unknown'}) uses {settings.user_data}",
            "stop it with Ctrl-C, or start this one from another clone",
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def check_ports(settings: Settings) -> None:
    """Raise when a port that this run will need is taken."""
    if not settings.once:
        require_free_port(settings.bot_port, "the bot's REST API and FreqUI", "--bot-port")
    if settings.exchange is Exchange.LOOPBACK:
        if not settings.once and settings.exchange_port == settings.bot_port:
            raise QuickstartError(
                f"--bot-port and --exchange-port are both {settings.bot_port}", "choose two ports"
            )
        require_free_port(settings.exchange_port, "the loopback exchange", "--exchange-port")
