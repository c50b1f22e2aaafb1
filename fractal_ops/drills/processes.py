"""The processes of a drill, and nothing but those."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from fractal_ops.drills.errors import DrillFailedError
from fractal_ops.drills.waiting import until

BIN = Path(sys.executable).parent


class DrillProcess:
    """A started process with its output in a file, leader of its own group.

    Parameters
    ----------
    name : str
        For messages.
    command : sequence
        Program and arguments.
    log : Path
        Where its output goes; appended to.
    cwd : Path
        Its working directory.
    env : mapping, optional
        Added to the environment.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        cwd: Path,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._from = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            self._popen = subprocess.Popen(  # noqa: S603  # our own programs
                [str(part) for part in command],
                cwd=cwd,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Process id, and the id of its group."""
        return self._popen.pid

    def has_ended(self) -> bool:
        """Tell whether it has ended."""
        return self._popen.poll() is not None

    def output(self) -> str:
        """Return what this process has written."""
        with self.log.open("rb") as file:
            file.seek(self._from)
            return file.read().decode("utf-8", "replace")

    def says(self, text: str) -> bool:
        """Tell whether it has written a text."""
        return text in self.output()

    def wait_for(self, text: str, seconds: float = 90.0) -> None:
        """Wait until it has written a text.

        Raises
        ------
        DrillFailedError
            It ended, or took too long.
        """

        def seen() -> bool:
            if self.says(text):
                return True
            if self.has_ended():
                tail = "\n".join(self.output().splitlines()[-8:])
                raise DrillFailedError(f"{self.name} ended without {text!r}:\n{tail}")
            return False

        until(seen, f"{text!r} from {self.name}", seconds)

    def kill(self) -> None:
        """End the whole group at once, as a power failure does."""
        self._signal(signal.SIGKILL)
        self._popen.wait()

    def stop(self, seconds: float = 30.0) -> None:
        """Ask it to end; insist where it does not."""
        if not self.has_ended():
            self._signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(seconds)
        self._signal(signal.SIGKILL)
        self._popen.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, number)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
