"""Seams of freqtrade that the strategies lean on; a new release that moves one fails here."""

import inspect
from datetime import timedelta

import pytest
from freqtrade.enums import ExitType
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.persistence import LocalTrade
from freqtrade.resolvers import StrategyResolver
from freqtrade.strategy import IStrategy, stoploss_from_absolute
from freqtrade.strategy.strategy_wrapper import strategy_safe_wrapper

from fractal_strategies.trading import SmcStrategy
from tests.strategies.bots import PAIR, START, load, make_config
from tests.strategies.trades import entry_order, make_plan, open_trade


def raises(**_):
    raise RuntimeError("inside the hook")


class TestSafeWrapper:
    def test_an_exception_in_confirm_trade_entry_would_be_consent(self):
        # Hence fail_closed: freqtrade asks with default_retval=True.
        assert strategy_safe_wrapper(raises, default_retval=True)() is True
        asked = inspect.getsource(FreqtradeBot.execute_entry)
        confirm = asked[asked.index("self.strategy.confirm_trade_entry") :]
        assert confirm.index("default_retval=True") < 80

    def test_an_exception_in_custom_stake_amount_would_be_the_proposed_stake(self):
        asked = inspect.getsource(FreqtradeBot.get_valid_enter_price_and_stake)
        stake = asked[asked.index("self.strategy.custom_stake_amount") :]
        assert stake.index("default_retval=stake_amount") < 80

    def test_a_false_answer_of_ours_stays_false(self):
        strategy = load("ScriptedTrades")
        arguments = {"order_type": "limit", "amount": 1.0, "rate": 1.0, "time_in_force": "GTC"}

        answer = strategy_safe_wrapper(strategy.confirm_trade_entry, default_retval=True)(
            pair=PAIR, current_time=START, entry_tag="x", side="long", **arguments
        )

        assert answer is False  # no data provider is set

    def test_a_hook_gets_a_copy_of_the_trade(self):
        trade = open_trade()

        seen = strategy_safe_wrapper(lambda trade: trade, default_retval=None)(trade=trade)

        assert seen is not trade
        assert seen.id == trade.id  # custom data is stored by this


class TestAfterFill:
    def test_the_parameter_in_the_signature_switches_it_on(self):
        assert IStrategy._ft_stop_uses_after_fill is False
        assert load("ScriptedTrades")._ft_stop_uses_after_fill is True
        assert "after_fill" in inspect.getfullargspec(SmcStrategy.custom_stoploss).args

    def test_only_as_a_named_parameter(self):
        # The guilty twin of the backtest tests hides it in **kwargs.
        assert load("StopSetLate")._ft_stop_uses_after_fill is False

    def test_a_stop_refreshed_after_the_fill_is_no_trailing_stop(self):
        trade = open_trade()
        trade.adjust_stop_loss(100.0, -0.6, initial=True)

        trade.adjust_stop_loss(100.0, -0.09, allow_refresh=True)

        assert trade.stop_loss == pytest.approx(97.0)
        assert trade.is_stop_loss_trailing is False

    def test_a_stop_moved_later_is_a_trailing_stop(self):
        trade = open_trade()
        trade.adjust_stop_loss(100.0, -0.6, initial=True)

        trade.adjust_stop_loss(100.0, -0.09)

        assert trade.is_stop_loss_trailing is True

    def test_order_filled_comes_before_the_stop_is_asked_for(self):
        for seam in (FreqtradeBot._update_trade_after_fill, Backtesting._try_close_open_order):
            source = inspect.getsource(seam)
            asks = "ft_stoploss_adjust" if "ft_stoploss_adjust" in source else "_call_adjust_stop"
            assert source.index("order_filled") < source.index(asks)


