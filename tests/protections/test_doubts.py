"""Orders of unknown outcome: the venue is asked, within a time limit, and only then."""

import threading
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import ccxt
import pytest
from freqtrade.enums import RunMode

from fractal_protections.portfolio.venue import VenueAnswer, VenueInquiry, client_like
from tests.protections.live_bot import CLOSED, ETH, LiveBot, open_position, trade_database
from tests.strategies.bots import PAIR

LATE = CLOSED + timedelta(seconds=31)
"""When a reservation has waited long enough."""


class Venue:
    """A ccxt client's two questions, with what the venue holds."""

    def __init__(self) -> None:
        self.orders: list[dict[str, Any]] = []
        self.positions: list[dict[str, Any]] = []
        self.asked = 0
        self.error: Exception | None = None

    def fetch_open_orders(self, pair: str) -> list[dict[str, Any]]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.orders

    def fetch_positions(self, pairs: list[str]) -> list[dict[str, Any]]:
        return self.positions


@pytest.fixture(autouse=True)
def database(tmp_path):
    with trade_database(tmp_path):
        yield


@pytest.fixture
def venue() -> Venue:
    return Venue()


def live_bot(folder, venue, name="bot-a", address="0xABC") -> LiveBot:
    exchange = {"name": "hyperliquid", "pair_whitelist": [PAIR], "wallet_address": address}
    bot = LiveBot(folder, name=name, runmode=RunMode.LIVE, exchange=exchange)
    bot.strategy._doubts._inquiry = VenueInquiry(lambda: venue, 1.0)
    bot.loop()
    return bot


@pytest.fixture
def bot(tmp_path, venue) -> LiveBot:
    return live_bot(tmp_path, venue)


