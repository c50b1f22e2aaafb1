"""The deflated Sharpe ratio: published numbers, two libraries, properties.

The published numbers are those of D. H. Bailey and M. Lopez de Prado, "The Deflated Sharpe Ratio",
2014, section "A numerical example": an annualised Sharpe of 2.5 over 1250 days (250 a year), 100
trials whose annualised Sharpe ratios have variance 1/2, skewness -3, kurtosis 10.
"""

import math

import numpy as np
import purgedcv
import pytest
import trialgate.validation
from hypothesis import assume, given
from hypothesis import strategies as st

from fractal_ops.walk_forward.statistics import (
    SharpeMoments,
    deflate,
    deflated_sharpe_ratio,
    effective_trials,
    expected_maximum_sharpe,
    mean_correlation,
    probabilistic_sharpe_ratio,
    sharpe_moments,
)

TRACK = SharpeMoments(2.5 / math.sqrt(250), 1250, skewness=-3.0, kurtosis=10.0)
VARIANCE = 0.5 / 250
returns_of_some_days = st.lists(st.floats(-0.2, 0.2), min_size=5, max_size=60)


class TestPublished:
    def test_expected_maximum(self) -> None:
        assert round(expected_maximum_sharpe(100, VARIANCE), 4) == 0.1132

    def test_deflated_ratio(self) -> None:
        assert round(deflated_sharpe_ratio(TRACK, 100, VARIANCE), 4) == 0.9004

    def test_deflated_ratio_after_46_trials(self) -> None:
        assert round(deflated_sharpe_ratio(TRACK, 46, VARIANCE), 4) == 0.9505

    def test_deflated_ratio_after_88_trials_of_normal_returns(self) -> None:
        normal = SharpeMoments(TRACK.sharpe, TRACK.observations)

        assert round(deflated_sharpe_ratio(normal, 88, VARIANCE), 4) == 0.9505


class TestAgainstLibraries:
    @given(returns_of_some_days, st.lists(st.floats(-4, 4), min_size=2, max_size=50))
    def test_from_returns_equals_trialgate(self, returns, annual_sharpes) -> None:
        assume(np.std(returns) > 1e-4)
        try:
            theirs = trialgate.validation.deflated_sharpe_ratio(
                returns,
                trial_sharpes=annual_sharpes,
                periods_per_year=365,
                effective_trials=len(annual_sharpes),
                autocorrelation="ignore",
            )
        except trialgate.validation.ValidationInputError:
            assume(False)
        # trialgate takes the population variance of the trials; `deflate` the sample variance
        # (as purgedcv's recorder does), which is larger, so stricter. Given one, both agree.
        variance = float(np.var(annual_sharpes)) / 365

        ours = deflated_sharpe_ratio(sharpe_moments(returns), len(annual_sharpes), variance)

        assert ours == pytest.approx(theirs.deflated_sharpe_ratio, abs=1e-9)

    @given(returns_of_some_days, st.one_of(st.just(1), st.integers(2, 100_000)), st.floats(0, 0.1))
    def test_the_benchmark_equals_purgedcv(self, returns, trials, variance) -> None:
        assume(np.std(returns) > 1e-4)
        try:
            theirs = purgedcv.deflated_sharpe_ratio_full(np.array(returns), trials, variance)
        except ValueError:
            assume(False)
        assume(theirs.kurt >= 1)  # its bias correction leaves what is possible on a few values
        moments = SharpeMoments(theirs.observed_sr, theirs.n_obs, theirs.skew, theirs.kurt)

        assert expected_maximum_sharpe(trials, variance) == pytest.approx(theirs.sr_star, abs=1e-9)
        assert deflated_sharpe_ratio(moments, trials, variance) == pytest.approx(
            theirs.dsr, abs=1e-9
        )


