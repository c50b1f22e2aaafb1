"""What a drill is, and how one is run and judged."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from fractal_ops.drills.errors import DrillFailedError, DrillSkippedError
from fractal_ops.drills.stage import Stage
from fractal_ops.drills.waiting import until

MOST_BARE_SECONDS = 60.0
"""Longest time that a position may be without a live reduce-only stop."""

AGREEMENT_SECONDS = 45.0
"""How long the bot has to hear of what has happened on the venue."""


class Outcome(StrEnum):
    """How a drill ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Drill:
    """One way to break things.

    Parameters
    ----------
    name : str
        As it is called on the command line.
    title : str
        What happens, in one line.
    alone : str
        What freqtrade alone does.
    ours : str
        What we do.
    play : callable
        Breaks things on a stage and waits for what must follow; raises `DrillFailedError` where
        it does not.
    fast : bool, default False
        Short enough for every run of the tests.
    uses_bot : bool, default True
        Whether bot and reconciler are started before it plays.
    """

    name: str
    title: str
    alone: str
    ours: str
    play: Callable[[Stage], None]
    fast: bool = False
    uses_bot: bool = True


@dataclass(frozen=True)
class Check:
    """One thing that has to be so at the end: what, whether, and the figure."""

    what: str
    passed: bool
    detail: str = ""


@dataclass
class Result:
    """What came of a drill.

    Parameters
    ----------
    drill : Drill
        Which one.
    outcome : Outcome
        How it ended.
    seconds : float
        How long it took.
    checks : list of Check
        What was looked at, in order.
    folder : Path
        Logs, journal and databases.
    """

    drill: Drill
    outcome: Outcome
    seconds: float
    checks: list[Check]
    folder: Path

    def to_dict(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return {
            "name": self.drill.name,
            "title": self.drill.title,
            "outcome": self.outcome.value,
            "seconds": round(self.seconds, 1),
            "folder": str(self.folder),
            "checks": [
                {"what": check.what, "passed": check.passed, "detail": check.detail}
                for check in self.checks
            ],
        }


@dataclass
class _Sheet:
    checks: list[Check] = field(default_factory=list)

    def note(self, what: str, passed: bool, detail: str = "") -> None:
        self.checks.append(Check(what, passed, detail))


def run(
    drill: Drill,
    folder: Path,
    config: dict[str, Any],
    *,
    most_bare_seconds: float = MOST_BARE_SECONDS,
    agreement_seconds: float = AGREEMENT_SECONDS,
) -> Result:
    """Run one drill and judge it.

    Parameters
    ----------
    drill : Drill
        Which one.
    folder : Path
        Scratch folder; must not exist yet.
    config : dict
        The user's config.
    most_bare_seconds, agreement_seconds : float
        What is judged by; for tests of the judge.

    Returns
    -------
    Result
        A drill that raises has failed; its reason is the last check.
    """
    started = time.monotonic()
    sheet = _Sheet()
    stage: Stage | None = None
    outcome = Outcome.PASSED
    try:
        stage = Stage(folder, config)
        if drill.uses_bot:
            stage.start_bot()
            stage.start_reconciler()
        drill.play(stage)
        sheet.note("went as expected", True)
        _judge(stage, sheet, most_bare_seconds, agreement_seconds)
    except DrillSkippedError as error:
        outcome = Outcome.SKIPPED
        sheet.note("possible here", True, str(error))
    except DrillFailedError as error:
        sheet.note("went as expected", False, str(error))
    except Exception as error:  # noqa: BLE001  # a drill that breaks is a failed drill, with its trace
        sheet.note("went as expected", False, f"{error!r}\n{traceback.format_exc()}")
    finally:
        if stage is not None:
            stage.close()
    if not all(check.passed for check in sheet.checks):
        outcome = Outcome.FAILED
    return Result(drill, outcome, time.monotonic() - started, sheet.checks, folder)


def _judge(stage: Stage, sheet: _Sheet, most_bare_seconds: float, agreement_seconds: float) -> None:
    """Look at what must be so after every drill, by the exchange's journal."""
    history = stage.venue.history()
    sheet.note("no duplicate position", not history.doubled, "; ".join(history.doubled))
    bare = history.longest_bare()
    sheet.note(
        f"no position without a stop for more than {most_bare_seconds:g} s",
        bare <= most_bare_seconds,
        f"longest {bare:.1f} s",
    )
    try:
        # What the bot has not heard of yet it hears in its next loops.
        until(lambda: not stage.disagreements(), "agreement", agreement_seconds)
        differences: list[str] = []
    except DrillFailedError:
        differences = stage.disagreements()
    sheet.note("database = venue", not differences, "; ".join(differences))
