"""One synthetic market for all tests of the exchange, at a fixed moment."""

import pytest

from fractal_testnet.market import PathMarket
from fractal_testnet.market.clock import ManualClock
from fractal_testnet.market.synthetic import SyntheticSource
from fractal_testnet.wire.venue import Venue

NOW_MS = 1_795_433_417_123  # 2026-11-23 11:30:17.123 UTC


@pytest.fixture(scope="session")
def source() -> SyntheticSource:
    return SyntheticSource(seed=7)


@pytest.fixture(scope="session")
def market(source: SyntheticSource) -> PathMarket:
    return PathMarket(source)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_MS)


@pytest.fixture
def venue(market: PathMarket, clock: ManualClock) -> Venue:
    return Venue(market, clock)
