"""The gate as freqtrade's hooks: a budget that holds, and a no to everything in doubt."""

import logging
import sqlite3
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from freqtrade.configuration import remove_exchange_credentials
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.persistence import LocalTrade

from fractal_protections.portfolio import DenialCode, PortfolioGuard, disk_space
from fractal_protections.portfolio.book import Fence, TradingState
from fractal_protections.portfolio.instance_lock import InstanceLock
from fractal_protections.portfolio.ledger import LedgerError
from fractal_strategies.trading import SmcStrategy
from tests.protections.live_bot import (
    CLOSED,
    ETH,
    LONG,
    LiveBot,
    close_position,
    open_position,
    trade_database,
)
from tests.strategies.bots import (
    PAIR,
    StubProvider,
    StubWallets,
    candle_table,
    hours,
    load,
    with_setups,
)

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def database(tmp_path):
    with trade_database(tmp_path):
        yield


@pytest.fixture
def bot(tmp_path) -> LiveBot:
    bot = LiveBot(tmp_path)
    bot.loop()
    return bot


class TestBudget:
    def test_an_entry_within_the_limits_is_sized_reserved_and_approved(self, bot):
        # 0.8 confidence x 1 % of 1000 over 3 % to the stop: 266 of notional, 88 of margin; one
        # position has 5 %.
        assert bot.stake() == 50.0
        assert bot.confirm(50.0) is True

        [reservation] = bot.ledger.book(CLOSED).reservations
        assert str(reservation.request.margin) == "50.00000000"
        assert str(reservation.request.notional) == "150.00000000"
        assert str(reservation.request.loss_at_stop) == "4.50000000"

    def test_a_filled_entry_takes_the_place_of_its_reservation(self, bot):
        assert bot.enter()
        open_position()

        bot.loop(CLOSED + SECOND)

        book = bot.ledger.book(CLOSED + SECOND)
        assert book.reservations == ()
        assert [(p.pair, str(p.margin)) for p in book.positions] == [(PAIR, "50.00000000")]

    def test_unknown_correlation_counts_every_pair_as_one_bet(self, bot):
        # Three candles are no month of returns: 300 of notional is the cap for both pairs.
        assert bot.enter()
        assert bot.stake(ETH) == 50.0
        assert bot.confirm(50.0, ETH)

        assert bot.codes() == []
        assert bot.stake("SOL/USDC:USDC") == 0.0
        assert bot.codes() == ["STALE_DATA"]  # no candle of it was ever seen

    def test_one_pair_is_held_once_across_two_bots(self, tmp_path, bot):
        other = LiveBot(tmp_path, name="bot-b")
        other.loop()
        assert bot.enter()

        assert other.enter() is False
        assert other.codes() == ["SYMBOL_LIMIT"]

    def test_a_fourth_position_is_denied(self, tmp_path):
        limits = {"max_correlated_exposure_ratio": 1.0}
        bots = [LiveBot(tmp_path, name=f"bot-{n}", fractal={"limits": limits}) for n in range(2)]
        for bot in bots:
            bot.loop()
        open_position("A/USDC:USDC")
        open_position("B/USDC:USDC")
        bots[0].strategy.note_rate("A/USDC:USDC", 100.0, CLOSED)
        bots[0].loop(CLOSED + SECOND)
        assert bots[1].enter(PAIR, CLOSED + SECOND)

        assert bots[1].enter(ETH, CLOSED + SECOND) is False
        assert bots[1].codes() == ["POSITION_COUNT"]

    def test_below_the_exchanges_minimum_there_is_no_trade(self, bot):
        # freqtrade would raise 50 to 60 by itself.
        assert bot.stake(min_stake=60.0) == 0.0
        assert bot.codes() == ["POSITION_SIZE"]

    def test_what_is_sized_below_the_minimum_says_so(self, tmp_path):
        bot = LiveBot(tmp_path, fractal={"limits": {"risk_per_trade_ratio": 0.0005}})
        bot.loop()

        assert bot.stake() == 0.0
        assert bot.codes() == ["BELOW_MINIMUM"]

    def test_a_wallet_with_less_than_the_size_gives_what_it_has(self, bot):
        assert bot.stake(max_stake=20.0) == 20.0

    def test_an_order_larger_than_was_sized_is_not_confirmed(self, bot):
        bot.stake()

        assert bot.confirm(50.1) is False
        assert bot.codes() == ["POSITION_SIZE"]

    def test_a_weak_setup_is_denied(self, tmp_path):
        bot = LiveBot(tmp_path, setup={"confidence": 39.0})
        bot.loop()

        assert bot.stake() == 0.0
        assert bot.codes() == ["MIN_CONFIDENCE"]


