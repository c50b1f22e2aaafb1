"""docs/reconcile.md names what the code has."""

import re
from pathlib import Path
from typing import Any

import typer

from fractal_ops.cli import app
from fractal_ops.recovery.drift import DriftKind
from fractal_ops.recovery.look import Verdict
from fractal_ops.recovery.orders import CLOID_PREFIX
from fractal_ops.recovery.plan import LONGEST_UNPROTECTED, STOP_LIMIT_RATIO
from fractal_ops.recovery.tracker import Tracker
from fractal_ops.recovery.watch import RECHECK_SECONDS
from fractal_strategies.trading import SmcStrategy
from tests.test_risk_docs import rows

PAGE = (Path(__file__).parents[3] / "docs" / "reconcile.md").read_text()


def test_every_kind_is_documented_with_its_meaning() -> None:
    assert [row[:2] for row in rows(PAGE, "kinds")] == [
        [f"`{kind}`", kind.meaning] for kind in DriftKind
    ]


def test_options_on_the_page_are_those_of_the_command() -> None:
    command: Any = typer.main.get_command(app).commands["reconcile"]  # type: ignore[attr-defined]
    known = {option for one in command.params for option in one.opts if option.startswith("--")}

    named = set(re.findall(r"(?<![-\w])--[a-z][a-z-]*", PAGE))

    assert named == known - {"--help"}


def test_numbers_on_the_page_are_those_of_the_code() -> None:
    command: Any = typer.main.get_command(app).commands["reconcile"]  # type: ignore[attr-defined]
    default = {one.name: one.default for one in command.params}

    assert f"{default['interval']:g} unless told; {RECHECK_SECONDS:g} while" in PAGE
    assert f"{default['max_slippage']:g} unless told" in PAGE
    assert f"{STOP_LIMIT_RATIO} where there is none" in PAGE
    assert f"`{CLOID_PREFIX}`" in PAGE
    assert f"{LONGEST_UNPROTECTED.total_seconds():g} s have passed" in PAGE
    assert f"by {Tracker()._patience.total_seconds():g} s at most" in PAGE
    assert [verdict.exit_status for verdict in Verdict] == [0, 1, 2]


def test_a_stop_has_the_limit_that_the_strategies_give_theirs() -> None:
    ratio = SmcStrategy.order_types["stoploss_on_exchange_limit_ratio"]

    assert str(ratio) == str(STOP_LIMIT_RATIO)
