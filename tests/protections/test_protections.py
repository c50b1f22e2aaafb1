"""The protection plugins: loaded by freqtrade's own loader, locking in time, failing closed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from freqtrade.exceptions import OperationalException
from freqtrade.persistence import PairLocks
from freqtrade.plugins.protectionmanager import ProtectionManager
from freqtrade.plugins.protections import IProtection
from freqtrade.resolvers import ProtectionResolver

from fractal_protections.portfolio.correlation import CorrelationView
from tests.protections.live_bot import (
    CLOSED,
    ETH,
    LiveBot,
    close_position,
    open_position,
    trade_database,
)
from tests.strategies.bots import PAIR, load

OURS = ("DailyLossLimit", "ExposureLimit", "CorrelatedExposureLimit")
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def database(tmp_path):
    with trade_database(tmp_path):
        PairLocks.use_db = True
        PairLocks.timeframe = "1h"
        yield
        PairLocks.reset_locks()


@pytest.fixture
def bot(tmp_path) -> LiveBot:
    bot = LiveBot(tmp_path)
    bot.strategy.config["timeframe"] = "1h"
    bot.loop()
    return bot


def plugin(bot: LiveBot, name: str, **values) -> IProtection:
    return ProtectionResolver.load_protection(
        name,
        bot.strategy.config,
        {"method": name, "gate": bot.strategy.gate, **values},
    )


def all_of(bot: LiveBot) -> ProtectionManager:
    return ProtectionManager(bot.strategy.config, bot.strategy.protections)


class TestLoading:
    def test_freqtrade_loads_ours_beside_its_own(self, bot):
        manager = all_of(bot)

        assert manager.name_list == [*OURS, "MaxDrawdown", "StoplossGuard", "CooldownPeriod"]

    def test_each_says_its_limit_in_the_start_message(self, bot):
        text = " ".join(str(line) for line in all_of(bot).short_desc())

        for figure in ("3 positions", "20% of the equity", "30% of the equity", "3.0%", "0.7"):
            assert figure in text

    def test_freqtrade_alone_would_not_find_them(self, bot, monkeypatch):
        # The seam: without extra_path the config's folder is never searched.
        protections = bot.strategy.protections
        monkeypatch.setattr(ProtectionResolver, "extra_path", None)

        with pytest.raises(OperationalException, match="Impossible to load Protection"):
            ProtectionManager(bot.strategy.config, protections)

    def test_the_users_folder_is_kept(self, tmp_path):
        strategy = load("ScriptedTrades", protection_path=str(tmp_path))

        assert strategy.protections
        assert strategy.config["protection_path"] == str(tmp_path)

    def test_every_module_of_the_folder_is_one_plugin(self, bot):
        names = {path.stem for path in (ROOT / "fractal_protections").glob("[!_]*.py")}

        assert names == {"daily_loss_limit", "exposure_limit", "correlated_exposure_limit"}

    @pytest.mark.parametrize("name", OURS)
    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"stop_duration": 5}, "stop_duration = 5 is unknown"),
            ({"stop_duration_candles": 0}, "stop_duration_candles = 0"),
            ({"stop_duration_candles": 1.5}, "stop_duration_candles = 1.5"),
        ],
    )
    def test_a_key_that_freqtrade_would_swallow_is_refused(self, bot, name, values, words):
        with pytest.raises(OperationalException, match=words):
            plugin(bot, name, **values)

    @pytest.mark.parametrize("name", OURS)
    def test_without_a_gate_it_does_not_load(self, bot, name):
        with pytest.raises(OperationalException, match="derive the strategy from PortfolioGuard"):
            ProtectionResolver.load_protection(name, bot.strategy.config, {"method": name})


class TestExposureLimit:
    def test_it_is_quiet_while_there_is_room(self, bot):
        assert plugin(bot, "ExposureLimit").global_stop(CLOSED, "long", 1000.0) is None

    def test_it_locks_everything_when_the_slots_are_taken(self, bot):
        for pair in (PAIR, ETH, "SOL/USDC:USDC"):
            open_position(pair)
            bot.strategy.note_rate(pair, 100.0, CLOSED)
        bot.loop()

        lock = plugin(bot, "ExposureLimit", stop_duration_candles=2).global_stop(
            CLOSED, "long", 1000.0
        )

        assert lock.lock
        assert lock.until == CLOSED + timedelta(hours=2)
        assert lock.lock_side == "*"
        assert "no position slot left" in lock.reason

    def test_the_trade_that_has_just_closed_holds_no_slot(self, bot):
        trades = []
        for pair in (PAIR, ETH, "SOL/USDC:USDC"):
            trades.append(open_position(pair))
            bot.strategy.note_rate(pair, 100.0, CLOSED)
        bot.loop()
        close_position(trades[0], 1.0, CLOSED)  # the ledger hears of it in the next loop

        assert plugin(bot, "ExposureLimit").global_stop(CLOSED, "long", 1000.0) is None

    def test_it_locks_when_the_margin_is_used_up(self, bot):
        open_position(PAIR, stake=200.0)
        bot.loop()

        lock = plugin(bot, "ExposureLimit").global_stop(CLOSED, "short", 1000.0)

        assert "no margin left" in lock.reason
        assert plugin(bot, "ExposureLimit").stop_per_pair(PAIR, CLOSED, "long", 1000.0) is None


class TestCorrelatedExposureLimit:
    def test_it_locks_the_side_that_would_add_and_leaves_the_hedge(self, bot):
        open_position(ETH, stake=100.0)
        bot.strategy.note_rate(ETH, 100.0, CLOSED)
        bot.loop()
        bot.strategy.gate.view = lambda now: CorrelationView(({PAIR: 1, ETH: 1},))
        limit = plugin(bot, "CorrelatedExposureLimit")

        lock = limit.stop_per_pair(PAIR, CLOSED, "long", 1000.0)

        assert lock.lock_side == "long"
        assert lock.until == CLOSED + timedelta(hours=1)
        assert limit.stop_per_pair(PAIR, CLOSED, "short", 1000.0) is None
        assert limit.global_stop(CLOSED, "long", 1000.0) is None

    def test_where_nothing_is_known_it_locks_both_sides(self, bot):
        open_position(ETH, stake=100.0)
        bot.strategy.note_rate(ETH, 100.0, CLOSED)
        bot.loop()
        limit = plugin(bot, "CorrelatedExposureLimit")

        assert limit.stop_per_pair(PAIR, CLOSED, "long", 1000.0).lock_side == "long"
        assert limit.stop_per_pair(PAIR, CLOSED, "short", 1000.0).lock_side == "short"


class TestDailyLossLimit:
    def test_it_locks_until_midnight_utc(self, bot):
        bot.strategy.wallets.total = 970.0
        bot.loop(CLOSED)
        limit = plugin(bot, "DailyLossLimit")

        for now in (CLOSED, datetime(2025, 1, 1, 23, 59, 59, tzinfo=UTC)):
            lock = limit.global_stop(now, "long", 1000.0)
            assert lock.until == datetime(2025, 1, 2, tzinfo=UTC)
            assert "DAILY_LOSS" in lock.reason
        assert limit.global_stop(datetime(2025, 1, 2, tzinfo=UTC), "long", 1000.0) is None

    def test_a_smaller_loss_locks_nothing(self, bot):
        bot.strategy.wallets.total = 970.01
        bot.loop(CLOSED)

        assert plugin(bot, "DailyLossLimit").global_stop(CLOSED, "long", 1000.0) is None


class TestFailClosed:
    @pytest.mark.parametrize("name", OURS)
    def test_an_exception_locks_instead_of_ending_the_process(self, bot, monkeypatch, caplog, name):
        def explode(*args):
            raise ZeroDivisionError("specimen")

        limit = plugin(bot, name)
        monkeypatch.setattr(bot.ledger, "book", explode)

        locks = [
            limit.global_stop(CLOSED, "long", 1000.0),
            limit.stop_per_pair(PAIR, CLOSED, "long", 1000.0),
        ]

        [lock] = [lock for lock in locks if lock is not None]
        assert lock.until == CLOSED + timedelta(hours=1)
        assert "INTERNAL_ERROR" in lock.reason
        assert "ZeroDivisionError: specimen" in lock.reason
        assert f"{name} failed" in caplog.text

    def test_freqtrade_alone_would_end(self, bot, monkeypatch):
        # The reason for the rule: its manager catches nothing.
        manager = all_of(bot)
        monkeypatch.setattr(manager._protection_handlers[0], "_judge_safely", lambda *_: 1 / 0)

        with pytest.raises(ZeroDivisionError):
            manager.global_stop(CLOSED, "long", 1000.0)
