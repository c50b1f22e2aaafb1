"""Order blocks and their zones on small tables."""

import numpy as np
import pytest

from fractal_strategies.smc import Candles, EndReason, order_blocks
from fractal_strategies.smc.order_blocks import MOST_LIVE_ZONES
from fractal_strategies.smc.structure import Structure
from tests.smc.markets import table


def blocks(*rows, breaks, ratio=2.0, **settings):
    """Order blocks of a table; `breaks` maps rows to directions, as structure would say."""
    market = Candles.from_frame(table(*rows))
    n = len(market)
    bos = np.zeros(n, np.int8)
    for row, direction in breaks.items():
        bos[row] = direction
    none = np.full(n, np.nan)
    marks = Structure(bos, bos, np.zeros(n, np.int8), none, np.full(n, -1, np.int64))
    ratios = np.full(n, ratio) if np.isscalar(ratio) else np.array(ratio, dtype=float)
    return order_blocks(market, marks, ratios, **settings)


DOWN_8_10 = (10, 10, 8, 9)  # closes below its open: range 8..10
UP = (9, 13, 9, 12)  # the displacement


class TestTheBlock:
    def test_is_the_last_opposing_candle_before_the_break(self):
        found = blocks(
            (12, 12, 6, 7),  # opposing, but not the last
            DOWN_8_10,
            UP,
            (12, 15, 12, 14),  # breaks structure
            breaks={3: 1},
        )
        assert found.ob.tolist() == [0, 0, 0, 1]
        assert (found.ob_top[3], found.ob_bottom[3], found.ob_bars_ago[3]) == (10, 8, 2)
        assert found.zones.source_row.tolist() == [1]
        assert found.zones.known_row.tolist() == [3]

    def test_mirrors_downwards(self):
        found = blocks((9, 10, 8, 9.5), (9, 9, 5, 6), breaks={1: -1})
        assert found.ob[1] == -1
        assert (found.ob_bear_top[1], found.ob_bear_bottom[1]) == (10, 8)
        assert np.isnan(found.ob_bull_top[1])

    def test_is_not_the_breaking_candle_itself(self):
        # A gap up whose candle closes below its open, yet above the level.
        found = blocks((9, 10, 8, 9.5), (20, 21, 14, 15), breaks={1: 1})
        assert not found.ob.any()

    def test_a_doji_is_not_opposing(self):
        found = blocks(DOWN_8_10, (9, 10, 8.5, 9), UP, breaks={2: 1})
        assert found.ob_bars_ago[2] == 2

    @pytest.mark.parametrize(("lookback", "expected"), [(2, 1), (1, 0)])
    def test_may_not_lie_too_far_back(self, lookback, expected):
        found = blocks(DOWN_8_10, UP, UP, breaks={2: 1}, max_lookback_bars=lookback)
        assert found.ob[2] == expected

    @pytest.mark.parametrize(("ratio", "weak"), [(1.0, 0), (0.99, 1), (np.nan, 1), (np.inf, 0)])
    def test_is_weak_below_the_volume_threshold(self, ratio, weak):
        found = blocks(DOWN_8_10, UP, breaks={1: 1}, ratio=[ratio, 9.0])
        assert found.ob_weak.tolist() == [0, weak]
        assert found.ob[1] == 1, "a weak block is still a block"


BROKEN = [DOWN_8_10, UP]  # the zone 8..10 is known from row 1
FAR = (12, 13, 11, 12)  # stays above it


