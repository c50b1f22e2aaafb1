"""Reshuffled trades: what changes with the order, and what does not."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fractal_ops.walk_forward.statistics import max_drawdown, shuffled_drawdowns
from fractal_ops.walk_forward.statistics.shuffle import equity_paths, orders

trades = st.lists(st.floats(-0.3, 0.3), min_size=1, max_size=30)


@given(trades, st.booleans(), st.integers(0, 2**32 - 1))
def test_every_order_ends_at_the_same_equity(values, compounding, seed) -> None:
    drawn = orders(np.array(values), 20, np.random.default_rng(seed))

    finals = equity_paths(drawn, compounding)[:, -1]

    expected = np.prod(1 + np.array(values)) if compounding else 1 + sum(values)
    assert np.sort(drawn, axis=1).tolist() == [sorted(values)] * 20
    assert finals == pytest.approx(np.full(20, expected), abs=1e-9)


@given(trades)
def test_the_observed_drawdown_is_the_equity_curves(values) -> None:
    result = shuffled_drawdowns(values, np.random.default_rng(0), shuffles=5)

    curve = np.concatenate(([1.0], np.cumprod(1 + np.array(values))))
    assert result.observed == pytest.approx(max_drawdown(curve), abs=1e-12)
    assert result.final_equity == pytest.approx(curve[-1])


@pytest.mark.parametrize("compounding", [True, False])
def test_percentiles_are_those_of_allorders(compounding: bool) -> None:
    values = [0.1, -0.05, -0.2, 0.3, -0.1]
    depths = [
        max_drawdown(equity_paths(np.array([order]), compounding)[0])
        for order in permutations(values)
    ]

    result = shuffled_drawdowns(
        values, np.random.default_rng(1), shuffles=40_000, compounding=compounding
    )

    # Some depths are shared by many of the 120 orders, so a percentile is a step: the share of
    # orders below it and up to it must lie around the percentile.
    for percentile, depth in result.percentiles.items():
        assert np.mean(np.array(depths) < depth - 1e-9) <= percentile / 100 + 0.01
        assert np.mean(np.array(depths) <= depth + 1e-9) >= percentile / 100 - 0.01
    as_deep = np.mean(np.array(depths) >= result.observed - 1e-12)
    assert result.share_as_deep == pytest.approx(as_deep, abs=0.01)


def test_without_compounding_profits_are_added() -> None:
    result = shuffled_drawdowns(
        [0.5, -0.5], np.random.default_rng(2), shuffles=10, compounding=False
    )

    assert result.final_equity == 1.0
    assert result.observed == pytest.approx(0.5 / 1.5)


def test_clustered_losses_stand_out() -> None:
    values = [0.02] * 60 + [-0.02] * 30

    result = shuffled_drawdowns(values, np.random.default_rng(3), shuffles=2000)

    assert result.share_as_deep < 0.01
    assert result.percentiles[99] < result.observed


def test_winners_only_have_no_drawdown_in_any_order() -> None:
    result = shuffled_drawdowns([0.1, 0.2], np.random.default_rng(4), shuffles=10)

    assert set(result.percentiles.values()) == {0.0}
    assert result.share_as_deep == 1.0


def test_one_seed_gives_one_distribution() -> None:
    values = np.random.default_rng(5).normal(0, 0.01, 50)

    one, other = (shuffled_drawdowns(values, np.random.default_rng(6)) for _ in range(2))

    assert one == other


def test_no_trades_give_nan() -> None:
    result = shuffled_drawdowns([], np.random.default_rng(7))

    assert math.isnan(result.observed)
    assert all(math.isnan(depth) for depth in result.percentiles.values())


@pytest.mark.parametrize(
    ("values", "shuffles", "message"),
    [
        ([-1.0], 10, "all equity or more: give profit over equity"),
        ([0.1], 0, "shuffles is 0"),
        ([math.nan], 10, r"trade_returns\[0\] is nan"),
    ],
)
def test_bad_input_is_refused_with_the_remedy(values, shuffles, message) -> None:
    with pytest.raises(ValueError, match=message):
        shuffled_drawdowns(values, np.random.default_rng(8), shuffles=shuffles)
