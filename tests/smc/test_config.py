"""Settings of the detectors: checked once, with key, value and range in the message."""

from dataclasses import fields

import numpy as np
import pytest

from fractal_strategies.smc import SmcConfig
from fractal_strategies.smc._config import _RANGES

KEYS = [field.name for field in fields(SmcConfig)]


class TestSmcConfig:
    def test_every_key_has_a_range_and_nothing_else_has(self):
        assert sorted(_RANGES) == sorted(KEYS)

    @pytest.mark.parametrize("key", KEYS)
    def test_the_ends_of_a_range_are_legal(self, key):
        for value in _RANGES[key]:
            assert getattr(SmcConfig(**{key: value}), key) == value

    @pytest.mark.parametrize("key", KEYS)
    @pytest.mark.parametrize("end", [0, 1])
    def test_beyond_its_range_is_an_error_that_names_key_value_and_range(self, key, end):
        low, high = _RANGES[key]
        value = (low - 1, high + 1)[end]
        with pytest.raises(ValueError, match=rf"SmcConfig.{key} is {value}.*from {low} to {high}"):
            SmcConfig(**{key: value})

    @pytest.mark.parametrize("value", [True, "5", None, 5.0, float("nan")])
    def test_a_whole_number_must_be_one(self, value):
        with pytest.raises(ValueError, match=r"SmcConfig.swing_width is .* a whole number"):
            SmcConfig(swing_width=value)

    @pytest.mark.parametrize("value", [True, "1", None, float("nan"), float("inf")])
    def test_a_ratio_must_be_a_finite_number(self, value):
        with pytest.raises(ValueError, match=r"SmcConfig.equal_tolerance_atr is .* a number"):
            SmcConfig(equal_tolerance_atr=value)

    def test_takes_numpys_numbers(self):
        # Optimisers hand them over.
        assert SmcConfig(swing_width=np.int64(3), fvg_least_size_atr=np.float64(0.5))

    def test_an_unknown_key_is_an_error(self):
        with pytest.raises(TypeError, match="swing_wdith"):
            SmcConfig(swing_wdith=3)

    def test_is_frozen(self):
        with pytest.raises(AttributeError):
            SmcConfig().swing_width = 3

    @pytest.mark.parametrize(
        ("settings", "bars"),
        [
            ({}, 400),
            ({"trend_ema_bars": 2, "atr_period": 50}, 1000),
            ({"trend_ema_bars": 2, "atr_period": 1, "volume_window_bars": 500}, 501),
            (
                {
                    "trend_ema_bars": 2,
                    "atr_period": 1,
                    "volume_window_bars": 1,
                    "swing_width": 100,
                },
                201,
            ),
        ],
    )
    def test_warm_up_is_that_of_the_slowest_detector(self, settings, bars):
        assert SmcConfig(**settings).warmup_bars == bars
