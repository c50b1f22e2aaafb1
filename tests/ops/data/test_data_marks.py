"""Hourly marks: whole span, finest known price, nothing from the future."""

import numpy as np
import pandas as pd
import pytest

from fractal_ops.data.mark import hourly_marks

START = pd.Timestamp("2026-01-01", tz="UTC")


def candles(freq: str, start_hour: int, count: int, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    close = 100 + rng.normal(0, 1, count).cumsum()
    opened = np.concatenate(([100.0], close[:-1]))
    first = START + pd.Timedelta(hours=start_hour)
    return pd.DataFrame(
        {
            "date": pd.date_range(first, periods=count, freq=freq, unit="ms"),
            "open": opened,
            "high": np.maximum(opened, close) + 1,
            "low": np.minimum(opened, close) - 1,
            "close": close,
            "volume": 5.0,
        }
    )


def test_marks_cover_every_hour_of_the_longest_candles() -> None:
    two, one = candles("2h", 0, 24), candles("1h", 30, 18, seed=2)

    marks = hourly_marks({"1h": one, "2h": two})

    assert marks["date"].iloc[0] == START
    assert marks["date"].iloc[-1] == START + pd.Timedelta(hours=47)
    assert (marks["date"].diff().dropna() == pd.Timedelta(hours=1)).all()
    assert not marks.isna().to_numpy().any()


def test_hourly_candles_are_taken_where_they_exist() -> None:
    two, one = candles("2h", 0, 24), candles("1h", 30, 18, seed=2)

    marks = hourly_marks({"2h": two, "1h": one}).set_index("date")

    for column in ("open", "high", "low", "close"):
        assert marks.loc[one["date"], column].tolist() == one[column].tolist()


def test_where_only_coarse_candles_exist_the_last_known_price_stands() -> None:
    two = candles("2h", 0, 24)

    marks = hourly_marks({"2h": two})

    assert marks["open"].iloc[0:48:2].tolist() == two["open"].tolist()
    assert marks["open"].iloc[1:48:2].tolist() == two["open"].tolist()


@pytest.mark.parametrize("row", [3, 7, 11])
def test_mark_at_an_hour_does_not_depend_on_what_follows(row: int) -> None:
    """Later candles may be anything; of the open one only its open was known."""
    two = candles("2h", 0, 12)
    changed = two.copy()
    changed.loc[changed.index > row, ["open", "high", "low", "close"]] *= 3
    changed.loc[row, ["high", "low", "close"]] *= 3
    edge = two["date"].iloc[row] + pd.Timedelta(hours=1)

    ours, theirs = (hourly_marks({"2h": frame}) for frame in (two, changed))

    known = ours["date"] <= edge
    assert ours.loc[known, "open"].tolist() == theirs.loc[known, "open"].tolist()


def test_no_candles_make_no_marks() -> None:
    assert hourly_marks({}).empty
