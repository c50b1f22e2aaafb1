"""Which proposals become tradable setups."""

import numpy as np
import pytest

from fractal_strategies.trading.setups import SETUP_COLUMNS, Reading, Setup, combine
from tests.trading.frames import NAN, smc_frame

BOUNDS = {"min_confidence": 40.0, "min_stop_ratio": 0.01, "max_stop_ratio": 0.08}


def reading(side, stop, *, tag="a", **rest):
    """A reading from plain lists."""
    arrays = {k: np.array(v, float) for k, v in rest.items() if isinstance(v, list)}
    return Reading(tag, np.array(side, np.int8), np.array(stop, float), **(rest | arrays))


def sides(frame):
    return frame["setup_side"].tolist()


def test_every_setup_column_is_made_and_quiet_rows_are_empty():
    out = combine(smc_frame(2), [reading([0, 1], [NAN, 98.0])], **BOUNDS)

    assert tuple(out.columns) == SETUP_COLUMNS
    assert sides(out) == [0, 1]
    assert out["setup_tag"].tolist() == ["", "a"]
    assert np.isnan(out["setup_stop"].iloc[0])
    assert Setup.from_row(out.iloc[0]) is None


def test_without_readings_nothing_is_tradable():
    assert sides(combine(smc_frame(3), [], **BOUNDS)) == [0, 0, 0]


def test_an_empty_frame_stays_empty():
    assert len(combine(smc_frame(0), [reading([], [])], **BOUNDS)) == 0


def test_the_frames_index_is_kept():
    frame = smc_frame(2).set_index(np.array([7, 9]))

    assert combine(frame, [], **BOUNDS).index.tolist() == [7, 9]


class TestPriority:
    def test_the_first_reading_wins_a_candle_with_all_of_its_values(self):
        first = reading([1, 0], [98.0, NAN], tag="first", target_r=3.0, max_bars=24)
        second = reading(
            [-1, -1],
            [103.0, 103.0],
            tag="second",
            limit=[101.0, 101.0],
            target_r=2.0,
            expiry_bars=5,
        )

        out = combine(smc_frame(2), [first, second], **BOUNDS)

        assert out["setup_tag"].tolist() == ["first", "second"]
        assert sides(out) == [1, -1]
        assert out["setup_limit"].tolist() == pytest.approx([NAN, 101.0], nan_ok=True)
        assert out["setup_target_r"].tolist() == [3.0, 2.0]
        assert out["setup_expiry_bars"].tolist() == [0, 5]
        assert out["setup_max_bars"].tolist() == [24, 0]

    def test_filters_come_before_priority(self):
        # The first reading's stop is too near: the second takes the candle.
        out = combine(
            smc_frame(1),
            [reading([1], [99.9], tag="first"), reading([1], [97.0], tag="second")],
            **BOUNDS,
        )

        assert out["setup_tag"].tolist() == ["second"]


class TestConfidence:
    def test_each_direction_is_judged_by_its_own_score(self):
        frame = smc_frame(2, confidence_long=[40.0, 100.0], confidence_short=[100.0, 39.9])

        out = combine(frame, [reading([1, -1], [98.0, 102.0])], **BOUNDS)

        assert sides(out) == [1, 0]
        assert out["setup_confidence"].iloc[0] == 40.0

    def test_an_unknown_score_is_no_confidence(self):
        frame = smc_frame(1, confidence_long=[NAN])

        assert sides(combine(frame, [reading([1], [98.0])], **BOUNDS)) == [0]


class TestStopDistance:
    @pytest.mark.parametrize(
        ("side", "stop", "kept"),
        [
            (1, 99.0, True),  # exactly 1 %
            (1, 99.1, False),  # nearer: fees would eat it
            (1, 92.0, True),  # exactly 8 %
            (1, 91.9, False),  # further
            (-1, 101.0, True),
            (-1, 100.9, False),
            (-1, 108.0, True),
            (-1, 108.1, False),
            (1, 102.0, False),  # on the wrong side of a long
            (-1, 98.0, False),  # on the wrong side of a short
            (1, 100.0, False),  # at the entry
            (1, NAN, False),  # not known
        ],
    )
    def test_a_stop_outside_the_bounds_skips_the_setup(self, side, stop, kept):
        out = combine(smc_frame(1), [reading([side], [stop])], **BOUNDS)

        assert sides(out) == [side if kept else 0]

    def test_a_kept_stop_is_never_moved(self):
        out = combine(smc_frame(1), [reading([1], [98.7])], **BOUNDS)

        assert out["setup_stop"].tolist() == [98.7]

    def test_a_resting_entry_measures_from_its_limit(self):
        # 0.5 % from the limit, 2.5 % from the close.
        near = reading([1], [97.5], limit=[98.0])
        far = reading([1], [96.5], limit=[98.0])

        assert sides(combine(smc_frame(1), [near], **BOUNDS)) == [0]
        assert sides(combine(smc_frame(1), [far], **BOUNDS)) == [1]


class TestTarget:
    @pytest.mark.parametrize(
        ("side", "stop", "target", "kept"),
        [
            (1, 98.0, 104.0, True),
            (1, 98.0, 99.0, False),
            (1, 98.0, 100.0, False),
            (1, 98.0, NAN, True),
            (-1, 102.0, 96.0, True),
            (-1, 102.0, 101.0, False),
        ],
    )
    def test_a_target_on_the_wrong_side_skips_the_setup(self, side, stop, target, kept):
        out = combine(smc_frame(1), [reading([side], [stop], target=[target])], **BOUNDS)

        assert sides(out) == [side if kept else 0]


def test_a_row_reads_back_as_the_setup_it_was():
    out = combine(
        smc_frame(1),
        [reading([-1], [102.0], limit=[100.5], target_r=2.0, expiry_bars=5, max_bars=9)],
        **BOUNDS,
    )

    setup = Setup.from_row(out.iloc[0])

    assert setup is not None
    assert (setup.side, setup.tag, setup.confidence) == (-1, "a", 100.0)
    assert (setup.limit, setup.stop, setup.target_r) == (100.5, 102.0, 2.0)
    assert (setup.expiry_bars, setup.max_bars) == (5, 9)
    assert np.isnan(setup.target)
    assert setup.is_resting
