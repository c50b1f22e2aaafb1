"""Probabilistic Sharpe ratio and track length: published numbers, two libraries, properties.

The published numbers are those of D. H. Bailey and M. Lopez de Prado, "The Sharpe Ratio Efficient
Frontier", 2012 (SSRN 1821643, version of July 2012): the example of a two-year monthly track, and
the table of minimum track record lengths.
"""

import math

import numpy as np
import purgedcv
import pytest
import scipy.stats
import trialgate.validation
from hypothesis import assume, example, given
from hypothesis import strategies as st

from fractal_ops.walk_forward.statistics import (
    SharpeMoments,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
    sharpe_moments,
)

sharpes = st.floats(-0.5, 0.5)
returns_of_some_days = st.lists(st.floats(-0.2, 0.2), min_size=5, max_size=60)


def possible(sharpe: float, days: int, skewness: float, kurtosis: float) -> SharpeMoments:
    """Moments that some distribution has: kurtosis >= skewness ** 2 + 1."""
    return SharpeMoments(sharpe, days, skewness, skewness**2 + kurtosis)


moments = st.builds(
    possible, sharpes, st.integers(2, 3000), st.floats(-3, 3), st.floats(1.0001, 20)
)


class TestPublished:
    def test_psr_of_the_monthly_track_taken_as_normal(self) -> None:
        # Sharpe 0.458 a month over 24 months.
        assert round(probabilistic_sharpe_ratio(SharpeMoments(0.458, 24)), 3) == 0.982

    def test_psr_of_the_monthly_track_with_its_own_moments(self) -> None:
        moments = SharpeMoments(0.458, 24, skewness=-2.448, kurtosis=10.164)

        assert round(probabilistic_sharpe_ratio(moments), 3) == 0.913

    @pytest.mark.parametrize(
        ("per_year", "skewness", "kurtosis", "years"),
        [
            (252, 0.0, 3.0, 2.73),
            (52, 0.0, 3.0, 2.83),
            (12, 0.0, 3.0, 3.24),
            (12, -0.72, 5.78, 4.99),
        ],
    )
    def test_years_that_an_annual_sharpe_of_2_needs_against_1(
        self, per_year: int, skewness: float, kurtosis: float, years: float
    ) -> None:
        root = math.sqrt(per_year)
        moments = SharpeMoments(2 / root, 2, skewness, kurtosis)

        length = minimum_track_record_length(moments, benchmark=1 / root, confidence=0.95)

        assert round(length / per_year, 2) == years


class TestAgainstLibraries:
    @given(returns_of_some_days)
    def test_psr_from_returns_equals_trialgate(self, returns) -> None:
        assume(np.std(returns) > 1e-4)
        try:
            # Its deflated ratio of one trial is the probabilistic ratio against 0.
            theirs = trialgate.validation.deflated_sharpe_ratio(
                returns,
                trial_sharpes=[0.0],
                periods_per_year=365,
                effective_trials=1,
                autocorrelation="ignore",
            ).deflated_sharpe_ratio
        except trialgate.validation.ValidationInputError:
            assume(False)

        assert probabilistic_sharpe_ratio(sharpe_moments(returns)) == pytest.approx(
            theirs, abs=1e-9
        )

    @given(returns_of_some_days, st.floats(-0.3, 0.3))
    @example([0.0, 0.0, 0.0, 0.125, 0.125], 0.0)  # its corrected kurtosis is -1/3
    def test_psr_equals_purgedcv_given_its_moments(self, returns, benchmark) -> None:
        # purgedcv divides by the population deviation (ddof=0) and corrects skewness and kurtosis
        # for bias; the paper's g3 and g4 are plain, and its Sharpe estimate has no stated ddof.
        # With its moments the formula agrees.
        assume(np.std(returns) > 1e-4)
        try:
            theirs = purgedcv.probabilistic_sharpe_ratio(np.array(returns), benchmark)
        except ValueError:
            assume(False)
        kurtosis = float(scipy.stats.kurtosis(returns, bias=False, fisher=False))
        assume(kurtosis >= 1)  # its correction leaves what is possible on a few values
        moments = SharpeMoments(
            float(np.mean(returns) / np.std(returns)),
            len(returns),
            float(scipy.stats.skew(returns, bias=False)),
            kurtosis,
        )

        assert probabilistic_sharpe_ratio(moments, benchmark) == pytest.approx(theirs, abs=1e-9)

    @given(moments, sharpes, st.floats(0.51, 0.999))
    def test_track_length_equals_purgedcv_before_it_rounds_up(
        self, moments, benchmark, confidence
    ) -> None:
        assume(abs(moments.sharpe - benchmark) > 1e-3)
        theirs = purgedcv.min_track_record_length(
            moments.sharpe, benchmark, 1 - confidence, moments.skewness, moments.kurtosis
        )

        ours = minimum_track_record_length(moments, benchmark, confidence)

        # purgedcv gives whole observations: 1 + ceil(...).
        assert ours == theirs or theirs - 1 - 1e-6 * theirs <= ours <= theirs * (1 + 1e-9)

    def test_moments_are_scipys_population_moments(self) -> None:
        returns = np.random.default_rng(7).standard_t(4, 300) * 0.01

        moments = sharpe_moments(returns)

        assert moments.skewness == pytest.approx(scipy.stats.skew(returns), rel=1e-12)
        assert moments.kurtosis == pytest.approx(
            scipy.stats.kurtosis(returns, fisher=False), rel=1e-12
        )