class TestStates:
    @pytest.mark.parametrize("state", [TradingState.HALTED, TradingState.REDUCING])
    def test_a_person_stops_entries_and_lets_them_go_on(self, bot, state):
        bot.ledger.set_state(state, "looking at it", "operator:kim", CLOSED)
        bot.loop(CLOSED + SECOND)

        assert bot.enter(now=CLOSED + SECOND) is False
        assert bot.codes() == [state.value]
        assert any("looking at it" in text for text in bot.messages)

        bot.ledger.set_state(TradingState.ACTIVE, "fine", "operator:kim", CLOSED)
        bot.loop(CLOSED + 2 * SECOND)
        assert bot.enter(now=CLOSED + 2 * SECOND) is True

    def test_exits_are_never_asked_about(self):
        # freqtrade's confirm_trade_exit can veto stops; nothing of ours defines it.
        for owner in (PortfolioGuard, SmcStrategy):
            assert "confirm_trade_exit" not in vars(owner)

    def test_an_open_loss_ends_the_day_and_midnight_begins_a_new_one(self, bot):
        open_position(ETH, stake=45.0)
        bot.strategy.note_rate(ETH, 70.0, CLOSED + SECOND)  # -30 % x 3 of 45: 40 of 1000

        bot.loop(CLOSED + SECOND)

        assert bot.enter(now=CLOSED + SECOND) is False
        assert bot.codes() == ["DAILY_LOSS"]
        [told] = [text for text in bot.messages if "no entries until" in text]
        assert "DAILY_LOSS" in told

        # The position recovers; the day stays closed, also for a bot that has just started.
        bot.strategy.note_rate(ETH, 100.0, CLOSED + 2 * SECOND)
        bot.loop(CLOSED + 2 * SECOND)
        assert bot.enter(now=CLOSED + 2 * SECOND) is False
        midnight = CLOSED.replace(hour=0) + timedelta(days=1)
        bot.strategy.note_rate(ETH, 100.0, midnight)
        bot.loop(midnight)
        assert bot.strategy.gate.manager.check_entries_allowed(bot.ledger.book(midnight)) is None

    def test_a_drawdown_halts_until_a_person_resumes(self, bot):
        bot.strategy.wallets.total = 790.0

        bot.loop(CLOSED + SECOND)
        assert bot.enter(now=CLOSED + SECOND) is False
        assert bot.codes() == ["DRAWDOWN"]
        assert bot.ledger.book(CLOSED).state.state is TradingState.HALTED

        # Money comes back; the halt stays.
        bot.strategy.wallets.total = 1000.0
        bot.loop(CLOSED + 2 * SECOND)
        assert bot.enter(now=CLOSED + 2 * SECOND) is False
        assert bot.codes()[0] == "HALTED"

    def test_limits_survive_a_restart(self, tmp_path, bot):
        bot.strategy.wallets.total = 965.0
        bot.loop(CLOSED + SECOND)

        again = LiveBot(tmp_path, total=965.0)
        again.loop(CLOSED + 2 * SECOND)

        assert again.enter(now=CLOSED + 2 * SECOND) is False
        assert again.codes() == ["DAILY_LOSS"]

    def test_losses_in_a_row_shrink_the_next_position(self, tmp_path):
        limits = {"max_position_ratio": 0.2, "max_correlated_exposure_ratio": 1.0}
        bot = LiveBot(tmp_path, fractal={"limits": limits})
        bot.loop()
        before = bot.stake()
        for minute in (1, 2):
            at = CLOSED + timedelta(minutes=minute)
            trade = open_position(ETH, at=at)
            bot.strategy.note_rate(ETH, 100.0, at)
            bot.loop(at)
            exit_order = SimpleNamespace(ft_order_side=trade.exit_side, trade=trade, filled=0.0)
            bot.strategy.order_filled(pair=ETH, trade=trade, order=exit_order, current_time=at)
            close_position(trade, -1.0, at + SECOND)
        bot.loop(CLOSED + timedelta(minutes=3))

        after = bot.stake(now=CLOSED + timedelta(minutes=3))

        assert after == pytest.approx(0.7 * before, rel=1e-6)


