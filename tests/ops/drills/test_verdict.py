"""What the exchange's journal says about a drill."""

from typing import Any

import pytest

from fractal_ops.drills.verdict import BY_HAND, read_history

ME = "0xme"


def order(at: float, oid: int, side: str, size: str, status: str = "open", **more: Any) -> dict:
    row = {
        "event": "order",
        "at_ms": int(at * 1000),
        "user": ME,
        "coin": "BTC",
        "oid": oid,
        "side": side,
        "sz": size,
        "status": status,
        "reduce_only": False,
        "trigger_px": None,
        "cloid": None,
    }
    return {**row, **more}


def stop(at: float, oid: int, size: str, status: str = "open", side: str = "A") -> dict:
    return order(at, oid, side, size, status, reduce_only=True, trigger_px="95")


def fill(at: float, oid: int, side: str, size: str, **more: Any) -> dict:
    row = {"event": "fill", "at_ms": int(at * 1000), "user": ME, "coin": "BTC"}
    return {**row, "oid": oid, "side": side, "sz": size, **more}


GOOD = [
    order(1, 1, "B", "2"),
    fill(2, 1, "B", "2"),
    stop(4, 2, "2"),
    fill(50, 2, "A", "2"),
    stop(50, 2, "0", "filled"),
]


def test_a_protected_trade():
    history = read_history(GOOD, ME, 60_000)

    assert history.positions == {}
    assert history.doubled == []
    assert [span.seconds for span in history.bare] == [2.0]
    assert history.longest_bare() == 2.0
    assert history.fills == 2


def test_without_a_stop_the_time_counts_until_the_end():
    history = read_history(GOOD[:2], ME, 100_000)
    assert history.longest_bare() == 98.0
    assert str(history.positions["BTC"]) == "2"


def test_a_stop_that_is_too_small_does_not_cover():
    rows = [*GOOD[:2], stop(4, 2, "1"), stop(30, 3, "1")]
    assert [span.seconds for span in read_history(rows, ME, 100_000).bare] == [28.0]


@pytest.mark.parametrize("status", ["canceled", "triggered", "reduceOnlyCanceled"])
def test_a_stop_that_is_gone_or_was_triggered_and_rests_does_not_cover(status):
    rows = [*GOOD[:3], stop(10, 2, "2", status)]
    assert read_history(rows, ME, 100_000).longest_bare() == 90.0


def test_a_stop_on_the_wrong_side_does_not_cover():
    rows = [*GOOD[:2], stop(4, 2, "2", side="B")]
    assert read_history(rows, ME, 60_000).longest_bare() == 58.0


def test_a_plain_reduce_only_order_is_no_stop():
    rows = [*GOOD[:2], order(4, 2, "A", "2", reduce_only=True)]
    assert read_history(rows, ME, 60_000).longest_bare() == 58.0


def test_a_second_entry_into_an_open_position_is_a_duplicate():
    rows = [*GOOD[:3], order(5, 3, "B", "2"), fill(6, 3, "B", "2")]
    [text] = read_history(rows, ME, 60_000).doubled
    assert "[1, 3]" in text


def test_a_person_may_add_to_a_position_but_the_bot_not_to_a_persons():
    by_hand = BY_HAND + "0" * 24
    bot, hand = order(1, 1, "B", "2"), order(5, 2, "B", "1", cloid=by_hand)
    first, second = fill(2, 1, "B", "2"), fill(6, 2, "B", "1")

    assert read_history([bot, first, hand, second], ME, 9_000).doubled == []
    assert len(read_history([hand, second, bot, first], ME, 9_000).doubled) == 1


def test_partial_fills_of_one_entry_are_none():
    rows = [order(1, 1, "B", "2"), fill(2, 1, "B", "1"), fill(3, 1, "B", "1")]
    assert read_history(rows, ME, 60_000).doubled == []


def test_the_next_trade_is_a_new_position():
    later = [
        order(60, 5, "A", "1"),
        fill(61, 5, "A", "1"),
    ]
    assert read_history([*GOOD, *later], ME, 70_000).doubled == []


def test_an_entry_that_turns_the_position_opens_a_new_one():
    rows = [*GOOD[:3], order(5, 3, "A", "5"), fill(6, 3, "A", "5")]
    history = read_history(rows, ME, 60_000)
    assert history.doubled == []
    assert str(history.positions["BTC"]) == "-3"
    # The old stop sells, which does not protect a short.
    assert history.longest_bare() == 54.0


def test_other_accounts_do_not_count():
    rows = [{**row, "user": "0xother"} for row in GOOD[:2]]
    assert read_history(rows, ME, 60_000).fills == 0
