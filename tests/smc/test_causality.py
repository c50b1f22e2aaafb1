"""Causality is the first law: proven per prefix, and the proof itself is proven to bite."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fractal_strategies.smc import COLUMNS, SmcConfig, detect, detect_all
from tests.smc.causality import assert_causal, assert_zones_settled
from tests.smc.markets import SHORT, configs, markets, random_walk, real_candles


def columns_of(config: SmcConfig | None = None) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: detect_all(frame, config).columns


class TestEveryPrefixReadsTheSame:
    @settings(max_examples=60, deadline=None)
    @given(market=markets(least=1), config=configs(), data=st.data())
    def test_of_random_markets_and_settings(self, market, config, data):
        rows = data.draw(st.integers(0, len(market) - 1))
        assert_causal(columns_of(config), market, [rows])

    @settings(max_examples=60, deadline=None)
    @given(market=markets(least=1), config=configs(), data=st.data())
    def test_zones_tell_the_same_story_so_far(self, market, config, data):
        rows = data.draw(st.integers(0, len(market)))
        part, whole = detect_all(market.iloc[:rows], config), detect_all(market, config)
        assert_zones_settled(part.order_blocks, whole.order_blocks, rows)
        assert_zones_settled(part.fair_value_gaps, whole.fair_value_gaps, rows)

    @pytest.mark.parametrize("seed", range(2))
    def test_of_a_random_walk_row_by_row(self, seed):
        market = random_walk(400, seed)
        assert assert_causal(columns_of(SHORT), market) == len(COLUMNS) * 400 * 401 // 2

    def test_through_the_frame_face(self):
        market = random_walk(300, 5)
        assert_causal(lambda frame: detect(frame, SHORT), market, range(200, 300, 7))


class TestReplayOfRealCandles:
    @pytest.mark.parametrize("name", ["BTC_USDT_USDT-15m", "BTC_USDT_USDT-1h"])
    def test_no_settled_reading_changes(self, name, record_property):
        candles = real_candles(name)
        if candles is None:
            pytest.skip("the reference candles of ../shared/data are not here")
        candles = candles.tail(6_000).reset_index(drop=True)
        rng = np.random.default_rng(11)
        last_rows = range(len(candles) - 400, len(candles))
        prefixes = [*last_rows, *rng.integers(1, len(candles) - 400, 60).tolist()]

        compared = assert_causal(columns_of(), candles, prefixes)

        record_property("readings_compared", compared)
        assert compared > 100_000_000

    def test_no_zone_changes_its_past(self):
        candles = real_candles("ETH_USDT_USDT-1h")
        if candles is None:
            pytest.skip("the reference candles of ../shared/data are not here")
        candles = candles.tail(4_000)
        whole = detect_all(candles)
        assert (whole.order_blocks.end_row >= 0).sum() > 100
        for rows in range(1, len(candles), 61):
            part = detect_all(candles.iloc[:rows])
            assert_zones_settled(part.order_blocks, whole.order_blocks, rows)
            assert_zones_settled(part.fair_value_gaps, whole.fair_value_gaps, rows)


# Guilty specimens: detectors with the leaks that public SMC code is known for, each beside its
# innocent twin. The proof must tell them apart.


def swing_stamped_on_its_extreme(frame: pd.DataFrame) -> pd.DataFrame:
    found = detect_all(frame, SHORT).columns
    return found[["swing_high"]].shift(-SHORT.swing_width)


def swing_stamped_one_candle_early(frame: pd.DataFrame) -> pd.DataFrame:
    return detect_all(frame, SHORT).columns[["swing_low"]].shift(-1)


def gap_read_on_its_middle_candle(frame: pd.DataFrame) -> pd.DataFrame:
    gap = frame["low"].shift(-1) > frame["high"].shift(1)
    return pd.DataFrame({"fvg": gap})


def gap_read_on_its_third_candle(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"fvg": frame["low"] > frame["high"].shift(2)})


def level_hidden_when_later_taken(frame: pd.DataFrame) -> pd.DataFrame:
    found = detect_all(frame, SHORT).columns
    highest_to_come = frame["high"][::-1].cummax()[::-1]
    level = found["liquidity_high"]
    return pd.DataFrame({"unswept_high": level.where(level >= highest_to_come)})


def pools_by_the_range_of_all_candles(frame: pd.DataFrame) -> pd.DataFrame:
    found = detect_all(frame, SHORT).columns
    tolerance = 0.02 * (frame["high"].max() - frame["low"].min())
    highs = found["swing_high"].dropna()
    equal = highs.diff().abs() <= tolerance
    return pd.DataFrame({"equal_highs": equal.reindex(frame.index, fill_value=False)})


def volume_scaled_by_all_candles(frame: pd.DataFrame) -> pd.DataFrame:
    volume = frame["volume"]
    return pd.DataFrame({"loud": (volume - volume.mean()) / (volume.std() + 1.0)})


def structure_filled_backwards(frame: pd.DataFrame) -> pd.DataFrame:
    found = detect_all(frame, SHORT).columns
    return pd.DataFrame({"next_break": found["broken_level"].bfill()})


def newest_swing_guessed_before_it_is_confirmed(frame: pd.DataFrame) -> pd.DataFrame:
    centred = frame["high"].rolling(2 * SHORT.swing_width + 1, center=True, min_periods=1).max()
    return pd.DataFrame({"swing": frame["high"].where(frame["high"] == centred)})


def whole_number_column_that_peeks(frame: pd.DataFrame) -> pd.DataFrame:
    peek = np.zeros(len(frame), np.int8)
    peek[:-1] = frame["close"].to_numpy()[1:] > frame["open"].to_numpy()[1:]
    return pd.DataFrame({"up_next": peek})


GUILTY = [
    swing_stamped_on_its_extreme,
    swing_stamped_one_candle_early,
    gap_read_on_its_middle_candle,
    level_hidden_when_later_taken,
    pools_by_the_range_of_all_candles,
    volume_scaled_by_all_candles,
    structure_filled_backwards,
    newest_swing_guessed_before_it_is_confirmed,
    whole_number_column_that_peeks,
]


class TestTheProof:
    @pytest.mark.parametrize("peeking", GUILTY, ids=lambda function: function.__name__)
    def test_catches_a_detector_that_peeks(self, peeking):
        with pytest.raises(AssertionError, match=r"column '\w+', row \d+: .* future"):
            assert_causal(peeking, random_walk(300, 2), range(100, 300))

    @pytest.mark.parametrize(
        "honest",
        [gap_read_on_its_third_candle, columns_of(SHORT)],
        ids=["gap_read_on_its_third_candle", "detect_all"],
    )
    def test_acquits_the_innocent_twin(self, honest):
        assert assert_causal(honest, random_walk(300, 2), range(100, 300)) > 0

    def test_names_column_row_and_prefix(self):
        frame = random_walk(6, 0)

        def peek_in_row_two(given: pd.DataFrame) -> pd.DataFrame:
            reading = np.zeros(len(given))
            if len(given) > 3:
                reading[2] = 1.0
            return pd.DataFrame({"good": 0.0, "bad": reading}, index=given.index)

        with pytest.raises(AssertionError, match=r"column 'bad', row 2: .* when 3 candles"):
            assert_causal(peek_in_row_two, frame)

    def test_refuses_columns_that_come_and_go(self):
        def fickle(given: pd.DataFrame) -> pd.DataFrame:
            return given.assign(extra=0) if len(given) > 3 else given

        with pytest.raises(AssertionError, match=r"\['extra'\] come and go: prefix of 0"):
            assert_causal(fickle, random_walk(6, 0))

    def test_refuses_a_detector_that_drops_rows(self):
        with pytest.raises(AssertionError, match="5 rows out of 6"):
            assert_causal(lambda given: given.iloc[1:], random_walk(6, 0))

    def test_leaves_out_ignored_columns(self):
        frame = random_walk(20, 0)
        peeking = whole_number_column_that_peeks
        assert assert_causal(peeking, frame, [10], ignore=["up_next"]) == 0

    def test_sees_through_a_zone_whose_end_was_known_too_early(self):
        market = random_walk(400, 3)
        whole = detect_all(market, SHORT).fair_value_gaps
        rows = int(whole.end_row[whole.end_row >= 0][-1])
        part = detect_all(market.iloc[:rows], SHORT).fair_value_gaps
        assert_zones_settled(part, whole, rows)
        known = len(part.known_row)
        with pytest.raises(AssertionError):
            assert_zones_settled(part._replace(end_row=whole.end_row[:known]), whole, rows)
