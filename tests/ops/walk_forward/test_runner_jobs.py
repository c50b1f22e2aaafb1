"""One job after another in one process: what comes out, and what stays behind."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from fractal_ops.walk_forward.backtest import run_backtest
from fractal_ops.walk_forward.data_span import read_span
from fractal_ops.walk_forward.isolation import isolated
from fractal_ops.walk_forward.job import run_job, work
from fractal_ops.walk_forward.jobs import plan_jobs, strategy_facts
from fractal_ops.walk_forward.result import WindowResult
from fractal_ops.walk_forward.settings import Optimisation
from fractal_strategies.trading import SmcStrategy
from tests.ops.walk_forward.runs import PAIRS, Bench, fill_detail, windows

pytestmark = [
    pytest.mark.xdist_group("walk-forward-runner"),
    # freqtrade's own, on the way of every candle file it loads.
    pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning"),
]

EPOCHS = 4
QUICK = Optimisation(EPOCHS, seed=7)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="module")
def shipped(bench: Bench) -> WindowResult:
    settings = bench.settings()
    return run_job(settings, bench.jobs(settings)[0], "1" * 64)


@pytest.fixture(scope="module")
def optimised(bench: Bench) -> WindowResult:
    settings = bench.settings(QUICK)
    return run_job(settings, bench.jobs(settings)[0], "1" * 64)


def test_both_backtests_stay_inside_their_spans(shipped: WindowResult) -> None:
    train, test = shipped.in_sample, shipped.out_of_sample

    assert (train.start, test.start) == (shipped.train_start, shipped.test_start)
    assert train.end == shipped.train_end - timedelta(hours=2)
    assert test.end == shipped.test_end - timedelta(hours=2)
    assert len(train.daily_profits) == 18
    assert len(test.daily_profits) == 15
    for span in (train, test):
        assert span.trades
        assert all(span.start < t.open_time <= t.close_time <= span.end for t in span.trades)


def test_a_spans_figures_agree_with_each_other(shipped: WindowResult) -> None:
    span = shipped.out_of_sample

    assert span.starting_balance == 10_000
    profit = sum(trade.profit_abs for trade in span.trades)
    assert sum(span.daily_profits) == pytest.approx(profit)
    assert span.final_balance == pytest.approx(span.starting_balance + profit)
    for trade in span.trades:
        side = 1 if trade.side == "long" else -1
        gross = side * (trade.close_rate - trade.open_rate) * trade.amount
        assert trade.profit_abs == pytest.approx(gross - trade.fees + trade.funding, abs=1e-6)
        assert trade.stop is not None
        assert side * (trade.open_rate - trade.stop) > 0.0
        assert trade.pair in PAIRS
    # A stop loses its R and the costs.
    stopped = [t for t in span.trades if t.exit_reason == "stop_loss"]
    assert stopped
    assert all(t.r is not None and -1.5 < t.r < -0.9 for t in stopped)


def test_shipped_parameters_are_those_of_the_class(shipped: WindowResult) -> None:
    assert (shipped.chosen_by, shipped.best_epoch, shipped.trials) == ("shipped", None, ())
    assert shipped.parameters["buy"]["swing_width"] == SmcStrategy.swing_width.value == 5


def test_a_users_parameter_file_is_what_is_shipped(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    file = {
        "strategy_name": "FvgFill",
        "params": {"buy": {"swing_width": 3}},
        "ft_stratparam_v": 1,
    }
    (bench.strategies / "fvg_fill.json").write_text(json.dumps(file))
    settings = bench.settings()

    result = run_job(settings, bench.jobs(settings)[0], "1" * 64)

    assert result.parameters["buy"]["swing_width"] == 3


def test_every_epoch_is_kept_with_its_days(optimised: WindowResult) -> None:
    assert [trial.epoch for trial in optimised.trials] == list(range(1, EPOCHS + 1))
    days = len(optimised.in_sample.daily_profits)
    for trial in optimised.trials:
        assert len(trial.daily_profits) == days
        assert sum(trial.daily_profits) == pytest.approx(trial.profit_abs)
        assert set(trial.parameters) >= {"swing_width", "min_confidence"}


def test_the_in_sample_backtest_repeats_the_chosen_epoch(optimised: WindowResult) -> None:
    best = next(trial for trial in optimised.trials if trial.epoch == optimised.best_epoch)

    assert optimised.chosen_by == "hyperopt"
    assert best.loss == min(trial.loss for trial in optimised.trials if trial.loss is not None)
    assert optimised.in_sample.daily_profits == pytest.approx(best.daily_profits)
    assert optimised.parameters["buy"]["swing_width"] == best.parameters["swing_width"]


def test_the_test_backtest_runs_with_the_frozen_parameters(
    bench: Bench, optimised: WindowResult, shipped: WindowResult
) -> None:
    settings = bench.settings()
    window = bench.jobs(settings)[0].window
    config = settings.freqtrade_config("FvgFill", window.test_timerange, None)
    with isolated(config, 1, []):
        alone, parameters = run_backtest(
            config, window.test_start, window.test_end, optimised.parameters
        )

    assert parameters == optimised.parameters
    assert alone == optimised.out_of_sample
    assert alone != shipped.out_of_sample


def test_without_a_qualified_epoch_the_shipped_parameters_run(
    bench: Bench, shipped: WindowResult
) -> None:
    settings = bench.settings(Optimisation(2, min_trades=10_000))

    result = run_job(settings, bench.jobs(settings)[0], "1" * 64)

    assert result.chosen_by == "shipped, no trial qualified"
    assert len(result.trials) == 2
    assert result.parameters == shipped.parameters
    assert result.out_of_sample == shipped.out_of_sample


def test_a_job_leaves_nothing_behind_for_the_next(bench: Bench, shipped: WindowResult) -> None:
    plain, searching = bench.settings(), bench.settings(QUICK)
    first = bench.jobs(plain)[0]
    other, noisy = bench.jobs(searching, ["BosOrderBlock", "SmcEnsemble"], count=1)

    for job in (other, noisy):
        run_job(searching, job, "2" * 64)
    again = run_job(plain, first, "1" * 64)

    assert again.to_text() == shipped.to_text()


def test_an_optimised_job_gives_the_same_bytes_again(bench: Bench, optimised: WindowResult) -> None:
    settings = bench.settings(QUICK)

    again = run_job(settings, bench.jobs(settings)[0], "1" * 64)

    assert again.to_text() == optimised.to_text()


def test_nothing_is_written_into_the_users_folders(bench: Bench) -> None:
    settings = bench.settings(Optimisation(2, seed=3))
    job = bench.jobs(settings)[0]
    before = bench.files()

    run_job(settings, job, "1" * 64)

    assert bench.files() == before


def test_a_result_survives_its_file(optimised: WindowResult) -> None:
    assert WindowResult.from_text(optimised.to_text()) == optimised


def test_a_worker_with_other_code_refuses_the_job(bench: Bench) -> None:
    settings = bench.settings()

    done = work(settings, bench.jobs(settings)[0], "0" * 64)

    assert done.text is None
    assert done.error is not None
    assert "other code" in done.error


def test_fills_are_looked_up_in_finer_candles_where_there_are_some(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    settings = bench.settings()
    (window,) = windows(1)
    fill_detail(bench.home / "data", since=window.test_start)
    facts = [strategy_facts(settings, "FvgFill")]
    plain, *_ = plan_jobs(settings, facts, [window])

    (job,) = plan_jobs(
        settings,
        facts,
        [window],
        timeframe_detail="1h",
        span=read_span(settings.datadir, settings.pairs),
    )
    result = run_job(settings, job, "1" * 64)

    assert (job.train_detail, job.test_detail) == (None, "1h")
    assert len(job.data_files) == len(plain.data_files) + len(PAIRS)
    assert result.in_sample.timeframe_detail is None
    assert result.out_of_sample.timeframe_detail == "1h"
    assert any(trade.close_time.hour % 2 for trade in result.out_of_sample.trades)
