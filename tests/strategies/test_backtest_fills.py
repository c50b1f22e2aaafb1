"""What freqtrade's own backtest books: the order of stop, target and fill inside a candle.

Every table has one setup; its signal candle is the row in `setups`, the entry comes on the next
row. Entry 100, risk 3 (3 %), target 2 R = 106, leverage 3, no fees.
"""

import pytest

from tests.strategies.backtests import run_table
from tests.strategies.bots import START, candle_table, hours, with_setups

CALM = (100, 101, 99, 100)
LONG = {"side": 1, "stop": 97.0, "target_r": 2.0}
SHORT = {"side": -1, "stop": 103.0, "target_r": 2.0}


def book(rows, setup, *, strategy="ScriptedTrades", signal_row=1, **overrides):
    """Run the table and return its trades as dicts."""
    frame = with_setups(candle_table(rows), {signal_row: setup})
    trades = run_table(strategy, frame, **overrides)
    return trades.to_dict("records")


def only(trades):
    (trade,) = trades
    return trade


@pytest.mark.parametrize(("setup", "stop"), [(LONG, 97.0), (SHORT, 103.0)], ids=["long", "short"])
class TestStopAndTargetInOneCandle:
    BOTH = (100, 108, 92, 100)  # holds 97, 103, 106 and 94

    def test_in_a_later_candle_the_stop_is_booked(self, setup, stop):
        trade = only(book([CALM, CALM, CALM, self.BOTH, CALM, CALM], setup))

        assert trade["exit_reason"] == "stop_loss"
        assert trade["close_rate"] == stop
        assert trade["profit_ratio"] == pytest.approx(-0.09)  # 3 % x leverage 3
        assert trade["close_date"] == START + hours(3)

    def test_in_the_filling_candle_the_stop_is_booked(self, setup, stop):
        trade = only(book([CALM, CALM, self.BOTH, CALM, CALM], setup))

        assert trade["exit_reason"] == "stop_loss"
        assert trade["close_rate"] == stop
        assert trade["open_date"] == trade["close_date"] == START + hours(2)

    def test_guilty_a_stop_set_after_the_fill_would_book_a_win(self, setup, stop):
        rows = [CALM, CALM, CALM, self.BOTH, CALM, CALM]

        trade = only(book(rows, setup, strategy="StopSetLate"))

        assert trade["exit_reason"] == "roi"
        assert trade["profit_ratio"] > 0.0


@pytest.mark.parametrize(
    ("setup", "reaching", "target"),
    [(LONG, (100, 107, 99, 101), 106.0), (SHORT, (100, 101, 93, 99), 94.0)],
    ids=["long", "short"],
)
class TestTarget:
    def test_it_fills_inside_the_candle_that_reaches_it(self, setup, reaching, target):
        trade = only(book([CALM, CALM, CALM, reaching, CALM, CALM], setup))

        assert trade["exit_reason"] == "roi"
        assert trade["close_rate"] == pytest.approx(target)
        assert trade["profit_ratio"] == pytest.approx(0.18)  # 2 R x 3 % x leverage 3

    def test_fees_are_paid_and_do_not_move_it(self, setup, reaching, target):
        trade = only(book([CALM, CALM, CALM, reaching, CALM, CALM], setup, fee=0.001))

        assert trade["close_rate"] == pytest.approx(target)
        assert trade["profit_ratio"] < 0.18 - 0.005

    def test_a_market_entry_may_reach_it_in_its_own_candle(self, setup, reaching, target):
        # The entry is at the open, so everything in the candle comes after it.
        trade = only(book([CALM, CALM, reaching, CALM, CALM], setup))

        assert trade["exit_reason"] == "roi"
        assert trade["close_rate"] == pytest.approx(target)

    def test_a_near_miss_is_no_exit(self, setup, reaching, target):
        side = setup["side"]
        almost = (100, 105.9, 99, 101) if side > 0 else (100, 101, 94.1, 99)

        trade = only(book([CALM, CALM, CALM, almost, CALM, CALM], setup))

        assert trade["exit_reason"] == "force_exit"


def test_without_a_target_a_rally_is_held():
    rows = [CALM, CALM, CALM, (100, 130, 99, 128), (128, 131, 127, 130), CALM]

    trade = only(book(rows, {"side": 1, "stop": 97.0}))

    assert trade["exit_reason"] == "force_exit"


def test_a_candle_that_opens_beyond_the_stop_pays_the_open_not_the_stop():
    trade = only(book([CALM, CALM, CALM, (95, 98, 94, 95), CALM, CALM], LONG))

    assert trade["exit_reason"] == "stop_fallback"
    assert trade["close_rate"] == 95.0


def test_the_time_stop_leaves_at_the_open_of_its_candle():
    rows = [CALM] * 4 + [(100.5, 101, 99, 100)] + [CALM] * 3  # entry in row 2, 2 bars later row 4

    trade = only(book(rows, LONG | {"max_bars": 2}))

    assert trade["exit_reason"] == "time_stop"
    assert trade["close_date"] - trade["open_date"] == hours(2)
    assert trade["close_rate"] == 100.5


def test_a_stop_in_the_candle_before_the_time_stop_comes_first():
    rows = [CALM] * 3 + [(100, 101, 96, 98)] + [CALM] * 3

    assert only(book(rows, LONG | {"max_bars": 2}))["exit_reason"] == "stop_loss"


