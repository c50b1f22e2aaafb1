"""Liquidity levels, pools and sweeps on small tables (swings of width 1)."""

import numpy as np
import pytest

from fractal_strategies.smc import Candles, liquidity, swings
from tests.smc.markets import table


def levels(*rows, atr=1.0, tolerance=0.5, reclaim=1, max_age=500):
    market = Candles.from_frame(table(*rows))
    return liquidity(
        market,
        swings(market, 1),
        np.full(len(market), atr),
        width=1,
        equal_tolerance_atr=tolerance,
        reclaim_bars=reclaim,
        max_age_bars=max_age,
    )


def peak(high):
    """A swing high between two lower candles; all lows are level, so there are no swing lows."""
    return [(10, high, 9, 10), (10, 10.5, 9, 10)]


START = (10, 10.5, 9, 10)
QUIET = (10, 10.5, 9, 10)
MARKET = [START, *peak(12)]  # the high of 12, in row 1, is known in row 2


class TestLevels:
    def test_none_before_a_swing_is_confirmed(self):
        found = levels(START, (10, 12, 9, 10))
        assert np.isnan(found.liquidity_high).all()
        assert found.liquidity_high_touches.tolist() == [0, 0]
        assert found.liquidity_high_bars_ago.tolist() == [-1, -1]

    def test_without_a_level_there_is_nothing_to_sweep(self):
        # Every candle is higher than the last: no swing high, whatever the wicks do.
        found = levels(*[(10 + k, 14 + k, 10 + k, 10.5 + k) for k in range(8)])
        assert not found.sweep.any()
        assert np.isnan(found.liquidity_high).all()

    def test_a_swing_is_a_level_from_its_confirmation(self):
        found = levels(*MARKET)
        assert found.liquidity_high.tolist()[2] == 12
        assert np.isnan(found.liquidity_high[:2]).all()
        assert found.liquidity_high_touches.tolist() == [0, 0, 1]
        assert found.liquidity_high_bars_ago.tolist() == [-1, -1, 1]

    def test_the_nearest_untaken_level_shows(self):
        found = levels(*MARKET, *peak(11), tolerance=0.5)
        assert found.liquidity_high[4] == 11

    def test_a_high_exactly_at_the_level_does_not_take_it(self):
        found = levels(*MARKET, (10, 12, 9, 10), tolerance=0.0)
        assert found.liquidity_high[3] == 12
        assert not found.sweep.any()

    def test_grows_too_old(self):
        found = levels(*MARKET, QUIET, QUIET, (10, 13, 9, 10), max_age=2)
        assert found.liquidity_high.tolist()[2:5] == [12, 12, 12]
        assert np.isnan(found.liquidity_high[5])
        assert not found.sweep.any(), "an old level is not swept"

    def test_under_an_old_level_a_new_one_lives(self):
        found = levels(*MARKET, *peak(11), QUIET, (10, 13, 9, 10), max_age=3)
        assert found.sweep_high_level[6] == 11
        assert found.sweep_high_touches[6] == 1


class TestPools:
    @pytest.mark.parametrize(
        ("second", "touches"),
        [
            (12.0, 2),  # equal
            (11.5, 2),  # half an ATR lower: just within the tolerance
            (11.4, 1),  # too low
        ],
    )
    def test_equal_highs_join_within_the_tolerance(self, second, touches):
        found = levels(*MARKET, *peak(second))
        assert found.liquidity_high_touches[4] == touches
        assert found.liquidity_high[4] == (12 if touches == 2 else second)

    def test_keeps_the_outermost_price_and_its_newest_row(self):
        found = levels(*MARKET, *peak(11.75), *peak(11.6))
        assert found.liquidity_high[6] == 12
        assert found.liquidity_high_touches[6] == 3
        assert found.liquidity_high_bars_ago[6] == 1

    def test_joining_renews_the_age(self):
        found = levels(*MARKET, *peak(12), QUIET, QUIET, max_age=2)
        assert found.liquidity_high[6] == 12

    def test_without_an_atr_only_exactly_equal_highs_join(self):
        assert levels(*MARKET, *peak(12), atr=np.nan).liquidity_high_touches[4] == 2
        assert levels(*MARKET, *peak(11.9), atr=np.nan).liquidity_high_touches[4] == 1

    def test_equal_lows_mirror_it(self):
        found = levels(
            (10, 11, 9, 10),
            (10, 11, 8, 10),
            (10, 11, 9, 10),
            (10, 11, 8.25, 10),  # above 8, within the tolerance
            (10, 11, 9, 10),
        )
        assert (found.liquidity_low[4], found.liquidity_low_touches[4]) == (8, 2)


