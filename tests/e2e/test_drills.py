"""Every drill passes: real bots, broken on purpose, judged by the exchange's journal."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest

from fractal_ops.drills.config import read_config
from fractal_ops.drills.drill import Drill, Outcome, Result, run
from fractal_ops.drills.errors import DrillFailedError
from fractal_ops.drills.scenes import DRILLS
from fractal_ops.drills.stage import Stage
from tests.kit import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

# Mostly they wait, so several at a time take hardly longer than one.
AT_ONCE = 3

Pending = dict[str, "Future[Result]"]


def play(drills: list[Drill], folder: Path, root: Path) -> Iterator[Pending]:
    """Run drills, some at a time; a test waits for its own."""
    config = read_config([root / "config.testnet.json"])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {one.name: pool.submit(run, one, folder / one.name, config) for one in drills}


@pytest.fixture(scope="module")
def fast_ones(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Iterator[Pending]:
    chosen = [drill for drill in DRILLS if drill.fast]
    yield from play(chosen, tmp_path_factory.mktemp("fast"), project_root)


@pytest.fixture(scope="module")
def slow_ones(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Iterator[Pending]:
    chosen = [drill for drill in DRILLS if not drill.fast]
    yield from play(chosen, tmp_path_factory.mktemp("slow"), project_root)


def judge(result: Result) -> None:
    if result.outcome is Outcome.SKIPPED:
        pytest.skip(result.checks[-1].detail)
    failed = [check for check in result.checks if not check.passed]
    assert not failed, f"{failed} (logs: {result.folder})"
    assert len(result.checks) >= 4


@pytest.mark.xdist_group("e2e-drills")
@pytest.mark.parametrize("name", [drill.name for drill in DRILLS if drill.fast])
def test_fast_drill(fast_ones: Pending, name: str) -> None:
    judge(fast_ones[name].result())


@pytest.mark.slow
@pytest.mark.xdist_group("e2e-slow-drills")
@pytest.mark.parametrize("name", [drill.name for drill in DRILLS if not drill.fast])
def test_slow_drill(slow_ones: Pending, name: str) -> None:
    judge(slow_ones[name].result())


def guilty(name: str, play_it: object) -> Drill:
    return Drill(name, "a guilty specimen", ".", ".", play_it)  # type: ignore[arg-type]


@pytest.mark.xdist_group("e2e-drills")
def test_the_judge_sees_a_position_without_a_stop_and_a_wrong_database(
    tmp_path: Path, project_root: Path
) -> None:
    # What a drill is judged by has to be able to say no.

    def sabotage(stage: Stage) -> None:
        stage.open_position()
        assert stage.bot is not None
        assert stage.reconciler is not None
        stage.reconciler.kill()
        stage.bot.kill()
        hand = stage.hand()
        hand.cancel_stops(stage.pair)
        # Half of it, on the contract's grid.
        half = (stage.venue.position(stage.pair) / 2).quantize(Decimal("0.00001"))
        hand.trade(stage.pair, -half)
        bare_from = stage.venue.now_ms()
        eventually(lambda: stage.venue.now_ms() - bare_from > 2_000, 10, "time to pass")

    config = read_config([project_root / "config.testnet.json"])
    specimen = guilty("guilty", sabotage)
    folder = tmp_path / "guilty"
    result = run(specimen, folder, config, most_bare_seconds=1.0, agreement_seconds=1.0)

    failed = {check.what for check in result.checks if not check.passed}
    assert result.outcome is Outcome.FAILED
    assert any("without a stop" in what for what in failed), result.checks
    assert "database = venue" in failed, result.checks


def test_a_drill_that_breaks_is_a_failed_drill(tmp_path: Path, project_root: Path) -> None:
    def breaks(stage: Stage) -> None:
        raise DrillFailedError("this was to be expected")

    config = read_config([project_root / "config.testnet.json"])
    drill = Drill("breaks", "b", ".", ".", breaks, uses_bot=False)
    result = run(drill, tmp_path / "breaks", config)

    assert result.outcome is Outcome.FAILED
    assert result.checks[-1].detail == "this was to be expected"
