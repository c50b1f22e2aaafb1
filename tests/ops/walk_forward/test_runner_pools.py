"""Many jobs at once: the same results wherever they run, and none lost."""

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from fractal_ops.walk_forward.cache import ResultStore
from fractal_ops.walk_forward.dask_pool import DaskPool
from fractal_ops.walk_forward.errors import WalkForwardError
from fractal_ops.walk_forward.job import Done, work
from fractal_ops.walk_forward.local_pool import LocalPool, Task
from fractal_ops.walk_forward.pool import Outcome, run_jobs
from fractal_ops.walk_forward.settings import Optimisation, RunSettings
from tests.ops.walk_forward.runs import Bench

pytestmark = [
    pytest.mark.xdist_group("walk-forward-runner"),
    # freqtrade's own, on the way of every candle file it loads.
    pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning"),
]

STRATEGIES = ("FvgFill", "BosOrderBlock")


class InProcess:
    """Runs jobs here, in the given order."""

    def run(self, settings: RunSettings, tasks: Sequence[Task]) -> Iterator[tuple[int, Done]]:
        for place, (job, key) in enumerate(tasks):
            yield place, work(settings, job, key)


class Refusing:
    """Fails the test that starts a job."""

    def run(self, settings: RunSettings, tasks: Sequence[Task]) -> Iterator[tuple[int, Done]]:
        raise AssertionError(f"{len(tasks)} jobs were started")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"))


def contents(outcomes: Sequence[Outcome]) -> dict[str, bytes]:
    assert [outcome.error for outcome in outcomes] == [None] * len(outcomes)
    return {outcome.path.name: outcome.path.read_bytes() for outcome in outcomes}


@pytest.fixture(scope="module")
def reference(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Every job's file, made in this process, optimised ones."""
    settings = bench.settings(Optimisation(2))
    store = ResultStore(tmp_path_factory.mktemp("reference"))
    return contents(run_jobs(settings, bench.jobs(settings, STRATEGIES), store, InProcess()))


def test_a_second_run_starts_nothing_and_reads_the_same(bench: Bench, tmp_path: Path) -> None:
    settings, store = bench.settings(), ResultStore(tmp_path / "windows")
    jobs = bench.jobs(settings, count=1)
    told: list[tuple[int, int]] = []

    first = run_jobs(settings, jobs, store, InProcess(), lambda n, m, _: told.append((n, m)))
    second = run_jobs(settings, jobs, store, Refusing())

    assert told == [(0, 1), (1, 1)]
    assert [outcome.is_reused for outcome in (*first, *second)] == [False, True]
    assert first[0].result == second[0].result
    assert [path.name for path in store.folder.iterdir()] == [first[0].path.name]


def test_an_interrupted_run_goes_on_with_what_is_left(bench: Bench, tmp_path: Path) -> None:
    settings, store = bench.settings(), ResultStore(tmp_path)
    jobs = bench.jobs(settings)

    class Interrupted(InProcess):
        def run(self, settings: RunSettings, tasks: Sequence[Task]) -> Iterator[tuple[int, Done]]:
            yield next(super().run(settings, tasks))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_jobs(settings, jobs, store, Interrupted())
    outcomes = run_jobs(settings, jobs, store, InProcess())

    assert [outcome.is_reused for outcome in outcomes] == [True, False]


def test_a_failed_window_does_not_stop_the_others(bench: Bench, tmp_path: Path) -> None:
    settings = bench.settings()
    jobs = bench.jobs(settings, ["FailsInOneWindow"])

    failed, passed = run_jobs(settings, jobs, ResultStore(tmp_path), InProcess())

    assert failed.result is None
    assert failed.error is not None
    assert "no strategy for February" in failed.error
    assert not failed.path.exists()
    assert passed.error is None
    assert passed.result is not None
    assert passed.result.out_of_sample.trades == ()


def test_a_damaged_result_is_made_anew(bench: Bench, tmp_path: Path) -> None:
    settings, store = bench.settings(), ResultStore(tmp_path)
    jobs = bench.jobs(settings, ["FailsInOneWindow"])[1:]
    (outcome,) = run_jobs(settings, jobs, store, InProcess())
    whole = outcome.path.read_text()
    outcome.path.write_text(whole[:-20])

    (again,) = run_jobs(settings, jobs, store, InProcess())

    assert not again.is_reused
    assert again.path.read_text() == whole


@pytest.mark.slow
def test_two_processes_give_the_bytes_of_one_in_another_order(
    bench: Bench, reference: dict[str, bytes], tmp_path: Path
) -> None:
    settings = bench.settings(Optimisation(2))
    jobs = bench.jobs(settings, STRATEGIES)[::-1]

    outcomes = run_jobs(settings, jobs, ResultStore(tmp_path), LocalPool(2))

    assert contents(outcomes) == reference


@pytest.mark.slow
def test_the_job_of_a_killed_process_runs_again_and_no_other_is_lost(
    bench: Bench, tmp_path: Path
) -> None:
    settings = bench.settings()
    jobs = bench.jobs(
        settings, ["KillsItsProcessOnce", "FailsInOneWindow", "AlwaysKillsItsProcess"], count=2
    )[3:]

    once, other, always = run_jobs(settings, jobs, ResultStore(tmp_path), LocalPool(2))

    assert (bench.home / "killed").exists()
    assert once.error is None
    assert other.error is None
    assert always.error is not None
    assert "ended 3 times" in always.error


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_dask_cluster_gives_the_same_bytes_though_a_worker_is_killed(
    bench: Bench, reference: dict[str, bytes], tmp_path: Path
) -> None:
    distributed = pytest.importorskip("distributed")
    settings = bench.settings(Optimisation(2))
    jobs = bench.jobs(settings, STRATEGIES)
    killed: list[int] = []

    def kill_one(done: int, total: int, seconds: float) -> None:
        del total, seconds
        if done == 1 and not killed:
            # One of our own cluster's, which surely is in the middle of a job.
            pid = next(iter(cluster.workers.values())).pid
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, protocol="tcp://", dashboard_address=None
    ) as cluster:
        outcomes = run_jobs(
            settings, jobs, ResultStore(tmp_path), DaskPool(cluster.scheduler_address), kill_one
        )

    assert killed
    assert contents(outcomes) == reference


def test_a_scheduler_that_is_not_there_is_named(bench: Bench, monkeypatch, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("fractal_ops.walk_forward.dask_pool._SECONDS_TO_CONNECT", 1)
    settings = bench.settings()
    jobs = bench.jobs(settings, count=1)

    with pytest.raises(WalkForwardError, match=r"tcp://127\.0\.0\.1:9 does not answer"):
        run_jobs(settings, jobs, ResultStore(tmp_path), DaskPool("tcp://127.0.0.1:9"))


def test_no_processes_are_no_pool() -> None:
    with pytest.raises(WalkForwardError, match="--jobs is 0"):
        LocalPool(0)
