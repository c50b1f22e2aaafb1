"""The market's clock, and where candles open."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fractal_testnet.market.clock import ManualClock, MarketClock
from fractal_testnet.market.intervals import (
    DAY_MS,
    INTERVALS_MS,
    next_open_ms,
    open_ms,
    step_back_ms,
)


def test_clock_without_start_follows_the_machine_even_when_it_is_stepped() -> None:
    machine = ManualClock(1_000)
    clock = MarketClock(source=machine.now_ms)

    machine.current_ms = 500

    assert clock.now_ms() == 500


def test_clock_with_start_and_speed_runs_from_the_start() -> None:
    machine = ManualClock(1_000)
    clock = MarketClock(start_ms=50_000, speed=60.0, source=machine.now_ms)

    machine.advance(10)

    assert clock.now_ms() == 50_600


@pytest.mark.parametrize("speed", [0.0, -1.0, float("inf"), float("nan")])
def test_clock_with_impossible_speed_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match=r"speed is .*: give a number above 0"):
        MarketClock(speed=speed)


def test_manual_clock_does_not_run_back() -> None:
    with pytest.raises(ValueError, match="does not run back"):
        ManualClock(5).advance(-1)


@given(
    interval=st.sampled_from(sorted(INTERVALS_MS)),
    t=st.integers(1_500_000_000_000, 1_999_999_999_999),
)
def test_every_moment_lies_in_exactly_one_candle(interval: str, t: int) -> None:
    opened = open_ms(interval, t)

    assert opened <= t < next_open_ms(interval, opened)
    assert open_ms(interval, opened) == opened
    assert open_ms(interval, next_open_ms(interval, opened)) == next_open_ms(interval, opened)
    assert next_open_ms(interval, step_back_ms(interval, opened, 1)) == opened


def test_weeks_open_on_monday_and_months_on_the_first() -> None:
    t = int(datetime(2026, 11, 22, 13, tzinfo=UTC).timestamp()) * 1000

    week = datetime.fromtimestamp(open_ms("1w", t) / 1000, tz=UTC)
    month = datetime.fromtimestamp(open_ms("1M", t) / 1000, tz=UTC)

    assert (week.weekday(), week.day, week.hour) == (0, 16, 0)
    assert (month.month, month.day, month.hour) == (11, 1, 0)
    assert open_ms("3d", t) % (3 * DAY_MS) == 0