class TestFailClosed:
    HOOKS = ("entry_terms", "size", "confirm", "book", "reserve", "closed_trades", "view")

    @pytest.mark.parametrize("broken", HOOKS)
    def test_an_exception_anywhere_is_a_denial(self, bot, monkeypatch, caplog, broken):
        owners = {"entry_terms": bot.strategy, "book": bot.ledger, "reserve": bot.ledger}
        owners["closed_trades"] = bot.ledger

        def explode(*args, **kwargs):
            raise ZeroDivisionError("specimen")

        monkeypatch.setattr(owners.get(broken, bot.strategy.gate), broken, explode)

        for _ in range(3):
            assert bot.enter() is False

        assert "INTERNAL_ERROR" in caplog.text
        assert "ZeroDivisionError: specimen" in caplog.text
        assert bot.strategy.gate.error_count == 3
        assert bot.strategy.gate.denial_counts[DenialCode.INTERNAL_ERROR] == 3
        told = [text for text in bot.messages if "INTERNAL_ERROR" in text]
        assert len(told) == 1, told
        monkeypatch.undo()
        assert bot.codes() == ["INTERNAL_ERROR"]
        assert bot.enter() is True  # the twin without the fault passes

    def test_a_loop_that_fails_closes_the_gate_until_one_works(self, bot, monkeypatch):
        monkeypatch.setattr(bot.strategy, "wallets", None)
        bot.loop(CLOSED + SECOND)

        assert bot.enter(now=CLOSED + SECOND) is False
        assert "STALE_DATA" in bot.codes()

        monkeypatch.undo()
        bot.loop(CLOSED + 2 * SECOND)
        assert bot.enter(now=CLOSED + 2 * SECOND) is True

    def test_a_balance_that_the_venue_did_not_name_is_not_a_loss(self, bot):
        bot.strategy.wallets.total = None
        bot.loop(CLOSED + SECOND)

        assert bot.enter(now=CLOSED + SECOND) is False
        assert set(bot.codes()) == {"STALE_DATA", "INTERNAL_ERROR"}

        bot.strategy.wallets.total = 1000.0
        bot.loop(CLOSED + 2 * SECOND)
        assert bot.enter(now=CLOSED + 2 * SECOND) is True

    def test_money_that_has_gone_since_the_loop_began_counts_for_the_entry(self, bot):
        bot.strategy.wallets.total = 700.0  # 30 % below the peak

        assert bot.stake() == 0.0
        assert bot.ledger.book(CLOSED).state.state is TradingState.HALTED

    def test_before_the_first_loop_everything_is_denied(self, tmp_path):
        bot = LiveBot(tmp_path)

        assert bot.enter() is False
        assert bot.codes() == ["STALE_DATA"]

    def test_a_bot_whose_loop_has_stopped_is_denied(self, bot):
        late = CLOSED + timedelta(minutes=3)

        assert bot.enter(now=late) is False
        assert bot.codes() == ["STALE_DATA"]

    def test_stale_candles_are_a_denial(self, bot, caplog):
        caplog.set_level(logging.INFO)
        late = CLOSED + hours(2)
        bot.loop(late)

        assert bot.enter(now=late) is False
        # The strategy finds no setup on a fresh candle, which is for people to hear of.
        assert bot.codes() == ["STALE_DATA"]
        entry = bot.strategy._entry(PAIR, "long", 100.0, CLOSED, None, 3.0)
        assert (
            bot.strategy.gate.size(
                type(entry)(PAIR, entry.terms, entry.leverage, late), entry.leverage, entry.leverage
            )
            == 0
        )
        assert bot.codes()[0] == "STALE_DATA"
        assert "candles of BTC/USDC:USDC are stale" in caplog.text

    def test_a_locked_ledger_is_a_denial(self, tmp_path, caplog):
        bot = LiveBot(tmp_path, fractal={"portfolio": {"lock_timeout_seconds": 0.2}})
        bot.loop()
        blocker = sqlite3.connect(bot.ledger_path, isolation_level=None)
        blocker.execute("begin exclusive")
        try:
            stake = bot.stake()
            assert stake == 0.0 or bot.confirm(stake) is False
            bot.loop(CLOSED + SECOND)
        finally:
            blocker.rollback()
            blocker.close()

        assert "LedgerError" in caplog.text
        assert "locked" in caplog.text
        assert bot.strategy.gate.denial_counts[DenialCode.LEDGER_UNAVAILABLE]
        assert bot.enter() is False  # that loop could not tell what the bot holds
        bot.loop(CLOSED + 2 * SECOND)
        assert bot.enter(now=CLOSED + 2 * SECOND) is True

    def test_a_deleted_ledger_is_a_denial(self, bot, caplog):
        for path in bot.ledger_path.parent.glob("ledger.sqlite*"):
            path.unlink()

        assert bot.enter() is False
        bot.loop(CLOSED + SECOND)
        assert bot.enter(now=CLOSED + SECOND) is False
        assert "is gone" in caplog.text
        assert not bot.ledger_path.exists()

    def test_a_silent_bot_with_positions_closes_the_gate_for_all(self, tmp_path, bot):
        open_position(ETH)
        bot.strategy.note_rate(ETH, 100.0, CLOSED)
        bot.loop(CLOSED)
        other = LiveBot(tmp_path, name="bot-b")
        late = CLOSED + timedelta(minutes=4)
        with sqlite3.connect(tmp_path / "trades.sqlite") as trades:
            trades.execute("update trades set is_open = 0")  # the other bot has its own database
        other.loop(late)

        assert other.enter(now=late) is False
        assert other.codes() == ["STALE_DATA"]
        assert "bot-a" in other.ledger.denials(1)[0].message

    def test_a_fenced_pair_stays_closed(self, bot):
        fence = Fence(PAIR, "POSITION_DRIFT", "venue holds 2, database 1", "bot-a", CLOSED)
        bot.ledger.fence(fence)

        assert bot.enter() is False
        assert bot.codes() == ["POSITION_DRIFT"]
        assert bot.enter(ETH) is True

    def test_a_failing_strategy_breaks_no_loop_and_no_fill(self, bot, caplog):
        def explode(*args):
            raise ZeroDivisionError("specimen")

        bot.strategy.on_order_filled = explode
        trade = open_position()
        order = SimpleNamespace(ft_order_side="buy")
        bot.strategy.order_filled(pair=PAIR, trade=trade, order=order, current_time=CLOSED)
        bot.strategy.on_loop = explode
        bot.loop(CLOSED + SECOND)

        assert caplog.text.count("ZeroDivisionError: specimen") >= 2
        # What the bot holds was told before the strategy's own code ran.
        assert [p.pair for p in bot.ledger.book(CLOSED).positions] == [PAIR]

    def test_a_failure_that_can_not_be_written_down_is_still_logged(self, bot, monkeypatch, caplog):
        def gone(*args, **kwargs):
            raise LedgerError("the ledger is gone")

        monkeypatch.setattr(bot.ledger, "book", gone)
        monkeypatch.setattr(bot.ledger, "deny", gone)

        assert bot.stake() == 0.0
        assert "LEDGER_UNAVAILABLE" in caplog.text
        assert "this denial is not in the ledger" in caplog.text

    def test_a_question_from_another_thread_changes_no_answer(self, bot, monkeypatch):
        # freqtrade's REST thread may ask about a forced entry while the loop is busy with another
        # one. Here it does so at the worst moment: just when the first answer was kept.
        kept = [bot.strategy.__dict__.pop("_asked")]

        def keep(strategy, value):
            kept.append(value)
            if value[0][0] == PAIR:
                assert strategy._entry(ETH, "short", 100.0, CLOSED, None, 3.0) is None

        seam = property(lambda strategy: kept[-1], keep)
        monkeypatch.setattr(type(bot.strategy), "_asked", seam, raising=False)

        assert bot.stake() == 50.0
        assert bot.confirm(50.0) is True
        assert len(kept) == 5  # both questions of the entry were disturbed

    def test_an_entry_that_was_not_sized_is_not_confirmed(self, bot, caplog):
        # A new freqtrade that skipped custom_stake_amount would end here.
        assert bot.confirm(50.0) is False
        assert "without having been sized" in caplog.text

    def test_denials_of_one_candle_are_logged_once_and_counted(self, bot, caplog):
        caplog.set_level(logging.INFO)
        bot.ledger.set_state(TradingState.REDUCING, "test", "operator", CLOSED)

        for _ in range(5):
            assert bot.enter() is False

        [record] = bot.ledger.denials(5)
        assert record.count == 5
        assert record.candle == CLOSED
        assert caplog.text.count("entry denied at") == 1


