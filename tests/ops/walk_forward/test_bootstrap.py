"""Stationary bootstrap: its rows, its block length, and intervals that cover what they promise."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import example, given
from hypothesis import strategies as st

from fractal_ops.walk_forward.statistics import (
    block_length,
    mean_r_interval,
    resample_rows,
    sharpe_interval,
    sharpe_ratio,
)


def autoregressive(rng: np.random.Generator, n: int, rho: float) -> np.ndarray:
    noise = rng.normal(size=n + 200)
    for row in range(1, len(noise)):
        noise[row] += rho * noise[row - 1]
    return noise[200:]


class TestRows:
    @given(st.integers(1, 40), st.floats(1, 20), st.integers(0, 2**32 - 1))
    def test_rows_are_of_the_series(self, n: int, mean_block: float, seed: int) -> None:
        rows = resample_rows(n, mean_block, 5, np.random.default_rng(seed))

        assert rows.shape == (5, n)
        assert rows.min() >= 0
        assert rows.max() < n

    def test_blocks_have_the_mean_length_and_run_around_the_end(self) -> None:
        rows = resample_rows(1000, 8.0, 200, np.random.default_rng(1))

        goes_on = np.mean((rows[:, 1:] - rows[:, :-1]) % 1000 == 1)
        around = np.any((rows[:, 1:] == 0) & (rows[:, :-1] == 999))

        # A new block also follows its predecessor by chance, once in a thousand.
        assert goes_on == pytest.approx(1 - 1 / 8 + 1 / 8000, abs=0.003)
        assert around

    def test_every_row_is_drawn_alike(self) -> None:
        rows = resample_rows(50, 5.0, 20_000, np.random.default_rng(2))

        assert np.bincount(rows.ravel()) / 20_000 == pytest.approx(np.ones(50), abs=0.06)


class TestBlockLength:
    @pytest.mark.parametrize("rho", [0.3, 0.6, -0.4])
    def test_it_tends_to_the_known_optimum_of_an_autoregression(self, rho: float) -> None:
        # With R(k) = rho ** k: (2 rho / (1 - rho ** 2)) ** (2/3) n ** (1/3), by Politis and
        # White's formula (corrected) for the stationary bootstrap.
        rng = np.random.default_rng(3)
        n = 20_000
        optimum = abs(2 * rho / (1 - rho**2)) ** (2 / 3) * n ** (1 / 3)

        lengths = [block_length(autoregressive(rng, n, rho)) for _ in range(10)]

        assert np.mean(lengths) == pytest.approx(optimum, rel=0.12)

    def test_independent_values_want_short_blocks(self) -> None:
        rng = np.random.default_rng(4)

        assert np.median([block_length(rng.normal(size=365)) for _ in range(50)]) < 4

    @pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0] * 4, [5.0] * 100])
    def test_too_few_or_equal_values_are_drawn_one_by_one(self, values) -> None:
        assert block_length(values) == 1.0

    def test_a_random_walk_gets_long_blocks(self) -> None:
        values = np.cumsum(np.random.default_rng(25).normal(size=300))

        assert block_length(values) > 20

    @given(st.lists(st.floats(-1, 1), min_size=9, max_size=80))
    @example([0.0] * 8 + [5.5e-179])  # its squares vanish
    def test_it_stays_within_its_bounds(self, values: list[float]) -> None:
        n = len(values)

        assert 1.0 <= block_length(values) <= min(3 * math.sqrt(n), n / 3)

    def test_the_unit_does_not_matter(self) -> None:
        values = autoregressive(np.random.default_rng(5), 200, 0.5)

        assert block_length(values * 1e-4) == pytest.approx(block_length(values))


class TestIntervals:
    @pytest.mark.parametrize("method", ["percentile", "bca"])
    def test_mean_of_independent_values_equals_scipys(self, method) -> None:
        values = np.random.default_rng(6).exponential(size=80) - 0.5
        theirs = scipy.stats.bootstrap(
            (values,), np.mean, n_resamples=20_000, method=method, rng=np.random.default_rng(7)
        ).confidence_interval

        ours = mean_r_interval(
            values, np.random.default_rng(8), resamples=20_000, mean_block=1.0, method=method
        )

        # Two samples of 20,000 resamples.
        assert ours.low == pytest.approx(theirs.low, abs=0.01)
        assert ours.high == pytest.approx(theirs.high, abs=0.01)

    def test_trades_of_known_edge_are_covered_95_percent_of_the_time(self) -> None:
        # 35 % win 3R, the rest lose 1R: mean 0.4 R, skewed; 60 trades.
        rng = np.random.default_rng(9)
        covered = 0
        for _ in range(400):
            trades = np.where(rng.random(60) < 0.35, 3.0, -1.0)
            interval = mean_r_interval(trades, rng, resamples=500, mean_block=1.0)
            covered += interval.low <= 0.4 <= interval.high

        assert covered / 400 == pytest.approx(0.95, abs=0.03)

    def test_sharpe_of_normal_days_is_covered_95_percent_of_the_time(self) -> None:
        rng = np.random.default_rng(10)
        true = 0.1 * math.sqrt(365)
        covered = 0
        for _ in range(400):
            interval = sharpe_interval(rng.normal(0.1, 1.0, 365), rng, resamples=400)
            covered += interval.low <= true <= interval.high

        assert covered / 400 == pytest.approx(0.95, abs=0.03)

    def test_dependent_values_get_the_wider_interval_they_need(self) -> None:
        rng = np.random.default_rng(11)
        blocks, singles = 0, 0
        for _ in range(200):
            values = autoregressive(rng, 400, 0.5)
            own = mean_r_interval(values, rng, resamples=300, method="percentile")
            one = mean_r_interval(values, rng, resamples=300, method="percentile", mean_block=1.0)
            blocks += own.low <= 0 <= own.high
            singles += one.low <= 0 <= one.high

        assert blocks / 200 > 0.88
        assert singles / 200 < 0.80

    def test_the_share_of_losing_resamples_is_the_p_value_of_the_mean(self) -> None:
        values = np.random.default_rng(12).normal(0.15, 1.0, 100)

        interval = mean_r_interval(values, np.random.default_rng(13), mean_block=1.0)

        expected = scipy.stats.norm.cdf(-values.mean() / (values.std() / 10))
        assert interval.share_not_positive == pytest.approx(expected, abs=0.01)

    def test_one_seed_gives_one_interval(self) -> None:
        values = np.random.default_rng(14).normal(size=50)

        one, other = (mean_r_interval(values, np.random.default_rng(15)) for _ in range(2))

        assert one == other

    def test_pieces_of_work_make_no_difference_to_what_is_estimated(self, monkeypatch) -> None:
        values = np.random.default_rng(16).normal(size=200)
        whole = sharpe_interval(values, np.random.default_rng(17))
        monkeypatch.setattr("fractal_ops.walk_forward.statistics._checks.CHUNK_CELLS", 10_000)

        pieces = sharpe_interval(values, np.random.default_rng(17))

        assert pieces.resamples == whole.resamples == 10_000
        assert pieces.low == pytest.approx(whole.low, abs=0.15)

    def test_the_estimate_is_the_reported_sharpe(self) -> None:
        values = np.random.default_rng(18).normal(size=100)

        interval = sharpe_interval(values, np.random.default_rng(19), resamples=100)

        assert interval.estimate == pytest.approx(sharpe_ratio(values))

    @pytest.mark.parametrize("values", [[], [0.5]])
    def test_too_few_trades_have_no_interval(self, values) -> None:
        interval = mean_r_interval(values, np.random.default_rng(20))

        assert all(map(math.isnan, (interval.estimate, interval.low, interval.high)))
        assert math.isnan(interval.share_not_positive)

    def test_days_without_trades_have_no_interval(self) -> None:
        assert math.isnan(sharpe_interval(np.zeros(60), np.random.default_rng(21)).low)

    def test_equal_trades_have_an_interval_of_no_width(self) -> None:
        interval = mean_r_interval([0.5] * 20, np.random.default_rng(22))

        assert interval.low == interval.high == 0.5

    def test_one_trading_day_among_many_is_not_sure(self) -> None:
        days = np.zeros(100)
        days[40] = 0.01

        interval = sharpe_interval(days, np.random.default_rng(23), mean_block=1.0)

        assert interval.low == 0.0
        assert interval.share_not_positive == pytest.approx(math.exp(-1), abs=0.03)

    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ({"confidence": 1.0}, "confidence is 1.0"),
            ({"resamples": 10}, "resamples is 10: give 100 or more"),
            ({"mean_block": 0.5}, "mean_block is 0.5"),
            ({"mean_block": math.inf}, "mean_block is inf"),
            ({"method": "basic"}, "method is 'basic': give one of percentile, bca"),
        ],
    )
    def test_settings_out_of_range_are_refused(self, setting, message) -> None:
        with pytest.raises(ValueError, match=message):
            mean_r_interval([1.0, 2.0], np.random.default_rng(24), **setting)
