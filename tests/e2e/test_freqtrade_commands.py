"""freqtrade's own commands, as real processes, on the embedded market."""

import json
import re
import zipfile
from pathlib import Path

import pytest

from tests.e2e.conftest import Workbench

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-commands")]

STRATEGIES = ("LiquiditySweep", "BosOrderBlock", "FvgFill", "SmcEnsemble")


def run(bench: Workbench, command: str, *arguments: str | Path, timeout: float = 240) -> str:
    process = bench.freqtrade(command, arguments)
    assert process.wait(timeout) == 0, process.output()
    return process.output()


def common(bench: Workbench) -> list[str | Path]:
    return [
        *("--config", bench.config()),
        *("--config", bench.root / "user_data" / "config.backtest.json"),
        *("--datadir", bench.folder / "data"),
    ]


def span(bench: Workbench, days: int) -> str:
    """Return a timerange of the last days of the embedded market."""
    import pandas as pd

    candles = pd.read_feather(bench.folder / "data/futures/BTC_USDC_USDC-2h-futures.feather")
    end = candles["date"].iloc[-1]
    return f"{end - pd.Timedelta(days=days):%Y%m%d}-{end:%Y%m%d}"


def table_rows(output: str) -> list[list[str]]:
    """Read the rows of freqtrade's box-drawn tables."""
    lines = [line for line in output.splitlines() if line.startswith(("│", "┃"))]
    return [[cell.strip() for cell in re.split("[│┃]", line)[1:-1]] for line in lines]


def test_list_strategies_finds_the_four_and_nothing_else(workbench: Workbench) -> None:
    output = run(workbench, "list-strategies", "--config", workbench.config())

    rows = [row for row in table_rows(output) if len(row) > 2 and row[1].endswith(".py")]
    assert sorted((row[0], row[2]) for row in rows) == sorted((name, "OK") for name in STRATEGIES)


def test_backtesting_trades_every_strategy_and_books_stops_as_stops(workbench: Workbench) -> None:
    results = workbench.folder / "results"
    results.mkdir()

    run(
        workbench,
        "backtesting",
        *common(workbench),
        *("--backtest-directory", results, "--cache", "none"),
        *("--strategy-list", *STRATEGIES),
    )

    # The budget of a backtest lives in memory.
    assert not list(workbench.folder.rglob("fractal_ledger*"))
    latest = json.loads((results / ".last_result.json").read_text())["latest_backtest"]
    with zipfile.ZipFile(results / latest) as archive:
        export = json.loads(archive.read(Path(latest).with_suffix(".json").name))
    for name in STRATEGIES:
        trades = export["strategy"][name]["trades"]
        assert trades, name
        reasons = {trade["exit_reason"] for trade in trades}
        # A trailing stop would be checked after the target and flatter the result.
        assert "stop_loss" in reasons
        assert reasons <= {"stop_loss", "roi", "time_stop", "stop_fallback", "force_exit"}
        assert {trade["is_short"] for trade in trades} == {True, False}
        assert any(trade["funding_fees"] for trade in trades), "funding was not charged"
        # Nobody's stop was moved: what was lost at a stop fits the widest stop allowed.
        for trade in trades:
            if trade["exit_reason"] == "stop_loss":
                assert trade["profit_ratio"] > -3 * (0.08 + 0.005)
    tags = {trade["enter_tag"] for trade in export["strategy"]["SmcEnsemble"]["trades"]}
    assert tags == {"bos_ob_break", "fvg_fill", "sweep_displacement"}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_lookahead_analysis_finds_no_bias(workbench: Workbench, strategy: str) -> None:
    output = run(
        workbench,
        "lookahead-analysis",
        *common(workbench),
        *("--config", workbench.root / "user_data" / "config.analysis.json"),
        *("--strategy", strategy, "--timerange", span(workbench, 300)),
        *("--minimum-trade-amount", "5", "--targeted-trade-amount", "8"),
    )

    assert f"{strategy}: no bias detected" in output


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_recursive_analysis_finds_columns_settled_after_the_warmup(
    workbench: Workbench, strategy: str
) -> None:
    output = run(
        workbench,
        "recursive-analysis",
        *common(workbench),
        *("--config", workbench.root / "user_data" / "config.analysis.json"),
        *("--strategy", strategy, "--timerange", span(workbench, 60)),
        *("--startup-candle", "200", "400", "800", "1600"),
    )

    assert "No lookahead bias on indicators found" in output
    table = [row for row in table_rows(output) if len(row) > 3]
    own = next(i for i, cell in enumerate(table[0]) if "from strategy" in cell)
    for row in table[1:]:
        change = row[own].rstrip("%")
        assert change == "-" or abs(float(change)) < 0.01, row


def test_hyperopt_varies_the_parameters(workbench: Workbench) -> None:
    output = run(
        workbench,
        "hyperopt",
        *common(workbench),
        *("--strategy", "BosOrderBlock", "--timerange", span(workbench, 200)),
        *("--epochs", "4", "--spaces", "buy", "sell", "--random-state", "7"),
        *("--hyperopt-loss", "SharpeHyperOptLossDaily", "--job-workers", "1"),
        *("--disable-param-export", "--min-trades", "1"),
    )

    assert "Best result" in output
    assert re.search(r'"swing_width": [345],', output)


def test_plot_dataframe_draws_a_chart(workbench: Workbench) -> None:
    run(
        workbench,
        "plot-dataframe",
        *common(workbench),
        *("--strategy", "BosOrderBlock", "--timerange", span(workbench, 60)),
        *("--pairs", "BTC/USDC:USDC", "--no-trades"),
    )

    charts = list((workbench.folder / "user_data" / "plot").glob("*.html"))
    assert charts
    assert "confidence_long" in charts[0].read_text()
