"""Swings, structure and premium/discount on small tables."""

import numpy as np
import pytest

from fractal_strategies.smc import Candles, premium_discount, structure, swings
from tests.smc.markets import table

NAN = np.nan


def candles(*rows):
    return Candles.from_frame(table(*rows))


def flat_but(highs=(), lows=()):
    """Candles of open = close = 10 with the highs (or lows) given."""
    if highs:
        return candles(*[(10, high, 10, 10) for high in highs])
    return candles(*[(10, 10, low, 10) for low in lows])


class TestSwings:
    def test_is_stamped_on_the_candle_that_confirms_it(self):
        found = swings(flat_but(highs=[11, 12, 15, 12, 11, 11]), width=2)
        #                              0   1   2*  3   4^  5    (* swing, ^ known)
        assert np.array_equal(found.swing_high, [NAN] * 4 + [15, NAN], equal_nan=True)
        assert np.array_equal(found.last_swing_high, [NAN] * 4 + [15, 15], equal_nan=True)

    def test_of_equal_highs_the_first_counts(self):
        found = swings(flat_but(highs=[11, 15, 15, 11, 11]), width=1)
        assert np.array_equal(found.swing_high, [NAN, NAN, 15, NAN, NAN], equal_nan=True)

    def test_a_plateau_of_lows_makes_one_swing(self):
        found = swings(flat_but(lows=[9, 5, 5, 5, 5, 9]), width=1)
        assert np.array_equal(found.swing_low, [NAN, NAN, 5, NAN, NAN, NAN], equal_nan=True)

    def test_a_high_equal_to_one_before_it_is_no_swing(self):
        found = swings(flat_but(highs=[15, 11, 15, 11, 11]), width=2)
        assert np.isnan(found.swing_high).all()

    def test_needs_width_candles_on_both_sides(self):
        # The highest candle is the second (or last but one): one short of two neighbours.
        assert np.isnan(swings(flat_but(highs=[11, 15, 12, 11, 11]), width=2).swing_high).all()
        assert np.isnan(swings(flat_but(highs=[11, 11, 12, 15, 11]), width=2).swing_high).all()

    def test_one_candle_can_be_both_high_and_low(self):
        found = swings(candles((10, 11, 9, 10), (10, 15, 5, 10), (10, 11, 9, 10)), width=1)
        assert (found.swing_high[2], found.swing_low[2]) == (15, 5)

    def test_flat_candles_make_none(self):
        found = swings(candles(*[(10, 10, 10, 10, 0)] * 9), width=1)
        assert all(np.isnan(column).all() for column in found)


# A market whose swing high of 15 (row 1, known in row 2) is then approached.
RISING = [
    (10, 11, 9, 10),
    (10, 15, 10, 12),  # swing high 15
    (12, 13, 11, 12),  # known here
]


class TestStructure:
    @staticmethod
    def of(*rows, width=1):
        market = candles(*rows)
        return structure(market, swings(market, width), width)

    def test_a_close_above_the_swing_high_breaks_it_on_that_candle(self):
        found = self.of(*RISING, (12, 16, 12, 15.5))
        assert found.bos.tolist() == [0, 0, 0, 1]
        assert found.broken_level[3] == 15
        assert found.broken_bars_ago.tolist() == [-1, -1, -1, 2]
        assert found.trend.tolist() == [0, 0, 0, 1]

    def test_a_wick_does_not_break(self):
        assert not self.of(*RISING, (12, 16, 12, 14.5)).bos.any()

    def test_a_close_exactly_at_the_level_does_not_break(self):
        assert not self.of(*RISING, (12, 16, 12, 15)).bos.any()

    def test_a_level_breaks_once(self):
        found = self.of(
            *RISING,
            (12, 16, 12, 15.5),  # breaks 15
            (15.5, 16, 14, 14.5),  # back below
            (14.5, 16, 14.5, 15.5),  # above 15 again: nothing left to break
        )
        assert found.bos.tolist() == [0, 0, 0, 1, 0, 0]

    def test_with_the_trend_is_bos_and_against_it_choch(self):
        found = self.of(
            *RISING,
            (12, 16, 12, 15.5),  # BOS up: starts the trend
            (15.5, 17, 14, 16),  # swing high 17
            (16, 16.5, 13, 14),  # known here; swing low 13
            (14, 18, 14, 17.5),  # BOS up through 17
            (17.5, 17.6, 12, 12.5),  # closes below 13: CHoCH down
        )
        assert found.bos.tolist() == [0, 0, 0, 1, 0, 0, 1, 0]
        assert found.choch.tolist() == [0, 0, 0, 0, 0, 0, 0, -1]
        assert found.trend.tolist() == [0, 0, 0, 1, 1, 1, 1, -1]
        assert found.broken_level[7] == 13

    def test_the_first_break_can_be_no_choch(self):
        found = self.of((10, 11, 9, 10), (10, 11, 7, 10), (10, 11, 9, 10), (10, 11, 6, 6.5))
        assert found.bos.tolist() == [0, 0, 0, -1]
        assert not found.choch.any()

    def test_an_older_level_is_forgotten_for_a_newer_one(self):
        found = self.of(
            *RISING,
            (12, 14, 11, 12),  # swing high 14, lower than 15
            (12, 13, 11, 12),  # known here: now the level to break
            (12, 14.6, 12, 14.5),  # between the two
        )
        assert found.broken_level[5] == 14


class TestPremiumDiscount:
    def test_places_the_close_between_the_newest_swings(self):
        market = candles(
            (10, 11, 9, 10),
            (10, 12, 8, 10),  # swing high 12 and swing low 8
            (10, 11, 9, 10),  # equilibrium
            (10, 11, 9, 9),  # discount
            (9, 12, 9, 12),  # the high itself
            (12, 14, 12, 14),  # out of the range
        )
        position = premium_discount(market, swings(market, 1))
        assert np.array_equal(position, [NAN, NAN, 0.5, 0.25, 1.0, 1.5], equal_nan=True)

    def test_is_unknown_until_both_swings_are(self):
        market = candles(*RISING, (12, 14, 11.5, 12))
        assert np.isnan(premium_discount(market, swings(market, 1))[:3]).all()

    def test_is_unknown_while_the_high_is_not_above_the_low(self):
        market = candles(
            (10, 11, 10, 10),
            (10, 12, 10, 10),  # swing high 12
            (10, 11, 10, 10),  # known
            (20, 30, 20, 25),
            (20, 40, 19, 25),  # swing low 19, above the newest swing high
            (20, 50, 20, 25),  # known
        )
        assert np.isnan(premium_discount(market, swings(market, 1))).all()


@pytest.mark.parametrize("width", [1, 3, 5])
def test_no_break_before_row_two_widths_plus_one(width):
    top = [(10, 10 + k, 9, 10) for k in range(width)]
    peak = (10, 10 + width, 9, 10)
    rows = [*top, peak, *reversed(top)]
    market = candles(*rows, (10, 100, 10, 100))
    found = structure(market, swings(market, width), width)
    assert found.bos.tolist() == [0] * (2 * width + 1) + [1]
