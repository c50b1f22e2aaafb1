"""A copied environment in which freqtrade and the exchange are played by a stand-in."""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit import ProcessRunner, RunningProcess, free_port, is_alive

STAND_IN = Path(__file__).with_name("stand_in.py")


@dataclass
class Stage:
    """A project directory and an environment for `scripts/run.sh`."""

    root: Path
    venv: Path
    processes: ProcessRunner
    bot_port: int
    exchange_port: int

    def run(self, *options: str, faults: Sequence[str] = ()) -> RunningProcess:
        ports = ["--bot-port", str(self.bot_port), "--exchange-port", str(self.exchange_port)]
        return self.processes.start(
            [self.root / "scripts/run.sh", *ports, "--no-ui", *options],
            env={
                "FRACTAL_VENV": str(self.venv),
                "STAND_IN": ",".join(faults),
                "COLUMNS": "200",
            },
        )

    def pid(self, part: str) -> int:
        return int((self.root / "pids" / part).read_text())

    def left_running(self) -> dict[str, int]:
        """Return what was started and still runs, by part."""
        parts = [path.name for path in (self.root / "pids").glob("*")]
        return {part: self.pid(part) for part in parts if is_alive(self.pid(part))}

    def commands(self) -> list[str]:
        return (self.root / "commands").read_text().splitlines()


def copy_environment(target: Path) -> None:
    """Make an environment with the packages of this one and the stand-in's programs."""
    (target / "bin").mkdir(parents=True)
    shutil.copy(Path(sys.prefix) / "pyvenv.cfg", target)
    (target / "lib").symlink_to(Path(sys.prefix) / "lib")
    python = target / "bin" / "python"
    python.symlink_to(os.path.realpath(sys.executable))
    for name in ("freqtrade", "fractal"):
        program = target / "bin" / name
        program.write_text(
            f'#!/bin/sh\n[ "$1" = quickstart ] && shift && exec "{python}" -c '
            "'import typer; from fractal_ops.commands.quickstart import quickstart;"
            f' typer.run(quickstart)\' "$@"\n'
            f'exec "{python}" "{STAND_IN}" "$@"\n'
        )
        program.chmod(0o755)


@pytest.fixture
def stage(tmp_path: Path, project_root: Path, processes: ProcessRunner) -> Stage:
    root, venv = tmp_path / "project", tmp_path / "venv"
    (root / "user_data").mkdir(parents=True)
    shutil.copytree(project_root / "scripts", root / "scripts")
    shutil.copy(project_root / "config.testnet.json", root)
    shutil.copy(project_root / "user_data/config.local.json", root / "user_data")
    copy_environment(venv)
    return Stage(root, venv, processes, free_port(), free_port())
