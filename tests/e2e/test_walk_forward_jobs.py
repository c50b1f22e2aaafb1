"""A job's backtest is freqtrade's: the same trades as the command's, on the embedded market."""

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fractal_ops.walk_forward.job import run_job
from fractal_ops.walk_forward.jobs import plan_jobs, strategy_facts
from fractal_ops.walk_forward.settings import load_settings
from fractal_ops.walk_forward.windows import Window
from tests.e2e.conftest import Workbench

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.xdist_group("e2e-commands"),
    # freqtrade's own, on the way of every candle file it loads.
    pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning"),
]

STRATEGY = "SmcEnsemble"


def commanded(bench: Workbench, configs: list[Path], timerange: str) -> dict[str, Any]:
    """Run `freqtrade backtesting` and read its export."""
    results = bench.folder / f"results-{timerange}"
    results.mkdir()
    overlays = [part for path in configs for part in ("--config", path)]
    process = bench.freqtrade(
        "backtesting",
        [
            *overlays,
            *("--datadir", bench.folder / "data", "--strategy", STRATEGY),
            *("--timerange", timerange, "--enable-protections", "--cache", "none"),
            *("--backtest-directory", results),
        ],
    )
    assert process.wait(240) == 0, process.output()
    latest = json.loads((results / ".last_result.json").read_text())["latest_backtest"]
    with zipfile.ZipFile(results / latest) as archive:
        export = json.loads(archive.read(Path(latest).with_suffix(".json").name))
    return dict(export["strategy"][STRATEGY])


def test_a_job_books_the_trades_of_the_command(workbench: Workbench) -> None:
    candles = pd.read_feather(workbench.folder / "data/futures/BTC_USDC_USDC-2h-futures.feather")
    last = candles["date"].iloc[-1].to_pydatetime()
    end = datetime(last.year, last.month, last.day, tzinfo=UTC)
    split = end - timedelta(days=60)
    window = Window(1, split - timedelta(days=90), split - timedelta(days=9), split, end)
    configs = [workbench.config(), workbench.root / "user_data" / "config.backtest.json"]
    settings = load_settings(
        configs,
        [STRATEGY],
        markets_file=workbench.folder / "walk_forward" / "markets.json",
        datadir=workbench.folder / "data",
        userdir=workbench.folder / "user_data",
    )
    (job,) = plan_jobs(settings, [strategy_facts(settings, STRATEGY)], [window])

    result = run_job(settings, job, "1" * 64)

    for span, timerange in (
        (result.in_sample, window.train_timerange),
        (result.out_of_sample, window.test_timerange),
    ):
        export = commanded(workbench, configs, timerange)
        assert span.trades
        assert [
            (t.pair, t.profit_abs, t.close_rate, t.exit_reason, t.funding) for t in span.trades
        ] == [
            (t["pair"], t["profit_abs"], t["close_rate"], t["exit_reason"], t["funding_fees"])
            for t in export["trades"]
        ]
        assert span.final_balance == export["final_balance"]
        assert span.starting_balance == export["starting_balance"]
        assert span.rejected_signals == export["rejected_signals"]
        assert span.locks == len(export["locks"])
        assert f"{span.start:%Y-%m-%d %H:%M:%S}" == export["backtest_start"]
        assert f"{span.end:%Y-%m-%d %H:%M:%S}" == export["backtest_end"]