@pytest.mark.usefixtures("no_database")
class TestExitOrder:
    def exits(self, *, trailing):
        strategy = load("ScriptedTrades", timeframe="1h")
        trade = open_trade(plan=make_plan())
        trade.adjust_stop_loss(100.0, -0.09, initial=True)
        trade.is_stop_loss_trailing = trailing
        now = START + timedelta(hours=2)
        found = strategy.should_exit(
            trade, 100.0, now, enter=False, exit_=False, low=95.0, high=108.0
        )
        return [each.exit_type for each in found]

    def test_a_stop_is_looked_at_before_the_target_and_a_trailing_stop_after_it(self):
        assert self.exits(trailing=False) == [ExitType.STOP_LOSS, ExitType.ROI]
        assert self.exits(trailing=True) == [ExitType.ROI, ExitType.TRAILING_STOP_LOSS]


class TestStopDistance:
    @pytest.mark.parametrize(("is_short", "rate"), [(False, 90.0), (True, 110.0)])
    def test_a_stop_that_price_has_passed_has_distance_zero(self, is_short, rate):
        assert stoploss_from_absolute(100.0, rate, is_short=is_short, leverage=3.0) == 0.0

    @pytest.mark.usefixtures("no_database")
    def test_freqtrade_ignores_a_distance_of_zero(self, monkeypatch):
        strategy = load("ScriptedTrades", timeframe="1h")
        monkeypatch.setattr(strategy, "custom_stoploss", lambda **_: 0.0)
        trade = open_trade()

        strategy.ft_stoploss_adjust(100.0, trade, START, 0.0, 0, after_fill=True)

        assert trade.stop_loss == pytest.approx(80.0)  # the wide one: 60 % over leverage 3


class TestCustomPrice:
    def bounded(self, custom, proposed, **config):
        bot = FreqtradeBot.__new__(FreqtradeBot)
        bot.config = config
        return bot.get_valid_price(custom, proposed)

    def test_a_limit_further_than_the_ratio_is_pulled_nearer(self):
        assert self.bounded(90.0, 100.0) == 98.0  # 2 % unless the config says otherwise
        assert self.bounded(90.0, 100.0, custom_price_max_distance_ratio=0.16) == 90.0
        assert self.bounded(80.0, 100.0, custom_price_max_distance_ratio=0.16) == 84.0

    def test_the_strategy_sets_it_in_the_very_config_that_the_bot_reads(self):
        config = make_config("ScriptedTrades")

        StrategyResolver.load_strategy(config)

        assert config["custom_price_max_distance_ratio"] == pytest.approx(0.16)


def test_informative_timeframes_are_a_list_on_the_strategy():
    # BosOrderBlock empties it when its option is off.
    on = load("BosOrderBlock", fractal={"strategy": {"higher_timeframe_alignment": True}})

    assert isinstance(on._ft_informative, list)
    assert len(on._ft_informative) == 1
    assert "_ft_informative" in inspect.getsource(IStrategy.gather_informative_pairs)


def test_parameters_are_loaded_after_bot_start_and_within_ft_bot_start():
    # Hence the check in ft_bot_start, not in bot_start.
    source = inspect.getsource(IStrategy.ft_bot_start)

    assert source.index("self.bot_start") < source.index("ft_load_hyper_params")


def test_the_date_of_a_trade_is_that_of_its_order_not_of_its_fill():
    # Hence custom_roi does not ask for the trade's duration.
    filled = START + timedelta(hours=5)
    trade = LocalTrade(
        pair=PAIR,
        open_rate=100.0,
        amount=1.0,
        stake_amount=100.0,
        open_date=START,
        fee_open=0.0,
        fee_close=0.0,
        leverage=1.0,
        is_short=False,
        exchange="hyperliquid",
        amount_precision=None,
        price_precision=None,
        precision_mode=4,
        precision_mode_price=4,
        contract_size=1.0,
        stop_loss_pct=-0.6,
    )
    order = entry_order(placed=START)
    trade.orders.append(order)
    order._trade_bt = trade

    order.close_bt_order(filled, trade)

    assert trade.open_date_utc == START
    assert trade.date_entry_fill_utc == filled


def test_a_partly_filled_order_leaves_its_trade_without_an_amount():
    # Hence check_entry_timeout ends a partial fill: until then nothing protects it.
    trade = open_trade()
    trade.orders.clear()
    trade.amount = 0.0

    trade.update_trade(entry_order(filled=0.2))

    assert trade.amount == 0.0
    assert trade.has_open_position is False
