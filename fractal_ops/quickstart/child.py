"""One started process: its log, its group, and how it ended."""

import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from fractal_ops.quickstart.guard import signal_group
from fractal_ops.quickstart.log_tail import last_lines

_AFTER_KILL_SECONDS = 2.0


@dataclass
class Child:
    """Own a process group that quickstart started.

    Parameters
    ----------
    name : str
        What the user calls it, for messages.
    process : subprocess.Popen
        The group's leader, started in a session of its own.
    log : Path
        Where its output goes.
    must_live : bool
        Its end while others run is a failure.
    grace_seconds : float
        Time between SIGTERM and SIGKILL when it is stopped.
    """

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path
    must_live: bool = False
    grace_seconds: float = 5.0

    @property
    def group(self) -> int:
        """Process group id, which is the leader's process id."""
        return self.process.pid

    def has_ended(self) -> bool:
        """Tell whether the leader has ended."""
        return self.process.poll() is not None

    def is_gone(self) -> bool:
        """Tell whether neither the leader nor anything it started is left."""
        return self.has_ended() and not signal_group(self.group, 0)

    def ask_to_end(self) -> None:
        """Send SIGTERM to the whole group."""
        signal_group(self.group, signal.SIGTERM)

    def kill(self) -> None:
        """End the whole group by force, and wait for it a short while."""
        signal_group(self.group, signal.SIGKILL)
        deadline = time.monotonic() + _AFTER_KILL_SECONDS
        # An orphan that its new parent does not reap stays visible: hence the limit.
        while not self.is_gone() and time.monotonic() < deadline:
            time.sleep(0.02)

    def last_lines(self, count: int = 15) -> list[str]:
        """Return the end of its log."""
        return last_lines(self.log, count)

    def how_it_ended(self) -> str:
        """Say how the leader ended, in words."""
        status = self.process.returncode
        if status is None:
            return "is running"
        if status < 0:
            return f"was ended by {signal.Signals(-status).name}"
        return f"ended by itself with exit status {status}"