class TestSweeps:
    def test_a_wick_above_with_a_close_below_is_a_sweep(self):
        found = levels(*MARKET, (10, 13, 9, 11.5))
        assert found.sweep.tolist() == [0, 0, 0, -1]
        assert found.sweep_high_level[3] == 12
        assert found.sweep_high_extreme[3] == 13
        assert found.sweep_high_touches[3] == 1

    def test_of_lows_mirrors_it(self):
        found = levels((10, 11, 9, 10), (10, 11, 8, 10), (10, 11, 9, 10), (10, 11, 7, 9))
        assert found.sweep.tolist() == [0, 0, 0, 1]
        assert (found.sweep_low_level[3], found.sweep_low_extreme[3]) == (8, 7)

    def test_is_marked_on_the_reclaiming_candle(self):
        found = levels(
            *MARKET,
            (10, 13, 10, 12.5),  # taken, closes above
            (12.5, 14, 11, 11.5),  # goes further, then closes back below
        )
        assert found.sweep.tolist() == [0, 0, 0, 0, -1]
        assert found.sweep_high_extreme[4] == 14, "the excursion's highest, not the first"

    @pytest.mark.parametrize(("reclaim", "swept"), [(0, False), (1, False), (2, True)])
    def test_must_be_reclaimed_in_time(self, reclaim, swept):
        found = levels(
            *MARKET,
            (10, 13, 10, 12.5),  # taken
            (12.5, 13, 12.1, 12.5),  # still above
            (12.5, 13, 11, 11.5),  # back below two bars later
            reclaim=reclaim,
        )
        assert bool(found.sweep[5]) is swept

    def test_a_close_exactly_at_the_level_does_not_reclaim_it(self):
        assert not levels(*MARKET, (10, 13, 9, 12)).sweep.any()

    def test_not_reclaimed_the_level_is_broken_and_gone(self):
        found = levels(
            *MARKET,
            (10, 13, 10, 12.5),
            (12.5, 14, 12.1, 13),
            (13, 15, 12.1, 13),
            (13, 13, 9, 10),  # long after
        )
        assert not found.sweep.any()

    def test_each_level_is_swept_once(self):
        found = levels(*MARKET, (10, 13, 9, 11), (11, 12.5, 9, 11))
        assert found.sweep.tolist() == [0, 0, 0, -1, 0]

    def test_several_in_succession(self):
        found = levels(
            START,
            *peak(13),
            *peak(12),
            *peak(11),
            (10, 11.2, 9, 10),  # sweeps 11
            (10, 12.2, 9, 10),  # sweeps 12
            (10, 13.2, 9, 10),  # sweeps 13
        )
        assert found.sweep.tolist()[-3:] == [-1, -1, -1]
        assert found.sweep_high_level.tolist()[-3:] == [11, 12, 13]

    def test_several_levels_by_one_candle(self):
        found = levels(START, *peak(13), *peak(12), *peak(11), (10, 12.5, 9, 10))
        assert found.sweep_high_level[7] == 12, "the outermost of those swept"
        assert found.sweep_high_touches[7] == 2
        assert found.liquidity_high[7] == 13, "beyond its reach"

    def test_a_pool_counts_all_its_swings(self):
        found = levels(*MARKET, *peak(12), (10, 13, 9, 10))
        assert found.sweep_high_touches[5] == 2

    def test_reclaiming_the_outer_level_leaves_the_inner_one_open(self):
        found = levels(
            START,
            *peak(13),
            *peak(11),
            (10, 13.5, 9, 12),  # takes both, closes below 13 only
            (12, 12.5, 9, 10),  # closes below 11 too
            reclaim=1,
        )
        assert found.sweep_high_level.tolist()[5:] == [13, 11]
        assert found.sweep_high_extreme.tolist()[5:] == [13.5, 13.5]

    def test_highs_and_lows_by_one_candle_cancel_in_the_mark(self):
        found = levels(
            (10, 10.5, 9.5, 10),
            (10, 12, 8, 10),
            (10, 10.5, 9.5, 10),
            (10, 13, 7, 10),
        )
        assert found.sweep[3] == 0
        assert (found.sweep_high_level[3], found.sweep_low_level[3]) == (12, 8)

    def test_in_low_volatility_a_tick_is_enough(self):
        # Ranges of a tick in 10,000: size is judged by the strategies, not here.
        still = (10_000, 10_000.1, 10_000, 10_000)
        found = levels(
            still,
            (10_000, 10_000.2, 10_000, 10_000),
            still,
            (10_000, 10_000.3, 10_000, 10_000),
            atr=0.1,
        )
        assert found.sweep[3] == -1
