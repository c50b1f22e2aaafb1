"""Start real processes with captured output; end only those, with all they started."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.kit.waiting import eventually


def _stat(pid: int) -> list[str]:
    """Return /proc/PID/stat from the state on; empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that ended and waits to be reaped does not."""
    stat = _stat(pid)
    return bool(stat) and stat[0] not in "ZX"


def group_members(group: int) -> list[int]:
    """Return the running members of a process group."""
    pids = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if is_alive(pid) and _stat(pid)[2:3] == [str(group)]]


@dataclass
class RunningProcess:
    """A started process, leader of its own group, with its output in one file."""

    popen: "subprocess.Popen[bytes]"
    log: Path

    @property
    def pid(self) -> int:
        return self.popen.pid

    def output(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def wait(self, timeout: float = 30.0) -> int:
        """Return the exit status; on a hang, fail with the output so far."""
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout} s:\n{self.output()}") from None

    def wait_for_output(self, text: str, timeout: float = 30.0) -> None:
        """Wait until it has written a text; fail early when it ended without it."""

        def seen() -> bool:
            if text in self.output():
                return True
            ended = self.popen.poll()
            if ended is not None and text not in self.output():
                raise AssertionError(f"ended ({ended}) without {text!r}:\n{self.output()}")
            return False

        try:
            eventually(seen, timeout)
        except AssertionError as error:
            raise AssertionError(f"no {text!r}: {error}\n{self.output()}") from None


@dataclass
class ProcessRunner:
    """Start processes; `close` ends each one's group."""

    log_dir: Path
    _started: list[RunningProcess] = field(default_factory=list)

    def start(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> RunningProcess:
        log = self.log_dir / f"process-{len(self._started)}.log"
        with log.open("wb") as output:
            popen = subprocess.Popen(  # noqa: S603  # commands are the tests' own
                [str(part) for part in command],
                cwd=cwd,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        process = RunningProcess(popen, log)
        self._started.append(process)
        return process

    def close(self) -> None:
        for process in self._started:
            if process.popen.poll() is None:
                process.popen.terminate()
                try:
                    process.popen.wait(10)
                except subprocess.TimeoutExpired:
                    process.popen.kill()
                    process.popen.wait()
            # The leader's number is still its group's as long as a member lives.
            for pid in group_members(process.pid):
                os.kill(pid, signal.SIGKILL)
