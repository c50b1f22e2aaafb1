"""The fair value gap, in its three readings."""

import numpy as np
import pytest

from fractal_strategies.smc import SmcConfig, detect
from fractal_strategies.trading.playbook import fvg_fill
from tests.strategies.bots import candle_table
from tests.trading.frames import NAN, rows_of, smc_frame


def gaps_up_and_down():
    """Row 2 completes a gap up (100..104), row 5 one down (96..100); ATR 2."""
    return smc_frame(
        6,
        high=[100.0, 105.0, 106.0, 101.0, 100.0, 96.0],
        low=[98.0, 97.5, 104.0, 100.0, 93.0, 92.0],
        close=[99.0, 105.0, 105.0, 100.5, 94.0, 93.0],
        fvg=[0, 0, 1, 0, 0, -1],
        fvg_top=[NAN, NAN, 104.0, NAN, NAN, 100.0],
        fvg_bottom=[NAN, NAN, 100.0, NAN, NAN, 96.0],
        fvg_size_atr=[NAN, NAN, 2.0, NAN, NAN, 2.0],
        # The impulse is the candle before the one that completes the gap.
        volume_ratio=[1.0, 2.0, 0.5, 1.0, 2.0, 0.5],
    )


class TestFill:
    def test_an_entry_rests_at_the_near_edge_and_goes_with_the_impulse(self):
        reading = fvg_fill(gaps_up_and_down(), entry="fill")

        assert rows_of(reading.side) == {2: 1, 5: -1}
        assert (reading.limit[2], reading.limit[5]) == (104.0, 96.0)
        assert reading.tag == "fvg_fill"

    def test_the_stop_lies_beyond_the_impulse_candle(self):
        reading = fvg_fill(gaps_up_and_down(), entry="fill", fill_buffer_atr=0.1)

        assert reading.stop[2] == pytest.approx(97.5 - 0.2)  # impulse low 97.5
        # The impulse's high is 100, the gap's far edge too: never nearer than either.
        assert reading.stop[5] == pytest.approx(100.0 + 0.2)

    def test_the_stop_is_never_inside_the_gap(self):
        frame = gaps_up_and_down()
        frame.loc[1, "low"] = 101.0  # an impulse that opened inside the gap

        reading = fvg_fill(frame, entry="fill", fill_buffer_atr=0.0)

        assert reading.stop[2] == 100.0

    def test_it_ages_out_and_has_a_target(self):
        reading = fvg_fill(gaps_up_and_down(), entry="fill", expiry_bars=7, target_r=2.5)

        assert (reading.expiry_bars, reading.target_r, reading.max_bars) == (7, 2.5, 24)


class TestMomentum:
    def test_a_loud_impulse_is_followed_at_once(self):
        reading = fvg_fill(gaps_up_and_down(), entry="momentum")

        assert rows_of(reading.side) == {2: 1, 5: -1}
        assert reading.limit is None
        assert (reading.stop[2], reading.stop[5]) == (100.0 - 0.5, 100.0 + 0.5)

    def test_the_impulse_not_the_completing_candle_must_be_loud(self):
        frame = gaps_up_and_down()
        frame["volume_ratio"] = [9.0, 1.0, 9.0, 9.0, 2.0, 1.0]

        assert rows_of(fvg_fill(frame, entry="momentum").side) == {5: -1}

    def test_a_gap_on_the_first_row_has_no_impulse_to_judge(self):
        frame = smc_frame(1, fvg=[1], fvg_top=[104.0], fvg_bottom=[100.0], fvg_size_atr=[2.0])

        assert rows_of(fvg_fill(frame, entry="momentum").side) == {}


class TestMeanReversion:
    def test_it_goes_against_the_impulse_towards_the_far_edge(self):
        reading = fvg_fill(gaps_up_and_down(), entry="mean_reversion")

        assert rows_of(reading.side) == {2: -1, 5: 1}
        assert (reading.target[2], reading.target[5]) == (100.0, 100.0)
        assert np.isnan(reading.target_r)

    def test_the_stop_lies_beyond_the_impulses_extreme(self):
        reading = fvg_fill(gaps_up_and_down(), entry="mean_reversion")

        assert reading.stop[2] == 106.0 + 0.5
        assert reading.stop[5] == 92.0 - 0.5


@pytest.mark.parametrize("entry", ["fill", "momentum", "mean_reversion"])
def test_a_gap_below_the_least_size_is_no_setup(entry):
    frame = gaps_up_and_down()

    assert rows_of(fvg_fill(frame, entry=entry, least_size_atr=2.01).side) == {}


@pytest.mark.parametrize("entry", ["fill", "momentum", "mean_reversion"])
def test_no_gap_is_no_setup(entry):
    assert rows_of(fvg_fill(smc_frame(5), entry=entry).side) == {}


def test_an_unknown_entry_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="choose one of fill, momentum, mean_reversion"):
        fvg_fill(gaps_up_and_down(), entry="half")


CONFIG = SmcConfig(swing_width=1, atr_period=2, volume_window_bars=2, trend_ema_bars=2)
IMPULSE = [
    # open, high, low, close
    (100, 101, 99, 100),
    (100, 101, 99, 100),
    (100, 101, 99, 100),
    (100, 106, 100, 106),  # the impulse
    (106, 107, 104, 106),  # completes the gap 101..104
]


def test_a_gap_filled_at_once_has_its_setup_on_its_own_candle_only():
    candles = candle_table([*IMPULSE, (106, 106, 100, 101)])  # straight through to the far edge

    found = detect(candles, CONFIG)
    reading = fvg_fill(found, entry="fill", least_size_atr=0.5)

    assert rows_of(reading.side) == {4: 1}
    assert found["fvg_filled"].iloc[5] == 1


def test_a_partly_filled_gap_makes_no_second_setup():
    candles = candle_table([*IMPULSE, (106, 106, 103, 104), (104, 105, 102, 104)])

    found = detect(candles, CONFIG)

    assert list(found["fvg_bull_fill"].iloc[5:]) == pytest.approx([1 / 3, 2 / 3])
    assert rows_of(fvg_fill(found, entry="fill", least_size_atr=0.5).side) == {4: 1}


def test_a_gap_never_filled_makes_one_setup_that_expires():
    candles = candle_table([*IMPULSE, *[(106, 107, 105, 106)] * 8])

    reading = fvg_fill(detect(candles, CONFIG), entry="fill", least_size_atr=0.5, expiry_bars=3)

    assert rows_of(reading.side) == {4: 1}
    assert reading.expiry_bars == 3