RESTING = {"side": 1, "limit": 98.0, "stop": 95.0, "target_r": 2.0, "expiry_bars": 3}
RESTING_SHORT = {"side": -1, "limit": 102.0, "stop": 105.0, "target_r": 2.0, "expiry_bars": 3}


class TestRestingEntry:
    """A long resting at 98 with its stop at 95 (target 2 R = 104), good for 3 candles."""

    def test_it_fills_at_the_limit_when_price_comes_back(self):
        rows = [CALM, CALM, CALM, (100, 101, 97.5, 99), CALM, CALM]

        trade = only(book(rows, RESTING))

        assert trade["open_rate"] == 98.0
        assert trade["orders"][0]["order_filled_timestamp"] == (START + hours(3)).timestamp() * 1000

    def test_a_short_rests_above(self):
        rows = [CALM, CALM, CALM, (100, 102.5, 99, 101), CALM, CALM]

        assert only(book(rows, RESTING_SHORT))["open_rate"] == 102.0

    @pytest.mark.parametrize("waiting", [0, 1, 2])
    @pytest.mark.parametrize(
        ("setup", "both"),
        [(RESTING, (100, 105, 97.5, 99)), (RESTING_SHORT, (100, 102.5, 95, 101))],
        ids=["long", "short"],
    )
    def test_the_candle_that_fills_it_can_not_reach_the_target(self, setup, both, waiting):
        # The extreme on the target's side may have come before the fill.
        trade = only(book([CALM, CALM, *[CALM] * waiting, both, CALM, CALM], setup))

        assert trade["exit_reason"] == "force_exit"

    @pytest.mark.parametrize("waiting", [0, 1])
    def test_guilty_without_that_rule_it_would_book_a_win(self, waiting):
        rows = [CALM, CALM, *[CALM] * waiting, (99, 105, 97.5, 104.5), CALM, CALM]

        trade = only(book(rows, RESTING, strategy="TargetInFillingCandle"))

        assert (trade["exit_reason"], trade["close_rate"]) == ("roi", pytest.approx(104.0))

    def test_the_candle_after_may_reach_it(self):
        rows = [CALM, CALM, CALM, (100, 105, 97.5, 99), (99, 104.5, 98.5, 100), CALM]

        trade = only(book(rows, RESTING))

        assert (trade["exit_reason"], trade["close_rate"]) == ("roi", pytest.approx(104.0))
        assert trade["close_date"] == START + hours(4)

    def test_the_candle_that_fills_it_can_hit_the_stop(self):
        rows = [CALM, CALM, CALM, (100, 101, 94.5, 97), CALM, CALM]

        trade = only(book(rows, RESTING))

        assert (trade["exit_reason"], trade["close_rate"]) == ("stop_loss", 95.0)

    def test_never_filled_it_is_withdrawn_when_it_expires(self):
        # Price comes back only after the three candles are over.
        rows = [CALM, CALM, CALM, CALM, CALM, (100, 101, 97, 99), CALM]

        assert book(rows, RESTING) == []

    def test_it_may_still_fill_in_its_last_candle(self):
        rows = [CALM, CALM, CALM, CALM, (100, 101, 97, 99), CALM, CALM]

        assert only(book(rows, RESTING))["open_rate"] == 98.0

    def test_a_failed_retest_withdraws_it(self):
        # Price gaps through the zone and closes beyond the stop without trading at the limit.
        rows = [CALM, CALM, CALM, (94, 94.5, 93, 94), (94, 99, 93.5, 98.5), CALM, CALM]

        assert book(rows, RESTING) == []

    def test_the_time_stop_counts_from_the_fill_not_from_the_order(self):
        rows = [CALM, CALM, CALM, (100, 101, 97.5, 99), CALM, CALM, CALM, CALM]

        trade = only(book(rows, RESTING | {"max_bars": 2}))

        assert trade["exit_reason"] == "time_stop"
        assert trade["close_date"] == START + hours(5)  # filled in row 3


class TestRefused:
    def test_an_entry_whose_price_has_run_away_is_refused(self):
        # The candle after the signal opens 9 % above the stop.
        rows = [CALM, CALM, (107, 108, 106, 107), CALM, CALM]

        assert book(rows, LONG) == []

    def test_an_entry_already_at_its_stop_is_refused(self):
        rows = [CALM, CALM, (97.2, 98, 97.1, 98), CALM, CALM]

        assert book(rows, LONG) == []

    def test_a_resting_entry_never_becomes_a_market_entry(self):
        rows = [CALM] * 6

        assert book(rows, RESTING, strategy="NoEntryPrice") == []
        # Where the setup wants the market, the market's price is right.
        assert len(book(rows, LONG, strategy="NoEntryPrice")) == 1

    def test_the_innocent_twin_is_taken(self):
        assert len(book([CALM, CALM, CALM, CALM, CALM], LONG)) == 1


def test_the_stake_is_sized_by_risk_and_cut_to_the_largest_position():
    # 3 % to the stop: 1 % x 0.8 confidence / 3 % / 4 = 6.7 % of margin; one position has 5 %.
    trade = only(book([CALM] * 6, LONG, fractal={"strategy": {"leverage": 4}}))

    assert trade["leverage"] == 4.0
    assert trade["stake_amount"] == pytest.approx(10_000 * 0.05, rel=1e-3)
