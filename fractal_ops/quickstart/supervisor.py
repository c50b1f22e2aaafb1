"""Owns every process of a quickstart: nothing starts outside it, nothing outlives it.

One thread, one loop. Signals only leave a note, which `tick` reads at a point where no
process is half-started; every wait of quickstart goes through `tick`, so a request to
stop or the death of a child is noticed within `TICK_SECONDS` wherever we are.
"""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from fractal_ops.quickstart.child import Child
from fractal_ops.quickstart.errors import ChildFailedError
from fractal_ops.quickstart.guard_link import GuardLink
from fractal_ops.quickstart.stop_signals import StopSignals
from fractal_ops.quickstart.web import direct_to_loopback

TICK_SECONDS = 0.05


class Supervisor:
    """Start processes, watch them, and end them all on leaving the `with` block.

    Parameters
    ----------
    root : Path
        Working directory of the processes.
    log_dir : Path
        Directory of their logs.
    """

    def __init__(self, root: Path, log_dir: Path) -> None:
        self._root = root
        self._log_dir = log_dir
        self._children: list[Child] = []
        self._signals = StopSignals()

    def __enter__(self) -> Self:
        self._signals.install()
        self._guard = GuardLink(self._root)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.stop_all()
        finally:
            self._guard.close()
            self._signals.restore()

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        must_live: bool = False,
        grace_seconds: float = 5.0,
    ) -> Child:
        """Start a process in a session of its own, with its output in a log file.

        Parameters
        ----------
        name : str
            What the user calls it; also the name of its log.
        command : sequence of str
            Program and arguments.
        must_live : bool
            Its end while others run is a failure.
        grace_seconds : float
            Time between SIGTERM and SIGKILL when it is stopped.

        Returns
        -------
        Child
            The started process.
        """
        log = self._log_dir / f"{name.replace(' ', '-')}.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603  # no shell; composed in `programs`
                list(command),
                cwd=self._root,
                env={**os.environ, **direct_to_loopback()},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        child = Child(name, process, log, must_live, grace_seconds)
        self._children.append(child)
        self._guard.add(child.group)
        return child

    def tick(self) -> None:
        """Let a moment pass.

        Raises
        ------
        StopRequestedError
            A signal asked us to stop.
        ChildFailedError
            A process that must live has ended.
        """
        time.sleep(TICK_SECONDS)
        self._signals.check()
        for child in self._children:
            if child.must_live and child.has_ended():
                raise ChildFailedError(
                    f"the {child.name} {child.how_it_ended()}",
                    f"see {child.log}",
                    child.last_lines(),
                )
        if self._guard.has_ended():
            raise ChildFailedError(
                f"the guard process {self._guard.pid} has ended", "start again", []
            )

    def wait_until(
        self, condition: Callable[[], bool], timeout_seconds: float, awaited: Child, what: str
    ) -> None:
        """Wait for a condition.

        Parameters
        ----------
        condition : callable
            Asked at every tick.
        timeout_seconds : float
            How long to wait.
        awaited : Child
            Process that should bring it about.
        what : str
            The condition in words, for the message.

        Raises
        ------
        ChildFailedError
            It did not become true in time, or a process that must live has ended.
        StopRequestedError
            A signal asked us to stop.
        """
        deadline = time.monotonic() + timeout_seconds
        while not condition():
            if time.monotonic() > deadline:
                raise ChildFailedError(
                    f"{what} did not happen within {timeout_seconds:.0f} s",
                    f"see {awaited.log}",
                    awaited.last_lines(),
                )
            self.tick()

    def run(self, name: str, command: Sequence[str]) -> Child:
        """Run a process to its end, while watching all others.

        Parameters
        ----------
        name : str
            What the user calls it; also the name of its log.
        command : sequence of str
            Program and arguments.

        Returns
        -------
        Child
            The ended process, with exit status 0.

        Raises
        ------
        ChildFailedError
            It ended with another status, or a process that must live has ended.
        StopRequestedError
            A signal asked us to stop.
        """
        child = self.start(name, command)
        while not child.has_ended():
            self.tick()
        self.stop(child)
        if child.process.returncode != 0:
            raise ChildFailedError(
                f"the {name} {child.how_it_ended()}", f"see {child.log}", child.last_lines()
            )
        return child

    def stop(self, child: Child) -> None:
        """End a process and all that it started; a second signal makes it short."""
        deadline = time.monotonic() + child.grace_seconds
        if not child.is_gone():
            child.ask_to_end()
        while not child.is_gone():
            if time.monotonic() > deadline or self._signals.is_impatient:
                child.kill()
                break
            time.sleep(TICK_SECONDS)
        self._children.remove(child)
        self._guard.remove(child.group)

    def stop_all(self) -> None:
        """End everything, in the reverse order of its start."""
        for child in reversed(self._children.copy()):
            self.stop(child)
