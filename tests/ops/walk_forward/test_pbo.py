"""Probability of backtest overfitting: an oracle, two libraries, and searches of known worth."""

import math
import time
from itertools import combinations

import numpy as np
import purgedcv
import pytest
import scipy.stats
import trialgate.validation
from hypothesis import given, settings
from hypothesis import strategies as st

from fractal_ops.walk_forward.statistics import backtest_overfitting


def slow_pbo(returns: np.ndarray, blocks: int) -> tuple[list[float], list[float], list[float]]:
    """Slices instead of sums, one combination after the other: ranks, in- and out-of-sample."""
    parts = np.array_split(np.arange(len(returns)), blocks)
    ranks, inside, outside = [], [], []
    for chosen in combinations(range(blocks), blocks // 2):
        rows = np.concatenate([parts[block] for block in chosen])
        others = np.setdiff1d(np.arange(len(returns)), rows)
        scores_in, scores_out = (sharpe(returns[part]) for part in (rows, others))
        best = np.flatnonzero(np.isclose(scores_in, scores_in.max(), rtol=0, atol=1e-10))
        rounded = np.round(scores_out, 9)
        ranks.append(scipy.stats.rankdata(rounded)[best].mean())
        inside.append(scores_in.max())
        outside.append(scores_out[best].mean())
    return ranks, inside, outside


def sharpe(returns: np.ndarray) -> np.ndarray:
    flat = np.ptp(returns, axis=0) == 0
    return np.where(
        flat, 0.0, returns.mean(axis=0) / np.where(flat, 1, returns.std(axis=0, ddof=1))
    )


def sparse(rng: np.random.Generator, days: int, trials: int) -> np.ndarray:
    """Few days with trades, some trials without any, some trials twice: what a search is like."""
    returns = np.where(
        rng.random((days, trials)) < 0.7, 0.0, rng.normal(-0.002, 0.01, (days, trials))
    )
    returns[:, 0] = 0.0
    returns[:, 1] = 0.0
    returns[:, 2] = returns[:, 3]
    return returns


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from([2, 4, 6]), st.integers(13, 60), st.integers(4, 9)
)
def test_sums_of_blocks_equal_slices_with_ties_and_idle_trials(seed, blocks, days, trials) -> None:
    returns = sparse(np.random.default_rng(seed), days, trials)

    result = backtest_overfitting(returns, blocks)

    ranks, inside, outside = slow_pbo(returns, blocks)
    relative = np.array(ranks) / (trials + 1)
    np.testing.assert_allclose(result.logits, np.log(relative / (1 - relative)), atol=1e-9)
    np.testing.assert_allclose(result.in_sample, inside, atol=1e-9)
    np.testing.assert_allclose(result.out_of_sample, outside, atol=1e-9)
    below = np.mean(relative < 0.5 - 1e-12) + np.mean(np.abs(relative - 0.5) <= 1e-12) / 2
    assert result.pbo == pytest.approx(below)
    assert result.loss_probability == np.mean(np.array(outside) < 0)


@pytest.mark.parametrize("trials", [2, 10, 25])
def test_noise_equals_purgedcv(trials: int) -> None:
    returns = np.random.default_rng(trials).normal(0.001, 0.01, (163, trials))

    ours = backtest_overfitting(returns, 8)
    theirs = purgedcv.probability_of_backtest_overfitting(returns.T, 8)

    # purgedcv walks the out-of-sample halves in order, we the in-sample ones: the same
    # combinations backwards.
    np.testing.assert_allclose(ours.logits[::-1], theirs.logits, atol=1e-9)
    pairs = np.column_stack([ours.in_sample, ours.out_of_sample])[::-1]
    np.testing.assert_allclose(pairs, theirs.is_oos_performance, atol=1e-9)
    assert ours.slope == pytest.approx(theirs.slope, abs=1e-9)
    # At the median (an odd number of trials) purgedcv counts nothing, we count half.
    assert ours.pbo == pytest.approx(theirs.pbo + np.mean(np.abs(theirs.logits) < 1e-12) / 2)


