"""All detectors together: columns, short frames, symmetry, and what must not happen."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from fractal_strategies import smc
from fractal_strategies.smc import COLUMNS, SmcConfig, detect, detect_all
from tests.smc.markets import SHORT, configs, frame_of, markets, random_walk

GROUPS = ("swings", "structure", "displacement", "order_blocks", "fair_value_gaps", "liquidity")


def group_of(module_name):
    import importlib

    module = importlib.import_module(f"fractal_strategies.smc.{module_name}")
    return next(
        value
        for value in vars(module).values()
        if hasattr(value, "_fields") and value.__module__ == module.__name__
    )


class TestColumns:
    @pytest.mark.parametrize("module_name", [*GROUPS, "confidence"])
    def test_every_field_of_every_group_is_a_column(self, module_name):
        fields = set(group_of(module_name)._fields) - {"zones"}
        assert fields <= set(COLUMNS)

    def test_are_all_there_once_in_the_stated_order(self):
        assert len(set(COLUMNS)) == len(COLUMNS)
        assert tuple(detect_all(random_walk(50)).columns.columns) == COLUMNS

    def test_every_field_but_the_factors_says_what_it_is(self):
        # The factors' meanings stand in FACTORS.
        for module_name in GROUPS:
            group = group_of(module_name)
            for name in group._fields:
                text = getattr(group, name).__doc__
                assert text, f"{group.__name__}.{name}"

    def test_public_names_exist_and_are_sorted(self):
        assert all(hasattr(smc, name) for name in smc.__all__)


class TestFrames:
    @pytest.mark.parametrize("rows", [0, 1, 2, 10])
    @pytest.mark.parametrize("config", [None, SHORT], ids=["default", "short"])
    def test_few_rows_give_columns_without_error(self, rows, config):
        columns = detect_all(random_walk(rows), config).columns
        assert columns.shape == (rows, len(COLUMNS))

    @pytest.mark.parametrize("rows", [0, 1, 2, 10])
    def test_few_rows_give_no_signal(self, rows):
        found = detect_all(random_walk(rows))
        signals = ["bos", "choch", "displacement", "ob", "fvg", "sweep", "trend"]
        assert not found.columns[signals].to_numpy().any()
        assert len(found.order_blocks.known_row) == len(found.fair_value_gaps.known_row) == 0

    def test_input_is_not_changed(self):
        frame = random_walk(300)
        before = frame.copy(deep=True)
        detect(frame, SHORT)
        pd.testing.assert_frame_equal(frame, before)

    def test_keeps_index_and_further_columns(self):
        frame = random_walk(100).assign(rsi=50.0)
        frame.index = range(7, 107)
        found = detect(frame, SHORT)
        assert found.index.equals(frame.index)
        assert list(found.columns) == [*frame.columns, *COLUMNS]

    def test_a_second_run_replaces_the_first(self):
        frame = random_walk(200)
        pd.testing.assert_frame_equal(detect(detect(frame), SHORT), detect(frame, SHORT))

    def test_illegal_candles_are_refused(self):
        frame = random_walk(50)
        frame.loc[9, "low"] = np.nan
        with pytest.raises(ValueError, match="column 'low' is nan in row 9"):
            detect(frame)

    def test_a_dead_market_is_silent(self):
        flat = frame_of(np.column_stack([np.full((600, 4), 10.0), np.zeros(600)]))
        found = detect_all(flat).columns
        signals = ["bos", "choch", "displacement", "ob", "fvg", "sweep", "trend"]
        assert not found[signals].to_numpy().any()
        assert found["liquidity_high"].isna().all()
        assert (found[["confidence_long", "confidence_short"]] == 0).all(axis=None)

    def test_a_lively_market_says_everything_there_is_to_say(self):
        # Guards the other tests: no column may be constant on what they run on.
        found = detect_all(random_walk(3_000, 1), SHORT).columns
        assert [name for name in COLUMNS if found[name].nunique() < 2] == []

    def test_the_same_input_gives_the_same_bits(self):
        frame = random_walk(500)
        first, second = detect_all(frame).columns, detect_all(frame).columns
        for name in COLUMNS:
            assert first[name].to_numpy().tobytes() == second[name].to_numpy().tobytes()


def mirrored(frame: pd.DataFrame, about: float) -> pd.DataFrame:
    """Turn prices upside down; exact as long as all prices are multiples of a power of two."""
    return frame.assign(
        open=about - frame["open"],
        high=about - frame["low"],
        low=about - frame["high"],
        close=about - frame["close"],
    )


SWAPS = (("high", "low"), ("long", "short"), ("bull", "bear"), ("top", "bottom"))
PRICES = {
    *("swing_high", "swing_low", "last_swing_high", "last_swing_low", "broken_level"),
    *("ob_top", "ob_bottom", "fvg_top", "fvg_bottom", "liquidity_high", "liquidity_low"),
    *(f"{kind}_{side}_{edge}" for kind in ("ob", "fvg") for side in ("bull", "bear")
      for edge in ("top", "bottom")),
    *(f"sweep_{side}_{what}" for side in ("high", "low") for what in ("level", "extreme")),
}  # fmt: skip
SIGNED = {
    *("trend", "bos", "choch", "displacement", "body_atr", "ob", "ob_mitigated"),
    *("ob_invalidated", "fvg", "fvg_filled", "sweep"),
}
RECURSIVE = {"long_trend_side", "short_trend_side", "confidence_long", "confidence_short"}
"""They compare with a running average, whose last bits are not symmetric."""


def twin_of(name: str) -> str:
    for one, other in SWAPS:
        parts = name.split("_")
        name = "_".join({one: other, other: one}.get(part, part) for part in parts)
    return name


class TestSymmetry:
    @settings(max_examples=60, deadline=None)
    @given(market=markets(), config=configs())
    def test_a_market_upside_down_reads_upside_down(self, market, config):
        about = 1_024.0 * 8
        right, turned = (
            detect_all(frame, config).columns for frame in (market, mirrored(market, about))
        )
        for name in set(COLUMNS) - RECURSIVE:
            expected = right[twin_of(name)].to_numpy()
            if name in PRICES:
                expected = about - expected
            elif name in SIGNED:
                expected = -expected
            elif name == "range_position":
                expected = 1.0 - expected
            got = turned[name].to_numpy()
            np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9, err_msg=name)

    def test_the_score_turns_too(self):
        market = random_walk(600, 2)
        right, turned = (
            detect_all(frame, SHORT).columns for frame in (market, mirrored(market, 2.0**16))
        )
        for name in RECURSIVE:
            agree = (right[name] == turned[twin_of(name)]).mean()
            assert agree > 0.99, name

    def test_zones_turn_too(self):
        about = 2.0**16
        market = random_walk(600, 4)
        for kind in ("order_blocks", "fair_value_gaps"):
            right = getattr(detect_all(market, SHORT), kind)
            turned = getattr(detect_all(mirrored(market, about), SHORT), kind)
            assert len(right.known_row) > 20
            assert np.array_equal(turned.direction, -right.direction)
            assert np.array_equal(turned.top, about - right.bottom)
            for name in ("source_row", "known_row", "touched_row", "end_row", "end_reason"):
                assert np.array_equal(getattr(turned, name), getattr(right, name)), name

    @pytest.mark.parametrize("factor", [2.0**-12, 2.0**7])
    def test_another_unit_of_price_changes_prices_only(self, factor):
        market = random_walk(800, 3)
        prices = ["open", "high", "low", "close"]
        scaled = market.assign(**{name: market[name] * factor for name in prices})
        before, after = detect_all(market, SHORT).columns, detect_all(scaled, SHORT).columns
        for name in COLUMNS:
            scale = factor if name in PRICES or name == "atr" else 1.0
            assert np.array_equal(after[name], before[name] * scale, equal_nan=True), name

    @pytest.mark.parametrize("factor", [2.0**-5, 2.0**9])
    def test_another_unit_of_volume_changes_nothing(self, factor):
        market = random_walk(800, 3)
        scaled = market.assign(volume=market["volume"] * factor)
        pd.testing.assert_frame_equal(
            detect_all(market, SHORT).columns, detect_all(scaled, SHORT).columns
        )

    def test_the_default_settings_are_used_when_none_are_given(self):
        market = random_walk(600, 1)
        pd.testing.assert_frame_equal(
            detect_all(market).columns, detect_all(market, SmcConfig()).columns
        )
