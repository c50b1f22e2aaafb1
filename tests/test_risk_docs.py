"""docs/risk.md says what the code does: tables, examples, commands."""

import doctest
import json
import re
from collections import Counter
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pytest
import typer
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException
from pydantic import BaseModel

from fractal_ops.cli import app
from fractal_ops.risk import view
from fractal_protections.portfolio import PortfolioGuard, PortfolioSettings, RiskLimits
from fractal_protections.portfolio.decisions import DenialCode
from fractal_protections.portfolio.gate import ANNOUNCED, Gate
from tests.ops.risk import example
from tests.ops.risk.test_place import Bot

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "risk.md").read_text()
ANALYSIS = ROOT / "user_data" / "config.analysis.json"


def block(page: str, name: str) -> str:
    """Return what stands between two markers."""
    found = re.search(rf"<!-- {name}: begin.*?-->(.*?)<!-- {name}: end -->", page, re.DOTALL)
    assert found is not None, name
    return found[1]


def rows(page: str, name: str) -> list[list[str]]:
    """Return the cells of a marked table, without its head."""
    lines = [line for line in block(page, name).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def differs(documented: str, default: object) -> bool:
    if isinstance(default, bool) or default is None:
        return documented != json.dumps(default)
    try:
        return Decimal(documented) != Decimal(str(default))
    except InvalidOperation:
        return True


def faults(page: str, name: str, model: type[BaseModel]) -> list[str]:
    """Name every difference between a table and the model that it documents."""
    documented = [(row[0].strip("`"), row[1], row[2]) for row in rows(page, name)]
    defaults = {key: field.default for key, field in model.model_fields.items()}
    names = [key for key, _, _ in documented]
    found = [f"{key} is not documented" for key in defaults if key not in names]
    found += [f"{key} is documented twice" for key, count in Counter(names).items() if count > 1]
    for key, default, meaning in documented:
        if key not in defaults:
            found.append(f"{key} does not exist")
        elif differs(default, defaults[key]):
            found.append(f"{key} is {defaults[key]}, not {default}")
        if len(meaning) < 10:
            found.append(f"{key} has no meaning")
    return found


TABLES = [("limits", RiskLimits), ("settings", PortfolioSettings)]


@pytest.mark.parametrize(("name", "model"), TABLES)
def test_table_equals_the_model(name: str, model: type[BaseModel]) -> None:
    assert faults(PAGE, name, model) == []


@pytest.mark.parametrize(
    ("name", "model", "before", "after", "fault"),
    [
        ("limits", RiskLimits, "| 0.05 |", "| 0.06 |", "max_position_ratio is 0.05, not 0.06"),
        ("limits", RiskLimits, "| 0.05 |", "| 5 % |", "max_position_ratio is 0.05, not 5 %"),
        ("limits", RiskLimits, "`loss_streak` |", "`lost` |", "loss_streak is not documented"),
        ("limits", RiskLimits, "`loss_streak` |", "`lost` |", "lost does not exist"),
        ("settings", PortfolioSettings, "| true |", "| false |", "gate is True, not false"),
        ("settings", PortfolioSettings, "| null |", "| sqlite |", "ledger_url is None, not sqlite"),
        ("settings", PortfolioSettings, "`gate`", "`ledger_url`", "ledger_url is documented twice"),
    ],
)
def test_a_guilty_page_is_caught(
    name: str, model: type[BaseModel], before: str, after: str, fault: str
) -> None:
    assert before in block(PAGE, name)

    assert fault in faults(PAGE.replace(before, after, 1), name, model)


def test_a_limit_without_a_meaning_is_caught() -> None:
    guilty = re.sub(r"(`max_positions` \| 3 \|).*", r"\1 |", PAGE)

    assert faults(guilty, "limits", RiskLimits) == ["max_positions has no meaning"]


def test_every_code_is_documented_with_its_meaning_and_whether_people_hear_of_it() -> None:
    expected = [
        [f"`{code}`", "yes" if code in ANNOUNCED else "-", code.meaning] for code in DenialCode
    ]

    assert rows(PAGE, "codes") == expected


def test_the_pages_computations_are_right() -> None:
    parsed = doctest.DocTestParser().get_doctest(PAGE, {}, "docs/risk.md", None, 0)

    result = doctest.DocTestRunner(verbose=False).run(parsed)

    assert result.attempted > 15
    assert result.failed == 0


def test_the_pages_prose_repeats_computed_numbers() -> None:
    for number in re.findall(r"so ([\d.]+) stands", PAGE):
        assert f"'margin {number}'" in PAGE
    assert re.findall(r"so ([\d.]+) stands", PAGE)


def test_the_example_of_status_is_what_the_command_prints() -> None:
    assert example.block() in PAGE, "run: python -m tests.ops.risk.example"


def test_every_command_of_risk_is_documented_and_exists() -> None:
    risk: Any = typer.main.get_command(app).commands["risk"]  # type: ignore[attr-defined]

    assert set(re.findall(r"fractal risk (\w+)", PAGE)) == set(risk.commands)


def test_every_option_on_the_page_exists() -> None:
    risk: Any = typer.main.get_command(app).commands["risk"]  # type: ignore[attr-defined]
    known = {
        option
        for command in risk.commands.values()
        for one in command.params
        for option in one.opts
    }
    section = PAGE.split("## Trading states and commands")[1].split("\n## ")[0]

    named = set(re.findall(r"(?<![-\w])--[a-z][a-z-]*", section))
    # freqtrade's own, of which the page warns
    assert named - {"--dry-run"} <= known
    assert {"--json", "--reason", "--after-transfer", "--yes", "--ledger"} <= named


def test_json_keys_are_those_of_the_model() -> None:
    models = {
        "the line": view.Status,
        "trading": view.StateStatus,
        "blocked_by[]": view.Block,
        "equity": view.EquityStatus,
        "limits[]": view.LimitUse,
        "clusters": view.ClustersStatus,
        "clusters.held[]": view.ClusterStatus,
        "clusters.held[].members[]": view.MemberStatus,
        "bots[]": view.BotView,
        "positions[]": view.PositionView,
        "reservations[]": view.ReservationView,
        "fences[]": view.FenceView,
        "drifts[]": view.DriftView,
        "looks[]": view.LookView,
        "denials[]": view.DenialView,
    }
    expected = {name: [field.name for field in fields(model)] for name, model in models.items()}

    documented = {row[0].strip("`"): re.findall(r"`(\w+)`", row[1]) for row in rows(PAGE, "json")}
    assert documented == expected


def bot(timeframe: str, runmode: RunMode = RunMode.BACKTEST, **config: Any) -> Bot:
    made = Bot({"runmode": runmode, **config})
    made.timeframe = timeframe
    return made


def test_protections_are_set_to_what_the_page_says() -> None:
    expected = {}
    for protection in bot("2h").portfolio_protections():
        numbers = {
            key: Decimal(str(value))
            for key, value in protection.items()
            if isinstance(value, (int, float)) and not isinstance(value, bool)
        }
        expected[protection["method"]] = numbers

    documented = {
        row[0].strip("`"): {
            key: Decimal(value) for key, value in re.findall(r"`(\w+)` ([\d.]+)", row[2])
        }
        for row in rows(PAGE, "protections")
    }
    assert documented == expected


@pytest.mark.parametrize(
    ("timeframe", "knows"), [("1m", False), ("3m", False), ("5m", True), ("2h", True)]
)
def test_timeframes_that_never_know_a_pair_are_those_the_page_names(
    timeframe: str, knows: bool
) -> None:
    assert "(1m and 3m at\n30 days)" in PAGE
    assert (bot(timeframe).correlation_bars() > 0) is knows


def test_the_summary_line_is_the_gates_own() -> None:
    gate = object.__new__(Gate)
    gate.denial_counts = Counter({DenialCode.POSITION_COUNT: 30, DenialCode.SYMBOL_LIMIT: 11})

    assert f"fractaltrader-testnet/SmcEnsemble: {gate.summary()}" in PAGE


def test_the_analysis_overlay_switches_the_gate_off_and_does_nothing_else() -> None:
    overlay = json.loads(ANALYSIS.read_text())

    assert overlay == {"fractal": {"portfolio": {"gate": False}}}
    assert str(ANALYSIS.relative_to(ROOT)) in PAGE


@pytest.mark.parametrize("runmode", [RunMode.LIVE, RunMode.DRY_RUN])
def test_trading_refuses_the_analysis_overlay(runmode: RunMode) -> None:
    overlay = json.loads(ANALYSIS.read_text())

    with pytest.raises(OperationalException, match=r"fractal\.portfolio\.gate is off"):
        bot("2h", runmode, **overlay)
    assert isinstance(bot("2h", RunMode.BACKTEST, **overlay), PortfolioGuard)
