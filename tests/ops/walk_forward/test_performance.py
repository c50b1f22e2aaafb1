"""The plain figures, by hand-worked numbers, and what is not defined."""

import math

import numpy as np
import pytest
import trialgate.validation
from hypothesis import given
from hypothesis import strategies as st

from fractal_ops.walk_forward.statistics import (
    calmar_ratio,
    max_drawdown,
    mean_r,
    profit_factor,
    sharpe_ratio,
    sortino_ratio,
    win_rate,
)

RETURNS = [0.01, -0.02, 0.03, 0.0]


def test_sharpe_by_hand() -> None:
    # Mean 0.005; squared deviations .000025 + .000625 + .000625 + .000025 = .0013; / 3.
    assert sharpe_ratio(RETURNS) == pytest.approx(0.005 / math.sqrt(0.0013 / 3) * math.sqrt(365))


@given(st.lists(st.floats(-0.1, 0.1), min_size=2, max_size=50).filter(lambda r: np.ptp(r) > 1e-6))
def test_sharpe_equals_trialgate(returns: list[float]) -> None:
    theirs = trialgate.validation.sharpe_ratio(returns, periods_per_year=365)

    assert sharpe_ratio(returns) == pytest.approx(theirs, rel=1e-9, abs=1e-9)


def test_sortino_by_hand() -> None:
    # One loss of 0.02 in four days: the downside deviation is 0.02 / 2.
    assert sortino_ratio(RETURNS) == pytest.approx(0.005 / 0.01 * math.sqrt(365))


def test_drawdown_is_the_deepest_fall_from_a_peak() -> None:
    assert max_drawdown([100, 120, 90, 130, 110]) == pytest.approx(0.25)
    assert max_drawdown([100, 110, 120]) == 0.0


def test_calmar_by_hand() -> None:
    # 73 days are a fifth of a year: 1.1 ** 5 - 1, over a drawdown of 0.2.
    equity = np.full(74, 100.0)
    equity[1], equity[2], equity[-1] = 120.0, 96.0, 110.0
    equity[3:-1] = 100.0

    assert calmar_ratio(equity) == pytest.approx((1.1**5 - 1) / 0.2)


def test_calmar_of_a_ruin_is_minus_all_of_it() -> None:
    assert calmar_ratio([100.0, 50.0, -1.0]) == pytest.approx(-1.0 / 1.01)


def test_trade_figures_by_hand() -> None:
    profits = [30.0, -10.0, 0.0, -10.0]

    assert profit_factor(profits) == pytest.approx(1.5)
    assert win_rate(profits) == 0.25
    assert mean_r([2.0, -1.0, -1.0, 3.0]) == 0.75


def test_only_losses_make_a_profit_factor_of_zero() -> None:
    assert profit_factor([-1.0]) == 0.0


@pytest.mark.parametrize(
    ("figure", "values"),
    [
        (sharpe_ratio, []),
        (sharpe_ratio, [0.1]),
        (sharpe_ratio, [0.0, 0.0, 0.0]),
        (sharpe_ratio, [0.1, 0.1, 0.1]),
        (sortino_ratio, []),
        (sortino_ratio, [0.1, 0.0]),
        (max_drawdown, []),
        (calmar_ratio, []),
        (calmar_ratio, [100.0]),
        (calmar_ratio, [100.0, 101.0]),
        (profit_factor, []),
        (profit_factor, [1.0]),
        (win_rate, []),
        (mean_r, []),
    ],
)
def test_what_is_not_defined_is_nan(figure, values) -> None:
    assert math.isnan(figure(values))


@pytest.mark.parametrize("figure", [sharpe_ratio, sortino_ratio, max_drawdown, mean_r])
def test_a_value_that_is_no_number_is_refused_by_place(figure) -> None:
    with pytest.raises(ValueError, match=r"\[1\] is nan: give finite numbers"):
        figure([1.0, math.nan])


def test_a_matrix_is_refused() -> None:
    with pytest.raises(ValueError, match="one-dimensional"):
        sharpe_ratio([[1.0, 2.0]])


def test_equity_that_starts_at_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="starts at 0"):
        max_drawdown([0.0, 1.0])
