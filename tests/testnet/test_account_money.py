"""The exchange's money: whatever happens, none is made and none is lost."""

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fractal_testnet.account.bank import (
    COUNTERPARTY,
    FEES,
    FUNDING,
    INSURANCE,
    OUTSIDE,
    Bank,
    Booking,
    OverdraftError,
    usdc,
)
from fractal_testnet.account.isolated import Fill, InsufficientMarginError, IsolatedAccount
from fractal_testnet.account.position import Position, fill

FEE = Decimal("0.00045")
COINS = ("BTC", "DOGE")


class KeepingBank(Bank):
    """A bank that keeps what it books."""

    def __init__(self) -> None:
        self.bookings: list[Booking] = []
        super().__init__(self.bookings.append)


def d(value) -> Decimal:
    return Decimal(str(value))


def account(deposit=1000) -> IsolatedAccount:
    trader = IsolatedAccount("0xa", KeepingBank())
    trader.deposit(0, d(deposit))
    return trader


def trade(trader, size, price, *, coin="BTC", leverage=3, fee=FEE):
    return trader.apply(Fill(1, coin, d(size), d(price), d(fee), "f"), leverage)


class TestBank:
    def test_money_moves_and_the_sum_stays_zero(self):
        bank = KeepingBank()
        bank.move(1, OUTSIDE, "a:free", d("10.5"), "deposit")

        assert bank.balance("a:free") == d("10.5")
        assert bank.total() == 0
        assert bank.bookings[0].amount == d("10.5")

    def test_below_zero_it_moves_the_other_way(self):
        bank = KeepingBank()
        bank.move(1, OUTSIDE, "a:free", d(10), "deposit")

        assert bank.move(2, OUTSIDE, "a:free", d(-4), "withdrawal") == d(-4)
        assert bank.balance("a:free") == 6

    def test_nobody_spends_what_is_not_there(self):
        bank = KeepingBank()
        with pytest.raises(OverdraftError, match="holds 0 USDC"):
            bank.move(1, "a:free", FEES, d(1), "fee")
        assert bank.bookings == []

    def test_zero_is_no_booking(self):
        bank = KeepingBank()

        assert bank.move(1, OUTSIDE, "a:free", d("0.0000001"), "deposit") == 0
        assert bank.bookings == []

    @pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity")])
    def test_only_numbers_are_booked(self, value):
        with pytest.raises(ValueError, match="finite"):
            usdc(value)