class TestTheZone:
    def test_is_mitigated_when_price_first_enters(self):
        found = blocks(
            *BROKEN,
            FAR,
            (12, 12, 9, 11),  # enters half of it
            (11, 12, 9.5, 11),  # enters again
            breaks={1: 1},
        )
        assert found.ob_mitigated.tolist() == [0, 0, 0, 1, 0]
        assert found.zones.touched_row.tolist() == [3]
        assert found.zones.fill.tolist() == [0.5]
        assert found.zones.end_row.tolist() == [-1]

    def test_touching_its_near_edge_counts(self):
        assert blocks(*BROKEN, (12, 12, 10, 11), breaks={1: 1}).ob_mitigated[2] == 1

    def test_cannot_be_mitigated_by_the_candle_that_makes_it_known(self):
        # Row 1 itself trades at 9, inside the zone.
        found = blocks(*BROKEN, breaks={1: 1})
        assert not found.ob_mitigated.any()

    def test_a_wick_through_it_does_not_end_it(self):
        found = blocks(*BROKEN, (12, 12, 7, 8), breaks={1: 1})
        assert found.zones.end_row.tolist() == [-1]
        assert found.zones.fill.tolist() == [1.0]
        assert found.ob_bull_bottom[2] == 8

    def test_a_close_beyond_it_does(self):
        found = blocks(*BROKEN, (12, 12, 7, 7.9), breaks={1: 1})
        assert found.ob_invalidated.tolist() == [0, 0, 1]
        assert found.zones.end_reason.tolist() == [EndReason.INVALIDATED]
        assert np.isnan(found.ob_bull_top[2])

    def test_expires(self):
        found = blocks(*BROKEN, FAR, FAR, (12, 12, 9, 11), breaks={1: 1}, max_age_bars=2)
        assert found.zones.end_row.tolist() == [4]
        assert found.zones.end_reason.tolist() == [EndReason.EXPIRED]
        assert found.zones.touched_row.tolist() == [-1], "the touch came too late"
        assert found.ob_bull_blocks.tolist() == [0, 1, 1, 1, 0]

    def test_bearish_and_bullish_do_not_mix(self):
        found = blocks(
            *BROKEN,  # bullish 8..10
            (9.5, 10, 9, 10),  # rising: the bearish block 9..10, overlapping it
            (10, 10, 8.5, 8.6),
            breaks={1: 1, 3: -1},
        )
        assert found.zones.direction.tolist() == [1, -1]
        assert (found.zones.end_row == -1).all()


class TestSeveralBlocks:
    def test_overlapping_ones_unite_in_one_zone(self):
        found = blocks(
            *BROKEN,  # 8..10
            (12, 12, 9.5, 11),  # opposing, 9.5..12: overlaps
            (11, 15, 11, 14),
            breaks={1: 1, 3: 1},
        )
        assert found.ob_bull_blocks.tolist() == [0, 1, 1, 2]
        assert (found.ob_bull_top[3], found.ob_bull_bottom[3]) == (12, 8)
        assert found.zones.end_reason.tolist() == [EndReason.MERGED, EndReason.LIVE]
        assert found.zones.members.tolist() == [1, 2]
        assert (found.ob_top[3], found.ob_bottom[3]) == (12, 9.5), "the block keeps its own edges"

    def test_a_third_unites_zones_that_were_apart(self):
        found = blocks(
            *BROKEN,  # 8..10
            (14, 14, 13, 13.5),  # 13..14
            (13.5, 16, 13.5, 15),
            (15, 15, 9, 14),  # 9..15: bridges both
            (14, 18, 14, 17),
            breaks={1: 1, 3: 1, 5: 1},
        )
        assert found.ob_bull_blocks[5] == 3
        assert (found.ob_bull_top[5], found.ob_bull_bottom[5]) == (15, 8)

    def test_apart_the_newest_shows_and_the_older_lives_on(self):
        found = blocks(
            *BROKEN,  # 8..10
            (14, 14, 13, 13.5),  # 13..14
            (13.5, 16, 13.5, 15),
            (15, 15, 12, 12.5),  # closes below 13: the newer zone ends
            breaks={1: 1, 3: 1},
        )
        assert found.ob_bull_top.tolist()[3:] == [14, 10]
        assert found.zones.end_row.tolist() == [-1, 4]

    def test_the_same_candle_can_be_the_block_of_two_breaks(self):
        found = blocks(*BROKEN, (12, 14, 12, 13), breaks={1: 1, 2: 1})
        assert found.zones.source_row.tolist() == [0, 0]
        assert found.zones.members.tolist() == [1, 2]

    def test_beyond_the_limit_the_oldest_is_crowded_out(self):
        rows, breaks = [], {}
        for k in range(MOST_LIVE_ZONES + 1):
            base = 100 + 10 * k
            rows += [(base + 1, base + 1, base, base), (base, base + 9, base, base + 8)]
            breaks[2 * k + 1] = 1
        found = blocks(*rows, breaks=breaks, max_age_bars=1_000)
        last = len(rows) - 1
        assert found.zones.end_row.tolist() == [last] + [-1] * MOST_LIVE_ZONES
        assert found.zones.end_reason[0] == EndReason.CROWDED_OUT
        assert found.ob_bull_top[last] == 101 + 10 * MOST_LIVE_ZONES
