"""A board on a clock that the test moves, and an application of our own behind it."""

from typing import Any

import pytest

from fractal_testnet.faults import FaultBoard
from fractal_testnet.market.clock import ManualClock

NOW_MS = 1_795_433_417_123  # 2026-11-23 11:30:17.123 UTC
ASSETS = ("BTC", "ETH", "SOL")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_MS)


@pytest.fixture
def journal() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def board(clock: ManualClock, journal: list[dict[str, Any]]) -> FaultBoard:
    return FaultBoard(7, clock, journal.append, ASSETS)
