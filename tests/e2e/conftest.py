"""One loopback exchange, one data folder and one login for the end-to-end tests."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit import ProcessRunner, RunningProcess, free_port

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Workbench:
    """Where a test runs the real commands: its own user directory, nothing of the user's."""

    root: Path
    folder: Path
    exchange_url: str
    runner: ProcessRunner

    def config(self, **overrides: object) -> Path:
        """Write the overlay that points freqtrade at the loopback exchange."""
        overlay = json.loads((self.root / "user_data" / "config.local.json").read_text())
        urls = overlay["exchange"]["ccxt_config"]["urls"]["test"]
        url = self.exchange_url
        urls.update(public=url, private=url, ws={"public": url.replace("http", "ws") + "/ws"})
        # The main config includes the user's private file, which a fresh clone does not have.
        main = json.loads((self.root / "config.testnet.json").read_text())
        del main["add_config_files"]
        main["api_server"].update(password="e2e", jwt_secret_key="e2e" * 12)
        main["strategy_path"] = str(self.root / "fractal_strategies")
        main["protection_path"] = str(self.root / "fractal_protections")
        main["db_url"] = f"sqlite:///{self.folder / 'trades.sqlite'}"
        main["exchange"].update(overlay["exchange"])
        main.update(overrides)
        path = self.folder / "config.json"
        path.write_text(json.dumps(main))
        return path

    def freqtrade(
        self,
        command: str,
        arguments: Sequence[str | Path],
        env: Mapping[str, str] | None = None,
    ) -> RunningProcess:
        """Start freqtrade in this workbench."""
        return self.runner.start(
            [BIN / "freqtrade", command, "--user-data-dir", self.folder / "user_data", *arguments],
            cwd=self.folder,
            # Wide enough that freqtrade's tables are not cut.
            env={**os.environ, **(env or {}), "COLUMNS": "400"},
        )


@pytest.fixture(scope="session")
def bench_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workbench")
    (folder / "user_data").mkdir()
    return folder


@pytest.fixture(scope="session")
def session_processes(bench_folder: Path) -> Iterator[ProcessRunner]:
    logs = bench_folder / "logs"
    logs.mkdir()
    runner = ProcessRunner(logs)
    yield runner
    runner.close()


@pytest.fixture(scope="session")
def workbench(
    project_root: Path, bench_folder: Path, session_processes: ProcessRunner
) -> Workbench:
    """Serve the embedded market and fill the data folder from it, as a user does."""
    port = free_port()
    exchange = session_processes.start([BIN / "fractal", "testnet", "--port", str(port)])
    exchange.wait_for_output("ready at", timeout=60)
    bench = Workbench(project_root, bench_folder, f"http://127.0.0.1:{port}", session_processes)
    fill = session_processes.start(
        [
            *(BIN / "fractal", "data", "--from-testnet", "--url", bench.exchange_url),
            *("--config", bench.config(), "--timeframes", "1h,2h"),
            *("--datadir", bench_folder / "data"),
        ],
        cwd=bench_folder,
    )
    assert fill.wait(120) == 0, fill.output()
    return bench
