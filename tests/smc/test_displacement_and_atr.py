"""Average true range, displacement and its volume ratio on small tables."""

import numpy as np
import pytest

from fractal_strategies.smc import Candles, average_true_range, displacement
from tests.smc.markets import random_walk, table
from tests.smc.oracle import Table, wilder_atr


class TestAverageTrueRange:
    @pytest.mark.parametrize("period", [1, 2, 14, 50])
    def test_is_wilders(self, period):
        walk = random_walk(300, 1)
        atr = average_true_range(Candles.from_frame(walk), period)
        np.testing.assert_allclose(atr, wilder_atr(Table(walk), period), rtol=1e-12)

    def test_counts_the_gap_from_the_close_before(self):
        frame = table(
            (10, 10, 10, 10),
            (20, 21, 19, 20),  # true range 11, from the close of 10
        )
        assert average_true_range(Candles.from_frame(frame), 1)[1] == 11

    @pytest.mark.parametrize("rows", [0, 1, 3])
    def test_is_unknown_with_no_more_rows_than_the_period(self, rows):
        atr = average_true_range(Candles.from_frame(random_walk(rows)), 3)
        assert atr.shape == (rows,)
        assert np.isnan(atr).all()

    def test_of_flat_candles_is_zero(self):
        frame = table(*[(10, 10, 10, 10, 0)] * 5)
        assert average_true_range(Candles.from_frame(frame), 2)[2:].tolist() == [0, 0, 0]


def impulse(*rows, atr=2.0, **settings):
    """Displacement with a fixed ATR, so that the table can be read without a calculator."""
    market = Candles.from_frame(table(*rows))
    settings = {"body_atr": 1.5, "volume_ratio": 1.5, "window": 3} | settings
    return displacement(market, np.full(len(market), atr), **settings)


QUIET = [(10, 11, 9, 10, 100)] * 3


class TestDisplacement:
    @pytest.mark.parametrize(
        ("candle", "expected"),
        [
            ((10, 13, 10, 13, 150), 1),  # body 1.5 ATR and 1.5 times the volume: both just so
            ((13, 13, 10, 10, 150), -1),  # the same downwards
            ((10, 13, 10, 12.9, 150), 0),  # body a little short
            ((10, 13, 10, 13, 149), 0),  # volume a little short
            ((10, 16, 4, 10, 900), 0),  # wicks are no body
        ],
    )
    def test_needs_body_and_volume(self, candle, expected):
        assert impulse(*QUIET, candle).displacement[3] == expected

    def test_a_ratio_of_zero_switches_the_volume_off(self):
        # Row 0 is in the median's warm-up, where the ratio is unknown.
        found = impulse((10, 13, 10, 13, 0), *QUIET, volume_ratio=0.0)
        assert found.displacement[0] == 1

    def test_is_unknown_in_the_warm_up_of_the_median(self):
        found = impulse((10, 13, 10, 13, 900), (10, 13, 10, 13, 900))
        assert not found.displacement.any()
        assert np.isnan(found.volume_ratio).all()

    def test_the_candle_does_not_raise_its_own_bar(self):
        found = impulse(*QUIET, (10, 13, 10, 13, 1_000))
        assert found.volume_ratio[3] == 10

    def test_without_an_atr_there_is_none(self):
        found = impulse(*QUIET, (10, 13, 10, 13, 150), atr=np.nan)
        assert not found.displacement.any()
        assert np.isnan(found.body_atr).all()

    def test_in_a_dead_market_a_body_is_zero_atr(self):
        found = impulse(*QUIET, (10, 10, 10, 10, 150), atr=0.0, body_atr=0.0)
        assert found.body_atr.tolist() == [0, 0, 0, 0]
        assert not found.displacement.any()

    def test_after_silence_any_trade_is_infinitely_loud_and_none_is_unknown(self):
        silent = [(10, 10, 10, 10, 0)] * 3
        assert impulse(*silent, (10, 13, 10, 13, 1)).volume_ratio[3] == np.inf
        assert impulse(*silent, (10, 13, 10, 13, 1)).displacement[3] == 1
        assert np.isnan(impulse(*silent, (10, 13, 10, 13, 0)).volume_ratio[3])
