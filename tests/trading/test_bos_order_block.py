"""The break of structure and its order block, in both readings."""

import numpy as np
import pytest

from fractal_strategies.smc import SmcConfig, detect
from fractal_strategies.trading.playbook import bos_order_block
from tests.strategies.bots import candle_table
from tests.trading.frames import NAN, rows_of, smc_frame


def broken_up_and_down():
    """Row 1 breaks up, row 3 breaks down; the blocks are 95..97 and 103..105, ATR 2."""
    return smc_frame(
        4,
        bos=[0, 1, 0, -1],
        ob=[0, 1, 0, -1],
        ob_top=[NAN, 97.0, NAN, 105.0],
        ob_bottom=[NAN, 95.0, NAN, 103.0],
        body_atr=[0.0, 1.5, 0.0, -1.5],
        volume_ratio=[1.0, 1.5, 1.0, 1.5],
    )


class TestBreak:
    def test_a_displaced_break_enters_at_the_market_on_either_side(self):
        reading = bos_order_block(broken_up_and_down(), entry="break")

        assert rows_of(reading.side) == {1: 1, 3: -1}
        assert reading.limit is None
        assert reading.tag == "bos_ob_break"

    def test_the_stop_lies_a_quarter_atr_beyond_the_block(self):
        reading = bos_order_block(broken_up_and_down(), entry="break")

        assert reading.stop[1] == 95.0 - 0.25 * 2.0
        assert reading.stop[3] == 105.0 + 0.25 * 2.0

    def test_target_and_time_stop_are_those_asked_for(self):
        reading = bos_order_block(broken_up_and_down(), target_r=4.0, max_bars=7)

        assert (reading.target_r, reading.max_bars, reading.expiry_bars) == (4.0, 7, 0)

    @pytest.mark.parametrize(
        ("column", "values", "why"),
        [
            ("body_atr", [0.0, 1.49, 0.0, 1.5], "small up body; a body against the break"),
            ("volume_ratio", [1.0, 1.49, 1.0, NAN], "quiet; volume not known yet"),
            ("ob", [0, 0, 0, 0], "no block behind the break"),
            ("bos", [0, 0, 0, 0], "the blocks came from a change of character"),
        ],
    )
    def test_a_break_that_lacks_something_is_no_setup(self, column, values, why):
        frame = broken_up_and_down()
        frame[column] = np.array(values, dtype=frame[column].dtype)

        assert rows_of(bos_order_block(frame, entry="break").side) == {}, why


class TestRetest:
    def test_a_break_rests_at_the_near_edge_of_its_block(self):
        reading = bos_order_block(broken_up_and_down(), entry="retest", expiry_bars=9)

        assert rows_of(reading.side) == {1: 1, 3: -1}
        assert (reading.limit[1], reading.limit[3]) == (97.0, 103.0)
        assert (reading.stop[1], reading.stop[3]) == (94.5, 105.5)
        assert (reading.expiry_bars, reading.target_r) == (9, 2.0)
        assert reading.tag == "bos_ob_retest"

    def test_a_weak_block_is_left_alone(self):
        frame = broken_up_and_down()
        frame["ob_weak"] = np.array([0, 1, 0, 0], np.int8)

        assert rows_of(bos_order_block(frame, entry="retest").side) == {3: -1}

    def test_a_weak_block_does_not_stop_the_break_reading(self):
        frame = broken_up_and_down()
        frame["ob_weak"] = np.array([0, 1, 0, 1], np.int8)

        assert rows_of(bos_order_block(frame, entry="break").side) == {1: 1, 3: -1}

    def test_a_quiet_break_is_enough_for_a_retest(self):
        frame = broken_up_and_down()
        frame["body_atr"] = 0.1

        assert rows_of(bos_order_block(frame, entry="retest").side) == {1: 1, 3: -1}


class TestHigherTimeframe:
    @pytest.mark.parametrize(
        ("higher", "expected"),
        [
            ([1, 1, 1, 1], {1: 1}),
            ([-1, -1, -1, -1], {3: -1}),
            ([0, 0, 0, 0], {}),
            (None, {1: 1, 3: -1}),
        ],
    )
    @pytest.mark.parametrize("entry", ["break", "retest"])
    def test_only_breaks_along_the_higher_trend_count(self, entry, higher, expected):
        trend = None if higher is None else np.array(higher, np.int8)

        reading = bos_order_block(broken_up_and_down(), entry=entry, higher_trend=trend)

        assert rows_of(reading.side) == expected


def test_several_blocks_in_one_zone_each_break_uses_its_own_block():
    # Two breaks up in a row with overlapping blocks: the zone unites, the stop does not.
    frame = smc_frame(
        3,
        bos=[0, 1, 1],
        ob=[0, 1, 1],
        ob_top=[NAN, 97.0, 98.0],
        ob_bottom=[NAN, 95.0, 96.0],
        body_atr=[0.0, 2.0, 2.0],
        volume_ratio=[1.0, 2.0, 2.0],
    )

    reading = bos_order_block(frame, entry="break")

    assert rows_of(reading.side) == {1: 1, 2: 1}
    assert list(reading.stop[1:]) == [94.5, 95.5]


def test_from_candles_two_blocks_of_one_zone_are_two_retests():
    config = SmcConfig(swing_width=1, atr_period=2, volume_window_bars=2, trend_ema_bars=2)
    table = [
        # open, high, low, close
        (100, 101, 99, 100),
        (100, 102, 99, 101),  # swing high 102, known at row 2
        (101, 101, 97, 98),  # the first block: last down candle before the break
        (98, 104, 98, 103),  # closes above 102: the trend starts
        (103, 105, 102, 104),  # swing high 105, known at row 5
        (104, 104.5, 99, 100),  # the second block, 99..104.5, overlaps the first 97..101
        (100, 107, 100, 106),  # closes above 105: BOS
    ]
    candles = candle_table(table)
    candles["volume"] = [10, 10, 30, 30, 10, 30, 30]

    found = detect(candles, config)
    reading = bos_order_block(found, entry="retest", stop_buffer_atr=0.0)

    assert rows_of(reading.side) == {3: 1, 6: 1}
    assert (reading.limit[3], reading.limit[6]) == (101.0, 104.5)
    assert (reading.stop[3], reading.stop[6]) == (97.0, 99.0)
    # They are one zone to the eye.
    assert found["ob_bull_blocks"].iloc[-1] == 2


def test_an_unknown_entry_is_refused_with_the_choices():
    with pytest.raises(ValueError, match=r"entry is 'pullback'; choose one of break, retest"):
        bos_order_block(broken_up_and_down(), entry="pullback")