class TestProperties:
    @given(st.floats(-0.3, 0.3), st.integers(2, 2000), st.floats(1, 1e5), st.floats(0, 0.1))
    def test_deflating_never_helps(self, sharpe, days, trials, variance) -> None:
        moments = SharpeMoments(sharpe, days)

        assert deflated_sharpe_ratio(moments, trials, variance) <= probabilistic_sharpe_ratio(
            moments
        )

    @given(st.floats(1, 1e5), st.floats(1, 1e5), st.floats(0, 0.1))
    def test_more_trials_find_more(self, one, two, variance) -> None:
        few, many = sorted((one, two))

        assert expected_maximum_sharpe(few, variance) <= expected_maximum_sharpe(many, variance) * (
            1 + 1e-12
        )

    @pytest.mark.parametrize("trials", [10, 100, 500])
    def test_the_best_of_noise_is_what_the_theorem_says(self, trials: int) -> None:
        draws = np.random.default_rng(5).standard_normal((20_000, trials)).max(axis=1)

        assert expected_maximum_sharpe(trials, 1.0) == pytest.approx(draws.mean(), rel=0.02)

    def test_the_best_of_500_noise_trials_is_deflated_to_a_coin_toss(self) -> None:
        rng = np.random.default_rng(3)
        ratios = []
        for _ in range(40):
            trials = rng.normal(0.0, 0.01, (365, 500))
            sharpes = trials.mean(axis=0) / trials.std(axis=0, ddof=1)
            best = int(sharpes.argmax())
            assert sharpes[best] * math.sqrt(365) > 2
            moments = sharpe_moments(trials[:, best])
            assert probabilistic_sharpe_ratio(moments) > 0.95
            ratios.append(deflate(moments, sharpes).ratio)

        assert np.mean(ratios) == pytest.approx(0.5, abs=0.1)


class TestDeflate:
    def test_the_record_holds_true_and_effective_numbers_side_by_side(self) -> None:
        sharpes = [0.01, 0.05, 0.03, 0.09]

        result = deflate(TRACK, sharpes, correlation=0.5)

        assert result.trials == 4
        assert result.variance == pytest.approx(np.var(sharpes, ddof=1))
        assert result.effective_trials == pytest.approx(0.5 + 0.5 * 4)
        assert result.ratio == deflated_sharpe_ratio(TRACK, 4, result.variance)
        assert result.ratio < result.effective_ratio <= probabilistic_sharpe_ratio(TRACK)

    def test_a_trial_without_a_sharpe_counts_but_has_no_spread(self) -> None:
        result = deflate(TRACK, [0.01, math.nan, 0.05])

        assert result.trials == 3
        assert result.variance == pytest.approx(np.var([0.01, 0.05], ddof=1))
        assert math.isnan(result.effective_ratio)

    def test_one_trial_is_the_probabilistic_ratio(self) -> None:
        assert deflate(TRACK, [0.1]).ratio == probabilistic_sharpe_ratio(TRACK)

    def test_an_undefined_sharpe_stays_undefined(self) -> None:
        assert math.isnan(deflate(sharpe_moments(np.zeros(50)), [0.1, 0.2]).ratio)

    @pytest.mark.parametrize(
        ("sharpes", "message"),
        [
            ([], "one Sharpe per trial"),
            ([[0.1]], "one Sharpe per trial"),
            ([0.1, math.inf], "infinite"),
            ([0.1, math.nan], "of 2 trials 1 have a Sharpe ratio"),
        ],
    )
    def test_trials_that_say_nothing_are_refused(self, sharpes, message) -> None:
        with pytest.raises(ValueError, match=message):
            deflate(TRACK, sharpes)

    @pytest.mark.parametrize(("trials", "variance"), [(0, 0.1), (2, -0.1), (math.inf, 0.1)])
    def test_impossible_numbers_are_refused(self, trials, variance) -> None:
        with pytest.raises(ValueError, match=r"trials|variance"):
            expected_maximum_sharpe(trials, variance)


class TestEffectiveTrials:
    def test_equal_trials_are_one_and_unrelated_trials_are_all(self) -> None:
        assert effective_trials(500, 1.0) == 1.0
        assert effective_trials(500, 0.0) == 500.0
        assert effective_trials(500, -0.1) == 500.0
        assert math.isnan(effective_trials(500, math.nan))

    @pytest.mark.parametrize(("trials", "correlation"), [(0, 0.5), (5, 1.5)])
    def test_impossible_numbers_are_refused(self, trials, correlation) -> None:
        with pytest.raises(ValueError, match="give"):
            effective_trials(trials, correlation)

    @given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.floats(0, 1))
    def test_mean_correlation_equals_numpys_matrix(self, seed, trials, shared) -> None:
        rng = np.random.default_rng(seed)
        common = rng.normal(size=(60, 1))
        returns = shared * common + (1.01 - shared) * rng.normal(size=(60, trials))
        pairs = np.corrcoef(returns.T)[np.triu_indices(trials, 1)]

        assert mean_correlation(returns) == pytest.approx(pairs.mean(), abs=1e-9)

    def test_trials_without_trades_are_left_out(self) -> None:
        rng = np.random.default_rng(1)
        returns = rng.normal(size=(50, 3))
        with_idle = np.column_stack([np.zeros(50), returns])

        assert mean_correlation(with_idle) == pytest.approx(mean_correlation(returns))
        assert math.isnan(mean_correlation(with_idle[:, :2]))
        assert math.isnan(mean_correlation(np.empty((0, 3))))