class TestFence:
    def test_a_second_order_is_never_sent_while_the_first_is_in_doubt(self, bot):
        # freqtrade's submit timed out: no trade row, and the signal still stands.
        assert bot.enter()

        for second in range(1, 4):
            now = CLOSED + second * SECOND
            bot.loop(now)
            assert bot.enter(now=now) is False
        assert bot.codes() == ["AMBIGUOUS_ORDER"]

    def test_in_dry_run_the_doubt_ends_by_itself(self, bot):
        # No venue can hold an order of a dry run.
        assert bot.enter()
        late = CLOSED + timedelta(seconds=31)

        bot.loop(late)

        assert bot.ledger.book(late).reservations == ()
        assert bot.enter(now=late) is True

    def test_a_crash_between_reservation_and_order_blocks_nothing_for_ever(self, tmp_path, bot):
        assert bot.enter()

        again = LiveBot(tmp_path)
        again.loop(CLOSED + SECOND)

        assert again.ledger.book(CLOSED).reservations == ()
        assert again.enter(now=CLOSED + SECOND) is True


class TestAdditions:
    @pytest.fixture
    def adding(self, tmp_path):
        limits = {"max_correlated_exposure_ratio": 1.0}
        bot = LiveBot(tmp_path, position_adjustment_enable=True, fractal={"limits": limits})
        bot.trade = open_position(stake=30.0)
        bot.loop()
        return bot

    def adjust(self, bot, proposal, **values):
        bot.strategy.propose_addition = lambda **_: proposal
        arguments = {"min_stake": 5.0, "max_stake": 900.0} | values
        profits = dict.fromkeys(("current_profit", "current_entry_profit", "current_exit_profit"))
        return bot.strategy.adjust_trade_position(
            trade=bot.trade,
            current_time=CLOSED,
            current_rate=100.0,
            current_entry_rate=100.0,
            current_exit_rate=100.0,
            **profits,
            **arguments,
        )

    def test_an_addition_is_cut_to_what_the_position_may_hold(self, adding):
        assert self.adjust(adding, 100.0) == 20.0
        [held] = adding.ledger.book(CLOSED).reservations
        assert held.request.is_addition

    def test_an_addition_that_was_sent_is_in_doubt_until_its_order_is_seen(self, adding):
        assert self.adjust(adding, 10.0) == 10.0

        assert self.adjust(adding, 10.0) is None
        assert adding.codes() == ["AMBIGUOUS_ORDER"]

    def test_a_full_position_takes_no_addition(self, adding):
        assert self.adjust(adding, 100.0) == 20.0
        adding.ledger.release(adding.ledger.book(CLOSED).reservations[0].id, "test", CLOSED)
        adding.trade.stake_amount = 50.0
        adding.loop(CLOSED + SECOND)

        assert self.adjust(adding, 10.0) is None
        assert adding.codes() == ["POSITION_SIZE"]

    def test_position_and_addition_together_lose_no_more_than_one_trade_may(self, adding):
        # 0.9 contracts of 100 to the stop at 90: 9 of the 10 that one trade may lose.
        adding.trade.stop_loss = 90.0

        added = self.adjust(adding, 100.0)

        # The last 1, over 3 % to the setup's stop at three times leverage.
        assert added == pytest.approx(1.0 / 0.03 / 3.0)
        [held] = adding.ledger.book(CLOSED).reservations
        assert float(held.request.loss_at_stop) == pytest.approx(10.0)

    def test_a_position_that_risks_enough_takes_no_addition(self, adding):
        adding.trade.stop_loss = 88.0

        assert self.adjust(adding, 10.0) is None
        assert adding.codes() == ["RISK_PER_TRADE"]

    def test_a_reduction_passes_in_every_state(self, adding):
        adding.ledger.set_state(TradingState.HALTED, "test", "operator", CLOSED)

        assert self.adjust(adding, -10.0) == -10.0
        assert self.adjust(adding, None) is None
        assert self.adjust(adding, 10.0) is None
        assert adding.codes() == ["HALTED"]

    def test_an_exception_adds_nothing(self, adding):
        adding.strategy.propose_addition = None  # not callable

        profits = dict.fromkeys(("current_profit", "current_entry_profit", "current_exit_profit"))
        answer = adding.strategy.adjust_trade_position(
            trade=adding.trade,
            current_time=CLOSED,
            current_rate=100.0,
            current_entry_rate=100.0,
            current_exit_rate=100.0,
            min_stake=5.0,
            max_stake=900.0,
            **profits,
        )

        assert answer is None

    def test_by_default_nothing_is_added(self, adding):
        assert adding.strategy.propose_addition(trade=adding.trade) is None


