"""What is checked before the first candle: settings, parameters, warm-up."""

import json
from pathlib import Path

import pytest
from freqtrade.exceptions import FreqtradeException, OperationalException
from freqtrade.strategy import CategoricalParameter

from tests.strategies.bots import PLUGINS, STRATEGIES, load

TIMEFRAMES = ("15m", "30m", "1h", "2h", "4h")


@pytest.mark.parametrize("name", STRATEGIES)
class TestEveryStrategy:
    def test_it_trades_both_sides_on_futures_at_2h(self, name):
        strategy = load(name)

        assert strategy.timeframe == "2h"
        assert strategy.can_short is True
        assert strategy.process_only_new_candles is True
        assert strategy.order_types["stoploss_on_exchange"] is True

    @pytest.mark.parametrize("timeframe", TIMEFRAMES)
    def test_its_warm_up_fits_one_call_of_the_exchange(self, name, timeframe):
        strategy = load(name, timeframe=timeframe)

        assert strategy.timeframe == timeframe
        assert strategy.startup_candle_count == max(
            strategy.smc_config().warmup_bars, strategy.correlation_bars()
        )
        assert 0 < strategy.startup_candle_count < 5000

    def test_the_trend_average_spans_200_hours_whatever_the_timeframe(self, name):
        spans = {tf: load(name, timeframe=tf).smc_config().trend_ema_bars for tf in TIMEFRAMES}

        assert spans == {"15m": 800, "30m": 400, "1h": 200, "2h": 100, "4h": 50}

    @pytest.mark.parametrize(
        ("block", "word"),
        [
            ({"leverage": 2.5}, "whole number"),
            ({"levrage": 2}, "levrage"),
            ({"max_stop_ratio": 7}, "7"),
        ],
    )
    def test_a_bad_config_block_is_an_error_at_once(self, name, block, word):
        with pytest.raises(OperationalException, match=word):
            load(name, fractal={"strategy": block})

    def test_entry_prices_may_be_as_far_as_a_setup_may_be(self, name):
        assert load(name).config["custom_price_max_distance_ratio"] == pytest.approx(0.16)

    def test_the_users_own_distance_is_kept(self, name):
        strategy = load(name, custom_price_max_distance_ratio=0.05)

        assert strategy.config["custom_price_max_distance_ratio"] == 0.05

    def test_its_defaults_are_sound(self, name):
        strategy = load(name)

        strategy.ft_bot_start()  # raises where a combination of parameters is impossible

        assert strategy.startup_candle_count == 400  # both the detectors and 30 days of returns

    def test_its_choices_default_to_the_reading_that_the_evidence_supports(self, name):
        supported = {"displacement", "break", "fill"}

        choices = [
            p for p in vars(type(load(name))).values() if isinstance(p, CategoricalParameter)
        ]
        readings = [p for p in choices if {True, False} != set(p.opt_range)]

        assert readings
        assert {p.value for p in readings} <= supported
        assert all(p.optimize is False for p in choices)


def with_values(name, **values):
    """A strategy whose parameters a file, or hyperopt, has set."""
    strategy = load(name)
    for key, value in values.items():
        getattr(strategy, key).value = value
    return strategy


@pytest.fixture(autouse=True)
def restored_parameters():
    """Parameters belong to the class; put back what a test has set."""
    kept = []
    for name in STRATEGIES:
        for owner in type(load(name)).__mro__:
            for parameter in vars(owner).values():
                if hasattr(parameter, "optimize") and hasattr(parameter, "value"):
                    kept.append((parameter, parameter.value))
    yield
    for parameter, value in kept:
        parameter.value = value


class TestImpossibleParameters:
    def test_a_confirming_gap_smaller_than_any_that_is_looked_for(self):
        strategy = with_values("LiquiditySweep", least_gap_atr=0.2)

        with pytest.raises(OperationalException, match=r"least_gap_atr is 0\.2.* at least 0.25"):
            strategy.check_parameters()

    def test_a_fill_entry_that_rests_longer_than_its_gap_lives(self):
        strategy = with_values("FvgFill", expiry_bars=101)

        with pytest.raises(OperationalException, match=r"expiry_bars is 101.* at most 100"):
            strategy.check_parameters()

    def test_the_other_readings_do_not_rest(self):
        with_values("FvgFill", expiry_bars=101, entry="momentum").check_parameters()

    def test_an_ensemble_of_nothing(self):
        strategy = with_values(
            "SmcEnsemble",
            use_bos_order_block=False,
            use_fvg_fill=False,
            use_liquidity_sweep=False,
        )

        with pytest.raises(OperationalException, match="every strategy switched off: turn on one"):
            strategy.check_parameters()

    def test_a_parameter_file_is_checked_at_start(self, tmp_path: Path):
        # freqtrade loads the file after `bot_start`; a check there would see the defaults.
        plugin = (PLUGINS / "liquidity_sweep.py").read_text()
        (tmp_path / "liquidity_sweep.py").write_text(plugin)
        parameters = {
            "strategy_name": "LiquiditySweep",
            "params": {"buy": {"least_gap_atr": 0.2}},
            "ft_stratparam_v": 1,
        }
        (tmp_path / "liquidity_sweep.json").write_text(json.dumps(parameters))
        strategy = load("LiquiditySweep", strategy_path=str(tmp_path))

        with pytest.raises(FreqtradeException, match=r"least_gap_atr is 0\.2"):
            strategy.ft_bot_start()

    def test_ranges_of_the_parameters_hold_no_impossible_value(self):
        # Hyperopt may pick any value inside; none of them may be refused.
        sweep, gap = load("LiquiditySweep"), load("FvgFill")

        assert sweep.least_gap_atr.low >= sweep.smc_config().fvg_least_size_atr
        assert gap.expiry_bars.high <= gap.smc_config().fvg_max_age_bars


def test_the_base_class_alone_finds_nothing():
    # abstract: a plugin must say where its setups are
    from fractal_strategies.trading import SmcStrategy

    assert SmcStrategy.readings.__isabstractmethod__
