"""What ccxt's client reads of the venue, down to the wire; no answer is never an empty one."""

from decimal import Decimal
from typing import Any

import pytest

from fractal_ops.recovery.facts import OrderAnswer, VenueOrder, VenuePosition
from fractal_ops.recovery.venue import Venue, VenueUnreachableError
from tests.ops.recovery.specimens import BTC, ETH, d
from tests.ops.recovery.stub_exchange import StubExchange


@pytest.fixture
def stub() -> StubExchange:
    return StubExchange()


@pytest.fixture
def venue(stub: StubExchange) -> Venue:
    return Venue(stub.client())


def test_positions_are_signed_and_exact(stub: StubExchange, venue: Venue) -> None:
    stub.hold("BTC", "0.123")
    stub.hold("ETH", "-7")
    stub.marks["BTC"] = d("97123.5")

    assert venue.positions() == {
        BTC: VenuePosition(BTC, d("0.123"), d("97123.5")),
        ETH: VenuePosition(ETH, d(-7), d(100)),
    }


def test_orders_are_read_with_trigger_rest_and_our_own_id(stub: StubExchange, venue: Venue) -> None:
    order = stub.add("BTC", "A", "2", "92.15", reduce_only=True, trigger=d(95), cloid="0x4652")
    order.filled = d("0.5")

    assert venue.orders() == (
        VenueOrder(
            str(order.oid),
            BTC,
            -1,
            d("1.5"),
            d("0.5"),
            d("92.15"),
            reduce_only=True,
            trigger_price=d(95),
            is_stop=True,
            cloid="0x4652",
        ),
    )


@pytest.mark.parametrize(
    ("status", "filled", "answer"),
    [
        ("filled", "0", OrderAnswer("filled", d(2))),
        ("open", "0.5", OrderAnswer("open", d("0.5"))),
        ("reduceOnlyCanceled", "0", OrderAnswer("reduceOnlyCanceled", d(0))),
    ],
)
def test_an_order_is_asked_for_by_either_id(
    stub: StubExchange, venue: Venue, status: str, filled: str, answer: OrderAnswer
) -> None:
    order = stub.add("BTC", "B", "2", "98", cloid="0x" + "46" * 16)
    order.status, order.filled = status, d(filled)

    assert venue.answer(str(order.oid), BTC) == answer
    assert venue.answer("0x" + "46" * 16, BTC) == answer


def test_an_order_that_the_venue_does_not_know_is_an_answer(venue: Venue) -> None:
    assert venue.answer("999", BTC) == OrderAnswer("")
    assert not venue.answer("999", BTC).is_known


def test_equity_and_steps(stub: StubExchange, venue: Venue) -> None:
    assert venue.equity() == Decimal(1000)
    assert venue.step(BTC) == d("0.001")

    stub.equity = "0.0"
    assert venue.equity() == 0


@pytest.mark.parametrize("question", ["positions", "orders", "equity"])
def test_no_answer_is_not_an_empty_one(stub: StubExchange, venue: Venue, question: str) -> None:
    stub.is_down = True

    with pytest.raises(VenueUnreachableError, match="RequestTimeout"):
        getattr(venue, question)()


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("positions", {"assetPositions": [{"position": {}}]}),
        ("positions", {"error": "busy"}),
        ("positions", {"assetPositions": None}),
        ("positions", []),
        ("orders", [{"coin": "BTC"}]),
        ("orders", {"orders": []}),
        ("orders", "busy"),
        ("orders", None),
        ("time", {"time": None}),
        ("time", []),
        ("time", "busy"),
    ],
)
def test_an_answer_of_another_shape_is_none(
    stub: StubExchange, venue: Venue, question: str, answer: Any
) -> None:
    stub.info_answer = [answer]  # wrapped, so that null can be one

    with pytest.raises(VenueUnreachableError, match=r"makes no sense|busy"):
        getattr(venue, question)()


def test_a_hiccup_is_asked_again(stub: StubExchange, venue: Venue) -> None:
    stub.hold("BTC", "1")
    stub.hiccups = 1

    assert set(venue.positions()) == {BTC}


def test_a_pair_that_the_venue_does_not_list_is_no_answer(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(venue.client, "load_markets", lambda _reload: None)

    with pytest.raises(VenueUnreachableError, match="lists no NEW"):
        venue.step("NEW/USDC:USDC")