@pytest.mark.parametrize("trials", [2, 10, 24])
def test_noise_equals_trialgate(trials: int) -> None:
    # Its blocks are equal: 160 days. At the median it counts in full, so the number is even here.
    returns = np.random.default_rng(trials).normal(0.001, 0.01, (160, trials))

    theirs = trialgate.validation.probability_of_backtest_overfitting(
        returns.tolist(), block_count=8
    )

    assert backtest_overfitting(returns, 8).pbo == pytest.approx(theirs.pbo, abs=1e-9)


def test_noise_is_overfit_half_of_the_time() -> None:
    rng = np.random.default_rng(2)

    pbo = [backtest_overfitting(rng.normal(0, 0.01, (365, 20)), 10).pbo for _ in range(150)]

    # One search's PBO is far from 0.5 (its combinations overlap); their mean is near it.
    assert np.mean(pbo) == pytest.approx(0.5, abs=3 * np.std(pbo) / math.sqrt(150))


def test_a_dominating_trial_is_not_overfit() -> None:
    returns = np.random.default_rng(4).normal(0, 0.01, (365, 30))
    returns[:, 17] += 0.006

    result = backtest_overfitting(returns)

    assert result.pbo < 0.001
    assert result.loss_probability < 0.001


def test_trials_that_earn_only_in_one_half_are_overfit() -> None:
    # Each trial earns in its own block and loses in all others: the best is always the worst.
    returns = np.random.default_rng(6).normal(-0.0005, 0.001, (160, 16))
    for trial in range(16):
        returns[trial * 10 : trial * 10 + 10, trial] += 0.02

    result = backtest_overfitting(returns)

    assert result.pbo > 0.95
    assert result.slope < 0


def test_equal_trials_are_a_coin_toss() -> None:
    column = np.random.default_rng(8).normal(0, 0.01, (64, 1))

    assert backtest_overfitting(np.repeat(column, 7, axis=1), 4).pbo == 0.5


def test_a_search_without_trades_is_a_coin_toss_without_a_slope() -> None:
    result = backtest_overfitting(np.zeros((64, 5)), 4)

    assert result.pbo == 0.5
    assert math.isnan(result.slope)
    assert result.loss_probability == 0.0


def test_a_constant_trial_has_a_sharpe_of_zero() -> None:
    returns = np.column_stack([np.full(64, 0.1), np.random.default_rng(1).normal(-0.01, 0.01, 64)])

    result = backtest_overfitting(returns, 4)

    assert result.in_sample.max() == 0.0


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100))
def test_the_unit_of_returns_does_not_matter(seed: int, unit: float) -> None:
    returns = sparse(np.random.default_rng(seed), 40, 6)

    one, other = (backtest_overfitting(returns * factor, 4) for factor in (1.0, unit))

    np.testing.assert_allclose(one.logits, other.logits, atol=1e-9)
    np.testing.assert_allclose(one.in_sample, other.in_sample, atol=1e-9)


def test_16_blocks_of_500_trials_take_seconds() -> None:
    returns = np.random.default_rng(0).normal(0, 0.01, (365, 500))
    started = time.perf_counter()

    result = backtest_overfitting(returns)

    assert len(result.logits) == 12_870
    assert (result.trials, result.days, result.blocks) == (500, 365, 16)
    assert time.perf_counter() - started < 10  # 0.2 s on two idle cores


@pytest.mark.parametrize(
    ("shape", "blocks", "message"),
    [
        ((50, 1), 4, "returns has 1 trial"),
        ((50, 3), 5, "blocks is 5: give an even number"),
        ((50, 3), 0, "blocks is 0"),
        ((50, 3), 22, "from 2 to 20"),
        ((10, 3), 16, "10 days for 16 blocks"),
        ((3, 3), 2, "3 days for 2 blocks"),
        ((50,), 4, "days as rows, trials as columns"),
    ],
)
def test_what_cannot_be_split_is_refused(shape, blocks, message) -> None:
    with pytest.raises(ValueError, match=message):
        backtest_overfitting(np.zeros(shape), blocks)


def test_a_value_that_is_no_number_is_refused_by_place() -> None:
    returns = np.zeros((20, 3))
    returns[4, 2] = np.nan

    with pytest.raises(ValueError, match=r"returns\[4, 2\] is nan"):
        backtest_overfitting(returns, 4)
