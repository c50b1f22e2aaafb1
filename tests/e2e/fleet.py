"""Real bots in dry-run on one clock, one exchange and one ledger."""

import json
import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from fractal_ops.wallet import account
from fractal_ops.wallet.loopback import Loopback
from fractal_protections.portfolio.sql import SqlLedger, open_ledger
from tests.e2e.conftest import BIN, Workbench
from tests.kit import ProcessRunner, RunningProcess, SharedClock, eventually, free_port

SECOND = timedelta(seconds=1)
EAGER: dict[str, dict[str, dict[str, Any]]] = {
    "LiquiditySweep": {
        "buy": {"min_confidence": 0, "confirmation": "reclaim"},
        "sell": {"max_bars": 12, "reclaim_target_r": 1.0},
    },
    "BosOrderBlock": {
        "buy": {"min_confidence": 0, "entry": "retest", "body_atr": 1.0, "volume_ratio": 1.0},
        "sell": {"max_bars": 12, "retest_target_r": 1.0},
    },
    "FvgFill": {
        "buy": {"min_confidence": 0, "least_size_atr": 0.5, "volume_ratio": 1.0},
        "sell": {"max_bars": 12, "target_r": 1.5},
    },
    "SmcEnsemble": {},
    "UnlockedEnsemble": {
        "buy": {
            "min_confidence": 0,
            "swing_width": 3,
            "sweep_confirmation": "reclaim",
            "bos_entry": "retest",
            "fvg_entry": "mean_reversion",
        },
    },
}
"""Parameters that take every setup and hold it briefly, so that the budget is contested."""


UNLOCKED = '''
from fractal_strategies.smc_ensemble import SmcEnsemble


class UnlockedEnsemble(SmcEnsemble):
    """The ensemble without freqtrade's locks, and with all the history that a bot gets."""

    def __init__(self, config):
        super().__init__(config)
        # A backtest brings what is asked for; a bot gets what one call of the exchange returns.
        self.startup_candle_count = 4900

    def portfolio_protections(self):
        return []
'''


