"""run.sh with the real freqtrade, the real strategies and the loopback exchange."""

import base64
import json
import os
import shutil
import signal
import sqlite3
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.kit import free_port, group_members

pytestmark = pytest.mark.e2e


@pytest.fixture
def root(tmp_path, project_root):
    """A project directory with user data of its own; the code is this checkout's."""
    root = tmp_path / "project"
    shutil.copytree(project_root / "scripts", root / "scripts")
    shutil.copy(project_root / "config.testnet.json", root)
    (root / "user_data").mkdir()
    for overlay in (project_root / "user_data").glob("config.*.json"):
        if overlay.name != "config.private.json":
            shutil.copy(overlay, root / "user_data")
    for package in ("fractal_strategies", "fractal_protections"):
        (root / package).symlink_to(project_root / package)
    return root


def test_from_nothing_to_a_dry_run_bot_and_back_to_nothing(root, processes):
    bot_port = free_port()
    run = processes.start(
        [
            root / "scripts/run.sh", "--no-ui",
            "--bot-port", str(bot_port), "--exchange-port", str(free_port()),
        ],
        env={"FRACTAL_VENV": sys.prefix, "COLUMNS": "200"},
    )  # fmt: skip
    run.wait_for_output("Ctrl-C stops everything", 150)

    names = ["LiquiditySweep", "BosOrderBlock", "FvgFill", "SmcEnsemble"]
    words = [line.split() for line in run.output().splitlines()]
    rows = [row for row in words if row and row[0] in names]
    assert [row[0] for row in rows] == names
    assert all(int(row[1]) > 0 for row in rows), "a strategy did not trade"

    password = json.loads((root / "user_data/config.private.json").read_text())["api_server"]
    login = base64.b64encode(f"fractal:{password['password']}".encode()).decode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{bot_port}/api/v1/show_config",
        headers={"Authorization": f"Basic {login}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # loopback
        shown = json.load(answer)
    assert shown["dry_run"] is True
    assert shown["strategy"] == "SmcEnsemble"

    started = [int(path.name) for path in children_of(run.pid)]
    assert len(started) == 3  # guard, exchange, bot
    os.kill(run.pid, signal.SIGINT)

    assert run.wait() == 130
    assert [pid for group in started for pid in group_members(group)] == []
    with sqlite3.connect(root / "user_data/tradesv3.testnet.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def children_of(pid):
    """Return the /proc directories of a process's children."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == str(pid):
            yield process
