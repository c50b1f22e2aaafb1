"""Appending to stored candles, and refusing another market's."""

import pandas as pd
import pytest

from fractal_ops.data import DataError
from fractal_ops.data.merge import append


def rows(first: int, last: int, offset: float = 0.0) -> pd.DataFrame:
    hours = range(first, last)
    return pd.DataFrame(
        {
            "date": [pd.Timestamp("2026-01-01", tz="UTC") + pd.Timedelta(hours=h) for h in hours],
            "close": [100.0 + h + offset for h in hours],
        }
    )


def test_new_rows_come_after_the_stored_ones() -> None:
    assert append(rows(0, 10), rows(5, 20), "x").equals(rows(0, 20))


def test_older_rows_come_before_the_stored_ones() -> None:
    assert append(rows(10, 20), rows(0, 25), "x").equals(rows(0, 25))


def test_nothing_new_changes_nothing() -> None:
    assert append(rows(0, 10), rows(5, 10), "x").equals(rows(0, 10))


@pytest.mark.parametrize(
    ("stored", "fetched"),
    [
        (rows(0, 10), rows(5, 20, offset=0.001)),  # other prices
        (rows(0, 10).drop(7).reset_index(drop=True), rows(5, 20)),  # a row is missing here
        (rows(0, 10), rows(5, 20).drop(2).reset_index(drop=True)),  # or there
        (rows(0, 30), rows(5, 20)),  # longer than the exchange's
    ],
)
def test_another_market_is_refused_with_the_remedy(
    stored: pd.DataFrame, fetched: pd.DataFrame
) -> None:
    with pytest.raises(DataError, match=r"BTC.feather comes from another market .* --fresh"):
        append(stored, fetched, "BTC.feather")
