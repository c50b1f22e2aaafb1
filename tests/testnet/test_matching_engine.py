"""Orders meet a path that the test has drawn."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from fractal_testnet.account.bank import INSURANCE
from fractal_testnet.account.exchange import Exchange, Meddling
from fractal_testnet.account.journal import Journal
from fractal_testnet.account.orders import OrderRequest, Tif, Trigger
from fractal_testnet.account.refusal import RefusedError
from tests.testnet.line_market import T0, LineMarket

ME = "0x" + "a1" * 20
BTC = 0


def d(value: object) -> Decimal:
    return Decimal(str(value))


def at(seconds: float) -> int:
    return T0 + round(seconds * 1000)


def exchange(
    *corners: tuple[float, float], premium: float = 0.0, deposit: int = 10_000
) -> Exchange:
    made = Exchange(LineMarket({"BTC": list(corners)}, premium), T0, Journal())
    made.deposit(ME, d(deposit), T0)
    made.set_leverage(ME, "BTC", 5, T0, is_cross=False)
    return made


def buy(size: object, price: object, **more: object) -> OrderRequest:
    return OrderRequest("BTC", 1, d(size), d(price), **more)


def sell(size: object, price: object, **more: object) -> OrderRequest:
    return OrderRequest("BTC", -1, d(size), d(price), **more)


def stop(trigger: object, limit: object, size: object = "0.1", **more: object) -> OrderRequest:
    wake = Trigger(d(trigger), bool(more.pop("is_market", False)), more.pop("tpsl", "sl"))
    return sell(size, limit, reduce_only=True, trigger=wake, **more)


def position(made: Exchange) -> Decimal:
    found = made.trader(ME).account.positions.get("BTC")
    return Decimal(0) if found is None else found.size


FLAT = ((0, 100_000), (86_400, 100_000))


class TestTaking:
    def test_a_taker_pays_the_spread_and_the_taker_fee(self):
        made = exchange(*FLAT)
        order = made.place(ME, buy("0.1", 101_000), at(1))

        assert order.status == "filled"
        assert order.average > 100_000
        [fill] = made.trader(ME).fills
        assert fill.is_taker
        assert fill.fee == (fill.price * fill.size * d("0.00045")).quantize(d("0.000001"))
        assert fill.direction == "Open Long"
        assert position(made) == d("0.1")

    def test_a_large_one_walks_through_the_levels(self):
        made = exchange(*FLAT, deposit=10_000_000)
        book = made.market.book("BTC", at(1))
        depth = sum(d(level.sz) for level in book.asks[:3])
        order = made.place(ME, buy(depth, 110_000), at(1))

        fills = list(made.trader(ME).fills)
        assert [f.price for f in fills] == [d(int(level.px)) for level in book.asks[:3]]
        assert order.average == sum(f.price * f.size for f in fills) / depth

    def test_the_same_depth_is_not_sold_twice(self):
        made = exchange(*FLAT, deposit=10_000_000)
        first = made.market.book("BTC", at(1)).asks[0]
        made.place(ME, buy(first.sz, 110_000), at(1))
        second = made.place(ME, buy("0.1", 110_000), at(1.1))

        assert second.average > d(first.px)
        # Twice a second the book is drawn anew.
        third = made.place(ME, buy("0.1", 110_000), at(2))
        assert third.average == d(made.market.book("BTC", at(2)).asks[0].px)

    def test_ioc_takes_what_is_there_and_ends(self):
        made = exchange(*FLAT, deposit=50_000_000)
        best = made.market.book("BTC", at(1)).asks[0]
        wanted = d(best.sz) + 5
        order = made.place(ME, buy(wanted, best.px, tif=Tif.IOC), at(1))

        assert (order.status, order.filled) == ("canceled", d(best.sz))

    def test_ioc_with_nothing_to_take_is_refused(self):
        made = exchange(*FLAT)
        with pytest.raises(RefusedError, match="could not immediately match"):
            made.place(ME, buy("0.1", 99_000, tif=Tif.IOC), at(1))

    def test_what_a_gtc_order_does_not_take_rests(self):
        made = exchange(*FLAT, deposit=50_000_000)
        best = made.market.book("BTC", at(1)).asks[0]
        order = made.place(ME, buy(d(best.sz) + 5, best.px), at(1))

        assert (order.status, order.remaining) == ("open", 5)


class TestResting:
    def test_it_fills_as_maker_when_traded_through(self):
        made = exchange((0, 100_000), (100, 99_000), (200, 99_000))
        order = made.place(ME, buy("0.1", 99_500), at(1))
        made.advance(at(49))
        assert order.status == "open"
        made.advance(at(60))

        [fill] = made.trader(ME).fills
        assert (order.status, fill.price, fill.is_taker) == ("filled", 99_500, False)
        # 99,500 is reached after 50 s; the ask is half a spread above mid.
        assert at(50) < fill.at_ms < at(51)
        assert fill.fee == d("1.4925")

    def test_a_touch_alone_does_not_fill(self):
        made = exchange((0, 100_000), (50, 99_500), (100, 100_000))
        order = made.place(ME, buy("0.1", 99_500), at(1))
        made.advance(at(100))

        assert order.status == "open"

    def test_post_only_rests_or_is_refused(self):
        made = exchange(*FLAT)
        assert made.place(ME, buy("0.1", 99_990, tif=Tif.ALO), at(1)).status == "open"
        with pytest.raises(RefusedError, match=r"Post only .* bbo was"):
            made.place(ME, buy("0.1", 100_100, tif=Tif.ALO), at(1))

    def test_the_margin_of_resting_orders_is_held(self):
        made = exchange(*FLAT, deposit=3_000)
        made.place(ME, buy("0.1", 99_000), at(1))
        assert made.available(made.trader(ME)) == d(3_000) - d(1_980)
        with pytest.raises(RefusedError, match="Insufficient margin"):
            made.place(ME, buy("0.1", 99_000), at(2))

    def test_a_fill_without_money_cancels_the_order(self):
        made = exchange((0, 100_000), (100, 95_000))
        order = made.place(ME, buy("0.4", 96_000), at(1))
        made.bank.move(at(2), f"{ME}:free", "outside", d(9_000), "withdrawal")
        made.advance(at(100))

        assert order.status == "marginCanceled"
        assert position(made) == 0


class TestTriggers:
    def test_a_stop_limit_fires_on_the_mark_and_fills_at_the_book(self):
        made = exchange((0, 100_000), (100, 98_000), (200, 98_000))
        made.place(ME, buy("0.1", 101_000), at(0.5))
        order = made.place(ME, stop(99_000, 98_010), at(1))
        made.advance(at(49))
        assert order.waits
        made.advance(at(60))

        assert order.status == "filled"
        fill = made.trader(ME).fills[-1]
        assert fill.at_ms == at(50)
        assert 98_010 <= fill.price < 99_000
        assert fill.direction == "Close Long"
        assert position(made) == 0

    def test_a_stop_limit_misses_in_a_gap_and_fills_when_the_price_comes_back(self):
        made = exchange((0, 100_000), (50, 100_000), (50, 97_000), (100, 97_000), (200, 99_000))
        made.place(ME, buy("0.1", 101_000), at(0.5))
        order = made.place(ME, stop(99_000, 98_010), at(1))
        made.advance(at(90))

        assert (order.status, order.is_triggered) == ("triggered", True)
        assert position(made) == d("0.1")
        made.advance(at(190))
        assert order.status == "filled"
        assert made.trader(ME).fills[-1].price == 98_010

    def test_a_stop_market_does_not_miss(self):
        made = exchange((0, 100_000), (50, 100_000), (50, 97_000), (100, 97_000))
        made.place(ME, buy("0.1", 101_000), at(0.5))
        order = made.place(ME, stop(99_000, 90_000, is_market=True), at(1))
        made.advance(at(60))

        assert order.status == "filled"
        assert 96_900 < made.trader(ME).fills[-1].price < 97_000

    def test_a_take_profit_fires_above(self):
        made = exchange((0, 100_000), (100, 102_000))
        made.place(ME, buy("0.1", 101_000), at(0.5))
        order = made.place(ME, stop(101_000, 100_900, tpsl="tp"), at(1))
        made.advance(at(100))

        assert order.status == "filled"
        assert made.trader(ME).fills[-1].price > 100_900

    @pytest.mark.parametrize(("tpsl", "trigger"), [("sl", 100_500), ("tp", 99_500)])
    def test_one_that_would_fire_at_once_is_refused(self, tpsl, trigger):
        made = exchange(*FLAT)
        made.place(ME, buy("0.1", 101_000), at(0.5))
        with pytest.raises(RefusedError, match=r"Invalid TP/SL price\. asset=0"):
            made.place(ME, stop(trigger, trigger, tpsl=tpsl), at(1))

    def test_after_the_position_is_gone_it_wakes_for_nothing(self):
        made = exchange((0, 100_000), (100, 98_000))
        made.place(ME, buy("0.1", 101_000), at(0.5))
        order = made.place(ME, stop(99_000, 98_010), at(1))
        made.place(ME, sell("0.1", 98_000, reduce_only=True), at(2))
        assert order.status == "open"
        made.advance(at(60))

        assert order.status == "reduceOnlyCanceled"
        assert position(made) == 0


class TestReduceOnly:
    def test_it_needs_something_to_reduce(self):
        made = exchange(*FLAT)
        with pytest.raises(RefusedError, match="Reduce only order would increase"):
            made.place(ME, sell("0.1", 99_000, reduce_only=True), at(1))

    def test_it_never_turns_the_position(self):
        made = exchange(*FLAT)
        made.place(ME, buy("0.1", 101_000), at(1))
        order = made.place(ME, sell("0.3", 99_000, reduce_only=True), at(2))

        assert (order.filled, order.status) == (d("0.1"), "reduceOnlyCanceled")
        assert position(made) == 0

    def test_it_is_free_of_the_minimum(self):
        made = exchange(*FLAT)
        made.place(ME, buy("0.1", 101_000), at(1))
        with pytest.raises(RefusedError, match=r"minimum value of \$10"):
            made.place(ME, buy("0.00005", 101_000), at(2))
        order = made.place(ME, sell("0.00005", 99_000, reduce_only=True), at(3))
        assert order.status == "filled"


class TestRules:
    @pytest.mark.parametrize(
        ("request_", "text"),
        [
            (buy("0.1", "99999.5"), "divisible by tick size"),
            (buy("0.100001", 99_000), "invalid size"),
            (buy("0", 99_000), "zero size"),
            (buy("0.1", 5_000), "more than 80% away"),
            (buy("0.1", "-5"), "divisible by tick size"),
            (buy("1", 99_000), "Insufficient margin"),
        ],
    )
    def test_a_refused_order_changes_nothing(self, request_, text):
        made = exchange(*FLAT)
        before = made.trader(ME).account.free
        with pytest.raises(RefusedError, match=text):
            made.place(ME, request_, at(1))
        assert made.trader(ME).account.free == before
        assert not made.trader(ME).live
        assert not made.trader(ME).events

    def test_an_integer_price_is_always_valid(self):
        made = exchange((0, 123_456), (100, 123_456))
        assert made.place(ME, buy("0.1", 123_457), at(1)).status in ("open", "filled")

    def test_a_cloid_is_used_once(self):
        made = exchange(*FLAT)
        cloid = "0x" + "12" * 16
        order = made.place(ME, buy("0.1", 99_000, cloid=cloid), at(1))
        assert made.trader(ME).by_cloid(cloid.upper().replace("0X", "0x")) is order
        with pytest.raises(RefusedError, match="already exists"):
            made.place(ME, buy("0.1", 98_000, cloid=cloid), at(2))


class TestCancelAndModify:
    def test_only_a_live_order_can_be_cancelled(self):
        made = exchange(*FLAT)
        order = made.place(ME, buy("0.1", 99_000), at(1))
        made.cancel(ME, order, BTC, at(2))
        assert order.status == "canceled"
        for found in (order, None):
            with pytest.raises(RefusedError, match="never placed, already canceled, or filled"):
                made.cancel(ME, found, BTC, at(3))

    def test_a_cancellation_can_lose_the_race(self):
        made = exchange((0, 100_000), (100, 99_000))
        order = made.place(ME, buy("0.1", 99_500), at(1))
        with pytest.raises(RefusedError, match="or filled"):
            made.cancel(ME, order, BTC, at(80))
        assert order.status == "filled"

    def test_a_modified_order_is_a_new_one(self):
        made = exchange(*FLAT)
        order = made.place(ME, buy("0.1", 99_000), at(1))
        changed = made.modify(ME, order, buy("0.2", 98_000), at(2))
        assert (order.status, changed.status) == ("canceled", "open")
        assert changed.oid != order.oid
        with pytest.raises(RefusedError, match="Cannot modify"):
            made.modify(ME, order, buy("0.2", 98_000), at(3))


class TestMargin:
    def test_leverage_decides_the_margin(self):
        made = exchange(*FLAT)
        made.set_leverage(ME, "BTC", 10, at(0.1), is_cross=False)
        order = made.place(ME, buy("0.1", 101_000), at(1))
        margin = made.trader(ME).account.margin("BTC")
        assert margin == (order.average * d("0.1") / 10).quantize(d("0.000001"))

    @pytest.mark.parametrize("leverage", [0, 41, -1])
    def test_leverage_out_of_range(self, leverage):
        made = exchange(*FLAT)
        with pytest.raises(RefusedError, match="Invalid leverage value"):
            made.set_leverage(ME, "BTC", leverage, at(1), is_cross=False)

    def test_less_leverage_needs_the_margin_for_it(self):
        made = exchange(*FLAT)
        made.place(ME, buy("0.1", 101_000), at(1))
        with pytest.raises(RefusedError, match="sufficient margin available to decrease"):
            made.set_leverage(ME, "BTC", 2, at(2), is_cross=False)
        made.move_margin(ME, "BTC", d(4_000), at(3))
        made.set_leverage(ME, "BTC", 2, at(4), is_cross=False)
        assert made.trader(ME).account.positions["BTC"].leverage == 2

    def test_margin_comes_and_goes(self):
        made = exchange(*FLAT)
        with pytest.raises(RefusedError, match="empty position"):
            made.move_margin(ME, "BTC", d(1), at(0.5))
        made.place(ME, buy("0.1", 101_000), at(1))
        before = made.trader(ME).account.free
        made.move_margin(ME, "BTC", d(100), at(2))
        assert made.trader(ME).account.free == before - 100
        with pytest.raises(RefusedError, match="sufficient margin available for decrease"):
            made.move_margin(ME, "BTC", d(-500), at(3))
        with pytest.raises(RefusedError, match="sufficient margin available for increase"):
            made.move_margin(ME, "BTC", d(50_000), at(3))

    def test_liquidation_takes_the_margin_and_the_orders_and_no_more(self):
        made = exchange((0, 100_000), (100, 70_000))
        made.place(ME, buy("0.1", 101_000), at(0.5))
        margin = made.trader(ME).account.margin("BTC")
        free = made.trader(ME).account.free
        guard = made.place(ME, stop(75_000, 74_000), at(1))
        expected = made.trader(ME).account.liquidation_price("BTC", 40)
        made.advance(at(100))

        fill = made.trader(ME).fills[-1]
        assert fill.direction == "Liquidated Isolated Long"
        assert abs(fill.price - expected) <= 1
        assert fill.closed_pnl - fill.fee == -margin
        assert made.trader(ME).account.free == free
        assert guard.status == "liquidatedCanceled"
        assert made.bank.balance(INSURANCE) > 0
        assert made.bank.total() == 0

    def test_a_stop_before_the_liquidation_saves_the_rest(self):
        made = exchange((0, 100_000), (100, 70_000))
        made.place(ME, buy("0.1", 101_000), at(0.5))
        made.place(ME, stop(95_000, 94_000), at(1))
        made.advance(at(100))

        assert made.trader(ME).fills[-1].direction == "Close Long"


class TestFunding:
    def test_longs_pay_every_full_hour(self):
        made = exchange((0, 100_000), (20_000, 100_000), premium=0.001)
        made.place(ME, buy("0.1", 101_000), at(1))
        margin = made.trader(ME).account.margin("BTC")
        made.advance(at(7_300))

        paid = list(made.trader(ME).funding)
        assert [row.at_ms for row in paid] == [at(3_600), at(7_200)]
        # (premium + clamp(interest - premium)) / 8 on the oracle's price, 0.1 % below the mark.
        rate = d("0.0000625")
        assert {row.rate for row in paid} == {rate}
        each = (d("0.1") * d(99_900) * rate).quantize(d("0.000001"))
        assert [row.usdc for row in paid] == [-each, -each]
        assert made.trader(ME).account.margin("BTC") == margin - 2 * each
        assert made.trader(ME).funding_sums["BTC"].since_open == 2 * each

    def test_shorts_receive(self):
        made = exchange((0, 100_000), (20_000, 100_000), premium=0.001)
        made.place(ME, sell("0.1", 99_000), at(1))
        made.advance(at(3_700))

        assert made.trader(ME).funding[0].usdc > 0

    def test_who_has_left_before_the_hour_pays_nothing(self):
        made = exchange((0, 100_000), (20_000, 100_000), premium=0.001)
        made.place(ME, buy("0.1", 101_000), at(1))
        made.place(ME, sell("0.1", 99_000, reduce_only=True), at(3_599))
        made.advance(at(7_300))

        assert not made.trader(ME).funding


class TestScheduledCancel:
    def test_it_takes_the_stops_too(self):
        made = exchange(*FLAT)
        made.schedule.needed_volume = d(0)
        made.place(ME, buy("0.1", 101_000), at(1))
        guard = made.place(ME, stop(95_000, 94_000), at(2))
        made.schedule.set(ME, at(10), at(3), d(0))
        made.advance(at(9))
        assert guard.is_live
        made.advance(at(11))
        assert (guard.status, guard.status_ms) == ("scheduledCancel", at(10))

    def test_it_needs_volume_and_notice(self):
        made = exchange(*FLAT)
        with pytest.raises(RefusedError, match=r"Required: \$1000000\. Traded: \$12"):
            made.schedule.set(ME, at(10), at(3), d(12))
        made.schedule.needed_volume = d(0)
        with pytest.raises(RefusedError, match="too early"):
            made.schedule.set(ME, at(5), at(3), d(0))


class TestMeddling:
    def test_a_partial_fill_then_silence(self):
        made = exchange(*FLAT)
        order = made.place(ME, buy("0.1", 101_000), at(1), Meddling(fill_ratio=d("0.4")))
        assert (order.filled, order.status) == (d("0.04"), "open")
        made.advance(at(1_000))
        assert order.filled == d("0.04")
        made.cancel(ME, order, BTC, at(1_001))
        assert position(made) == d("0.04")

    def test_no_fill_at_all(self):
        made = exchange(*FLAT)
        order = made.place(ME, buy("0.1", 101_000), at(1), Meddling(fill_ratio=d(0)))
        made.advance(at(1_000))
        assert (order.filled, order.status) == (0, "open")

    def test_a_claimed_reason(self):
        made = exchange(*FLAT)
        with pytest.raises(RefusedError, match=r"Insufficient margin to place order\. asset=0"):
            made.place(ME, buy("0.1", 101_000), at(1), Meddling(reject="margin"))


def test_how_often_anybody_looks_changes_nothing():
    line = [(0, 100_000), (900, 96_000), (900, 103_000), (4_000, 92_000), (9_000, 99_000)]

    def run(step: float) -> list[dict[str, object]]:
        made = exchange(*line, premium=0.0005)
        made.place(ME, buy("0.05", 101_000), at(1))
        made.place(ME, stop(97_500, 97_000, "0.05"), at(2))
        made.place(ME, buy("0.05", 95_500), at(3))
        made.place(ME, buy("0.02", 94_000), at(3))
        moment = 3.0
        while moment < 9_000:
            moment = min(moment + step, 9_000)
            made.advance(at(moment))
        return [row for row in made.journal.rows() if row["event"] != "info"]

    often, seldom = run(7.0), run(9_000)
    assert often == seldom
    assert {row["event"] for row in often} >= {"fill", "order", "funding", "booking"}


def test_asking_for_another_moment_never_turns_time_back():
    made = exchange(*FLAT)
    made.advance(at(100))
    made.advance(at(50))
    assert made.now_ms == at(100)


def test_a_request_is_a_value():
    # Orders are looked at again and again; what was asked for must not change under them.
    with pytest.raises(AttributeError):
        buy("0.1", 100).size = d(2)
    assert replace(buy("0.1", 100), size=d(2)).size == 2