class TestFill:
    def test_the_first_opens(self):
        effect = fill(None, "BTC", d(-2), d(100), 5)

        assert effect.position == Position("BTC", d(-2), d(200), 5)
        assert (effect.opened, effect.realised, effect.closed_share) == (200, 0, 0)

    def test_more_of_the_same_averages_the_price(self):
        effect = fill(Position("BTC", d(1), d(100), 5), "BTC", d(1), d(110), 3)

        assert effect.position.entry_price == 105
        assert effect.position.leverage == 5  # an open position keeps its own

    @pytest.mark.parametrize(("side", "profit"), [(1, 5), (-1, -5)])
    def test_a_part_is_closed_at_its_share_of_the_cost(self, side, profit):
        effect = fill(Position("BTC", d(2 * side), d(200), 5), "BTC", d(-side), d(105), 3)

        assert effect.realised == profit
        assert effect.closed_share == d("0.5")
        assert effect.position == Position("BTC", d(side), d(100), 5)

    def test_all_of_it_is_closed(self):
        effect = fill(Position("BTC", d(1), d(100), 5), "BTC", d(-1), d(90), 3)

        assert effect.position is None
        assert effect.realised == -10

    def test_too_much_turns_it_around(self):
        effect = fill(Position("BTC", d(1), d(100), 5), "BTC", d(-3), d(110), 4)

        assert effect.realised == 10
        assert effect.position == Position("BTC", d(-2), d(220), 4)
        assert effect.opened == 220

    @pytest.mark.parametrize(("size", "price", "leverage"), [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
    def test_what_can_not_be_is_refused(self, size, price, leverage):
        with pytest.raises(ValueError, match="can not be"):
            fill(None, "BTC", d(size), d(price), leverage)

    @settings(max_examples=200, deadline=None)
    @given(
        parts=st.lists(st.integers(1, 999), min_size=2, max_size=8),
        price=st.decimals("0.5", 100_000, places=4),
        exits=st.lists(st.decimals("0.5", 100_000, places=4), min_size=8, max_size=8),
    )
    def test_closing_in_parts_realises_what_the_prices_say_to_the_last_unit(
        self, parts, price, exits
    ):
        sizes = [Decimal(part).scaleb(-3) for part in parts]
        position = fill(None, "BTC", sum(sizes), price, 1).position
        cost, realised = position.cost, Decimal(0)
        for size, exit_price in zip(sizes, exits, strict=False):
            effect = fill(position, "BTC", -size, exit_price, 1)
            realised += effect.realised
            position = effect.position

        assert position is None
        proceeds = sum(usdc(s * p) for s, p in zip(sizes, exits, strict=False))
        assert realised == proceeds - cost


class TestIsolatedAccount:
    def test_a_round_trip_costs_the_fees_and_brings_the_profit(self):
        trader = account()
        trade(trader, 3, 100)
        assert trader.margin("BTC") == 100
        assert trader.free == 1000 - 100 - d("0.135")

        trade(trader, -3, 110)

        assert trader.margin("BTC") == 0
        assert trader.positions == {}
        assert trader.free == 1000 + 30 - d("0.135") - d("0.1485")
        assert trader.bank.balance(FEES) == d("0.2835")
        assert trader.bank.balance(COUNTERPARTY) == -30

    def test_too_little_money_books_nothing(self):
        trader = account(10)
        before = list(trader.bank.bookings)

        with pytest.raises(InsufficientMarginError, match=r"100\.0+ USDC of margin"):
            trade(trader, 3, 100)

        assert trader.bank.bookings == before
        assert trader.positions == {}

    def test_a_rebate_is_received(self):
        trader = account()
        trade(trader, 3, 100, fee="-0.0001")

        assert trader.free == 900 + d("0.03")

    def test_longs_pay_funding_and_shorts_receive_it(self):
        for size, paid in ((3, d("0.03")), (-3, d("-0.03"))):
            trader = account()
            trade(trader, size, 100, fee=0)

            assert trader.pay_funding(2, "BTC", d("0.0001"), d(100)) == paid
            assert trader.margin("BTC") == 100 - paid
            assert trader.bank.balance(FUNDING) == paid

    def test_a_position_is_liquidated_when_its_own_money_is_gone(self):
        trader = account()
        trade(trader, 3, 100, fee=0)  # 100 of margin, 300 of notional; at most 20 x leverage

        assert not trader.is_liquidated("BTC", d("68.5"), 20)
        assert trader.is_liquidated("BTC", d("68"), 20)
        trader.liquidate(2, "BTC", d("68"))

        assert trader.positions == {}
        assert trader.free == 900  # the rest of the account is not touched
        assert trader.bank.balance(INSURANCE) == 4
        assert trader.bank.balance(COUNTERPARTY) == 96

    def test_a_gap_through_the_liquidation_is_not_the_traders(self):
        trader = account()
        trade(trader, 3, 100, fee=0)
        trader.liquidate(2, "BTC", d("50"))

        assert trader.free == 900
        assert trader.bank.balance(INSURANCE) == -50

    def test_equity_counts_open_positions_at_their_mark(self):
        trader = account()
        trade(trader, -3, 100, fee=0)

        assert trader.equity({"BTC": d(90)}) == 1030


STEP = st.tuples(
    st.sampled_from(COINS),
    st.integers(-500, 500).filter(bool),
    st.decimals("0.01", 300, places=3),
    st.sampled_from(["trade", "trade", "trade", "funding", "mark", "deposit"]),
)


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(STEP, max_size=40), leverage=st.integers(1, 20))
def test_money_in_is_money_out_to_the_last_unit(steps, leverage):
    trader = account()
    deposits, seen = d(1000), {}
    for at, (coin, number, price, kind) in enumerate(steps):
        seen[coin] = price
        size = Decimal(number).scaleb(-2)
        if kind == "trade":
            with contextlib.suppress(InsufficientMarginError):
                trader.apply(Fill(at, coin, size, price, FEE, str(at)), leverage)
        elif kind == "deposit":
            trader.deposit(at, abs(size))
            deposits += abs(size)
        elif coin in trader.positions:
            if kind == "funding":
                trader.pay_funding(at, coin, Decimal("0.0001") * number, price)
            elif trader.is_liquidated(coin, price, 20):
                trader.liquidate(at, coin, price)
        assert trader.bank.total() == 0
        assert trader.free >= 0
        assert all(trader.margin(c) >= 0 for c in COINS)

    bank = trader.bank
    taken = sum((bank.balance(a) for a in (COUNTERPARTY, FEES, FUNDING, INSURANCE)), d(0))
    held = trader.free + sum((trader.margin(coin) for coin in COINS), d(0))
    assert bank.balance(OUTSIDE) == -deposits
    assert held + taken == deposits
    # And the bookings tell how it came about.
    replayed = KeepingBank()
    for booking in bank.bookings:
        replayed._balances[booking.source] -= booking.amount
        replayed._balances[booking.target] += booking.amount
    assert {k: v for k, v in replayed._balances.items() if v} == {
        k: v for k, v in bank._balances.items() if v
    }
