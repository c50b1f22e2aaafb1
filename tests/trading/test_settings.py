"""The config block of the strategies."""

import pydantic
import pytest

from fractal_strategies.trading.settings import StrategySettings


def read(block):
    return StrategySettings.from_config({"fractal": {"strategy": block}})


@pytest.mark.parametrize(
    "config", [{}, {"fractal": {}}, {"fractal": None}, {"fractal": {"strategy": None}}]
)
def test_without_a_block_the_defaults_hold(config):
    settings = StrategySettings.from_config(config)

    assert settings.leverage == 3.0
    assert (settings.min_stop_ratio, settings.max_stop_ratio) == (0.01, 0.08)
    assert settings.higher_timeframe_alignment is False


def test_given_values_win():
    settings = read({"leverage": 5, "max_stop_ratio": 0.05, "higher_timeframe_alignment": True})

    assert (settings.leverage, settings.max_stop_ratio) == (5.0, 0.05)
    assert settings.higher_timeframe_alignment


def test_other_blocks_of_fractal_are_none_of_its_business():
    assert StrategySettings.from_config({"fractal": {"limits": {"x": 1}}}).leverage == 3.0


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"leverge": 3}, ["fractal.strategy.leverge", "3", "known keys: leverage"]),
        ({"leverage": 0.5}, ["fractal.strategy.leverage", "0.5", "greater than or equal to 1"]),
        ({"leverage": 50}, ["fractal.strategy.leverage", "50", "less than or equal to 20"]),
        ({"leverage": "much"}, ["fractal.strategy.leverage", "'much'", "number"]),
        ({"leverage": 2.5}, ["fractal.strategy =", "2.5", "give a whole number"]),
        ({"min_stop_ratio": 0}, ["fractal.strategy.min_stop_ratio", "0", "greater than 0"]),
        ({"max_stop_ratio": 1.5}, ["fractal.strategy.max_stop_ratio", "1.5"]),
        ({"min_stop_ratio": float("nan")}, ["fractal.strategy.min_stop_ratio", "nan"]),
        ({"min_stop_ratio": 0.08}, ["min_stop_ratio 0.08", "max_stop_ratio 0.08", "no setup"]),
        ({"max_stop_ratio": 0.2}, ["max_stop_ratio 0.2", "leverage 3", "lower one of them"]),
        ({"higher_timeframe_alignment": "maybe"}, ["higher_timeframe_alignment", "'maybe'"]),
        (5, ["fractal.strategy = 5"]),
        ([], ["fractal.strategy = []"]),
    ],
)
def test_a_bad_block_is_refused_with_key_value_and_remedy(block, words):
    with pytest.raises(ValueError, match="config: fractal") as refusal:
        read(block)

    for word in words:
        assert word in str(refusal.value)


def test_a_fractal_key_that_is_no_block_is_refused():
    with pytest.raises(ValueError, match=r"fractal = \['strategy'\]: give a block"):
        StrategySettings.from_config({"fractal": ["strategy"]})


def test_an_unknown_block_of_fractal_is_refused():
    with pytest.raises(ValueError, match=r"fractal\.stratgy is unknown \(known blocks: limits"):
        StrategySettings.from_config({"fractal": {"stratgy": {}}})


def test_every_problem_is_named_at_once():
    with pytest.raises(ValueError, match="leverage") as refusal:
        read({"leverage": 0, "max_stop_ratio": 2, "colour": "red"})

    for key in ("leverage", "max_stop_ratio", "colour"):
        assert f"fractal.strategy.{key}" in str(refusal.value)


def test_settings_do_not_change_once_read():
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        StrategySettings().leverage = 20.0
