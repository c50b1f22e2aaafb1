"""When a fault strikes: by probability, count, skip and schedule, the same for the same seed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fractal_testnet.faults import FaultBoard, FaultSpecError, RequestTag, parse_spec, tag_of
from fractal_testnet.market.clock import ManualClock
from tests.testnet.faults.exchange import order, place

ASSETS = ("BTC", "ETH", "SOL")
TAG = RequestTag("info", "meta")


def hits_of(
    seed: int, calls: int, *, others: int = 0, own_seed: int | None = None, **more: Any
) -> list[bool]:
    clock = ManualClock(0)
    board = FaultBoard(seed, clock, lambda _: None, ASSETS)
    for _ in range(others):
        board.add(parse_spec({"kind": "malformed"}))
    spec = {"kind": "drop_request", **more}
    if own_seed is not None:
        spec["seed"] = own_seed
    board.add(parse_spec(spec))
    hits = []
    for _ in range(calls):
        hits.append(board.strike("drop_request", TAG) is not None)
        if others:
            board.strike("malformed", TAG)
        clock.advance(1_000)
    return hits


@given(st.integers(0, 2**64), st.floats(0.0, 1.0))
def test_same_seed_and_calls_have_the_same_hits(seed: int, probability: float) -> None:
    first = hits_of(seed, 50, probability=probability)

    assert first == hits_of(seed, 50, probability=probability)


def test_another_seed_or_number_hits_others() -> None:
    base = hits_of(1, 64, probability=0.5)

    assert base != hits_of(2, 64, probability=0.5)
    assert base != hits_of(1, 64, probability=0.5, others=1)
    assert 10 < sum(base) < 54


def test_faults_own_seed_draws_the_same_under_any_number() -> None:
    one = hits_of(1, 64, probability=0.5, own_seed=9)

    assert one == hits_of(2, 64, probability=0.5, own_seed=9, others=2)


@given(st.integers(0, 1000), st.integers(0, 20), st.integers(1, 20), st.floats(0.0, 1.0))
def test_skip_and_count_bound_the_hits_and_move_no_draw(
    seed: int, skip: int, count: int, probability: float
) -> None:
    free = hits_of(seed, 40, probability=probability)
    bound = hits_of(seed, 40, probability=probability, skip=skip, count=count)

    expected: list[bool] = []
    for index, hit in enumerate(free):
        expected.append(hit and index >= skip and sum(expected) < count)
    assert bound == expected


def test_schedule_is_counted_from_the_addition_on_the_exchanges_clock() -> None:
    assert hits_of(1, 6, after_seconds=2, for_seconds=3) == [
        False,
        False,
        True,
        True,
        True,
        False,
    ]


def test_probability_0_never_and_1_always_hits() -> None:
    assert not any(hits_of(1, 100, probability=0))
    assert all(hits_of(1, 100))


def test_active_consumes_nothing(board: FaultBoard, journal: list[dict[str, Any]]) -> None:
    board.add(parse_spec({"kind": "drop_request", "count": 1}))

    assert all(board.active("drop_request", TAG) for _ in range(5))
    assert board.strike("drop_request", TAG)
    assert board.active("drop_request", TAG) is None
    assert board.strike("drop_request", TAG) is None
    assert [entry["event"] for entry in journal] == ["fault_added", "fault"]


def test_hit_tells_the_journal_what_it_hit(
    board: FaultBoard, journal: list[dict[str, Any]], clock: ManualClock
) -> None:
    number = board.add(parse_spec({"kind": "malformed", "match": {"path": "info"}}))
    clock.advance(5)

    board.strike("malformed", TAG)
    board.remove(number)

    assert journal[1] == {
        "event": "fault",
        "time": clock.now_ms(),
        "fault": number,
        "kind": "malformed",
        "hit": {"path": "info", "type": "meta"},
        "hits": 1,
    }
    assert journal[2]["event"] == "fault_removed"
    assert board.strike("malformed", TAG) is None


def test_removed_numbers_are_not_given_again(board: FaultBoard) -> None:
    first = board.add(parse_spec({"kind": "malformed"}))
    assert board.remove(first)
    assert not board.remove(first)
    second = board.add(parse_spec({"kind": "malformed"}))

    assert second > first
    assert (board.clear(), board.armed) == (1, False)


def outcome(board: FaultBoard, *, index: int = 0, **terms: Any) -> str | None:
    tag = tag_of("exchange", place(order(index, **terms)), ASSETS)
    struck = board.outcome(tag.only(0))
    return None if struck is None else struck.kind


@pytest.mark.parametrize("reason", ["margin", "tick", "size", "reduce_only", "minimum"])
def test_rejection_meets_the_order_of_its_role_and_coin(board: FaultBoard, reason: str) -> None:
    match = {"role": "stop", "coin": "ETH"}
    board.add(parse_spec({"kind": "reject", "reason": reason, "match": match}))

    assert outcome(board, index=1, trigger=True) == "reject"
    assert outcome(board, index=1) is None
    assert outcome(board, index=0, trigger=True) is None


def test_one_order_of_a_batch_is_struck_and_not_the_other(board: FaultBoard) -> None:
    board.add(parse_spec({"kind": "reject", "reason": "margin", "match": {"role": "stop"}}))
    tag = tag_of("exchange", place(order(), order(trigger=True, reduce=True)), ASSETS)

    struck = [board.outcome(tag.only(index)) for index in range(2)]

    assert [spec and spec.reason for spec in struck] == [None, "margin"]
    with pytest.raises(ValueError, match="2 orders, not one"):
        board.outcome(tag)


@pytest.mark.parametrize("kind", ["partial_fill", "no_fill"])
def test_fill_fault_meets_its_coin_only(board: FaultBoard, kind: str) -> None:
    board.add(parse_spec({"kind": kind, "match": {"coin": "BTC"}, "count": 1}))

    assert outcome(board, index=1) is None
    assert outcome(board, index=0) == kind
    assert outcome(board, index=0) is None


def test_rejection_goes_before_fills_and_uses_none_of_their_counts(board: FaultBoard) -> None:
    board.add(parse_spec({"kind": "partial_fill", "ratio": 0.25, "count": 1}))
    board.add(parse_spec({"kind": "no_fill", "count": 1}))
    board.add(parse_spec({"kind": "reject", "reason": "tick", "count": 1}))

    assert [outcome(board) for _ in range(4)] == ["reject", "no_fill", "partial_fill", None]


def test_post_only_period_refuses_what_could_take(board: FaultBoard, clock: ManualClock) -> None:
    board.add(parse_spec({"kind": "post_only", "for_seconds": 60}))

    assert board.post_only()
    assert outcome(board) == "post_only"
    assert outcome(board, tif="Ioc") == "post_only"
    assert outcome(board, trigger=True) == "post_only"
    assert outcome(board, tif="Alo") is None
    clock.advance(60_000)
    assert not board.post_only()
    assert outcome(board) is None


def test_clock_offsets_add_up_and_end(board: FaultBoard, clock: ManualClock) -> None:
    assert board.clock_offset_ms() == 0
    board.add(parse_spec({"kind": "clock_offset", "offset_seconds": -90, "for_seconds": 10}))
    board.add(parse_spec({"kind": "clock_offset", "offset_seconds": 0.25, "count": 1}))

    assert [board.clock_offset_ms() for _ in range(3)] == [-89_750] * 3
    clock.advance(10_000)
    assert board.clock_offset_ms() == 250


def test_clock_offset_is_recorded_once(board: FaultBoard, journal: list[dict[str, Any]]) -> None:
    board.add(parse_spec({"kind": "clock_offset", "offset_seconds": 1}))

    for _ in range(10):
        board.clock_offset_ms()

    assert [entry["event"] for entry in journal] == ["fault_added", "fault"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"kind": "malformed", "match": {"coin": "BTX"}}, "match.coin names 'BTX'.*mean BTC"),
        ({"kind": "stale_candles", "coins": ["BTC", "?"]}, r"coins names '\?'.*BTC, ETH, SOL"),
        ({"kind": "missing_candle", "interval": "7m"}, "interval is '7m': it must be one of 1m"),
    ],
)
def test_fault_that_never_could_hit_is_refused(
    board: FaultBoard, spec: dict[str, Any], message: str
) -> None:
    with pytest.raises(FaultSpecError, match=message):
        board.add(parse_spec(spec))
    assert not board.armed
