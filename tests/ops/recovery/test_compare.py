"""What is found: a guilty specimen of every kind, its innocent twin, and mutations of any book."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fractal_ops.recovery.compare import compare
from fractal_ops.recovery.drift import CANNOT_TELL, Drift, DriftKind, Remedy
from fractal_ops.recovery.facts import (
    Claim,
    OrderAnswer,
    RecordedOrder,
    RecordedTrade,
    Role,
    Snapshot,
    VenueOrder,
    VenuePosition,
)
from fractal_protections.portfolio.drift import ALL_PAIRS
from tests.ops.recovery.specimens import (
    BTC,
    ETH,
    NOW,
    SECOND,
    STEP,
    aligned,
    d,
    entry,
    flat,
    held,
    stop,
    trade,
    venue_order,
    venue_stop,
)

GUILTY: dict[str, tuple[Snapshot, DriftKind, Remedy]] = {
    "a position without any trade": (
        flat(positions=held("-3")),
        DriftKind.UNKNOWN_POSITION,
        Remedy.FLATTEN,
    ),
    "the smallest position without any trade": (
        flat(positions=held(str(STEP))),
        DriftKind.UNKNOWN_POSITION,
        Remedy.FLATTEN,
    ),
    "a position beside an entry that has not filled": (
        aligned(
            trades=(trade(entry(is_open=True, filled="0"), amount=d(0)),),
            orders=(venue_order("1"), venue_stop("8")),
        ),
        DriftKind.WRONG_SIZE,
        Remedy.PERSON,
    ),
    "a trade without its position, as a liquidation leaves it": (
        aligned(positions={}, orders=(), trades=(trade(entry()),)),
        DriftKind.MISSING_POSITION,
        Remedy.PERSON,
    ),
    "a trade without its position, whose stop still waits": (
        aligned(positions={}),
        DriftKind.MISSING_POSITION,
        Remedy.CANCEL,
    ),
    "the wrong side": (aligned(positions=held("-2")), DriftKind.WRONG_SIDE, Remedy.FLATTEN),
    "the right side with too much": (
        aligned(positions=held("2.002"), orders=(venue_stop(size="2.002"),)),
        DriftKind.WRONG_SIZE,
        Remedy.PERSON,
    ),
    "the right side with too little": (
        aligned(positions=held("1.5")),
        DriftKind.WRONG_SIZE,
        Remedy.PERSON,
    ),
    "no stop at all": (
        aligned(orders=(), trades=(trade(entry()),)),
        DriftKind.NO_STOP,
        Remedy.PLACE_STOP,
    ),
    "no stop, and the price is through where it should be": (
        aligned(orders=(), trades=(trade(entry()),), positions=held(mark="95")),
        DriftKind.NO_STOP,
        Remedy.FLATTEN,
    ),
    "no stop, and the database wants none": (
        aligned(orders=(), trades=(trade(entry(), stop_price=None),)),
        DriftKind.NO_STOP,
        Remedy.PERSON,
    ),
    "a stop for half of it": (
        aligned(orders=(venue_stop(size="1"),)),
        DriftKind.STOP_TOO_SMALL,
        Remedy.PLACE_STOP,
    ),
    "a stop that woke and missed": (
        aligned(
            orders=(venue_stop(trigger_price=None, is_stop=False),), positions=held(mark="92.14")
        ),
        DriftKind.STOP_MISSED,
        Remedy.FLATTEN,
    ),
    "a stop that never woke while the price went through": (
        aligned(positions=held(mark="90")),
        DriftKind.STOP_MISSED,
        Remedy.FLATTEN,
    ),
    "an entry of a deleted trade (trap 4)": (
        flat(orders=(venue_order(),)),
        DriftKind.ORPHAN_ORDER,
        Remedy.CANCEL,
    ),
    "an order that is booked as cancelled and lives (trap 5)": (
        flat(orders=(venue_order(),), booked={"9": "canceled"}),
        DriftKind.ORPHAN_ORDER,
        Remedy.CANCEL,
    ),
    "a second stop that the position does not need": (
        aligned(orders=(venue_stop(), venue_stop("8"))),
        DriftKind.ORPHAN_ORDER,
        Remedy.CANCEL,
    ),
    "a stop whose position is gone": (
        flat(orders=(venue_stop("8"),)),
        DriftKind.ORPHAN_ORDER,
        Remedy.CANCEL,
    ),
    "an open entry that the venue has filled": (
        aligned(
            trades=(trade(entry(is_open=True, filled="0"), amount=d(0)),),
            orders=(venue_stop("8"),),
            answers={"1": OrderAnswer("filled", d(2))},
        ),
        DriftKind.LOST_ORDER,
        Remedy.PERSON,
    ),
    "an open entry that the venue does not know": (
        flat(
            trades=(trade(entry(is_open=True, filled="0"), amount=d(0)),),
            answers={"1": OrderAnswer("")},
        ),
        DriftKind.LOST_ORDER,
        Remedy.PERSON,
    ),
    "a clock that runs ahead": (
        aligned(clock_ahead=31 * SECOND),
        DriftKind.CLOCK_OFFSET,
        Remedy.PERSON,
    ),
    "a clock that runs behind": (
        aligned(clock_ahead=-31 * SECOND),
        DriftKind.CLOCK_OFFSET,
        Remedy.PERSON,
    ),
    "a bot of another database": (
        aligned(claims=(Claim("bot/A", BTC), Claim("bot/B", BTC))),
        DriftKind.MISSING_DATABASE,
        Remedy.PERSON,
    ),
}

INNOCENT: dict[str, Snapshot] = {
    "nothing anywhere": flat(),
    "a long with its stop": aligned(),
    "a clock that is nearly right": aligned(clock_ahead=-30 * SECOND),
    "a difference of one step": aligned(positions=held("2.001")),
    "an entry that waits": flat(
        orders=(venue_order("1"),),
        trades=(trade(entry(is_open=True, filled="0"), amount=d(0)),),
    ),
    "an entry that is half filled": aligned(
        positions=held("1"),
        orders=(venue_order("1", "1", filled=d(1)), venue_stop(size="1")),
        trades=(trade(entry(is_open=True, filled="0"), stop(), amount=d(0)),),
    ),
    "an exit that is half filled": aligned(
        positions=held("1.5"),
        orders=(
            venue_stop(),
            venue_order("3", "1.5", side=-1, reduce_only=True, filled=d("0.5")),
        ),
        trades=(trade(entry(), stop(), RecordedOrder("3", Role.EXIT, True, "open", d(0))),),
    ),
    "a stop that has woken and can still fill": aligned(
        orders=(venue_stop(trigger_price=None, is_stop=False),), positions=held(mark="93")
    ),
    "the amount as freqtrade's binary number": aligned(
        trades=(trade(amount=Decimal(repr(1.9999999999999998))),)
    ),
    "a position that only our own stop protects": aligned(
        orders=(venue_stop("8", cloid="0x46524143"),), trades=(trade(entry()),)
    ),
    "a short with its stop": aligned(
        positions=held("-2"),
        orders=(venue_stop(side=1, trigger_price=d(105), limit_price=d("108.15")),),
        trades=(trade(side=-1, stop_price=d(105)),),
    ),
    "two bots of one account in one pair": aligned(
        positions=held("5"),
        orders=(venue_stop(), venue_stop("6", "3")),
        trades=(trade(), trade(entry("5", "3"), stop("6"), amount=d(3), database="b.sqlite")),
        claims=(Claim("bot/A", BTC), Claim("bot/B", BTC)),
    ),
}


@pytest.mark.parametrize("name", GUILTY)
def test_a_guilty_specimen_is_found(name: str) -> None:
    snapshot, kind, remedy = GUILTY[name]

    (drift,) = [found for found in compare(snapshot) if found.kind is kind]

    assert drift.remedy is remedy
    assert drift.pair == (ALL_PAIRS if kind is DriftKind.CLOCK_OFFSET else BTC)
    assert "{" not in drift.advice
    assert len(drift.advice) > 20


@pytest.mark.parametrize("name", INNOCENT)
def test_an_innocent_specimen_is_not(name: str) -> None:
    assert compare(INNOCENT[name]) == ()


def test_every_kind_that_a_comparison_can_find_has_its_specimen() -> None:
    assert {kind for _, kind, _ in GUILTY.values()} == set(DriftKind) - CANNOT_TELL


def test_an_account_that_shows_nothing_is_not_taken_for_flat() -> None:
    (drift,) = compare(flat(equity=d(0), trades=(trade(),)))

    assert (drift.kind, drift.pair) == (DriftKind.EMPTY_ACCOUNT, ALL_PAIRS)
    assert "1 open trades" in drift.message
    assert "wallet_address" in drift.advice


def test_messages_hold_the_numbers_and_name_the_trade() -> None:
    (drift,) = [f for f in compare(aligned(positions=held("-0.5"))) if f.kind == "WRONG_SIDE"]

    assert drift.message == (
        "the venue holds short 0.5, the databases long 2 (trade 7 in trades.sqlite)"
    )
    assert drift.numbers == {"venue": d("-0.5"), "databases": d("2.000")}
    assert "/reload_trade 7" in drift.advice


def test_an_unknown_position_hides_no_orphans_but_is_not_asked_for_a_stop() -> None:
    found = compare(flat(positions=held("3"), orders=(venue_order(),)))

    assert [drift.kind for drift in found] == ["UNKNOWN_POSITION", "ORPHAN_ORDER"]


def test_what_a_missing_database_may_explain_is_not_judged() -> None:
    found = compare(
        flat(positions=held("3"), orders=(venue_order(),), claims=(Claim("bot/B", BTC),))
    )

    assert [drift.kind for drift in found] == ["MISSING_DATABASE"]


def test_a_needed_stop_that_no_database_has_is_kept_and_a_further_one_is_not() -> None:
    found = compare(
        aligned(orders=(venue_stop("8", "1"), venue_stop("9", "1"), venue_stop("95")),
                trades=(trade(entry()),))
    )  # fmt: skip

    assert [(drift.kind, drift.order_id) for drift in found] == [("ORPHAN_ORDER", "95")]


# any book


SIZES = st.decimals("0.002", "9", places=3)


@st.composite
def aligned_books(draw: st.DrawFn) -> Snapshot:
    """Any number of trades, each with its position, stop and resting exit on the venue."""
    positions: dict[str, VenuePosition] = {}
    orders: list[VenueOrder] = []
    trades: list[RecordedTrade] = []
    for number in range(draw(st.integers(0, 4))):
        pair = f"C{number}/USDC:USDC"
        side, size = draw(st.sampled_from([1, -1])), draw(SIZES)
        stop_price = d(100) - 5 * side
        ids = [str(10 * number + k) for k in range(3)]
        positions[pair] = VenuePosition(pair, side * size, d(100))
        orders.append(
            venue_stop(
                ids[1],
                str(size),
                pair=pair,
                side=-side,
                trigger_price=stop_price,
                limit_price=stop_price - 2 * side,
            )
        )
        recorded = [entry(ids[0], str(size)), stop(ids[1])]
        if draw(st.booleans()):
            recorded.append(RecordedOrder(ids[2], Role.EXIT, True, "open", d(0)))
            orders.append(
                venue_order(ids[2], str(size), pair=pair, side=-side, reduce_only=True,
                            limit_price=d(100) + 9 * side)
            )  # fmt: skip
        trades.append(
            trade(*recorded, id=number, pair=pair, side=side, amount=size, stop_price=stop_price)
        )
    pairs = [*positions, BTC, ETH]
    return Snapshot(
        at=NOW,
        equity=d(1000),
        positions=positions,
        orders=tuple(orders),
        trades=tuple(trades),
        steps=dict.fromkeys(pairs, STEP),
        claims=tuple(Claim("bot/A", one.pair) for one in trades),
    )


@given(aligned_books())
def test_aligned_books_have_no_drift(book: Snapshot) -> None:
    assert compare(book) == ()


def _without(items: tuple[Any, ...], index: int) -> tuple[Any, ...]:
    return items[:index] + items[index + 1 :]


@given(aligned_books(), st.data())
def test_any_single_mutation_is_found_in_its_pair_and_nowhere_else(
    book: Snapshot, data: st.DataObject
) -> None:
    mutations = ["foreign position", "foreign order"]
    if book.trades:
        mutations += ["position gone", "flipped", "resized", "trade gone", "order gone", "halved"]
    what = data.draw(st.sampled_from(mutations))
    index = data.draw(st.integers(0, max(len(book.trades) - 1, 0)))
    touched = book.trades[index].pair if book.trades else BTC
    held_now = book.positions.get(touched)
    if what == "foreign position":
        touched = BTC
        mutated = replace(book, positions={**book.positions, **held("1")})
    elif what == "foreign order":
        touched = BTC
        mutated = replace(book, orders=(*book.orders, venue_order("999")))
    elif what == "position gone":
        rest = {pair: one for pair, one in book.positions.items() if pair != touched}
        mutated = replace(book, positions=rest)
    elif what == "trade gone":
        mutated = replace(
            book, trades=_without(book.trades, index), claims=_without(book.claims, index)
        )
    elif what == "order gone":
        index = data.draw(st.integers(0, len(book.orders) - 1))
        touched = book.orders[index].pair
        mutated = replace(book, orders=_without(book.orders, index))
    elif what == "halved":
        stops = [order for order in book.orders if order.pair == touched and order.is_stop]
        small = replace(stops[0], remaining=d("0.0001"))
        others = tuple(order for order in book.orders if order is not stops[0])
        mutated = replace(book, orders=(*others, small))
    else:
        assert held_now is not None
        size = -held_now.size if what == "flipped" else held_now.size * 3
        mutated = replace(book, positions={**book.positions, touched: replace(held_now, size=size)})

    found: tuple[Drift, ...] = compare(mutated)

    assert found
    assert {drift.pair for drift in found} == {touched}
