"""What the reconciler marks, a bot's own hooks refuse; what it finds aligned, they let through."""

from dataclasses import replace
from datetime import timedelta

import pytest

from fractal_protections.portfolio.drift import ALL_PAIRS, AccountLook, SeenDrift
from tests.protections.live_bot import CLOSED, LiveBot, trade_database
from tests.strategies.bots import PAIR


@pytest.fixture
def bot(tmp_path):
    with trade_database(tmp_path):
        bot = LiveBot(tmp_path)
        bot.loop()
        yield bot


def look(*drifts: SeenDrift, complete: bool = True) -> AccountLook:
    return AccountLook("0xabc", CLOSED, "reconciler", "drift", drifts, complete, 15.0)


@pytest.mark.parametrize("pair", [PAIR, ALL_PAIRS])
@pytest.mark.parametrize("confirmed", [False, True])
def test_a_marked_pair_is_denied_until_a_look_finds_it_aligned(bot, pair, confirmed):
    ledger = bot.strategy.gate.ledger
    ledger.take_look(look(SeenDrift(pair, "NO_STOP", "long 2 without a stop", confirmed)))

    assert not bot.enter()
    (denial,) = ledger.denials(5)
    assert denial.code == "POSITION_DRIFT"
    assert denial.message == "NO_STOP: long 2 without a stop"
    assert any("POSITION_DRIFT" in text for text in bot.provider.messages)

    ledger.take_look(look(complete=False))
    assert not bot.enter()

    ledger.take_look(look())
    assert bot.enter()


def test_another_pair_stays_open(bot):
    bot.strategy.gate.ledger.take_look(look(SeenDrift("WIF/USDC:USDC", "NO_STOP", "x", True)))

    assert bot.enter()


def test_a_watch_that_died_closes_everything_and_one_that_was_ended_does_not(bot):
    ledger = bot.strategy.gate.ledger
    ledger.take_look(look())
    late = CLOSED + timedelta(seconds=61)
    bot.loop(late)

    assert not bot.enter(now=late)
    (denial,) = ledger.denials(5)
    assert denial.code == "STALE_DATA"
    assert "last looked at 0xabc 61 s ago, instead of every 15 s" in denial.message

    ended = replace(look(), at=late, interval_seconds=None)
    ledger.take_look(ended)
    assert bot.enter(now=late)


def test_a_watch_in_time_is_enough(bot):
    bot.strategy.gate.ledger.take_look(look())
    bot.loop(CLOSED + timedelta(seconds=59))

    assert bot.enter(now=CLOSED + timedelta(seconds=59))
