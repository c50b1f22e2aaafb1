"""Funding of a finished trade: what the venue has booked, not what freqtrade has reckoned."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from freqtrade.persistence import Order, Trade

from fractal_protections.portfolio.funding import PAGE_ROWS, book_funding, funding_paid
from tests.protections.live_bot import CLOSED, open_position, trade_database
from tests.strategies.bots import PAIR

LATER = CLOSED + timedelta(hours=5)
HOUR_MS = 3_600_000


@pytest.fixture
def trade(tmp_path):
    with trade_database(tmp_path):
        yield open_position(at=CLOSED)


def end(trade: Trade, side: str) -> Order:
    """Let an exit or the stop on the exchange close the trade, as freqtrade books it."""
    order = Order(
        ft_order_side=side,
        ft_pair=trade.pair,
        ft_is_open=False,
        order_id=f"{side}-1",
        status="closed",
        symbol=trade.pair,
        order_type="limit",
        side=trade.exit_side,
        ft_price=99.0,
        ft_amount=trade.amount,
        price=99.0,
        average=99.0,
        amount=trade.amount,
        filled=trade.amount,
        remaining=0.0,
        order_date=LATER,
        order_filled_date=LATER,
    )
    trade.orders.append(order)
    trade.update_trade(order)
    return order


def test_freqtrade_forgets_the_funding_of_a_stop_on_the_exchange(trade):
    # The seam that we lean on: should this fail, freqtrade has learned it, and we may let go.
    trade.set_funding_fees(-1.25)
    order = end(trade, "stoploss")

    assert not trade.is_open
    assert order.funding_fee is None
    assert trade.funding_fees == 0.0


def test_what_the_venue_has_booked_ends_in_the_profit(trade):
    order = end(trade, "stoploss")
    without = trade.close_profit_abs

    assert book_funding(order, Decimal("-1.25"))
    assert trade.funding_fees == -1.25
    assert trade.close_profit_abs == pytest.approx(without - 1.25)
    assert trade.realized_profit == pytest.approx(without - 1.25)
    # Once is enough.
    assert not book_funding(order, Decimal("-1.25"))


def test_it_replaces_what_freqtrade_has_reckoned_for_an_exit(trade):
    trade.set_funding_fees(-2.0)
    order = end(trade, trade.exit_side)
    with_theirs = trade.close_profit_abs

    assert book_funding(order, Decimal("-1.5"))
    assert trade.close_profit_abs == pytest.approx(with_theirs + 0.5)


def test_without_an_answer_freqtrades_figure_is_kept(trade):
    trade.set_funding_fees(-0.75)
    order = end(trade, "stoploss")
    without = trade.close_profit_abs

    assert book_funding(order, None)
    assert trade.close_profit_abs == pytest.approx(without - 0.75)


def test_an_entry_is_left_alone(trade):
    assert not book_funding(trade.orders[0], Decimal(-1))


class Api:
    """Lists payments as ccxt does, a page at a time."""

    def __init__(self, payments: list[tuple[int, str, str]]) -> None:
        self.payments = payments
        self.calls = 0

    def fetch_funding_history(
        self, symbol: str | None, since: int, limit: int | None, params: dict[str, Any]
    ) -> list[dict[str, Any]]:
        self.calls += 1
        rows = [p for p in self.payments if since <= p[0] <= params["until"]][:PAGE_ROWS]
        return [
            {"timestamp": at, "symbol": pair, "info": {"delta": {"usdc": usdc}}}
            for at, pair, usdc in rows
        ]


def test_payments_of_the_pair_and_the_time_are_summed_exactly():
    start = round(CLOSED.timestamp() * 1000)
    payments = [
        (start - HOUR_MS, PAIR, "-100"),
        (start + HOUR_MS, PAIR, "-0.100001"),
        (start + HOUR_MS, "ETH/USDC:USDC", "-7"),
        (start + 2 * HOUR_MS, PAIR, "0.000002"),
        (start + 6 * HOUR_MS, PAIR, "-100"),
    ]
    assert funding_paid(Api(payments), PAIR, CLOSED, LATER) == Decimal("-0.099999")


def test_several_pages_are_read_and_nothing_is_counted_twice():
    start = round(CLOSED.timestamp() * 1000)
    payments = [(start + i // 7 * 1000, f"{i % 7}", "-0.01") for i in range(3 * PAGE_ROWS)]
    api = Api(payments)

    assert funding_paid(api, "3", CLOSED, LATER) == Decimal("-0.01") * len(payments[3::7])
    assert api.calls > 3


def test_a_venue_that_does_not_answer_is_no_zero(caplog):
    class Broken:
        def fetch_funding_history(self, *args: Any) -> Any:
            raise ccxt.RequestTimeout("no answer")

    assert funding_paid(Broken(), PAIR, CLOSED, LATER) is None
    assert "did not tell the funding" in caplog.text
