"""The six factors of confidence, each moved on its own."""

import numpy as np
import pytest

from fractal_strategies.smc import FACTORS, Candles, confidence
from fractal_strategies.smc.confidence import Confidence
from fractal_strategies.smc.displacement import Displacement
from fractal_strategies.smc.fair_value_gaps import FairValueGaps
from tests.smc.markets import table

BARS = 8


def score(closes=None, *, trend=0, body=0.0, ratio=1.0, gap=None, row=5, ema=100) -> Confidence:
    """Confidence on a quiet market in which only row `row` carries what is given."""
    closes = closes or [10.0] * BARS
    market = Candles.from_frame(table(*[(close, close, close, close) for close in closes]))
    direction, size = gap or (0, np.nan)

    def at(value, rest, dtype):
        array = np.full(BARS, rest, dtype)
        array[row] = value
        return array

    unused = [None] * len(FairValueGaps._fields)
    gaps = FairValueGaps(*unused)._replace(
        fvg=at(direction, 0, np.int8), fvg_size_atr=at(size, np.nan, float)
    )
    impulse = Displacement(np.zeros(BARS, np.int8), at(body, 0.0, float), at(ratio, 1.0, float))
    trends = np.full(BARS, trend, np.int8)
    return confidence(market, trends, impulse, gaps, trend_ema_bars=ema)


class TestFactors:
    def test_every_factor_has_a_column_for_either_direction(self):
        assert {f"{side}_{name}" for side in ("long", "short") for name in FACTORS} == {
            name for name in Confidence._fields if not name.startswith("confidence")
        }

    def test_nothing_known_scores_nothing(self):
        found = score(body=np.nan, ratio=np.nan)
        assert not any(column.any() for column in found)

    @pytest.mark.parametrize(
        ("size", "gap", "wide"), [(0.74, 0, 0), (0.75, 1, 0), (1.24, 1, 0), (1.25, 1, 1)]
    )
    @pytest.mark.parametrize(("direction", "side"), [(1, "long"), (-1, "short")])
    def test_gap(self, size, gap, wide, direction, side):
        found = score(gap=(direction, size))._asdict()
        assert (found[f"{side}_gap"][5], found[f"{side}_wide_gap"][5]) == (gap, wide)
        other = "short" if side == "long" else "long"
        assert not found[f"{other}_gap"].any()

    @pytest.mark.parametrize(("ratio", "expected"), [(1.49, 0), (1.5, 1), (np.inf, 1)])
    def test_volume_counts_for_both(self, ratio, expected):
        found = score(ratio=ratio)
        assert found.long_volume[5] == found.short_volume[5] == expected

    @pytest.mark.parametrize(
        ("body", "up", "down"), [(0.99, 0, 0), (1.0, 1, 0), (-0.99, 0, 0), (-1.0, 0, 1)]
    )
    def test_impulse(self, body, up, down):
        found = score(body=body)
        assert (found.long_impulse[5], found.short_impulse[5]) == (up, down)

    @pytest.mark.parametrize("trend", [-1, 0, 1])
    def test_structure(self, trend):
        found = score(trend=trend)
        assert (found.long_structure[5], found.short_structure[5]) == (trend > 0, trend < 0)

    def test_trend_side(self):
        # The average of the first four closes is 10; then price steps up, and later down.
        found = score([10.0, 10, 10, 10, 12, 8, 8, 8], ema=4)
        assert found.long_trend_side.tolist() == [0, 0, 0, 0, 1, 0, 0, 0]
        assert found.short_trend_side.tolist() == [0, 0, 0, 0, 0, 1, 1, 1]

    def test_trend_side_is_unknown_on_fewer_candles_than_the_average(self):
        found = score([10.0, 11, 12, 13, 14, 15, 16, 17], ema=9)
        assert not found.long_trend_side.any()

    def test_a_setup_counts_for_three_candles(self):
        found = score(gap=(1, 2.0), body=2.0, ratio=2.0)
        for column in (found.long_gap, found.long_impulse, found.long_volume):
            assert column.tolist() == [0, 0, 0, 0, 0, 1, 1, 1]
        early = score(gap=(1, 2.0), row=1)
        assert early.long_gap.tolist() == [0, 1, 1, 1, 0, 0, 0, 0]

    def test_all_six_make_a_hundred(self):
        found = score([10.0] * 5 + [12.0] * 3, trend=1, body=2.0, ratio=2.0, gap=(1, 2.0), ema=4)
        assert found.confidence_long[5] == 100
        assert found.confidence_short[5] == pytest.approx(100 / 6), "volume has no side"
