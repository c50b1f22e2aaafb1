"""A small walk-forward without network: made-up candles and markets, our own strategies."""

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from freqtrade.data.history.datahandlers import get_datahandler
from freqtrade.enums import CandleType

from fractal_ops.walk_forward.jobs import Job, plan_jobs, strategy_facts
from fractal_ops.walk_forward.settings import Optimisation, RunSettings, load_settings
from fractal_ops.walk_forward.windows import Window
from tests.strategies.backtests import market_of
from tests.strategies.bots import ROOT
from tests.strategies.market import synthetic_market

PAIRS = ("BTC/USDC:USDC", "ETH/USDC:USDC")
SPECIMENS = Path(__file__).parent / "specimens"
START = datetime(2025, 1, 1, tzinfo=UTC)
WARM_UP = timedelta(days=40)
SECRET = "do-not-tell"


def fill(datadir: Path, *, days: int = 120) -> None:
    """Write 2h candles, hourly marks and hourly funding of both pairs."""
    (datadir / "futures").mkdir(parents=True)
    handler = get_datahandler(datadir, "feather")
    hours = pd.date_range(START, periods=24 * days, freq="h", unit="ms")
    for seed, pair in enumerate(PAIRS):
        candles = synthetic_market(12 * days, seed=seed)
        candles["date"] = candles["date"].dt.as_unit("ms")
        handler.ohlcv_store(pair, "2h", candles, CandleType.FUTURES)
        marks = candles.set_index("date").reindex(hours, method="ffill").reset_index(names="date")
        handler.ohlcv_store(pair, "1h", marks, CandleType.MARK)
        funding = pd.DataFrame({"date": hours, "funding_rate": 0.0000125})
        handler.ohlcv_store(pair, "1h", funding, CandleType.FUNDING_RATE)


def fill_detail(datadir: Path, *, since: datetime) -> None:
    """Write 1h candles that add up to the 2h ones: first against the candle, then along it."""
    handler = get_datahandler(datadir, "feather")
    for pair in PAIRS:
        two = handler.ohlcv_load(pair, "2h", CandleType.FUTURES, fill_missing=False)
        two = two[two["date"] >= since]
        rises = two["close"] >= two["open"]
        turn = two["low"].where(rises, two["high"])
        first = two.assign(
            close=turn,
            high=two["open"].where(rises, two["high"]),
            low=two["low"].where(rises, two["open"]),
        )
        second = two.assign(
            date=two["date"] + pd.Timedelta(hours=1),
            open=turn,
            high=two["high"],
            low=two["low"],
        )
        hourly = pd.concat([first, second]).sort_values("date", ignore_index=True)
        handler.ohlcv_store(pair, "1h", hourly, CandleType.FUTURES)


def windows(count: int = 2) -> tuple[Window, ...]:
    """Train 20 days, test 15, one after another."""
    found = []
    for number in range(1, count + 1):
        test = START + WARM_UP + timedelta(days=20 + 15 * (number - 1))
        train = test - timedelta(days=20)
        found.append(Window(number, train, test - timedelta(days=2), test, test + timedelta(15)))
    return tuple(found)


class Bench:
    """A user's folder with config, candles and strategies, and the run's own folder beside it."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.out = folder / "out"
        self.strategies = self.home / "my_strategies"
        fill(self.home / "data")
        (self.home / "user_data").mkdir()
        self.strategies.mkdir()
        for source in (ROOT / "fractal_strategies").glob("[!_]*.py"):
            shutil.copy(source, self.strategies)
        for source in SPECIMENS.glob("runner_*.py"):
            shutil.copy(source, self.strategies)

    def config(self, **overrides: Any) -> Path:
        main = json.loads((ROOT / "config.testnet.json").read_text())
        overlay = json.loads((ROOT / "user_data" / "config.backtest.json").read_text())
        del main["add_config_files"]
        main["exchange"].update(overlay["exchange"], pair_whitelist=list(PAIRS), secret=SECRET)
        main["api_server"].update(overlay["api_server"], password=SECRET)
        main["telegram"]["token"] = SECRET
        main.update(
            strategy_path=str(self.strategies),
            protection_path=str(ROOT / "fractal_protections"),
            dry_run_wallet={"USDC": 10_000},
            **overrides,
        )
        path = self.home / "config.json"
        path.write_text(json.dumps(main))
        return path

    def settings(self, optimisation: Optimisation | None = None, **overrides: Any) -> RunSettings:
        markets = self.out / "markets.json"
        markets.parent.mkdir(exist_ok=True)
        content = {
            "helpers": {"hip3TokensByName": {}, "cachedCurrenciesById": {}},
            "markets": [market_of(pair) | {"taker": 0.00045, "maker": 0.00015} for pair in PAIRS],
        }
        stored = {
            "exchange": "hyperliquid", "whitelist": PAIRS, "pairs": PAIRS, "content": content
        }  # fmt: skip
        markets.write_text(json.dumps(stored))
        return load_settings(
            [self.config(**overrides)],
            ["FvgFill"],
            markets_file=markets,
            optimisation=optimisation,
            datadir=self.home / "data",
            userdir=self.home / "user_data",
        )

    def jobs(
        self, settings: RunSettings, strategies: Sequence[str] = ("FvgFill",), count: int = 2
    ) -> tuple[Job, ...]:
        facts = [strategy_facts(settings, name) for name in strategies]
        return plan_jobs(settings, facts, windows(count))

    def files(self) -> dict[str, bytes]:
        """Everything in the user's folder."""
        return {
            str(path.relative_to(self.home)): path.read_bytes()
            for path in sorted(self.home.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        }
