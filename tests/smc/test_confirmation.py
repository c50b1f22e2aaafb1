"""Confirmed sweeps on small tables, against an oracle, and on prefixes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fractal_strategies.smc import Candles, average_true_range, fair_value_gaps, liquidity, swings
from fractal_strategies.smc.confirmation import confirmed_sweeps, confirmed_sweeps_nb
from tests.smc.causality import assert_causal
from tests.smc.markets import markets, random_walk

NAN = np.nan


def confirmed(closes, *, low=None, high=None, gap=None, within=2, least=0.5, compiled=True):
    """Marks of a made-up market: `low`/`high` map rows to sweep extremes, `gap` to (side, ATR)."""
    n = len(closes)

    def at(given, empty=NAN, dtype=float):
        array = np.full(n, empty, dtype)
        for row, value in (given or {}).items():
            array[row] = value
        return array

    kernel = confirmed_sweeps_nb if compiled else confirmed_sweeps_nb.py_func
    sides = {row: side for row, (side, _) in (gap or {}).items()}
    sizes = {row: size for row, (_, size) in (gap or {}).items()}
    arguments = (at(low), at(high), at(sides, 0, np.int8), at(sizes), within, least)
    return kernel(np.array(closes, float), *arguments).tolist()


@pytest.mark.parametrize("compiled", [True, False])
class TestConfirmedSweeps:
    def test_the_first_gap_after_the_sweep_confirms_it_once(self, compiled):
        marks = confirmed([10] * 5, low={1: 8}, gap={2: (1, 1), 3: (1, 1)}, compiled=compiled)
        assert marks == [0, 0, 1, 0, 0]

    def test_of_highs_mirrors_it(self, compiled):
        assert confirmed([10] * 3, high={0: 12}, gap={1: (-1, 1)}, compiled=compiled) == [0, -1, 0]

    def test_a_gap_of_the_other_direction_does_not(self, compiled):
        assert not any(confirmed([10] * 3, low={0: 8}, gap={1: (-1, 1)}, compiled=compiled))

    @pytest.mark.parametrize(("row", "expected"), [(3, True), (4, False)])
    def test_must_come_in_time(self, row, expected, compiled):
        marks = confirmed([10] * 5, low={1: 8}, gap={row: (1, 1)}, compiled=compiled)
        assert any(marks) is expected

    @pytest.mark.parametrize(("size", "expected"), [(0.5, True), (0.49, False)])
    def test_must_be_wide_enough(self, size, expected, compiled):
        marks = confirmed([10] * 3, low={0: 8}, gap={1: (1, size)}, compiled=compiled)
        assert any(marks) is expected

    def test_a_close_beyond_the_extreme_ends_the_wait(self, compiled):
        assert not any(confirmed([10, 7.9, 10], low={0: 8}, gap={2: (1, 1)}, compiled=compiled))
        assert not any(confirmed([10, 12.1, 10], high={0: 12}, gap={2: (-1, 1)}, compiled=compiled))

    def test_a_newer_sweep_starts_anew(self, compiled):
        marks = confirmed([10, 10, 7.5, 10], low={0: 8, 2: 7}, gap={3: (1, 1)}, compiled=compiled)
        assert marks == [0, 0, 0, 1]


def of_frame(frame: pd.DataFrame) -> pd.DataFrame:
    market = Candles.from_frame(frame)
    atr = average_true_range(market, 3)
    levels = liquidity(market, swings(market, 2), atr, width=2)
    gaps = fair_value_gaps(market, atr)
    return pd.DataFrame({"confirmed": confirmed_sweeps(market, levels, gaps, least_gap_atr=0.3)})


@settings(max_examples=40, deadline=None)
@given(market=markets(least=1), data=st.data())
def test_no_reading_changes_on_prefixes(market, data):
    assert_causal(of_frame, market, [data.draw(st.integers(0, len(market) - 1))])


def test_happens_on_a_random_walk_and_stays():
    walk = random_walk(800, 6)
    assert set(of_frame(walk)["confirmed"]) == {-1, 0, 1}
    assert_causal(of_frame, walk, range(0, 800, 11))
