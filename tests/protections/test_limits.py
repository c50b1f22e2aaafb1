"""The limits of the portfolio, and the mistakes that one can make with them."""

import json
from decimal import Decimal

import pydantic
import pytest

from fractal_protections.portfolio.limits import RATIOS, RiskLimits


def read(**block):
    return RiskLimits.from_config({"fractal": {"limits": block}})


def refusal_of(**block):
    with pytest.raises(ValueError, match=r"^config: fractal\.limits") as refusal:
        read(**block)
    return str(refusal.value)


DEFAULTS = {
    "max_total_exposure_ratio": Decimal("0.20"),
    "max_correlated_exposure_ratio": Decimal("0.30"),
    "max_positions_per_symbol": 1,
    "max_positions": 3,
    "max_position_ratio": Decimal("0.05"),
    "risk_per_trade_ratio": Decimal("0.01"),
    "min_confidence": 40.0,
    "daily_loss_ratio": Decimal("0.03"),
    "max_drawdown_ratio": Decimal("0.20"),
    "correlation_threshold": 0.7,
    "correlation_days": 30,
    "loss_streak": 2,
    "loss_streak_factor": Decimal("0.7"),
    "win_streak": 3,
    "win_streak_factor": Decimal("0.8"),
}
INTEGERS = tuple(key for key, value in DEFAULTS.items() if isinstance(value, int))


@pytest.mark.parametrize("config", [{}, {"fractal": {}}, {"fractal": {"limits": None}}])
def test_the_defaults_are_the_table_of_the_design(config):
    assert RiskLimits.from_config(config).model_dump() == DEFAULTS


def test_the_defaults_pass_their_own_checks():
    assert read(**DEFAULTS) == RiskLimits()


def test_a_ratio_of_json_is_exact():
    block = json.loads('{"max_total_exposure_ratio": 0.30, "risk_per_trade_ratio": 0.0125}')

    limits = read(**block)

    assert limits.max_total_exposure_ratio == Decimal("0.30")
    assert limits.risk_per_trade_ratio * 1000 == Decimal("12.5")


def test_limits_do_not_change_once_read():
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        RiskLimits().max_positions = 9


@pytest.mark.parametrize(
    "block",
    [
        # equal is no contradiction
        {"max_position_ratio": 0.2, "max_total_exposure_ratio": 0.2},
        {"risk_per_trade_ratio": 0.03, "daily_loss_ratio": 0.03},
        {"daily_loss_ratio": 0.2, "max_drawdown_ratio": 0.2},
        {"max_positions_per_symbol": 3, "max_positions": 3},
        # the bounds themselves
        {"max_total_exposure_ratio": 1, "max_correlated_exposure_ratio": 1},
        {"min_confidence": 0},
        {"min_confidence": 1},
        {"min_confidence": 100},
        {"correlation_threshold": 1, "correlation_days": 365},
        {"loss_streak_factor": 1, "win_streak_factor": 1},
    ],
)
def test_what_is_just_possible_is_taken(block):
    limits = read(**block)
    assert {key: getattr(limits, key) for key in block} == {
        key: Decimal(str(value)) if isinstance(DEFAULTS[key], Decimal) else value
        for key, value in block.items()
    }


class TestAPercentage:
    @pytest.mark.parametrize("key", RATIOS)
    @pytest.mark.parametrize(
        ("value", "remedy"),
        [
            (20, "for 20 % write 0.2"),
            (3, "for 3 % write 0.03"),
            (1.5, "for 1.5 % write 0.015"),
            (0.5, None),
            (1.0001, "write 0.010001"),
            (1000, "for 1000 % write 10"),
        ],
    )
    def test_is_refused_where_a_ratio_belongs(self, key, value, remedy):
        if remedy is None:
            lifted = {"max_total_exposure_ratio": 1, "daily_loss_ratio": 0.5}
            assert getattr(read(**{**lifted, "max_drawdown_ratio": 0.5, key: value}), key)
            return
        words = refusal_of(**{key: value})
        assert f"fractal.limits.{key} = {value}: " in words
        assert "it is a ratio" in words
        assert remedy in words

    def test_of_one_percent_that_was_written_as_1_contradicts_other_limits(self):
        for key in ("max_position_ratio", "risk_per_trade_ratio", "daily_loss_ratio"):
            assert f"{key} 1 is above" in refusal_of(**{key: 1})

    def test_is_refused_of_factors_and_threshold(self):
        for key in ("loss_streak_factor", "win_streak_factor", "correlation_threshold"):
            words = refusal_of(**{key: 70})
            assert f"fractal.limits.{key} = 70: Input should be less than or equal to 1" in words


def test_a_confidence_that_was_written_as_a_ratio_is_refused():
    words = refusal_of(min_confidence=0.4)
    assert "fractal.limits.min_confidence = 0.4" in words
    assert "it is a score of 100, not a ratio; write 40" in words


@pytest.mark.parametrize("key", DEFAULTS)
@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), float("-inf"), -1, -0.01, "0.1", "1", True, False, None, [], {}],
    ids=repr,
)
def test_what_is_no_proper_number_is_refused(key, value):
    assert f"fractal.limits.{key} = {value!r}: " in refusal_of(**{key: value})


@pytest.mark.parametrize("key", [*RATIOS, "loss_streak_factor", "win_streak_factor", *INTEGERS])
def test_zero_is_refused(key):
    assert f"fractal.limits.{key} = 0: Input should be greater than" in refusal_of(**{key: 0})


@pytest.mark.parametrize("key", INTEGERS)
@pytest.mark.parametrize("value", [2.5, 3.0])
def test_a_count_is_a_whole_number(key, value):
    assert f"{key} = {value}: Input should be a valid integer" in refusal_of(**{key: value})


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (
            {"max_position_ratio": 0.25},
            "max_position_ratio 0.25 is above max_total_exposure_ratio 0.20",
        ),
        ({"risk_per_trade_ratio": 0.05}, "risk_per_trade_ratio 0.05 is above daily_loss_ratio"),
        ({"daily_loss_ratio": 0.21}, "daily_loss_ratio 0.21 is above max_drawdown_ratio 0.20"),
        ({"max_positions_per_symbol": 4}, "max_positions_per_symbol 4 is above max_positions 3"),
    ],
)
def test_limits_that_contradict_each_other_are_refused(block, words):
    text = refusal_of(**block)
    assert words in text
    assert "lower the first or raise the second" in text


def test_every_contradiction_is_named_at_once():
    text = refusal_of(max_position_ratio=0.5, max_positions_per_symbol=9)
    assert "max_position_ratio 0.5 is above" in text
    assert "max_positions_per_symbol 9 is above" in text


def test_an_unknown_key_is_refused_and_the_known_ones_are_listed():
    text = refusal_of(max_total_exposure=0.2)
    assert "fractal.limits.max_total_exposure = 0.2: Extra inputs are not permitted" in text
    assert "known keys: max_total_exposure_ratio, " in text


def test_every_problem_is_named_at_once():
    text = refusal_of(max_total_exposure_ratio=20, colour="red", max_positions=0)
    for key in ("max_total_exposure_ratio = 20", "colour = 'red'", "max_positions = 0"):
        assert f"fractal.limits.{key}" in text


def test_a_drawdown_limit_of_everything_is_no_limit():
    with pytest.raises(ValueError, match=r"max_drawdown_ratio = 1: .*switches the limit off"):
        RiskLimits.from_config({"fractal": {"limits": {"max_drawdown_ratio": 1}}})
