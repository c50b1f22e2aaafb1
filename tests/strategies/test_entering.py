"""The hooks between a signal and its order: every doubt is a no."""

import logging
from datetime import timedelta

import pytest

from tests.strategies.bots import (
    PAIR,
    START,
    BrokenProvider,
    StubProvider,
    StubWallets,
    candle_table,
    hours,
    load,
    with_setups,
)
from tests.strategies.trades import entry_order, open_trade

CALM = (100.0, 101.0, 99.0, 100.0)
LONG = {"side": 1, "stop": 97.0, "target_r": 2.0}
SHORT = {"side": -1, "stop": 103.0, "target_r": 2.0}
RESTING = LONG | {"limit": 98.0, "stop": 95.0, "expiry_bars": 5}
RESTING_SHORT = SHORT | {"limit": 102.0, "stop": 105.0, "expiry_bars": 5}

CLOSED = START + hours(3)
"""When the third candle (row 2) has just closed."""


def strategy_with(setups, rows=3, table=None, **overrides):
    strategy = load("ScriptedTrades", timeframe="1h", **overrides)
    strategy.dp = StubProvider(with_setups(candle_table(table or [CALM] * rows), setups))
    strategy.wallets = StubWallets(1000.0)
    strategy.advise_indicators(strategy.dp.frame, {"pair": PAIR})
    return strategy


def confirm(strategy, *, now=CLOSED, rate=100.0, side="long"):
    """Whether an entry of the smallest size passes, from the loop's start to the order."""
    strategy.bot_loop_start(current_time=now)
    if not stake(strategy, now=now, rate=rate, side=side, min_stake=0.1):
        return False
    return strategy.confirm_trade_entry(
        pair=PAIR,
        order_type="limit",
        amount=0.01,
        rate=rate,
        time_in_force="GTC",
        current_time=now,
        entry_tag="scripted",
        side=side,
    )


def entry_price(strategy, *, now=CLOSED, proposed=100.0):
    return strategy.custom_entry_price(
        pair=PAIR,
        trade=None,
        current_time=now,
        proposed_rate=proposed,
        entry_tag="scripted",
        side="long",
    )


def stake(strategy, *, now=CLOSED, rate=100.0, side="long", **values):
    arguments = {"min_stake": 10.0, "max_stake": 500.0} | values
    return strategy.custom_stake_amount(
        pair=PAIR,
        current_time=now,
        current_rate=rate,
        proposed_stake=333.0,
        leverage=3.0,
        entry_tag="scripted",
        side=side,
        **arguments,
    )


class TestConfirm:
    def test_the_setup_of_the_last_closed_candle_passes(self):
        assert confirm(strategy_with({2: LONG})) is True
        assert confirm(strategy_with({2: SHORT}), side="short") is True

    def test_the_wrong_side_is_refused(self):
        assert confirm(strategy_with({2: LONG}), side="short") is False
        assert confirm(strategy_with({2: SHORT}), side="long") is False

    def test_a_setup_on_an_older_candle_is_refused(self):
        assert confirm(strategy_with({1: LONG})) is False

    def test_a_candle_still_open_does_not_count(self):
        # The frame already carries a fourth row, but it closes only in an hour.
        strategy = strategy_with({3: LONG}, rows=4)

        assert confirm(strategy, now=CLOSED) is False
        assert confirm(strategy, now=CLOSED + timedelta(minutes=59)) is False
        assert confirm(strategy, now=CLOSED + hours(1)) is True

    @pytest.mark.parametrize(("late", "passes"), [(0.99, True), (1.0, False), (24.0, False)])
    def test_a_stale_frame_is_refused(self, late, passes):
        assert confirm(strategy_with({2: LONG}), now=CLOSED + hours(late)) is passes

    def test_no_candles_at_all_is_refused(self):
        strategy = strategy_with({2: LONG})
        strategy.dp = StubProvider(strategy.dp.frame.iloc[:0])

        assert confirm(strategy) is False

    @pytest.mark.parametrize(
        ("setup", "rate", "passes"),
        [
            (LONG, 97.4, False),  # 0.4 % from the stop: less than half of the least distance
            (LONG, 97.6, True),
            (LONG, 105.0, True),  # 7.6 %
            (LONG, 105.6, False),  # 8.1 %
            (LONG, 96.0, False),  # beyond the stop
            (SHORT, 102.6, False),
            (SHORT, 102.4, True),
            (SHORT, 95.5, True),
            (SHORT, 95.0, False),
            (SHORT, 104.0, False),
        ],
    )
    def test_a_price_that_has_moved_too_far_is_refused(self, setup, rate, passes):
        side = "long" if setup["side"] > 0 else "short"

        assert confirm(strategy_with({2: setup}), rate=rate, side=side) is passes

    @pytest.mark.parametrize(
        ("setup", "rate", "passes"),
        [
            (RESTING, 98.0, True),
            (RESTING, 98.05, True),  # a tick's rounding
            (RESTING, 97.0, True),  # better
            (RESTING, 100.0, False),  # the market's price instead of the limit
            (RESTING_SHORT, 102.0, True),
            (RESTING_SHORT, 103.0, True),
            (RESTING_SHORT, 100.0, False),
        ],
    )
    def test_a_resting_entry_is_never_sent_worse_than_its_limit(self, setup, rate, passes):
        side = "long" if setup["side"] > 0 else "short"

        assert confirm(strategy_with({2: setup}), rate=rate, side=side) is passes