class TestResolving:
    def test_the_venue_is_not_asked_without_a_doubt(self, bot, venue):
        assert bot.enter()
        open_position()

        for second in range(3):
            bot.loop(CLOSED + timedelta(seconds=second))

        assert venue.asked == 0

    def test_a_young_reservation_is_only_waiting(self, bot, venue):
        assert bot.enter()

        bot.loop(CLOSED + timedelta(seconds=29))

        assert venue.asked == 0
        assert bot.enter(now=CLOSED + timedelta(seconds=29)) is False

    def test_a_venue_that_holds_nothing_opens_the_pair_again(self, bot, venue):
        assert bot.enter()

        bot.loop(LATE)

        assert venue.asked == 1
        assert bot.ledger.book(LATE).reservations == ()
        assert any("no trace of the ambiguous order" in text for text in bot.messages)
        bot.loop(LATE + timedelta(seconds=1))
        assert bot.enter(now=LATE + timedelta(seconds=1)) is True

    @pytest.mark.parametrize(
        ("orders", "positions", "named"),
        [
            ([{"id": 77}], [], "the order 77"),
            ([], [{"contracts": 1.5, "side": "long"}], "a position of 1.5 instead of 0"),
            ([], [{"contracts": 1.5, "side": "short"}], "a position of -1.5 instead of 0"),
        ],
    )
    def test_what_the_venue_holds_keeps_it_closed_until_a_person_clears(
        self, bot, venue, orders, positions, named
    ):
        venue.orders, venue.positions = orders, positions
        assert bot.enter()

        for minute in range(3):
            now = LATE + timedelta(minutes=minute)
            bot.loop(now)
            assert bot.enter(now=now) is False

        told = [text for text in bot.messages if named in text]
        assert len(told) == 1, bot.messages
        assert f"fractal risk clear {PAIR}" in told[0]
        [doubt] = bot.ledger.book(LATE).reservations
        assert doubt.ambiguous
        venue.orders, venue.positions = [], []
        assert bot.ledger.clear(PAIR, "operator:kim", now)
        bot.loop(now)
        assert bot.enter(now=now) is True

    @pytest.mark.parametrize("error", [TimeoutError("slow"), ValueError("malformed")])
    def test_without_an_answer_it_stays_closed(self, bot, venue, error, caplog):
        venue.error = error
        assert bot.enter()

        bot.loop(LATE)

        assert bot.enter(now=LATE) is False
        assert bot.codes() == ["AMBIGUOUS_ORDER"]
        assert str(error) in caplog.text
        venue.error = None
        bot.loop(LATE + timedelta(seconds=31))  # it is asked again after half a minute
        assert bot.enter(now=LATE + timedelta(seconds=31)) is True

    def test_the_venue_is_not_asked_in_every_loop(self, bot, venue):
        venue.orders = [{"id": 77}]
        assert bot.enter()

        for second in range(60):
            bot.loop(LATE + timedelta(seconds=second))

        assert venue.asked == 2

    def test_orders_and_positions_that_the_database_knows_are_no_doubt(self, bot, venue):
        trade = open_position(at=CLOSED - timedelta(minutes=1), stake=30.0)
        bot.loop()
        venue.positions = [{"contracts": 0.9, "side": "long"}]
        venue.orders = [{"id": trade.orders[0].order_id}]
        bot.strategy.propose_addition = lambda **_: 10.0
        profits = dict.fromkeys(("current_profit", "current_entry_profit", "current_exit_profit"))
        rates = dict.fromkeys(("current_rate", "current_entry_rate", "current_exit_rate"), 100.0)
        added = bot.strategy.adjust_trade_position(
            trade=trade, current_time=CLOSED, min_stake=5.0, max_stake=900.0, **rates, **profits
        )
        assert added == 10.0

        bot.loop(LATE)

        assert venue.asked == 1
        assert bot.ledger.book(LATE).reservations == ()

    def test_another_bot_of_the_account_resolves_what_a_dead_one_left(self, tmp_path, bot, venue):
        assert bot.enter()
        bot.loop(LATE - timedelta(minutes=1))
        other = live_bot(tmp_path, venue, name="bot-b")
        venue.orders = [{"id": 1}]
        bot.loop(LATE)  # ambiguous now
        venue.orders = []

        other.loop(LATE + timedelta(minutes=1))

        assert bot.ledger.book(LATE).reservations == ()

    def test_a_bot_of_another_account_can_not_see_it(self, tmp_path, bot, venue):
        venue.orders = [{"id": 1}]
        assert bot.enter()
        bot.loop(LATE)
        stranger_venue = Venue()
        stranger = live_bot(tmp_path, stranger_venue, name="bot-c", address="0xDEF")

        stranger.loop(LATE + timedelta(minutes=1))

        assert stranger_venue.asked == 0
        assert len(bot.ledger.book(LATE).reservations) == 1

    def test_an_unanswered_doubt_holds_capital_for_a_day_at_most(self, bot, venue):
        venue.error = TimeoutError("gone")
        assert bot.enter()
        bot.loop(LATE)
        assert len(bot.ledger.book(LATE).exposures()) == 1

        later = CLOSED + timedelta(hours=24, seconds=1)
        bot.loop(later)

        assert bot.ledger.book(later).exposures() == ()
        assert bot.enter(now=CLOSED) is False  # the pair itself stays closed


class TestInquiry:
    def test_it_does_not_wait_longer_than_allowed(self):
        free = threading.Event()
        hanging = SimpleNamespace(
            fetch_open_orders=lambda pair: free.wait(30) and [], fetch_positions=lambda pairs: []
        )
        inquiry = VenueInquiry(lambda: hanging, 0.1)

        started = time.monotonic()
        answer = inquiry.ask(PAIR, CLOSED)

        assert answer is None
        assert time.monotonic() - started < 5.0
        free.set()

    def test_long_and_short_are_told_apart(self):
        venue = Venue()
        venue.orders = [{"id": 5}, {"id": "x"}]
        venue.positions = [
            {"contracts": 2.0, "side": "long"},
            {"contracts": 0.5, "side": "short"},
            {"contracts": None, "side": None},
        ]

        answer = VenueInquiry(lambda: venue, 1.0).ask(ETH, CLOSED)

        assert answer == VenueAnswer(frozenset({"5", "x"}), 1.5)

    def test_its_client_is_like_the_bots_but_has_no_key(self):
        bot = ccxt.hyperliquid(
            {"walletAddress": "0xabc", "privateKey": "0x" + "1" * 64, "sandbox": True}
        )
        bot.markets = {}
        bot.set_markets([])

        client = client_like(SimpleNamespace(_api=bot), 2.0)()

        assert client is not bot
        assert client.walletAddress == "0xabc"
        assert not client.privateKey
        assert client.timeout == 2000
        assert client.urls == bot.urls
