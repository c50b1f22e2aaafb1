"""`fractal check-causality` as a user runs it."""

import json

import pytest
from typer.testing import CliRunner

from fractal_ops.cli import app
from tests.ops.walk_forward.candles import PAIR, SPECIMENS, write, write_config
from tests.strategies.market import aggregate, synthetic_market

# freqtrade's own, on the way of every candle file it loads.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command on 600 stored candles."""
    monkeypatch.chdir(tmp_path)
    market = synthetic_market(600, seed=7)
    datadir = tmp_path / "data"
    write(datadir, market)
    write(datadir, aggregate(market, "4h"), "4h")
    config = write_config(tmp_path / "config.json")

    def call(strategy, *more, configs=(config,), data=datadir):
        options = [part for path in configs for part in ("--config", str(path))]
        options += ["--strategy", strategy, "--datadir", str(data), "--prefixes", "30", *more]
        return CliRunner().invoke(app, ["check-causality", *options])

    return call


def test_a_causal_strategy_ends_with_0(run):
    result = run("StartUpOnly")

    assert result.exit_code == 0, result.output
    assert "StartUpOnly is causal on these candles" in result.stdout
    assert PAIR in result.stdout


def test_a_leak_ends_with_1_and_names_column_date_and_size(run):
    result = run("WrongInformative")

    assert result.exit_code == 1, result.output
    assert "close_4h" in result.stdout
    assert "1 candle" in result.stdout
    assert "2025-01-" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_ignored_columns_pass(run):
    assert run("ChartOnly").exit_code == 1
    assert run("ChartOnly", "--ignore-columns", "other, chart_*").exit_code == 0


def test_json_holds_the_verdict_and_every_leak(run):
    result = run("NextClose", "--json")

    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (report["version"], report["verdict"], report["signals_leak"]) == (1, "leak", True)
    leaks = report["checks"][0]["leaks"]
    assert {leak["column"] for leak in leaks} == {"enter_long", "enter_tag"}
    assert leaks[0]["candles_needed"] == 1
    assert leaks[0]["date"].endswith("+00:00")


def test_a_timerange_keeps_its_start_up_candles(run):
    result = run("StartUpOnly", "--timerange", "20250110-20250120", "--json")

    (check,) = json.loads(result.stdout)["checks"]
    assert check["start"] == "2025-01-10T00:00:00+00:00"
    assert check["end"] == "2025-01-20T00:00:00+00:00"
    assert check["candles"] == 40 + 10 * 12 + 1


@pytest.mark.parametrize(
    ("strategy", "more", "text"),
    [
        ("Nobody", (), "--strategy Nobody can not be loaded"),
        ("NoConstruction", (), "--strategy NoConstruction can not be loaded"),
        ("StartUpOnly", ("--pairs", "SOL/USDC:USDC"), "no 2h candles of SOL/USDC:USDC at all"),
        ("StartUpOnly", ("--timerange", "20200101-20200201"), "in that --timerange"),
        ("StartUpOnly", ("--timerange", "then"), "--timerange then can not be read"),
        ("StartUpOnly", ("--timerange", "20250101-20250102"), "name a longer --timerange"),
        ("Averages", ("--pairs", PAIR), "Averages fails on the first 600"),  # no candles of ETH
        ("Dice", (), "differ between two runs"),
    ],
)
def test_what_can_not_be_run_ends_with_2_and_a_remedy(run, strategy, more, text):
    result = run(strategy, *more)

    assert result.exit_code == 2, result.output
    assert text in " ".join(result.stderr.split())
    assert "Traceback" not in result.output


def test_a_missing_config_ends_with_2(run):
    result = run("StartUpOnly", configs=())

    assert result.exit_code == 2
    assert "config.testnet.json can not be read" in result.stderr


def test_a_config_without_pairs_ends_with_2(run, tmp_path):
    config = write_config(tmp_path / "bare.json", exchange={"name": "hyperliquid"})

    result = run("StartUpOnly", configs=(config,))

    assert result.exit_code == 2
    assert "name pairs with --pairs" in result.stderr


def test_a_strategy_outside_the_configs_folder_is_found_by_its_path(run, tmp_path):
    config = write_config(tmp_path / "other.json", strategy_path=str(tmp_path))

    assert run("StartUpOnly", configs=(config,)).exit_code == 2
    assert run("StartUpOnly", "--strategy-path", str(SPECIMENS), configs=(config,)).exit_code == 0


def test_the_newest_candles_are_replayed_unless_a_timerange_says_otherwise(run, monkeypatch):
    monkeypatch.setattr("fractal_ops.walk_forward.replay_setup.DEFAULT_CANDLES", 100)

    (check,) = json.loads(run("StartUpOnly", "--json").stdout)["checks"]

    assert check["candles"] == 140
    assert check["end"] == "2025-02-19T22:00:00+00:00"
