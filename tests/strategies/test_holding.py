"""The hooks that hold a trade and leave it: plan, stop, target, time."""

import logging
from datetime import timedelta

import pytest

from fractal_strategies.trading.plan import PLAN_KEY
from fractal_strategies.trading.strategy import TINY_STOP
from tests.strategies.bots import (
    PAIR,
    START,
    BrokenProvider,
    StubProvider,
    candle_table,
    hours,
    load,
    with_setups,
)
from tests.strategies.trades import entry_order, make_plan, open_trade

pytestmark = pytest.mark.usefixtures("no_database")

CALM = (100.0, 101.0, 99.0, 100.0)
LONG = {"side": 1, "stop": 97.0, "target_r": 2.0, "max_bars": 24}
SHORT = {"side": -1, "stop": 103.0, "target_r": 2.0, "max_bars": 24}
CLOSED = START + hours(3)


@pytest.fixture
def strategy():
    return load("ScriptedTrades", timeframe="1h")


def stop_distance(strategy, trade, rate, *, after_fill=False, now=CLOSED):
    return strategy.custom_stoploss(
        pair=PAIR,
        trade=trade,
        current_time=now,
        current_rate=rate,
        current_profit=trade.calc_profit_ratio(rate),
        after_fill=after_fill,
    )


def adjust(strategy, trade, rate, *, after_fill=False, **candle):
    """Let freqtrade itself ask for the stop and set it."""
    strategy.ft_stoploss_adjust(
        rate, trade, CLOSED, trade.calc_profit_ratio(rate), 0, after_fill=after_fill, **candle
    )


class TestOrderFilled:
    def fill(self, strategy, setups, *, is_short=False, rate=100.0, placed=CLOSED):
        strategy.dp = StubProvider(with_setups(candle_table([CALM] * 3), setups))
        trade = open_trade(is_short=is_short, rate=rate)
        order = entry_order(is_short=is_short, rate=rate, placed=placed, filled_at=CLOSED)
        strategy.order_filled(pair=PAIR, trade=trade, order=order, current_time=CLOSED)
        return trade

    @pytest.mark.parametrize(
        ("setup", "rate", "target"), [(LONG, 101.0, 109.0), (SHORT, 99.0, 91.0)]
    )
    def test_the_plan_is_stored_from_the_setup_and_the_fill(self, strategy, setup, rate, target):
        trade = self.fill(strategy, {2: setup}, is_short=setup["side"] < 0, rate=rate)

        plan = strategy.plan_of(trade)

        assert (plan.side, plan.entry, plan.stop) == (setup["side"], rate, setup["stop"])
        assert plan.target == pytest.approx(target)
        assert (plan.tag, plan.max_bars) == ("scripted", 24)

    def test_an_exit_order_stores_nothing(self, strategy):
        strategy.dp = BrokenProvider()
        trade = open_trade()
        exit_order = entry_order(is_short=True, filled_at=CLOSED)

        strategy.order_filled(pair=PAIR, trade=trade, order=exit_order, current_time=CLOSED)

        assert strategy.plan_of(trade) is None

    @pytest.mark.parametrize(("is_short", "stop"), [(False, 92.0), (True, 108.0)])
    @pytest.mark.parametrize("lost", ["no setup", "no frame", "other side"])
    def test_a_trade_without_its_setup_is_held_with_the_widest_stop(
        self, strategy, caplog, is_short, stop, lost
    ):
        other_side = LONG if is_short else SHORT
        setups = {2: other_side} if lost == "other side" else {}
        placed = CLOSED + hours(50) if lost == "no frame" else CLOSED
        with caplog.at_level(logging.ERROR):
            trade = self.fill(strategy, setups, is_short=is_short, placed=placed)

        plan = strategy.plan_of(trade)

        assert plan.stop == pytest.approx(stop)
        assert (plan.target, plan.max_bars) == (None, 0)
        assert "no setup found" in caplog.text

    def test_a_failing_data_provider_leaves_no_trade_without_a_stop(self, strategy, caplog):
        strategy.dp = BrokenProvider()
        trade = open_trade()

        strategy.order_filled(
            pair=PAIR, trade=trade, order=entry_order(filled_at=CLOSED), current_time=CLOSED
        )

        assert strategy.plan_of(trade).stop == pytest.approx(92.0)
        assert "INTERNAL_ERROR" in caplog.text


def test_a_trade_that_was_not_planned_has_no_hooks_of_ours(strategy):
    trade = open_trade()

    assert strategy.plan_of(trade) is None
    assert stop_distance(strategy, trade, 100.0, after_fill=True) is None
    assert roi(strategy, trade) is None
    assert leave(strategy, trade, rate=1.0) is None