@dataclass
class Fleet:
    """The running bots, their exchange, their ledger and their clock."""

    clock: SharedClock
    ledger: SqlLedger
    bots: dict[str, RunningProcess]
    bench: Workbench
    ports: dict[str, int] = field(default_factory=dict)
    wallets: dict[str, str] = field(default_factory=dict)
    """Addresses of the bots that trade for real."""
    _clients: dict[str, httpx.Client] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.bench.folder

    def trades(self, name: str) -> list[dict[str, Any]]:
        """Every trade in a bot's database."""
        with sqlite3.connect(f"{self.folder / name}.trades.sqlite") as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute("select * from trades order by id")]

    def close(self) -> None:
        """Give back what this process holds; the bots end with their runner."""
        self.ledger.close()
        for client in self._clients.values():
            client.close()

    def orders(self, name: str) -> list[dict[str, Any]]:
        """Every order in a bot's database."""
        with sqlite3.connect(f"{self.folder / name}.trades.sqlite") as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute("select * from orders order by id")]

    def journal(self) -> list[dict[str, Any]]:
        """What happened on the exchange."""
        lines = (self.folder / "journal.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def settle(self, loops: int) -> None:
        """Wait until every bot has ended as many loops, each a second later than the one before.

        The first of them may have begun before, so one less of them are whole.
        """
        for _ in range(loops):
            now = self.clock.advance(SECOND)
            what = f"every bot's loop at {now}"
            eventually(lambda now=now: self._have_looped(now), 60, what)

    def _have_looped(self, now: datetime) -> bool:
        for name, process in self.bots.items():
            assert process.popen.poll() is None, f"{name} ended:\n{process.output()[-5000:]}"
        reports = self.ledger.book(now).bots.values()
        if len(reports) < len(self.bots) or any(bot.reported_at < now for bot in reports):
            return False
        return all(self._last_loop(name) >= int(now.timestamp()) for name in self.bots)

    def _last_loop(self, name: str) -> float:
        """When a bot's latest loop ended, by its REST API."""
        if name not in self._clients:
            url = f"http://127.0.0.1:{self.ports[name]}/api/v1"
            self._clients[name] = httpx.Client(base_url=url, auth=("fractal", "e2e"), timeout=10)
        return float(self._clients[name].get("/health").json()["last_process_ts"] or 0)


def eager(folder: Path, root: Path) -> Path:
    """Copy the plugins with parameters that trade a lot."""
    plugins = folder / "strategies"
    shutil.copytree(root / "fractal_strategies", plugins, ignore=shutil.ignore_patterns("*.json"))
    for child in plugins.iterdir():
        if child.is_dir():
            shutil.rmtree(child)
    (plugins / "unlocked_ensemble.py").write_text(UNLOCKED)
    for module in plugins.glob("[!_]*.py"):
        name = "".join(word.title() for word in module.stem.split("_"))
        parameters = {"strategy_name": name, "params": EAGER[name]}
        module.with_suffix(".json").write_text(json.dumps(parameters))
    return plugins


def start(
    runner: ProcessRunner,
    folder: Path,
    root: Path,
    moment: datetime,
    strategies: Sequence[str],
    limits: dict[str, Any],
    *,
    pairs: int = 10,
    settings: dict[str, Any] | None = None,
    money: Decimal | None = None,
) -> Fleet:
    """Start the exchange and the bots, all on one clock that stands at `moment`.

    With `money` they trade for real, on accounts of their own with so much on each.
    """
    (folder / "user_data").mkdir()
    clock = SharedClock(folder / "clock", moment)
    port = free_port()
    journal = folder / "journal.jsonl"
    exchange = runner.start(
        [BIN / "fractal", "testnet", "--port", str(port), "--journal", journal], env=clock.env()
    )
    exchange.wait_for_output("ready at", timeout=60)
    bench = Workbench(root, folder, f"http://127.0.0.1:{port}", runner)
    url = f"sqlite:///{folder / 'ledger.sqlite'}"
    base = bench.config(
        strategy_path=str(eager(folder, root)),
        internals={"process_throttle_secs": 0},
        force_entry_enable=True,
        max_open_trades=50,  # the portfolio's limits are what counts here
        fractal={
            "limits": limits,
            "strategy": settings or {},
            "portfolio": {
                "ledger_url": url,
                # The clock jumps by most of an hour between two loops.
                "max_report_age_seconds": 3600,
                "lock_timeout_seconds": 10,
            },
        },
    )
    config = json.loads(base.read_text())
    liquid = json.loads((root / "user_data" / "config.liquid15.json").read_text())
    config["exchange"]["pair_whitelist"] = liquid["exchange"]["pair_whitelist"][:pairs]
    config["exchange"]["enable_ws"] = False
    # ccxt's rate limiter waits for time to pass, and on this clock none does.
    config["exchange"]["ccxt_config"]["enableRateLimit"] = False
    bots, ports, wallets = {}, {}, {}
    for name in strategies:
        ports[name] = free_port()
        own = folder / f"{name}.json"
        api = {**config["api_server"], "listen_port": ports[name]}
        database = f"sqlite:///{folder / name}.trades.sqlite"
        content = {**config, "db_url": database, "api_server": api}
        if money is not None:
            env_file = folder / f"{name}.env"
            wallet = account.new(
                Loopback(bench.exchange_url), env_file, money, 180, overwrite=False
            )
            keys = {"wallet_address": wallet.address, "private_key": wallet.agent_key}
            content = {**content, "dry_run": False, "exchange": {**config["exchange"], **keys}}
            wallets[name] = wallet.address.lower()
        own.write_text(json.dumps(content))
        arguments: list[str | Path] = ["--config", own, "--strategy", name]
        bots[name] = bench.freqtrade("trade", arguments, clock.env())
    for bot in bots.values():
        bot.wait_for_output("Changing state to: RUNNING", 90)
    ledger = open_ledger(url, mode=None, create=False)
    return Fleet(clock, ledger, bots, bench, ports, wallets)
