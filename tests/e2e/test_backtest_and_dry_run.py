"""The same candles give the same denials in a backtest and in a dry run.

Without freqtrade's locks: a backtest goes through the pairs of a candle one after another, so
an exit inside the candle locks entries that a bot had long sent when the candle opened.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e import fleet
from tests.e2e.conftest import BIN
from tests.e2e.fleet import Fleet
from tests.kit import ProcessRunner

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.xdist_group("e2e-bots"),
    pytest.mark.timeout(600),
]

STRATEGY = "UnlockedEnsemble"
CANDLE = timedelta(hours=2)
START = datetime(2026, 5, 4, 0, 0, tzinfo=UTC)
LATE = timedelta(seconds=3)
"""How long after a candle's close the bot looks."""
CANDLES = 16
LOOK = timedelta(minutes=10)
"""How often the dry run looks at prices between two candles; a backtest sees every one."""
LIMITS = {"min_confidence": 0, "max_positions": 2, "max_position_ratio": 0.02}

Denial = tuple[datetime, str, str, str]


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("dry-run")
    (folder / "logs").mkdir()
    runner = ProcessRunner(folder / "logs")
    try:
        running = fleet.start(
            runner,
            folder,
            project_root,
            START + LATE,
            [STRATEGY],
            LIMITS,
            pairs=15,
            # Far stops: a price that only touches one between two looks would part the two runs.
            settings={"min_stop_ratio": 0.03},
        )
        running.settle(2)
        for number in range(CANDLES):
            opened = START + number * CANDLE
            for look in range(1, CANDLE // LOOK):
                running.clock.set(opened + look * LOOK)
                running.settle(1)
            running.clock.set(opened + CANDLE + LATE)
            running.settle(2)
        yield running
        running.close()
    finally:
        runner.close()


def dry_run_denials(bot: Fleet) -> set[Denial]:
    return {
        (d.candle, d.pair, "long" if d.side > 0 else "short", d.code.value)
        for d in bot.ledger.denials(1000)
        if d.candle is not None
    }


def backtest_output(bot: Fleet) -> str:
    """Run freqtrade's backtest on the candles of the exchange that the bot traded on."""
    bench = bot.bench
    config = bench.folder / f"{STRATEGY}.json"
    data = bench.folder / "data"
    env = bot.clock.env()
    fill = bench.runner.start(
        [
            *(BIN / "fractal", "data", "--from-testnet", "--url", bench.exchange_url),
            *("--config", config, "--timeframes", "2h", "--datadir", data),
        ],
        cwd=bench.folder,
        env=env,
    )
    assert fill.wait(120) == 0, fill.output()
    # A backtest's first entry is one candle after its first one.
    span = [int(t.timestamp()) for t in (START - CANDLE, START + (CANDLES + 2) * CANDLE)]
    testing = bench.freqtrade(
        "backtesting",
        [
            *("--config", config, "--strategy", STRATEGY, "--datadir", data),
            *("--config", bench.root / "user_data" / "config.backtest.json"),
            *("--timerange", f"{span[0]}-{span[1]}", "--cache", "none", "--export", "none"),
            "--enable-protections",
        ],
        {**env, "COLUMNS": "400"},
    )
    assert testing.wait(180) == 0, testing.output()
    return testing.output()


def denials_in(output: str) -> set[Denial]:
    """Read the denials that a run logged."""
    # The console folds long lines.
    text = output.replace("\n", "")
    found = re.findall(
        r"(\w+/USDC:USDC): (long|short) entry denied at ([\d-]+ [\d:]+\+00:00): ([A-Z_]+):", text
    )
    return {(datetime.fromisoformat(at), pair, side, code) for pair, side, at, code in found}


def by_signal(denials: set[Denial]) -> dict[tuple[datetime, str, str], str]:
    """Name each denied signal's code, before the backtest's last candle, which enters nothing."""
    end = START + (CANDLES - 1) * CANDLE
    return {(at, pair, side): code for at, pair, side, code in denials if at < end}


def test_a_backtest_denies_what_the_dry_run_denied(bot: Fleet) -> None:
    output = backtest_output(bot)
    lived, tested = by_signal(dry_run_denials(bot)), by_signal(denials_in(output))

    # A backtest buys at the open and a bot at the book's other side some seconds later, so the
    # price may have left a setup in one of them alone. All the rest is the same.
    left = {key for run in (lived, tested) for key, code in run.items() if code == "NO_SETUP"}
    same = {key: code for key, code in lived.items() if key not in left}
    assert same == {key: code for key, code in tested.items() if key not in left}
    assert len(same) >= 8, "too few denials to prove anything"
    assert len(left) <= len(same) / 3
    # And a person sees how many there were.
    [total] = re.findall(r"the portfolio denied (\d+) entries", output)
    assert int(total) == len(denials_in(output))
