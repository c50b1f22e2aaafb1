"""The parts of the replay: what is cut, where, and what counts as different."""

import numpy as np
import pandas as pd
import pytest
from freqtrade.enums import CandleType, RunMode
from hypothesis import given
from hypothesis import strategies as st

from fractal_ops.walk_forward.leak_size import Ruler, Sighting
from fractal_ops.walk_forward.prefix_choice import FEWEST_CANDLES, choose_prefixes
from fractal_ops.walk_forward.prefix_compare import compare, kept
from fractal_ops.walk_forward.prefix_replay import CutProvider, closing_times
from tests.ops.walk_forward.candles import OTHER, PAIR, markets

NAN = np.nan


def floats(*values):
    return np.array(values, dtype=np.float64)


def objects(*values):
    return np.array([*values, None], dtype=object)[:-1]


@pytest.mark.parametrize(
    ("part", "whole", "rows"),
    [
        (floats(1, 2), floats(1, 3), [1]),
        (floats(1, NAN), floats(1, NAN), []),
        (floats(NAN, 2), floats(1, 2), [0]),
        (floats(np.inf, 2), floats(-np.inf, 2), [0]),
        (floats(np.inf, 2), floats(np.inf, 2), []),
        (floats(0, 1), np.array([0, 1]), []),
        (np.array([2**40, 0]), np.array([2**40 + 1, 0]), [0]),
        (objects("a", None), objects("a", NAN), []),
        (objects("a", "b"), objects("a", "c"), [1]),
        (objects([1], [2]), objects([1], [3]), [1]),
        (objects(np.arange(2), 1), objects(np.arange(2), 1), []),
        (objects(np.arange(2), 1), objects(np.arange(1, 3), 1), [0]),
        (
            pd.to_datetime(["2025-01-01", None]).to_numpy(),
            pd.to_datetime(["2025-01-02", None]).to_numpy(),
            [0],
        ),
    ],
)
def test_which_readings_differ(part, whole, rows):
    changed = compare({"x": part}, {"x": whole}, 2, 0).changed

    assert changed.get("x", np.array([])).tolist() == rows


def test_rounding_is_told_apart():
    whole = floats(1.0, 1e6)

    found = compare({"x": whole * (1 + 1e-12), "y": whole}, {"x": whole, "y": whole}, 2, 0)

    assert found.changed == {}
    assert found.rounded == ("x",)


def test_start_up_rows_and_later_rows_are_left_out():
    whole = floats(9, 1, 2, 3)

    found = compare({"x": floats(0, 1, 2)}, {"x": whole}, 3, 1)

    assert found.changed == {}
    assert found.readings == 2


def test_a_column_that_one_of_the_two_lacks_is_empty_there():
    whole = {
        "enter_long": np.array([False, True]),
        "enter_tag": objects("", "x"),
        "x": floats(NAN, 1),
    }

    assert {k: v.tolist() for k, v in compare({}, whole, 2, 0).changed.items()} == {
        "enter_long": [1],
        "enter_tag": [1],
        "x": [1],
    }
    assert set(compare(whole, {}, 2, 0).changed) == set(whole)


def test_signals_and_tags_are_brought_into_one_form():
    columns = kept(
        {
            "enter_long": floats(1, NAN, 0),
            "exit_tag": objects(None, "", NAN),
            "plot_a": floats(1, 2, 3),
            "b": floats(1, 2, 3),
        },
        ["plot_*"],
    )

    assert columns["enter_long"].tolist() == [True, False, False]
    assert columns["exit_tag"].tolist() == ["", "", ""]
    assert set(columns) == {"enter_long", "exit_tag", "b"}


@given(
    first=st.integers(0, 60),
    more=st.integers(2, 300),
    count=st.integers(1, 120),
    seed=st.integers(0, 9),
)
def test_prefixes_are_distinct_and_cut_something(first, more, count, seed):
    rows = first + more
    whole = {"enter_long": np.arange(rows) % 17 == 0, "x": np.repeat(np.arange(rows), 9)[:rows]}

    found = choose_prefixes(whole, first, rows, count, seed)

    assert found == sorted(set(found))
    assert found[0] > first
    assert found[-1] < rows
    shortest = max(first + 1, min(FEWEST_CANDLES, rows // 2))
    assert len(found) == min(count, rows - shortest)


def test_prefixes_end_with_the_last_rows_with_signals_and_with_events():
    rows = 10_000
    signals = np.zeros(rows, dtype=bool)
    signals[[500, 900]] = True
    swings = np.full(rows, NAN)
    swings[[3_000, 4_000]] = 1.0

    found = choose_prefixes({"enter_short": signals, "swing": swings}, 100, rows, 200, 0)

    assert len(found) == 200
    assert set(range(9_950, 10_000)) <= set(found)
    assert {501, 901, 3_001, 4_001} <= set(found)


def test_the_provider_hides_what_has_not_closed():
    config = {"candle_type_def": CandleType.FUTURES, "timeframe": "2h", "runmode": RunMode.BACKTEST}
    provider = CutProvider(config, markets(), [PAIR, OTHER])
    provider.now = pd.Timestamp("2025-01-02 10:00", tz="UTC")

    last = {
        tf: provider.get_pair_dataframe(PAIR, tf)["date"].iloc[-1] for tf in ("2h", "4h", "12h")
    }

    assert {tf: f"{date:%d %H}" for tf, date in last.items()} == {
        "2h": "02 08",
        "4h": "02 04",
        "12h": "01 12",
    }
    assert provider.current_whitelist() == [PAIR, OTHER]
    assert provider.market(PAIR)["base"] == "BTC"
    assert provider.get_funding_rate_timeframe() == "1h"


def test_the_provider_gives_copies():
    config = {"candle_type_def": CandleType.FUTURES, "timeframe": "2h", "runmode": RunMode.BACKTEST}
    provider = CutProvider(config, markets(), [PAIR])

    frame = provider.get_pair_dataframe(PAIR, "4h")
    frame["close"] = 0.0

    assert provider.get_pair_dataframe(PAIR, "4h")["close"].min() > 0


def test_months_close_where_the_next_begins():
    frame = pd.DataFrame({"date": pd.to_datetime(["2025-01-01", "2025-02-01"], utc=True)})

    assert closing_times(frame, "1M")[1] == pd.Timestamp("2025-03-01", tz="UTC")
    assert len(closing_times(frame.iloc[:0], "1M")) == 0


@pytest.mark.parametrize("needed", [1, 2, 3, 7, 40])
def test_the_ruler_finds_after_how_many_candles_a_reading_is_final(needed):
    whole = {"x": np.arange(100.0)}

    def read(rows):
        values = np.arange(float(rows))
        values[max(0, rows - needed) :] = -1.0
        return {"x": values}

    sighting = Sighting()
    sighting.note(30, 31, "-1", "30")

    assert Ruler(read, whole, 0, most_runs=50).candles_needed("x", sighting) == (needed, True)


def test_the_ruler_says_at_least_when_its_runs_or_the_candles_end():
    whole = {"x": np.arange(100.0)}

    def never(rows):
        return {"x": np.full(rows, -1.0)}

    sighting = Sighting()
    sighting.note(30, 31, "-1", "30")

    assert Ruler(never, whole, 0, most_runs=50).candles_needed("x", sighting) == (69, False)
    few, is_exact = Ruler(never, whole, 0, most_runs=2).candles_needed("x", sighting)
    assert (few > 1, is_exact) == (True, False)
