"""The papers name what the code has, and nothing they point at is missing."""

import re
from pathlib import Path

import pytest
from freqtrade.strategy.parameters import BaseParameter

from fractal_strategies.trading import StrategySettings
from tests.strategies.bots import STRATEGIES, load

ROOT = Path(__file__).parents[1]
PAPERS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")])


def parameters(strategy: str) -> dict[str, BaseParameter]:
    found = vars(type(load(strategy)))
    return {name: value for name, value in found.items() if isinstance(value, BaseParameter)}


def documented_default(page: str, name: str) -> list[float]:
    """Return the numbers of the default column in every row that names the parameter."""
    rows = [line for line in page.splitlines() if line.startswith("|") and f"`{name}`" in line]
    defaults = []
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        names = re.findall(r"`(\w+)`", cells[0])
        if name in names:
            values = cells[1].split(",")
            defaults.append(float(values[names.index(name)]))
    return defaults


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_parameter_is_documented_with_its_default(strategy: str) -> None:
    page = (ROOT / "docs" / "strategies.md").read_text()

    for name, parameter in parameters(strategy).items():
        if isinstance(parameter.value, (int, float)) and not isinstance(parameter.value, bool):
            assert float(parameter.value) in documented_default(page, name), name
        else:
            assert f"`{name}`" in page, name
            assert str(parameter.value) in page or isinstance(parameter.value, bool), name


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs" / "strategies.md").read_text()

    for name in StrategySettings.model_fields:
        assert re.search(rf"`(?:fractal\.strategy\.)?{name}`", page), name


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_that_exist(paper: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", paper.read_text())

    missing = [t for t in targets if "://" not in t and not (paper.parent / t).exists()]
    assert missing == []
