"""Fixtures for every test."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parents[1]

# `pytest` alone, unlike `python -m pytest`, does not make tests.kit importable.
if str(PROJECT_ROOT) not in sys.path:
    sys.path.insert(0, str(PROJECT_ROOT))

from tests.kit import ProcessRunner  # noqa: E402  # needs the line above


@pytest.fixture(scope="session")
def project_root() -> Path:
    return PROJECT_ROOT


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[ProcessRunner]:
    """Start real processes; what still runs at the test's end is ended."""
    log_dir = tmp_path / "process-logs"
    log_dir.mkdir()
    runner = ProcessRunner(log_dir)
    yield runner
    runner.close()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the test that waits for the clock, so that the others fill its waiting."""
    items.sort(key=lambda item: "test_dry_run_trade" not in item.nodeid)
