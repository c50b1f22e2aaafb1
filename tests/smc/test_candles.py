"""The door: every illegal candle is refused with its column and row; legal oddities pass."""

import numpy as np
import pandas as pd
import pytest

from fractal_strategies.smc import Candles
from tests.smc.markets import random_walk, table


def spoiled(column, value, row=7):
    frame = random_walk(20)
    frame.loc[row, column] = value
    return frame


@pytest.fixture(params=["compiled", "uncompiled"], autouse=True)
def either_way(request):
    """Run everything here with the kernel compiled and as plain Python."""
    if request.param == "uncompiled":
        request.getfixturevalue("uncompiled")


class TestRefuses:
    @pytest.mark.parametrize("column", ["date", "open", "high", "low", "close", "volume"])
    def test_a_missing_column(self, column):
        with pytest.raises(ValueError, match=f"lack the column '{column}'"):
            Candles.from_frame(random_walk(5).drop(columns=column))

    @pytest.mark.parametrize("column", ["open", "high", "low", "close", "volume"])
    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_a_value_that_is_not_finite(self, column, value):
        with pytest.raises(ValueError, match=f"column '{column}' is (nan|inf|-inf) in row 7"):
            Candles.from_frame(spoiled(column, value))

    @pytest.mark.parametrize("column", ["open", "high", "low", "close"])
    @pytest.mark.parametrize("value", [0.0, -5.0])
    def test_a_price_that_is_not_positive(self, column, value):
        with pytest.raises(ValueError, match=f"column '{column}' is {value}, below.* in row 7"):
            Candles.from_frame(spoiled(column, value))

    def test_a_negative_volume(self):
        with pytest.raises(ValueError, match=r"column 'volume' is -1.0, below.* in row 7"):
            Candles.from_frame(spoiled("volume", -1.0))

    def test_a_low_above_the_high(self):
        with pytest.raises(ValueError, match=r"column 'low' is 1000000000.0, above .* row 7"):
            Candles.from_frame(spoiled("low", 1e9))

    @pytest.mark.parametrize("column", ["open", "close"])
    @pytest.mark.parametrize("value", [0.25, 1e9])
    def test_a_body_outside_of_its_range(self, column, value):
        with pytest.raises(ValueError, match=rf"column '{column}' is .* outside low..high.* row 7"):
            Candles.from_frame(spoiled(column, value))

    def test_the_first_bad_row_is_named(self):
        frame = spoiled("close", np.nan, row=4)
        frame.loc[3, "volume"] = np.nan
        with pytest.raises(ValueError, match="column 'volume' is nan in row 3"):
            Candles.from_frame(frame)

    def test_a_repeated_date(self):
        frame = random_walk(20)
        frame.loc[9, "date"] = frame.loc[8, "date"]
        with pytest.raises(ValueError, match="column 'date' repeats row 8 in row 9"):
            Candles.from_frame(frame)

    def test_a_date_out_of_order(self):
        frame = random_walk(20)
        frame.loc[9, "date"] = frame.loc[2, "date"]
        with pytest.raises(ValueError, match="column 'date' lies before row 8 in row 9"):
            Candles.from_frame(frame)

    @pytest.mark.parametrize("row", [0, 9, 19])
    def test_a_missing_date(self, row):
        frame = random_walk(20)
        frame.loc[row, "date"] = pd.NaT
        with pytest.raises(ValueError, match=f"column 'date' has no value in row {row}"):
            Candles.from_frame(frame)

    def test_dates_that_are_no_timestamps(self):
        frame = random_walk(5)
        frame["date"] = range(5)
        with pytest.raises(ValueError, match=r"column 'date' holds int64.*pd.to_datetime"):
            Candles.from_frame(frame)

    def test_text_for_numbers(self):
        frame = random_walk(5)
        frame["close"] = ["dear"] * 5
        with pytest.raises(ValueError, match="column 'close' is not numeric"):
            Candles.from_frame(frame)


class TestAccepts:
    def test_zero_volume_and_flat_candles(self):
        assert len(Candles.from_frame(table((10, 10, 10, 10, 0), (10, 10, 10, 10, 0)))) == 2

    def test_no_candles_at_all(self):
        assert len(Candles.from_frame(random_walk(0))) == 0

    @pytest.mark.parametrize("dtype", ["float32", "int64", "Float64", "Int32"])
    def test_other_numeric_types(self, dtype):
        frame = table((10, 12, 9, 11, 5), (11, 13, 10, 12, 6)).astype({"close": dtype})
        assert Candles.from_frame(frame).close.tolist() == [11, 12]

    def test_any_index_and_further_columns(self):
        frame = random_walk(5).assign(rsi=50.0)
        frame.index = list("edcba")
        assert len(Candles.from_frame(frame)) == 5

    @pytest.mark.parametrize("unit", ["s", "ms", "ns"])
    def test_dates_of_any_resolution_with_or_without_zone(self, unit):
        frame = random_walk(5)
        frame["date"] = frame["date"].dt.as_unit(unit)
        assert len(Candles.from_frame(frame)) == 5
        frame["date"] = frame["date"].dt.tz_localize(None)
        assert len(Candles.from_frame(frame)) == 5

    def test_a_missing_value_of_a_nullable_type_is_found(self):
        frame = random_walk(5).astype({"volume": "Float64"})
        frame.loc[2, "volume"] = pd.NA
        with pytest.raises(ValueError, match="column 'volume' is nan in row 2"):
            Candles.from_frame(frame)


class TestNumbers:
    def test_are_contiguous_copies(self):
        frame = random_walk(50)
        before = frame.copy(deep=True)
        candles = Candles.from_frame(frame)
        for array in (candles.open, candles.high, candles.low, candles.close, candles.volume):
            assert array.flags["C_CONTIGUOUS"]
            assert array.flags["WRITEABLE"], "a read-only view would compile kernels twice"
            array[:] = 0.0
        pd.testing.assert_frame_equal(frame, before)
