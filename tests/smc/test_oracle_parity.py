"""The kernels against the slow oracle: the same answers, compiled and as plain Python."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fractal_strategies import smc
from fractal_strategies.smc import SmcConfig
from tests.smc.conftest import KERNELS
from tests.smc.markets import (
    PROJECT_ROOT,
    SHORT,
    configs,
    markets,
    random_walk,
    real_candles,
    table,
)
from tests.smc.oracle import differences


def staircase(steps):
    """Rising stairs: each step pulls back by a candle, then breaks its high far above."""
    rows = []
    for k in range(steps):
        base = 100.0 + 20.0 * k
        rows += [
            (base, base + 4, base, base + 3),
            (base + 3, base + 6, base + 3, base + 5),  # swing high
            (base + 5, base + 5, base + 1, base + 2),  # the block
            (base + 2, base + 19, base + 2, base + 18),  # breaks the swing high
        ]
    return table(*rows)


class TestCompiled:
    @settings(max_examples=80, deadline=None)
    @given(market=markets(), config=configs())
    def test_random_markets_and_settings(self, market, config):
        assert differences(market, config) == []

    @pytest.mark.parametrize("tick", [0.5, 8.0, 64.0])
    @pytest.mark.parametrize("seed", range(4))
    def test_random_walks(self, seed, tick):
        # The coarser the tick, the more equal highs, flat candles and exact touches.
        walk = random_walk(600, seed, tick)
        assert differences(walk, SHORT) == []

    def test_default_settings(self):
        assert differences(random_walk(1_200, 42), SmcConfig()) == []

    def test_real_candles(self):
        candles = real_candles("BTC_USDT_USDT-1h")
        if candles is None:
            pytest.skip("the reference candles of ../shared/data are not here")
        assert differences(candles.tail(1_000).reset_index(drop=True), SmcConfig()) == []

    @pytest.mark.parametrize("reclaim", [0, 1, 40])
    def test_many_taken_levels_waiting_at_once(self, reclaim):
        config = SmcConfig(swing_width=1, atr_period=3, reclaim_bars=reclaim)
        assert differences(random_walk(500, 9), config) == []

    def test_an_expired_level_takes_no_part_in_a_new_pool(self):
        # Row 2 confirms 12 (known 1, age limit 2); row 5 confirms 11.9 when that is too old.
        market = table(
            (10, 11.00, 9, 10),
            (10, 12.00, 9, 10),  # swing high 12
            (10, 11.00, 9, 10),  # known here
            (10, 11.50, 9, 10),
            (10, 11.90, 9, 10),  # swing high 11.9
            (10, 11.00, 9, 10),  # known here, three bars later
        )
        config = SmcConfig(
            swing_width=1, atr_period=2, equal_tolerance_atr=10.0, liquidity_max_age_bars=2
        )
        assert differences(market, config) == []
        found = smc.detect_all(market, config).columns
        assert found["liquidity_high"].iloc[-1] == 11.9
        assert found["liquidity_high_touches"].iloc[-1] == 1


class TestUncompiled:
    """The same parity with the kernels as Python."""

    def test_the_list_of_kernels_is_whole(self):
        assert len(KERNELS) >= 11

    @pytest.mark.parametrize("seed", range(3))
    def test_random_walks(self, seed, uncompiled):
        assert differences(random_walk(500, seed, 8.0), SHORT) == []

    def test_default_settings(self, uncompiled):
        assert differences(random_walk(700, 7), SmcConfig()) == []

    def test_a_silent_market_that_wakes_up(self, uncompiled):
        silent = [(10, 10, 10, 10, 0)] * 60
        market = table(*silent, (10, 13, 10, 13, 5), (13, 13, 12, 12, 0), (12, 13, 12, 13, 1))
        assert differences(market, SHORT) == []

    def test_more_zones_than_are_followed(self, uncompiled):
        config = SmcConfig(swing_width=1, atr_period=2, ob_max_age_bars=5_000)
        assert differences(staircase(40), config) == []
        zones = smc.detect_all(staircase(40), config).order_blocks
        assert (zones.end_reason == smc.EndReason.CROWDED_OUT).any()

    def test_a_gap_that_expires_untouched_under_a_younger_one(self, uncompiled):
        market = table(
            (10, 11, 9, 10),
            (10, 14, 10, 14),
            (14, 15, 13, 14),  # gap 11..13
            (14, 18, 14, 18),
            (18, 19, 17, 18),  # gap 15..17
            (18, 19, 17.5, 18),  # the first is too old from here on
            (18, 18, 12, 16),  # fills the second, and would have touched the first
        )
        config = SmcConfig(swing_width=1, atr_period=1, fvg_max_age_bars=2)
        assert differences(market, config) == []
        assert smc.detect_all(market, config).fair_value_gaps.touched_row.tolist() == [-1, 6]

    def test_without_numba_at_all(self):
        # A fresh interpreter, as the switch is read when numba is imported.
        code = (
            "from tests.smc.markets import SHORT, random_walk\n"
            "from tests.smc.oracle import differences\n"
            "print(differences(random_walk(300, 3, 8.0), SHORT))"
        )
        ran = subprocess.run(  # noqa: S603  # our own interpreter and code
            [sys.executable, "-c", code],
            cwd=PROJECT_ROOT,
            env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ran.stdout.strip() == "[]", ran.stderr


class TestRollingMedian:
    @staticmethod
    def by_pandas(volume: np.ndarray, window: int) -> np.ndarray:
        usual = pd.Series(volume).rolling(window).median().shift(1).to_numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(np.isnan(usual), np.nan, volume / usual)

    @settings(max_examples=80, deadline=None)
    @given(
        volume=hnp.arrays(np.int8, st.integers(0, 60), elements=st.integers(0, 6)),
        window=st.integers(1, 12),
    )
    def test_equals_pandas_with_ties_and_zeros(self, volume, window):
        volume = volume.astype(float)
        got = self.kernel()(volume, window)
        assert np.array_equal(got, self.by_pandas(volume, window), equal_nan=True)

    @pytest.mark.parametrize("window", [1, 2, 3, 50, 51])
    def test_equals_pandas_on_real_looking_volumes(self, window):
        volume = random_walk(2_000, 4)["volume"].to_numpy()
        got = self.kernel()(volume, window)
        assert np.array_equal(got, self.by_pandas(volume, window), equal_nan=True)

    @staticmethod
    def kernel():
        return sys.modules["fractal_strategies.smc.displacement"].prior_median_ratio_nb