class TestFailClosed:
    @pytest.fixture(params=["unset", "raising"])
    def broken(self, request, caplog):
        strategy = strategy_with({2: LONG})
        if request.param == "unset":
            del strategy.dp
        else:
            strategy.dp = BrokenProvider()
        caplog.set_level(logging.ERROR)
        return strategy

    def test_the_entry_is_refused_when_the_data_provider_fails(self, broken, caplog):
        assert confirm(broken) is False
        assert "INTERNAL_ERROR in custom_stake_amount" in caplog.text

    @pytest.mark.parametrize("frame", [None, "no frame"])
    def test_confirm_says_no_to_nonsense(self, frame):
        strategy = strategy_with({2: LONG})
        strategy.dp = StubProvider(frame)

        assert confirm(strategy) is False

    def test_confirm_says_no_to_a_frame_without_setup_columns(self):
        strategy = strategy_with({2: LONG})
        strategy.dp = StubProvider(candle_table([CALM] * 3))

        assert confirm(strategy) is False

    def test_confirm_says_no_to_a_price_that_is_no_number(self):
        assert confirm(strategy_with({2: LONG}), rate=float("nan")) is False
        assert confirm(strategy_with({2: LONG}), rate=0.0) is False
        assert confirm(strategy_with({2: LONG}), rate=None) is False

    def test_the_stake_is_zero_without_wallets(self, caplog):
        strategy = strategy_with({2: LONG})
        strategy.wallets = None

        assert stake(strategy) == 0.0
        assert "INTERNAL_ERROR in custom_stake_amount" in caplog.text

    def test_the_stake_is_zero_when_the_wallets_raise(self):
        strategy = strategy_with({2: LONG})
        strategy.wallets = object()

        assert stake(strategy) == 0.0


class TestTerms:
    def test_they_name_stop_confidence_and_fees(self):
        terms = strategy_with({2: LONG | {"confidence": 61.0}}).entry_terms(
            PAIR, 1, 100.5, CLOSED, "scripted"
        )

        assert (terms.side, terms.entry, terms.stop, terms.confidence) == (1, 100.5, 97.0, 61.0)
        assert terms.fee_ratio == 0.0  # the test's config says so

    def test_the_range_is_held_against_what_is_usual(self):
        strategy = strategy_with({149: LONG}, rows=150)
        frame = strategy.dp.frame
        frame.loc[:48, "atr"] = 50.0  # more than 100 candles ago: forgotten
        frame.loc[149, "atr"] = 8.0

        terms = strategy.entry_terms(PAIR, 1, 100.0, START + hours(150), "scripted")

        assert (terms.atr, terms.atr_baseline) == (0.08, 0.02)

    def test_without_a_fee_in_the_config_it_is_a_takers(self):
        strategy = strategy_with({2: LONG})
        del strategy.config["fee"]

        assert strategy.entry_terms(PAIR, 1, 100.0, CLOSED, None).fee_ratio == 0.0005


