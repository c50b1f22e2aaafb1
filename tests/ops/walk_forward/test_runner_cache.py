"""A job's key: changed by all that its result depends on, and by nothing else."""

import json
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fractal_ops.walk_forward.cache import job_key
from fractal_ops.walk_forward.errors import WalkForwardError
from fractal_ops.walk_forward.markets import Markets
from fractal_ops.walk_forward.settings import Optimisation, RunSettings, load_settings
from tests.ops.walk_forward.runs import SECRET, Bench

pytestmark = pytest.mark.xdist_group("walk-forward-runner")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"))


def key(bench: Bench, settings: RunSettings) -> str:
    return job_key(settings, bench.jobs(settings)[0])


def test_the_key_is_the_same_in_another_folder(bench: Bench, tmp_path: Path) -> None:
    other = Bench(tmp_path)

    assert key(bench, bench.settings()) == key(other, other.settings())


def test_neither_settings_nor_results_hold_secrets(bench: Bench) -> None:
    settings = bench.settings()

    assert SECRET.encode() not in pickle.dumps(settings)
    assert SECRET not in json.dumps(settings.config, default=str)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"max_open_trades": 2}, id="config"),
        pytest.param({"fractal": {"limits": {"min_confidence": 50}}}, id="limits"),
        pytest.param({"fee": 0.001}, id="fee"),
    ],
)
def test_the_config_is_in_the_key(bench: Bench, change: dict[str, object]) -> None:
    assert key(bench, bench.settings(**change)) != key(bench, bench.settings())


def test_what_only_a_bot_needs_is_not_in_the_key(bench: Bench) -> None:
    ours = bench.settings(bot_name="another", db_url="sqlite:///elsewhere.sqlite")

    assert key(bench, ours) == key(bench, bench.settings())


def touch_candles(bench: Bench) -> None:
    path = bench.home / "data" / "futures" / "BTC_USDC_USDC-2h-futures.feather"
    path.write_bytes(path.read_bytes() + b"\0")


def touch_marks(bench: Bench) -> None:
    (bench.home / "data" / "futures" / "BTC_USDC_USDC-1h-mark.feather").unlink()


def touch_strategy(bench: Bench) -> None:
    with (bench.strategies / "fvg_fill.py").open("a") as file:
        file.write("# another\n")


def touch_parameters(bench: Bench) -> None:
    file = {"strategy_name": "FvgFill", "params": {}, "ft_stratparam_v": 1}
    (bench.strategies / "fvg_fill.json").write_text(json.dumps(file))


@pytest.mark.parametrize("change", [touch_candles, touch_marks, touch_strategy, touch_parameters])
def test_files_are_in_the_key(tmp_path: Path, change: Callable[[Bench], None]) -> None:
    bench = Bench(tmp_path)
    settings = bench.settings()
    job = bench.jobs(settings)[0]
    before = job_key(settings, job)

    change(bench)

    assert job_key(settings, job) != before


def test_candles_of_other_pairs_are_not_in_the_key(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    before = key(bench, bench.settings())

    (bench.home / "data" / "futures" / "SOL_USDC_USDC-2h-futures.feather").write_bytes(b"")

    assert key(bench, bench.settings()) == before


def test_window_optimisation_and_markets_are_in_the_key(bench: Bench) -> None:
    settings = bench.settings()
    first, second = bench.jobs(settings)
    later = replace(first.window, test_end=first.window.test_end + timedelta(days=1))
    found = [
        job_key(settings, first),
        job_key(settings, second),
        job_key(settings, replace(first, window=later)),
        job_key(settings, replace(first, test_detail="15m")),
        job_key(replace(settings, optimisation=Optimisation(10)), first),
        job_key(replace(settings, optimisation=Optimisation(10, seed=2)), first),
        job_key(replace(settings, markets=replace(settings.markets, text="{}")), first),
    ]

    assert len(set(found)) == len(found)


def test_an_exchange_that_does_not_answer_is_named_with_a_way_out(
    bench: Bench, tmp_path: Path
) -> None:
    dead = "http://127.0.0.1:9"
    ccxt = {"sandbox": True, "urls": {"test": {"public": dead, "private": dead}}}
    config = json.loads(bench.config().read_text())
    config["exchange"]["ccxt_config"] = ccxt
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))

    with pytest.raises(WalkForwardError, match=r"127\.0\.0\.1:9.*fractal testnet"):
        load_settings(
            [path],
            ["FvgFill"],
            markets_file=tmp_path / "markets.json",
            datadir=bench.home / "data",
            userdir=bench.home / "user_data",
        )
    assert not (tmp_path / "markets.json").exists()


def test_remembered_markets_need_no_network(bench: Bench) -> None:
    settings = bench.settings()
    config = {"exchange": {"name": "hyperliquid", "pair_whitelist": list(settings.pairs)}}

    assert Markets.remembered(config, bench.out / "markets.json") == settings.markets


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"epochs": 0}, "--epochs is 0"),
        ({"epochs": 5, "seed": 0}, "--seed is 0"),
        ({"epochs": 5, "spaces": ()}, "no spaces"),
    ],
)
def test_an_optimisation_that_can_not_be_is_refused(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(WalkForwardError, match=told):
        Optimisation(**wrong)  # type: ignore[arg-type]


def test_a_strategy_that_is_not_there_is_named(bench: Bench) -> None:
    settings = bench.settings()

    with pytest.raises(WalkForwardError, match="can not load the strategy Missing"):
        bench.jobs(settings, ["Missing"])


def test_nothing_is_left_open(bench: Bench) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # names, not paths

    for _ in range(3):
        bench.jobs(bench.settings())

    assert len(os.listdir("/proc/self/fd")) <= before + 2  # noqa: PTH208