def test_an_unreadable_plan_is_an_error_that_shows_it(strategy):
    trade = open_trade()
    trade.set_custom_data(PLAN_KEY, {"version": 99})

    with pytest.raises(ValueError, match="version"):
        strategy.plan_of(trade)


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
@pytest.mark.parametrize("leverage", [1.0, 3.0, 10.0])
class TestStop:
    def planned(self, side, leverage):
        trade = open_trade(is_short=side < 0, leverage=leverage, plan=make_plan(side))
        trade.adjust_stop_loss(100.0, -0.6, initial=True)
        return trade

    def test_after_the_fill_freqtrade_has_it_where_the_plan_has_it(self, strategy, side, leverage):
        trade = self.planned(side, leverage)

        adjust(strategy, trade, 100.0, after_fill=True)

        assert trade.stop_loss == pytest.approx(100.0 - 3.0 * side)
        assert trade.is_stop_loss_trailing is False

    @pytest.mark.parametrize("move", [0.01, 0.2])
    def test_later_it_stays_there_whatever_price_does(self, strategy, side, leverage, move):
        trade = self.planned(side, leverage)
        adjust(strategy, trade, 100.0, after_fill=True)

        for rate in (100.0 * (1 + side * move), 100.0 * (1 - side * 0.02)):
            assert stop_distance(strategy, trade, rate) is None
            adjust(strategy, trade, rate, low=rate - 0.5, high=rate + 0.5)

        assert trade.stop_loss == pytest.approx(100.0 - 3.0 * side)
        assert trade.is_stop_loss_trailing is False

    def test_a_further_fill_sets_it_anew(self, strategy, side, leverage):
        # Were a stop ever moved beyond the plan, only a refresh may loosen it again.
        trade = self.planned(side, leverage)
        trade.stop_loss = 100.0 - 1.0 * side

        adjust(strategy, trade, 100.0, after_fill=True)

        assert trade.stop_loss == pytest.approx(100.0 - 3.0 * side)
        assert trade.is_stop_loss_trailing is False

    def test_where_the_fill_was_missed_it_is_healed(self, strategy, side, leverage):
        trade = self.planned(side, leverage)

        adjust(strategy, trade, 101.0)

        assert trade.stop_loss == pytest.approx(100.0 - 3.0 * side)

    def test_price_already_through_it_gives_a_tiny_distance_not_zero(
        self, strategy, side, leverage
    ):
        # freqtrade would ignore a zero and keep the wide stop.
        trade = self.planned(side, leverage)
        beyond = 100.0 - 5.0 * side

        assert stop_distance(strategy, trade, beyond, after_fill=True) == TINY_STOP
        if trade.stop_loss * side < beyond * side:  # the wide stop has not been reached yet
            adjust(strategy, trade, beyond, after_fill=True)
            assert trade.stop_loss == pytest.approx(beyond, abs=0.02)


def roi(strategy, trade, *, now=CLOSED, duration=60):
    return strategy.custom_roi(
        pair=PAIR,
        trade=trade,
        current_time=now,
        trade_duration=duration,
        entry_tag="scripted",
        side=trade.trade_direction,
    )


class TestTarget:
    @pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
    @pytest.mark.parametrize("leverage", [1.0, 3.0, 10.0])
    @pytest.mark.parametrize("fee", [0.0, 0.00045, 0.002])
    def test_freqtrade_translates_it_back_into_the_targets_price(
        self, strategy, side, leverage, fee
    ):
        plan = make_plan(side)
        trade = open_trade(is_short=side < 0, leverage=leverage, fee=fee, plan=plan)

        ratio = roi(strategy, trade)

        assert trade.calc_close_rate_for_roi(ratio) == pytest.approx(plan.target)

    def test_funding_paid_does_not_move_it(self, strategy):
        trade = open_trade(plan=make_plan())
        trade.set_funding_fees(-2.5)

        assert trade.calc_close_rate_for_roi(roi(strategy, trade)) == pytest.approx(106.0)

    def test_a_plan_without_a_target_has_none(self, strategy):
        assert roi(strategy, open_trade(plan=make_plan(target=None))) is None

    @pytest.mark.parametrize("duration", [0, 300])
    def test_none_in_the_candle_that_fills_a_resting_entry(self, strategy, duration):
        # freqtrade counts the duration from the order, so it says nothing about the fill.
        filled = START + hours(5)
        trade = open_trade(plan=make_plan(resting=True), filled_at=filled)

        assert roi(strategy, trade, now=filled, duration=duration) is None
        assert roi(strategy, trade, now=filled + timedelta(seconds=1), duration=duration) > 0

    def test_a_market_entry_has_it_from_the_start(self, strategy):
        assert roi(strategy, open_trade(plan=make_plan()), now=START, duration=0) > 0


def leave(strategy, trade, *, rate=100.0, now=CLOSED):
    return strategy.custom_exit(
        pair=PAIR,
        trade=trade,
        current_time=now,
        current_rate=rate,
        current_profit=trade.calc_profit_ratio(rate),
    )


class TestExit:
    @pytest.mark.parametrize(
        ("side", "rate", "reason"),
        [
            (1, 97.0, None),  # the stop itself does that
            (1, 96.8, None),  # within the slack of 0.3 %
            (1, 96.6, "stop_fallback"),
            (-1, 103.0, None),
            (-1, 103.2, None),
            (-1, 103.4, "stop_fallback"),
        ],
    )
    def test_price_well_beyond_the_stop_means_that_the_stop_has_missed(
        self, strategy, side, rate, reason
    ):
        trade = open_trade(is_short=side < 0, plan=make_plan(side))

        assert leave(strategy, trade, rate=rate) == reason

    @pytest.mark.parametrize(
        ("held", "reason"), [(23.9, None), (24.0, "time_stop"), (99.0, "time_stop")]
    )
    def test_the_time_stop_counts_candles_from_the_fill(self, strategy, held, reason):
        filled = START + hours(5)
        trade = open_trade(plan=make_plan(max_bars=24), filled_at=filled)

        assert leave(strategy, trade, now=filled + hours(held)) == reason

    def test_no_time_stop_holds_for_ever(self, strategy):
        trade = open_trade(plan=make_plan(max_bars=0))

        assert leave(strategy, trade, now=START + hours(10_000)) is None

    def test_a_trade_that_has_not_filled_is_not_timed(self, strategy):
        trade = open_trade(plan=make_plan(max_bars=1))
        trade.orders.clear()

        assert leave(strategy, trade, now=START + hours(10_000)) is None
