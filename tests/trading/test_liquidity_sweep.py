"""The liquidity sweep, in both readings."""

import numpy as np
import pytest

from fractal_strategies.smc import SmcConfig, detect
from fractal_strategies.trading.playbook import liquidity_sweep
from fractal_strategies.trading.setups import combine
from tests.strategies.bots import candle_table
from tests.trading.frames import NAN, rows_of, smc_frame

CONFIG = SmcConfig(swing_width=1, atr_period=2, volume_window_bars=2, trend_ema_bars=2)


class TestReclaim:
    def test_it_enters_on_the_reclaiming_candle_with_the_stop_beyond_the_extreme(self):
        frame = smc_frame(
            4,
            sweep=[0, 1, 0, -1],
            sweep_low_extreme=[NAN, 96.0, NAN, NAN],
            sweep_high_extreme=[NAN, NAN, NAN, 104.0],
        )

        reading = liquidity_sweep(frame, confirmation="reclaim", reclaim_target_r=1.5, max_bars=9)

        assert rows_of(reading.side) == {1: 1, 3: -1}
        assert (reading.stop[1], reading.stop[3]) == (96.0 - 0.5, 104.0 + 0.5)
        assert (reading.tag, reading.target_r, reading.max_bars) == ("sweep_reclaim", 1.5, 9)

    def test_a_candle_that_sweeps_both_sides_is_no_setup(self):
        frame = smc_frame(1, sweep=[0], sweep_low_extreme=[96.0], sweep_high_extreme=[104.0])

        assert rows_of(liquidity_sweep(frame, confirmation="reclaim").side) == {}

    def test_several_sweeps_in_succession_each_make_a_setup(self):
        frame = smc_frame(
            3, sweep=[1, 1, 1], sweep_low_extreme=[96.0, 95.0, 94.0], sweep_high_extreme=[NAN] * 3
        )

        reading = liquidity_sweep(frame, confirmation="reclaim", stop_buffer_atr=0.0)

        assert rows_of(reading.side) == {0: 1, 1: 1, 2: 1}
        assert list(reading.stop) == [96.0, 95.0, 94.0]


class TestDisplacement:
    def swept(self, **columns):
        """Lows swept in row 1 down to 96; a gap up of 0.6 ATR (98..99.2) in row 3."""
        values = {
            "sweep": [0, 1, 0, 0, 0, 0],
            "sweep_low_extreme": [NAN, 96.0, NAN, NAN, NAN, NAN],
            "fvg": [0, 0, 0, 1, 0, 0],
            "fvg_top": [NAN, NAN, NAN, 99.2, NAN, NAN],
            "fvg_bottom": [NAN, NAN, NAN, 98.0, NAN, NAN],
            "fvg_size_atr": [NAN, NAN, NAN, 0.6, NAN, NAN],
        }
        return smc_frame(6, **(values | columns))

    def test_the_first_gap_away_from_the_sweep_enters_with_the_stop_beyond_it(self):
        reading = liquidity_sweep(self.swept())

        assert rows_of(reading.side) == {3: 1}
        assert reading.stop[3] == 98.0 - 0.5
        assert np.isnan(reading.target_r)
        assert (reading.tag, reading.max_bars) == ("sweep_displacement", 48)

    def test_shorts_mirror_longs(self):
        frame = self.swept(
            sweep=[0, -1, 0, 0, 0, 0],
            sweep_low_extreme=[NAN] * 6,
            sweep_high_extreme=[NAN, 104.0, NAN, NAN, NAN, NAN],
            fvg=[0, 0, 0, -1, 0, 0],
        )

        reading = liquidity_sweep(frame)

        assert rows_of(reading.side) == {3: -1}
        assert reading.stop[3] == 99.2 + 0.5

    def test_a_gap_that_is_too_small_confirms_nothing(self):
        assert rows_of(liquidity_sweep(self.swept(), least_gap_atr=0.61).side) == {}

    def test_a_gap_that_comes_too_late_confirms_nothing(self):
        assert rows_of(liquidity_sweep(self.swept(), confirm_within_bars=1).side) == {}
        assert rows_of(liquidity_sweep(self.swept(), confirm_within_bars=2).side) == {3: 1}

    def test_a_close_beyond_the_extreme_kills_the_sweep(self):
        frame = self.swept(close=[100.0, 100.0, 95.9, 100.0, 100.0, 100.0])

        assert rows_of(liquidity_sweep(frame).side) == {}

    def test_a_second_gap_does_not_confirm_the_same_sweep_again(self):
        frame = self.swept(
            fvg=[0, 0, 0, 1, 1, 1],
            fvg_top=[NAN, NAN, NAN, 99.2, 101.0, 103.0],
            fvg_bottom=[NAN, NAN, NAN, 98.0, 99.5, 101.5],
            fvg_size_atr=[NAN, NAN, NAN, 0.6, 0.75, 0.75],
        )

        assert rows_of(liquidity_sweep(frame).side) == {3: 1}

    def test_several_sweeps_in_succession_are_confirmed_by_one_gap_once(self):
        frame = self.swept(
            sweep=[1, 1, 1, 0, 0, 0], sweep_low_extreme=[97.0, 96.0, 95.0, NAN, NAN, NAN]
        )

        assert rows_of(liquidity_sweep(frame).side) == {3: 1}

    def test_the_wrong_gap_confirms_nothing(self):
        assert rows_of(liquidity_sweep(self.swept(fvg=[0, 0, 0, -1, 0, 0])).side) == {}


@pytest.mark.parametrize("confirmation", ["reclaim", "displacement"])
def test_without_any_liquidity_level_there_is_no_setup(confirmation):
    # A steady climb never makes a swing, so nothing rests anywhere.
    rising = candle_table([(100 + i, 101 + i, 99 + i, 101 + i) for i in range(30)])

    found = detect(rising, CONFIG)

    assert found["liquidity_high"].isna().all()
    assert rows_of(liquidity_sweep(found, confirmation=confirmation).side) == {}


def test_a_sweep_in_low_volatility_has_its_stop_too_near_and_is_skipped():
    # Everything happens within 0.2 %: the sweep is real, the trade would be fees.
    quiet = candle_table(
        [
            (100.00, 100.05, 99.98, 100.02),
            (100.02, 100.04, 99.90, 100.00),  # swing low 99.90, known at row 2
            (100.00, 100.06, 99.97, 100.03),
            (100.03, 100.05, 99.85, 100.01),  # sweeps 99.90 and closes back inside
        ]
    )

    found = detect(quiet, CONFIG)
    reading = liquidity_sweep(found, confirmation="reclaim")
    bounds = {"min_confidence": 0.0, "max_stop_ratio": 0.08}

    assert rows_of(reading.side) == {3: 1}
    kept = combine(found, [reading], min_stop_ratio=0.01, **bounds)
    assert rows_of(kept["setup_side"].to_numpy()) == {}
    # The same sweep is kept where a stop that near is allowed: it was the distance.
    kept = combine(found, [reading], min_stop_ratio=0.0005, **bounds)
    assert rows_of(kept["setup_side"].to_numpy()) == {3: 1}


def test_an_unknown_confirmation_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="choose one of displacement, reclaim"):
        liquidity_sweep(smc_frame(3), confirmation="hope")
