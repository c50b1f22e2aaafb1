"""The machinery's settings, and the reading of blocks of the config."""

from datetime import timedelta

import pydantic
import pytest

from fractal_protections.portfolio.config_block import KNOWN_BLOCKS, read_block
from fractal_protections.portfolio.settings import PortfolioSettings

SECONDS = (
    "max_report_age_seconds",
    "reservation_seconds",
    "venue_timeout_seconds",
    "lock_timeout_seconds",
)


def read(**block):
    return PortfolioSettings.from_config({"fractal": {"portfolio": block}})


def refusal_of(**block):
    with pytest.raises(ValueError, match=r"^config: fractal\.portfolio") as refusal:
        read(**block)
    return str(refusal.value)


class TestSettings:
    def test_without_a_block_are_the_defaults(self):
        settings = PortfolioSettings.from_config({})

        assert settings.gate is True
        assert settings.ledger_url is None
        assert settings.max_report_age == timedelta(minutes=2)
        assert settings.reservation_time == timedelta(seconds=30)
        assert settings.ambiguous_capital_time == timedelta(days=1)
        assert (settings.venue_timeout_seconds, settings.lock_timeout_seconds) == (3.0, 2.0)

    def test_given_values_win(self):
        settings = read(gate=False, ledger_url="sqlite:///x.db", max_report_age_seconds=45)

        assert (settings.gate, settings.ledger_url) == (False, "sqlite:///x.db")
        assert settings.max_report_age == timedelta(seconds=45)

    def test_do_not_change_once_read(self):
        with pytest.raises(pydantic.ValidationError, match="frozen"):
            PortfolioSettings().gate = False

    @pytest.mark.parametrize("key", [*SECONDS, "ambiguous_capital_hours"])
    @pytest.mark.parametrize(
        "value", [0, -1, float("nan"), float("inf"), "30", True, None, 1e9], ids=repr
    )
    def test_of_time_are_positive_and_bounded(self, key, value):
        assert f"fractal.portfolio.{key} = {value!r}: " in refusal_of(**{key: value})

    @pytest.mark.parametrize("key", SECONDS)
    def test_in_milliseconds_are_refused(self, key):
        milliseconds = 1000 * getattr(PortfolioSettings(), key) * 2
        assert f"{key} = {milliseconds}: Input should be less" in refusal_of(**{key: milliseconds})

    @pytest.mark.parametrize("value", ["no", "false", 0, 1, None])
    def test_of_the_gate_are_true_or_false(self, value):
        assert f"fractal.portfolio.gate = {value!r}: " in refusal_of(gate=value)

    def test_of_the_ledger_are_text(self):
        assert "fractal.portfolio.ledger_url = 5: " in refusal_of(ledger_url=5)

    def test_that_are_unknown_are_refused(self):
        text = refusal_of(ledger="x")
        assert "fractal.portfolio.ledger = 'x': Extra inputs" in text
        assert "known keys: gate, ledger_url" in text


class TestABlock:
    @pytest.mark.parametrize(
        "config", [{}, {"fractal": None}, {"fractal": {}}, {"fractal": {"portfolio": None}}]
    )
    def test_that_is_missing_is_empty(self, config):
        assert read_block(config, "portfolio", PortfolioSettings) == PortfolioSettings()

    @pytest.mark.parametrize("fractal", [["limits"], "limits", 5, True, []])
    def test_of_fractal_that_is_no_block_is_refused(self, fractal):
        with pytest.raises(ValueError, match="give a block of keys and values") as refusal:
            read_block({"fractal": fractal}, "portfolio", PortfolioSettings)
        assert f"config: fractal = {fractal!r}" in str(refusal.value)

    @pytest.mark.parametrize("block", [[], "x", 5, True])
    def test_that_is_no_mapping_is_refused(self, block):
        with pytest.raises(ValueError, match=r"config: fractal\.portfolio = ") as refusal:
            read_block({"fractal": {"portfolio": block}}, "portfolio", PortfolioSettings)
        assert repr(block) in str(refusal.value)

    def test_that_is_another_is_none_of_its_business(self):
        config = {"fractal": {"limits": {"max_positions": "many"}}}
        assert read_block(config, "portfolio", PortfolioSettings) == PortfolioSettings()

    @pytest.mark.parametrize(
        ("keys", "named"),
        [
            (["limit"], "fractal.limit is unknown"),
            (["limit", "Portfolio", 7], "fractal.7, fractal.Portfolio, fractal.limit is unknown"),
        ],
    )
    def test_that_nobody_knows_is_refused(self, keys, named):
        fractal = dict.fromkeys(KNOWN_BLOCKS, None) | dict.fromkeys(keys, None)
        with pytest.raises(ValueError, match="known blocks: limits, portfolio, strategy") as no:
            read_block({"fractal": fractal}, "portfolio", PortfolioSettings)
        assert named in str(no.value)
        assert "correct or remove it" in str(no.value)

    def test_with_several_problems_names_them_all(self):
        text = refusal_of(gate="no", lock_timeout_seconds=99, colour="red")
        for problem in ("gate = 'no'", "lock_timeout_seconds = 99", "colour = 'red'"):
            assert f"fractal.portfolio.{problem}" in text