class TestConstruction:
    @pytest.mark.parametrize(
        "hook",
        [
            "custom_stake_amount",
            "confirm_trade_entry",
            "adjust_trade_position",
            "bot_loop_start",
            "order_filled",
            "adjust_entry_price",
            "adjust_order_price",
        ],
    )
    def test_a_strategy_can_not_override_the_gates_hooks(self, hook):
        with pytest.raises(OperationalException, match=f"{hook} would bypass"):
            type("Careless", (SmcStrategy,), {hook: lambda self, **_: True})

    def test_trading_without_the_gate_is_refused(self, tmp_path):
        with pytest.raises(OperationalException, match=r"fractal\.portfolio\.gate is off"):
            LiveBot(tmp_path, fractal={"portfolio": {"gate": False}})

    def test_forced_entries_onto_open_trades_are_ruled_out(self, tmp_path):
        # freqtrade asks neither custom_stake_amount nor confirm_trade_entry for those.
        with pytest.raises(OperationalException, match="switch one of them off"):
            LiveBot(tmp_path, force_entry_enable=True, position_adjustment_enable=True)

        LiveBot(tmp_path, force_entry_enable=True)
        LiveBot(tmp_path, name="bot-b", position_adjustment_enable=True)

    def test_a_backtest_may_do_without(self):
        strategy = load("ScriptedTrades", fractal={"portfolio": {"gate": False}})

        assert strategy.protections == []
        strategy.bot_loop_start(current_time=CLOSED)  # asks for no wallets

    @pytest.mark.parametrize(
        ("block", "word"),
        [
            ({"limits": {"max_position_ratio": 20}}, "max_position_ratio"),
            ({"limits": {"max_postion_ratio": 0.2}}, "max_postion_ratio"),
            ({"portfolio": {"ledger": "x"}}, "fractal.portfolio.ledger"),
        ],
    )
    def test_a_bad_config_stops_the_start(self, block, word):
        with pytest.raises(OperationalException, match=word):
            load("ScriptedTrades", fractal=block)

    def test_a_ledger_that_can_not_be_opened_stops_the_start(self, tmp_path):
        (tmp_path / "ledger.sqlite").write_text("no database at all, " * 500)

        with pytest.raises(OperationalException, match="the portfolio's gate can not open"):
            LiveBot(tmp_path)

    def test_a_second_process_under_one_name_is_refused(self, tmp_path, processes):
        lock = InstanceLock(
            tmp_path, "bot-a/ScriptedTrades", f"sqlite:///{tmp_path / 'ledger.sqlite'}"
        )
        code = (
            "import fcntl, signal, sys\n"
            "handle = open(sys.argv[1], 'a')\n"
            "fcntl.flock(handle, fcntl.LOCK_EX)\n"
            "print('held', flush=True)\n"
            "signal.pause()\n"
        )
        other = processes.start([sys.executable, "-c", code, lock.path])
        other.wait_for_output("held")

        with pytest.raises(OperationalException, match="already running in this portfolio"):
            LiveBot(tmp_path)

        other.popen.kill()
        other.wait()
        LiveBot(tmp_path)  # the kernel has freed it

    def test_a_full_disk_is_a_no_before_the_order_is_sent(self, tmp_path, monkeypatch):
        bot = LiveBot(tmp_path, db_url=f"sqlite:///{tmp_path / 'trades.sqlite'}")
        monkeypatch.setattr(disk_space, "LEAST_BYTES", 1 << 80)

        bot.loop()
        stake = bot.stake()

        assert stake > 0.0
        assert not bot.confirm(stake)
        assert any("is full" in text for text in bot.messages)
        assert not bot.ledger.book(CLOSED).reservations

    def test_a_second_process_on_one_database_is_refused(self, tmp_path, processes):
        database = tmp_path / "trades.sqlite"
        code = (
            "import sys, signal\n"
            "from pathlib import Path\n"
            "from fractal_protections.portfolio.instance_lock import DatabaseLock\n"
            "DatabaseLock(Path.cwd(), sys.argv[1]).acquire()\n"
            "print('held', flush=True)\n"
            "signal.pause()\n"
        )
        other = processes.start([sys.executable, "-c", code, f"sqlite:///{database}"])
        other.wait_for_output("held")
        link = tmp_path / "link.sqlite"
        link.symlink_to(database)

        with pytest.raises(OperationalException, match="another bot trades on the database"):
            LiveBot(tmp_path, name="bot-b", db_url=f"sqlite:///{link}")

        LiveBot(tmp_path, name="bot-b", db_url="sqlite://")
        other.popen.kill()
        other.wait()
        LiveBot(tmp_path, name="bot-b", db_url=f"sqlite:///{link}")

    def test_a_reloaded_config_makes_a_second_strategy_in_one_process(self, tmp_path, bot):
        assert LiveBot(tmp_path).strategy.gate is not bot.strategy.gate

    def test_the_ledgers_of_dry_run_and_live_are_two(self, tmp_path):
        urls = {
            mode: load("ScriptedTrades", runmode=mode, user_data_dir=tmp_path).ledger_url()
            for mode in (RunMode.DRY_RUN, RunMode.LIVE)
        }

        assert urls[RunMode.DRY_RUN].endswith("fractal_ledger.dryrun.sqlite")
        assert urls[RunMode.LIVE].endswith("fractal_ledger.live.sqlite")
        assert Path(tmp_path).name in urls[RunMode.LIVE]

    def test_money_is_counted_once_where_bots_share_a_wallet(self, tmp_path):
        exchange = {
            "name": "hyperliquid",
            "pair_whitelist": [PAIR],
            "wallet_address": "0xABC",
        }
        live = load("ScriptedTrades", runmode=RunMode.LIVE, exchange=exchange)
        dry = load("ScriptedTrades", runmode=RunMode.DRY_RUN, exchange=exchange)

        assert live.account_id == "0xabc"
        assert dry.account_id == f"paper:{dry.bot_id}"

    def test_the_wallet_is_known_although_freqtrade_empties_the_config(self):
        exchange = {"name": "hyperliquid", "pair_whitelist": [PAIR], "wallet_address": "0xABC"}
        remove_exchange_credentials(exchange, dry_run=True)  # before it makes the strategy
        live = load("ScriptedTrades", runmode=RunMode.LIVE, exchange=exchange)
        client = SimpleNamespace(walletAddress="0xABC")
        live.dp = SimpleNamespace(_exchange=SimpleNamespace(_api=client))

        assert exchange["wallet_address"] is None
        assert live.account_id == "0xabc"

    def test_before_the_start_there_is_no_gate(self, tmp_path):
        strategy = load("ScriptedTrades", runmode=RunMode.DRY_RUN, user_data_dir=tmp_path)

        with pytest.raises(RuntimeError, match="opens at the bot's start"):
            _ = strategy.gate

    def test_the_end_gives_the_ledger_back(self, bot, mocker):
        close = mocker.patch.object(bot.ledger, "close")

        bot.strategy.ft_bot_cleanup()

        close.assert_called_once_with()

    def test_short_timeframes_ask_for_no_history_that_is_too_short_anyway(self):
        bars = {
            timeframe: load("ScriptedTrades", timeframe=timeframe).correlation_bars()
            for timeframe in ("3m", "5m", "15m", "2h")
        }

        # Half of 30 days is the least that counts; 4,900 candles of 3m are ten.
        assert bars == {"3m": 0, "5m": 4900, "15m": 2882, "2h": 362}

    def test_the_base_class_proposes_nothing(self, bot):
        terms = PortfolioGuard.entry_terms(bot.strategy, PAIR, 1, 100.0, CLOSED, None)

        assert terms.code is DenialCode.NO_SETUP


