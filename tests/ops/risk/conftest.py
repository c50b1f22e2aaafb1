"""A portfolio on disk: a config, the ledger that its bots would use, and a clock that stands."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fractal_ops.cli import app
from fractal_ops.commands import risk
from fractal_protections.portfolio.book import BotReport
from fractal_protections.portfolio.ledger import Patience
from fractal_protections.portfolio.positions import Position
from fractal_protections.portfolio.sql import SqlLedger, open_ledger
from tests.ops.risk.example import MAIN, NOW, d

Run = Callable[..., Result]
Report = Callable[..., None]


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("FREQTRADE__"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(risk, "utc_now", lambda: NOW)
    monkeypatch.setattr(risk, "getuser", lambda: "ann")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A bot's config, whose user directory lies in another file that it adds."""
    (tmp_path / "user").mkdir()
    more = {"user_data_dir": str(tmp_path / "user"), "dry_run": True}
    (tmp_path / "more.json").write_text(json.dumps(more))
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"add_config_files": ["more.json"], "stake_currency": "USDC"}))
    return path


@pytest.fixture
def ledger_path(tmp_path: Path, config: Path) -> Path:
    return tmp_path / "user" / "fractal_ledger.dryrun.sqlite"


@pytest.fixture
def ledger(ledger_path: Path) -> Iterator[SqlLedger]:
    """The ledger, open as a running bot has it."""
    opened = open_ledger(f"sqlite:///{ledger_path}", mode="dry_run")
    yield opened
    opened.close()


@pytest.fixture
def report(ledger: SqlLedger) -> Report:
    """Let a bot report."""

    def one(
        *held: Position, bot: str = MAIN, at: Any = NOW, balance: str = "1000", **changes: Any
    ) -> None:
        values = {"realised_profit": d("0"), "open_profit": d("0"), "clusters": (), **changes}
        said = BotReport(
            bot=bot,
            account=f"paper:{bot}",
            at=at,
            balance=d(balance),
            positions=held,
            **values,
        )
        ledger.report(said, Patience(at, orders_are_local=False))

    return one


@pytest.fixture
def run(config: Path) -> Run:
    """Run `fractal risk` on the config."""

    def command(*words: str, answer: str | None = None, on: Path | None = config) -> Result:
        where = ["--config", str(on)] if on else []
        return CliRunner().invoke(app, ["risk", *words, *where], input=answer)

    return command