class TestProperties:
    @given(st.floats(-3, 3), st.floats(1.01, 20), st.integers(2, 3000), sharpes, sharpes)
    def test_psr_against_zero_rises_with_the_sharpe(self, skewness, extra, days, one, two) -> None:
        low, high = (possible(sharpe, days, skewness, extra) for sharpe in sorted((one, two)))
        # The variance term may grow faster than the Sharpe: the estimate's slope in it is
        # positive while 1 - skewness * sharpe / 2 is.
        assume(all(1 - skewness * sharpe / 2 > 0 for sharpe in (one, two)))

        assert probabilistic_sharpe_ratio(low) <= probabilistic_sharpe_ratio(high) + 1e-12

    @given(moments, st.integers(1, 1000), sharpes)
    def test_psr_moves_away_from_a_half_with_days(self, moments, more, benchmark) -> None:
        longer = SharpeMoments(
            moments.sharpe, moments.observations + more, moments.skewness, moments.kurtosis
        )

        short = probabilistic_sharpe_ratio(moments, benchmark)
        long = probabilistic_sharpe_ratio(longer, benchmark)

        if moments.sharpe >= benchmark:
            assert long >= short - 1e-12
        else:
            assert long <= short + 1e-12

    @given(moments, sharpes, sharpes)
    def test_psr_falls_with_the_benchmark(self, moments, one, two) -> None:
        low, high = sorted((one, two))

        assert probabilistic_sharpe_ratio(moments, high) <= probabilistic_sharpe_ratio(moments, low)

    @given(moments, sharpes, st.floats(0.55, 0.99))
    def test_the_track_length_is_where_psr_reaches_the_confidence(
        self, moments, benchmark, confidence
    ) -> None:
        assume(moments.sharpe - benchmark > 1e-2)
        length = minimum_track_record_length(moments, benchmark, confidence)
        assume(length >= 3)

        for days, enough in ((math.ceil(length), True), (math.ceil(length) - 1, False)):
            track = SharpeMoments(moments.sharpe, days, moments.skewness, moments.kurtosis)
            reached = probabilistic_sharpe_ratio(track, benchmark) >= confidence - 1e-9
            assert reached is enough or abs(days - length) < 1e-6

    def test_psr_of_noise_is_uniform(self) -> None:
        # A p-value of a true null: 5 % of the noise passes 0.95, 50 % passes 0.5.
        rng = np.random.default_rng(11)
        psr = np.array(
            [
                probabilistic_sharpe_ratio(sharpe_moments(rng.standard_t(5, 365)))
                for _ in range(2000)
            ]
        )

        assert np.mean(psr >= 0.95) == pytest.approx(0.05, abs=0.015)
        assert np.mean(psr >= 0.5) == pytest.approx(0.5, abs=0.035)


def test_returns_of_two_values_have_the_least_kurtosis() -> None:
    returns = [0.03, -0.01] * 35

    assert sharpe_moments(returns).kurtosis == pytest.approx(1.0)


class TestUndefined:
    def test_no_trades_give_nan_throughout(self) -> None:
        moments = sharpe_moments(np.zeros(100))

        assert math.isnan(moments.sharpe)
        assert math.isnan(probabilistic_sharpe_ratio(moments))
        assert math.isnan(minimum_track_record_length(moments))

    def test_a_sharpe_below_the_benchmark_never_gets_there(self) -> None:
        assert minimum_track_record_length(SharpeMoments(0.1, 50), benchmark=0.1) == math.inf


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SharpeMoments(0.1, 1), "observations is 1: give 2 or more"),
        (lambda: SharpeMoments(0.1, 50, math.nan), "skewness is nan"),
        (lambda: SharpeMoments(0.1, 50, 0.0, 0.5), "kurtosis is 0.5"),
        (lambda: SharpeMoments(math.inf, 50), "sharpe is inf"),
        (lambda: SharpeMoments(1.0, 50, 3.0, 3.0), "variance term .* longer span"),
        (lambda: sharpe_moments([0.1]), "observations is 1"),
        (lambda: probabilistic_sharpe_ratio(SharpeMoments(0.1, 50), math.nan), "benchmark is nan"),
        (
            lambda: minimum_track_record_length(SharpeMoments(0.1, 50), confidence=1.0),
            "confidence is 1.0",
        ),
        (
            lambda: minimum_track_record_length(SharpeMoments(0.1, 50), confidence=0.4),
            "more than 0.5",
        ),
    ],
)
def test_bad_input_is_refused_with_the_remedy(make, message) -> None:
    with pytest.raises(ValueError, match=message):
        make()