class TestBacktest:
    @pytest.fixture
    def strategy(self, tmp_path, monkeypatch):
        monkeypatch.setattr(LocalTrade, "bt_trades_open", [])
        table = with_setups(candle_table([(100.0, 101.0, 99.0, 100.0)] * 6), {2: LONG})
        strategy = load("ScriptedTrades", timeframe="1h")
        strategy.dp = StubProvider(table)
        strategy.wallets = StubWallets(1000.0)
        strategy.advise_indicators(table, {"pair": PAIR})
        return strategy

    def stake(self, strategy, now):
        strategy.bot_loop_start(current_time=now)
        return strategy.custom_stake_amount(
            pair=PAIR,
            current_time=now,
            current_rate=100.0,
            proposed_stake=333.0,
            min_stake=3.0,
            max_stake=900.0,
            leverage=3.0,
            entry_tag="scripted",
            side="long",
        )

    def test_a_new_run_of_hyperopt_begins_with_a_new_book(self, strategy):
        # 20 % below its peak the portfolio is halted for good, within one backtest.
        assert self.stake(strategy, CLOSED) == 50.0
        strategy.wallets.total = 700.0
        strategy._books.is_flat = False
        strategy.bot_loop_start(current_time=CLOSED + hours(1))
        assert strategy.gate.ledger.book(CLOSED).state.state is TradingState.HALTED

        strategy.wallets.total = 1000.0

        assert self.stake(strategy, CLOSED) == 50.0
        assert strategy.gate.ledger.book(CLOSED).state.state is TradingState.ACTIVE

    def test_a_flat_book_is_reported_when_an_entry_asks_for_it(self, strategy, mocker):
        self.stake(strategy, CLOSED)
        report = mocker.spy(strategy.gate.ledger, "report")

        strategy.bot_loop_start(current_time=CLOSED + hours(1))
        strategy.bot_loop_start(current_time=CLOSED + hours(2))
        assert report.call_count == 0
        self.stake(strategy, CLOSED + hours(3))
        assert report.call_count == 1
        assert strategy.gate.ledger.book(CLOSED).tracks[0].updated_at == CLOSED + hours(3)

    def test_the_least_stake_is_that_of_a_live_bot(self, strategy):
        # A backtest reckons with a 5 % stop, a bot with the strategy's own.
        assert float(strategy._minimum(10.0 * 1.05 / 0.95 / 3)) == pytest.approx(10.0 * 1.5 / 3)
        assert strategy._minimum(None) == 0
