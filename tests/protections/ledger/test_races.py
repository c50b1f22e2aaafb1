"""Real processes enter at the same instant: one wins, quickly, and nobody hangs."""

import select
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from tests.protections.ledger.conftest import Opener
from tests.protections.ledger.specimens import NOW, approve, request

ROUNDS = 200
FEW_ROUNDS = 40
ANSWER_SECONDS = 10.0
MEDIAN_LIMIT_MS = 20.0

Racer = subprocess.Popen[bytes]


def line_of(racer: Racer) -> str:
    """Return a racer's next line; fail when none comes: a deadlock or a crash."""
    assert racer.stdout is not None
    assert select.select([racer.stdout], [], [], ANSWER_SECONDS)[0], "a racer hangs"
    line = racer.stdout.readline().decode().strip()
    assert line, "a racer has ended"
    return line


@contextmanager
def racers(url: str, count: int, root: Path, command: str = "race") -> Iterator[list[Racer]]:
    module = "tests.protections.ledger.start_child"
    started = [
        subprocess.Popen(  # noqa: S603  # the tests' own command
            [sys.executable, "-m", module, command, url, f"bot-{number}"],
            cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
        )
        for number in range(count)
    ]  # fmt: skip
    try:
        for racer in started:
            assert [line_of(racer), line_of(racer)] == ["opened", "ready"]
        yield started
        for racer in started:
            assert racer.stdin is not None
            racer.stdin.close()
            assert racer.wait(ANSWER_SECONDS) == 0
    finally:
        for racer in started:
            if racer.poll() is None:
                racer.kill()
            racer.wait()
            for pipe in (racer.stdin, racer.stdout):
                assert pipe is not None
                pipe.close()


def run_round(started: list[Racer], limits: str) -> tuple[list[str], list[float]]:
    """Let all enter at one moment; return the reservations made and how long each one took."""
    start = f"{time.monotonic() + 0.004} {limits}\n".encode()
    for racer in started:
        assert racer.stdin is not None
        racer.stdin.write(start)
    answers = [line_of(racer).split() for racer in started]
    return [key for key, _ in answers if key != "-"], [float(ms) for _, ms in answers]


@pytest.mark.parametrize("rounds", [FEW_ROUNDS, pytest.param(ROUNDS, marks=pytest.mark.slow)])
@pytest.mark.parametrize("count", [2, 3])
def test_racing_bots_never_share_the_last_slot(
    url: str, opened: Opener, project_root: Path, count: int, rounds: int
) -> None:
    ledger = opened(url)
    for number in range(2):  # two of three slots, and 20 of 30 margin, are taken
        taken = request(f"holder-{number}", margin=Decimal(10))
        ledger.reserve(taken, approve, NOW)
    times: list[float] = []

    with racers(url, count, project_root) as started:
        for number in range(rounds):
            # One limit is tight, the other wide; which one changes with the rounds.
            limits = "3 1000000" if number % 2 else "1000 30"
            winners, milliseconds = run_round(started, limits)

            held = ledger.book(NOW).reservations
            assert len(winners) == 1, f"round {number}: {winners}"
            assert len(held) == 3
            assert sum(entry.request.margin for entry in held) <= Decimal("30.00000001")
            times += milliseconds
            ledger.release(winners[0], "next round", NOW)

    median = statistics.median(times)
    worst = max(times)
    print(f"{url.split(':')[0]}, {count} bots: median {median:.2f} ms, worst {worst:.1f} ms")  # noqa: T201  # shown by `pytest -s`
    assert median < MEDIAN_LIMIT_MS


@pytest.mark.xdist_group("postgresql")
def test_the_race_catches_bots_that_do_not_share_the_lock(
    postgresql_url: str, opened: Opener, project_root: Path
) -> None:
    ledger = opened(postgresql_url)

    with racers(postgresql_url, 2, project_root, "race-carelessly") as started:
        for _ in range(ROUNDS):
            winners, _ = run_round(started, "1 1000000")
            if len(winners) > 1:
                return
            ledger.release(winners[0], "next round", NOW)
    pytest.fail("the race never showed what it is there to show")
