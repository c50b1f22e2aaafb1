"""Quickstart's side of the guard process: its start, its book, its end."""

import subprocess
import sys
from pathlib import Path


class GuardLink:
    """Start the guard process and tell it which process groups are ours.

    Parameters
    ----------
    root : Path
        Working directory of the guard.
    """

    def __init__(self, root: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fractal_ops.quickstart.guard"],
            cwd=root,
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Process id of the guard."""
        return self._process.pid

    def has_ended(self) -> bool:
        """Tell whether the guard has ended, which it must not before we close it."""
        return self._process.poll() is not None

    def add(self, group: int) -> None:
        """Put a process group under the guard's protection."""
        self._tell(f"+{group}\n")

    def remove(self, group: int) -> None:
        """Take an ended process group off the list, since its number may be reused."""
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """End the guard: it ends what is still on its list and goes."""
        self._process.communicate()

    def _tell(self, line: str) -> None:
        if self._process.stdin is None or self.has_ended():
            return  # the supervisor's next tick reports that it has ended
        try:
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # it ended between the two lines: as above