class TestEntryPrice:
    def test_a_resting_setup_names_its_limit(self):
        assert entry_price(strategy_with({2: RESTING})) == 98.0

    def test_a_market_setup_takes_what_is_proposed(self):
        assert entry_price(strategy_with({2: LONG}), proposed=100.3) == 100.3

    def test_without_a_setup_the_proposal_stands(self):
        assert entry_price(strategy_with({}), proposed=100.3) == 100.3


@pytest.mark.parametrize(
    ("configured", "venue", "used"), [(3, 50.0, 3.0), (10, 5.0, 5.0), (3, 2.7, 2.0), (4, 4.0, 4.0)]
)
def test_leverage_is_whole_and_within_the_venues(configured, venue, used):
    block = {"leverage": configured, "max_stop_ratio": 0.04}
    strategy = strategy_with({}, fractal={"strategy": block})

    leverage = strategy.leverage(
        pair=PAIR,
        current_time=CLOSED,
        current_rate=100.0,
        proposed_leverage=1.0,
        max_leverage=venue,
        entry_tag=None,
        side="long",
    )

    assert leverage == used
    assert leverage == int(leverage)


class TestWithdrawing:
    """check_entry_timeout: an order placed at CLOSED for the setup in row 2, good for 5 candles."""

    def is_withdrawn(self, setup, later_closes, *, after, **order_values):
        table = [CALM] * 3
        for close in later_closes:
            table.append((close, close + 1.0, close - 1.0, close))
        strategy = strategy_with({2: setup} if setup else {}, table=table)
        is_short = bool(setup) and setup["side"] < 0
        order = entry_order(is_short=is_short, placed=CLOSED, **order_values)
        trade = open_trade(is_short=is_short)
        return strategy.check_entry_timeout(
            pair=PAIR, trade=trade, order=order, current_time=CLOSED + hours(after)
        )

    @pytest.mark.parametrize(("after", "withdrawn"), [(0.5, False), (4.99, False), (5.0, True)])
    @pytest.mark.parametrize("setup", [RESTING, RESTING_SHORT])
    def test_a_resting_entry_waits_for_its_setups_age(self, setup, after, withdrawn):
        assert self.is_withdrawn(setup, [100.0] * 8, after=after) is withdrawn

    @pytest.mark.parametrize(
        ("setup", "closes", "withdrawn"),
        [
            (RESTING, [100.0, 95.1], False),
            (RESTING, [100.0, 94.9], True),
            (RESTING, [94.9, 100.0], True),  # failed once is failed
            (RESTING_SHORT, [100.0, 104.9], False),
            (RESTING_SHORT, [100.0, 105.1], True),
        ],
    )
    def test_a_close_through_the_block_is_a_failed_retest(self, setup, closes, withdrawn):
        assert self.is_withdrawn(setup, closes, after=2.5) is withdrawn

    def test_a_candle_still_open_fails_nothing(self):
        assert self.is_withdrawn(RESTING, [100.0, 94.0], after=1.5) is False

    def test_a_close_before_the_order_fails_nothing(self):
        strategy = strategy_with({2: RESTING}, table=[(94, 95, 93, 94), CALM, CALM, CALM])
        order = entry_order(placed=CLOSED)

        assert not strategy.check_entry_timeout(
            pair=PAIR, trade=open_trade(), order=order, current_time=CLOSED + hours(1)
        )

    @pytest.mark.parametrize(("after", "withdrawn"), [(0.4, False), (0.5, True)])
    @pytest.mark.parametrize("setup", [LONG, None])
    def test_a_market_entry_waits_half_an_hour(self, setup, after, withdrawn):
        assert self.is_withdrawn(setup, [100.0] * 2, after=after) is withdrawn

    def test_a_partial_fill_ends_the_waiting(self):
        # freqtrade holds no stop for the filled part until its order is closed.
        assert self.is_withdrawn(RESTING, [100.0], after=0.1, filled=0.2) is True
