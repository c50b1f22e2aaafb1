"""From trades to daily returns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fractal_ops.walk_forward.statistics import daily_profits, daily_returns, equity_curve

START = np.datetime64("2024-07-01")
END = np.datetime64("2024-07-05")


def times(*text: str) -> np.ndarray:
    return np.array(text, dtype="datetime64[ms]")


def test_profits_of_a_day_are_summed_and_other_days_are_zero() -> None:
    closes = times("2024-07-03T23:59:59", "2024-07-01T00:00", "2024-07-03T00:00")

    result = daily_profits([5.0, 1.0, -2.0], closes, START, END)

    assert result.tolist() == [1.0, 0.0, 3.0, 0.0]


def test_a_close_at_the_very_end_counts_to_the_last_day() -> None:
    result = daily_profits([7.0], times("2024-07-05T00:00"), START, END)

    assert result.tolist() == [0.0, 0.0, 0.0, 7.0]


def test_no_trades_make_days_of_zero() -> None:
    assert daily_profits([], times(), START, END).tolist() == [0.0] * 4


@pytest.mark.parametrize("moment", ["2024-06-30T23:59", "2024-07-05T00:01"])
def test_a_close_outside_the_span_is_refused_by_name(moment: str) -> None:
    with pytest.raises(ValueError, match=r"close_times\[0\] is 2024.* outside .* scored span"):
        daily_profits([1.0], times(moment), START, END)


def test_an_inverted_span_is_refused() -> None:
    with pytest.raises(ValueError, match="give an end after its start"):
        daily_profits([], times(), END, START)


def test_trades_and_times_must_match() -> None:
    with pytest.raises(ValueError, match="lengths differ"):
        daily_profits([1.0, 2.0], times("2024-07-01"), START, END)


def test_a_return_divides_by_the_equity_at_the_days_start() -> None:
    result = daily_returns([100.0, -110.0, 0.0], 1000.0)

    assert result.tolist() == pytest.approx([0.1, -0.1, 0.0])


def test_ruin_is_minus_one_and_then_nothing() -> None:
    result = daily_returns([10.0, -150.0, 500.0, 1.0], 100.0)

    assert result.tolist() == [0.1, -1.0, 0.0, 0.0]


@pytest.mark.parametrize("equity", [0.0, -5.0, np.nan])
def test_a_wallet_that_is_not_above_zero_is_refused(equity: float) -> None:
    with pytest.raises(ValueError, match="starting_equity is"):
        equity_curve([1.0], equity)


@given(st.lists(st.floats(-5, 5), max_size=30))
def test_compounding_the_returns_gives_the_final_equity(profits: list[float]) -> None:
    final = equity_curve(profits, 1000.0)[-1]

    compounded = 1000.0 * np.prod(1.0 + daily_returns(profits, 1000.0))

    assert compounded == pytest.approx(final, rel=1e-12)
