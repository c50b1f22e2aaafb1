"""Windows tile the out-of-sample months, never touch their training, and fit the data."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pandas as pd
import pytest
from freqtrade.configuration import TimeRange
from freqtrade.data.converter import trim_dataframe
from hypothesis import given
from hypothesis import strategies as st

from fractal_ops.walk_forward.errors import WalkForwardError
from fractal_ops.walk_forward.periods import holding_time, months_before, timerange
from fractal_ops.walk_forward.windows import plan_windows

DAY = timedelta(days=1)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


START, END = utc(2024, 1, 1), utc(2025, 7, 1)


def plan(start=START, end=END, **options):
    return plan_windows(start, end, **({"purge": 2 * DAY, "warm_up": 30 * DAY} | options))


def test_six_windows_of_two_months_end_with_the_data():
    windows = plan()

    assert [w.number for w in windows] == [1, 2, 3, 4, 5, 6]
    assert windows[0].train_start == utc(2024, 3, 1)
    assert windows[0].train_end == utc(2024, 6, 29)
    assert windows[0].test_start == utc(2024, 7, 1)
    assert windows[-1].test_start == utc(2025, 5, 1)
    assert windows[-1].test_end == utc(2025, 7, 1)


def test_anchored_windows_all_train_from_the_first_ones_start():
    windows = plan(anchored=True)

    assert {w.train_start for w in windows} == {utc(2024, 3, 1)}
    assert [w.test_start for w in windows] == [w.test_start for w in plan()]


@given(
    end=st.datetimes(utc(2020, 1, 1).replace(tzinfo=None), utc(2030, 1, 1).replace(tzinfo=None)),
    windows=st.integers(1, 8),
    test_months=st.integers(1, 4),
    train_months=st.integers(1, 6),
    anchored=st.booleans(),
    purge_hours=st.integers(0, 24 * 27),
    warm_up_hours=st.integers(0, 2_000),
    slack_days=st.integers(-40, 40),
)
def test_no_plan_trains_on_what_it_tests(
    end, windows, test_months, train_months, anchored, purge_hours, warm_up_hours, slack_days
):
    end = end.replace(tzinfo=UTC, microsecond=0)
    purge, warm_up = timedelta(hours=purge_hours), timedelta(hours=warm_up_hours)
    needed = months_before(end, windows * test_months + train_months) - warm_up
    start = needed - slack_days * DAY

    def planned():
        return plan_windows(
            start,
            end,
            windows=windows,
            test_months=test_months,
            train_months=train_months,
            anchored=anchored,
            purge=purge,
            warm_up=warm_up,
        )

    if slack_days < 0:
        with pytest.raises(WalkForwardError):
            planned()
        return
    found = planned()
    assert len(found) == windows
    assert found[-1].test_end == end
    assert all(w.test_start - w.train_end == purge for w in found)
    assert all(w.train_start < w.train_end for w in found)
    assert all(a.test_end == b.test_start and a.test_start < a.test_end for a, b in pairwise(found))
    assert min(w.train_start for w in found) - warm_up >= start
    if not anchored:
        assert all(a.train_start <= b.train_start for a, b in pairwise(found))


def test_data_that_begin_too_late_are_an_error_that_names_them_and_what_would_fit():
    with pytest.raises(WalkForwardError) as raised:
        plan(start=utc(2024, 2, 9, 4), source="2h candles of SOL/USDC:USDC")

    text = str(raised.value)
    assert "2h candles of SOL/USDC:USDC begin at 2024-02-09 04:00" in text
    assert "from 2024-01-31" in text
    assert "use fewer windows (5 would fit)" in text
    assert "`fractal data`" in text


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"windows": 0}, "--windows is 0: give 1 or more"),
        ({"test_months": 0}, "--test-months is 0"),
        ({"train_months": -1}, "--train-months is -1"),
        ({"purge": -DAY}, "purge is -1 days"),
        ({"warm_up": timedelta(hours=-3)}, "warm-up is -3 hours"),
        ({"start": utc(2025, 7, 1)}, "begin at 2025-07-01 and end at 2025-07-01"),
        ({"start": utc(2025, 8, 1)}, "give a start before the end"),
        ({"start": datetime(2024, 1, 1)}, "not in UTC"),  # noqa: DTZ001 - the guilty one
        ({"end": datetime(2025, 7, 1, tzinfo=timezone(timedelta(hours=2)))}, "not in UTC"),
        ({"train_months": 1, "purge": 40 * DAY}, "window 1 .* leaves nothing of 1 months"),
        ({"windows": 100_000}, "use fewer windows"),
    ],
)
def test_what_can_not_be_planned_is_refused(options, text):
    with pytest.raises(WalkForwardError, match=text):
        plan(**options)


def test_a_day_that_a_month_lacks_becomes_its_last():
    assert months_before(utc(2024, 3, 31), 1) == utc(2024, 2, 29)
    assert months_before(utc(2025, 3, 31), 13) == utc(2024, 2, 29)
    assert months_before(utc(2024, 1, 15, 4), 1) == utc(2023, 12, 15, 4)


def test_timeranges_are_half_open_for_freqtrade():
    first, second = plan()[:2]
    dates = pd.date_range(first.test_start, second.test_end, freq="2h")
    candles = pd.DataFrame({"date": dates})

    parts = [
        trim_dataframe(candles, TimeRange.parse_timerange(text))["date"]
        for text in (first.test_timerange, second.test_timerange)
    ]

    assert first.test_timerange == "20240701-20240831T235959"
    assert parts[0].iloc[0] == first.test_start
    assert parts[0].iloc[-1] == first.test_end - timedelta(hours=2)
    assert parts[1].iloc[0] == first.test_end
    assert pd.concat(parts).is_unique


def test_a_timerange_with_hours_keeps_them():
    text = timerange(utc(2024, 7, 1, 4), utc(2024, 9, 1, 6))

    assert text == "20240701T040000-20240901T055959"
    assert TimeRange.parse_timerange(text).startdt == utc(2024, 7, 1, 4)


def test_the_training_timerange_ends_before_the_purge():
    assert plan()[0].train_timerange == "20240301-20240628T235959"


def test_holding_time_is_entry_expiry_and_time_stop():
    assert holding_time(24, timedelta(hours=2)) == timedelta(hours=50)
    assert holding_time(24, timedelta(hours=2), expiry_bars=30) == timedelta(hours=110)


def test_a_strategy_without_a_time_stop_has_no_holding_time():
    with pytest.raises(WalkForwardError, match="no time stop"):
        holding_time(0, timedelta(hours=2))
