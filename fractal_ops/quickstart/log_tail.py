"""Follow a growing log file and pick the lines worth a person's eye."""

import re
from pathlib import Path

_LEVELS = re.compile(r" - (?:WARNING|ERROR|CRITICAL) - ")
_EVENTS = re.compile(
    r" - freqtrade\.(?!rpc\.)[\w.]+ - INFO - .*"
    r"(?:Changing state to|signal found|Entering |Exit for |Exiting |has been fulfilled"
    r"|Locking |Lock for|Stoploss|Liquidat)"
)


def is_important(line: str) -> bool:
    """Tell whether a line of freqtrade's log is a warning, an error or a trade event."""
    return bool(_LEVELS.search(line) or _EVENTS.search(line))


def last_lines(path: Path, count: int = 15) -> list[str]:
    """Return the end of a log file.

    Parameters
    ----------
    path : Path
        Log file; need not exist.
    count : int
        Number of lines.

    Returns
    -------
    list of str
        Up to `count` lines, oldest first; empty when there is no file.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 32_768))
            return file.read().decode("utf-8", "replace").splitlines()[-count:]
    except FileNotFoundError:
        return []


class LogTail:
    """Read what was appended to a file since the last look.

    Parameters
    ----------
    path : Path
        Log file; need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._rest = b""

    def new_lines(self) -> list[str]:
        """Return the complete lines that were added since the last call."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line.decode("utf-8", "replace") for line in lines]
