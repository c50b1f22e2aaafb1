"""Fair value gaps on small tables."""

import numpy as np
import pytest

from fractal_strategies.smc import Candles, EndReason, fair_value_gaps
from tests.smc.markets import table

# A bullish gap from 11 to 13, known in row 2.
GAP = [
    (10, 11, 9, 10),
    (10, 14, 10, 14),
    (14, 15, 13, 14),
]
ABOVE = (14, 15, 13.5, 14)  # stays out of it


def gaps(*rows, atr=1.0, least_size_atr=0.25, max_age_bars=100):
    market = Candles.from_frame(table(*rows))
    return fair_value_gaps(
        market,
        np.full(len(market), atr),
        least_size_atr=least_size_atr,
        max_age_bars=max_age_bars,
    )


class TestFinding:
    def test_is_known_on_the_third_candle(self):
        found = gaps(*GAP)
        assert found.fvg.tolist() == [0, 0, 1]
        assert (found.fvg_top[2], found.fvg_bottom[2]) == (13, 11)
        assert found.fvg_size_atr[2] == 2
        assert (found.zones.source_row[0], found.zones.known_row[0]) == (0, 2)

    def test_mirrors_downwards(self):
        found = gaps((10, 11, 9, 10), (10, 10, 5, 5), (5, 7, 4, 6))
        assert found.fvg.tolist() == [0, 0, -1]
        assert (found.fvg_bear_top[2], found.fvg_bear_bottom[2]) == (9, 7)
        assert np.isnan(found.fvg_bull_top).all()

    def test_outer_candles_that_touch_leave_none(self):
        assert not gaps((10, 11, 9, 10), (10, 14, 10, 14), (14, 15, 11, 14)).fvg.any()

    @pytest.mark.parametrize(("atr", "expected"), [(8.0, 1), (8.1, 0)])
    def test_has_a_least_size_in_atr(self, atr, expected):
        # Height 2 is a quarter of an ATR of 8.
        assert gaps(*GAP, atr=atr).fvg[2] == expected

    def test_a_least_size_of_zero_takes_every_gap(self):
        tiny = [(10, 11, 9, 10), (10, 14, 10, 14), (14, 15, 11.25, 14)]
        assert gaps(*tiny, atr=1_000.0, least_size_atr=0.0).fvg[2] == 1

    def test_without_an_atr_there_is_none(self):
        assert not gaps(*GAP, atr=np.nan).fvg.any()

    def test_with_an_atr_of_zero_it_is_infinitely_large(self):
        assert gaps(*GAP, atr=0.0).fvg_size_atr[2] == np.inf


class TestFilling:
    def test_partial_fill_is_the_deepest_share(self):
        found = gaps(
            *GAP,
            ABOVE,
            (14, 15, 12.5, 14),  # a quarter
            (14, 15, 11.5, 14),  # three quarters
            (14, 15, 12.5, 14),  # no deeper
        )
        assert found.fvg_bull_fill.tolist()[2:] == [0, 0, 0.25, 0.75, 0.75]
        assert found.zones.touched_row.tolist() == [4]
        assert found.zones.fill.tolist() == [0.75]
        assert not found.fvg_filled.any()

    def test_touching_its_near_edge_is_a_touch_of_no_depth(self):
        found = gaps(*GAP, (14, 15, 13, 14))
        assert found.zones.touched_row.tolist() == [3]
        assert found.fvg_bull_fill[3] == 0

    def test_filled_at_once(self):
        found = gaps(*GAP, (14, 14, 10, 10))
        assert found.fvg_filled.tolist() == [0, 0, 0, 1]
        assert found.zones.end_reason.tolist() == [EndReason.FILLED]
        assert found.zones.touched_row.tolist() == found.zones.end_row.tolist() == [3]
        assert found.zones.fill.tolist() == [1.0]
        assert np.isnan(found.fvg_bull_top[3])

    def test_its_far_edge_exactly_fills_it(self):
        assert gaps(*GAP, (14, 14, 11, 12)).fvg_filled[3] == 1

    def test_never_filled_it_expires(self):
        found = gaps(*GAP, ABOVE, ABOVE, (14, 14, 10, 10), max_age_bars=2)
        assert found.zones.end_row.tolist() == [5]
        assert found.zones.end_reason.tolist() == [EndReason.EXPIRED]
        assert found.zones.touched_row.tolist() == [-1]
        assert not found.fvg_filled.any(), "an expired gap cannot be filled"

    def test_expired_after_a_partial_fill_keeps_its_share(self):
        found = gaps(*GAP, (14, 15, 12, 14), ABOVE, ABOVE, max_age_bars=2)
        assert found.zones.end_reason.tolist() == [EndReason.EXPIRED]
        assert found.zones.fill.tolist() == [0.5]

    def test_never_filled_it_lives_to_the_end(self):
        found = gaps(*GAP, *[ABOVE] * 50)
        assert found.zones.end_row.tolist() == [-1]
        assert found.zones.end_reason.tolist() == [EndReason.LIVE]
        assert found.fvg_bull_top[-1] == 13


class TestSeveral:
    # Gaps 11..13 (row 2) and 15..17 (row 4).
    TWO = (*GAP, (14, 18, 14, 18), (18, 19, 17, 18))

    def test_the_newest_live_one_is_on_top(self):
        found = gaps(*self.TWO)
        assert found.fvg_bull_top.tolist()[2:] == [13, 13, 17]

    def test_when_the_newest_is_filled_the_older_shows_with_its_own_fill(self):
        found = gaps(
            *self.TWO,
            (18, 18, 12, 16),  # fills the newer, and half of the older
        )
        assert found.fvg_filled[5] == 1
        assert found.fvg_bull_top[5] == 13
        assert found.fvg_bull_fill[5] == 0.5
        assert found.zones.end_row.tolist() == [-1, 5]

    def test_one_candle_can_fill_both(self):
        found = gaps(*self.TWO, (18, 18, 10, 10))
        assert found.zones.end_row.tolist() == [5, 5]

    def test_a_lower_gap_of_the_next_candle_can_outlive_the_one_before(self):
        market = (
            (11, 12, 10, 11),
            (11, 11.5, 10, 11),
            (14, 15, 13, 14),  # gap 12..13
            (14, 15, 13, 14),  # gap 11.5..13, further down than the older one
            (14, 15, 11.75, 14),  # fills the older, not the newer
        )
        found = gaps(*market)
        assert found.zones.end_row.tolist() == [4, -1]
        assert found.fvg_bull_bottom[4] == 11.5
        assert found.fvg_bull_fill[4] == pytest.approx(1.25 / 1.5)

    def test_both_sides_live_at_once(self):
        found = gaps(
            *GAP,  # bullish, 11..13
            (14, 15, 13.5, 14),
            (14, 14, 12, 12.5),
            (12.5, 13.25, 12, 13),  # bearish, 13.25..13.5
        )
        assert (found.fvg_bull_bottom[5], found.fvg_bull_top[5]) == (11, 13)
        assert (found.fvg_bear_bottom[5], found.fvg_bear_top[5]) == (13.25, 13.5)

    def test_of_both_sides_filled_by_one_candle_the_newer_counts(self):
        found = gaps(
            *GAP,
            (14, 15, 13.5, 14),
            (14, 14, 12, 12.5),
            (12.5, 13.25, 12, 13),
            (13, 14, 10, 12),  # through both
        )
        assert found.fvg_filled[6] == -1
        assert found.zones.end_row.tolist() == [6, 6]
