"""Fixtures for the strategies."""

from collections.abc import Iterator

import pytest
from freqtrade.persistence import disable_database_use, enable_database_use
from freqtrade.persistence.custom_data import CustomDataWrapper


@pytest.fixture
def no_database() -> Iterator[None]:
    """Trades and their custom data live in memory, as in a backtest."""
    disable_database_use("1h")
    CustomDataWrapper.reset_custom_data()
    yield
    CustomDataWrapper.reset_custom_data()
    enable_database_use()
