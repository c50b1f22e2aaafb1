"""The venue's weights, and the minute that they are counted in."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fractal_testnet.faults.weights import WeightMeter, answer_weight, request_weight
from fractal_testnet.market.clock import ManualClock


@pytest.mark.parametrize(
    ("kind", "weight"),
    [
        ("l2Book", 2),
        ("allMids", 2),
        ("clearinghouseState", 2),
        ("orderStatus", 2),
        ("spotClearinghouseState", 2),
        ("exchangeStatus", 2),
        ("userRole", 60),
        ("meta", 20),
        ("candleSnapshot", 20),
        (None, 20),
        ([], 20),
    ],
)
def test_weight_of_an_info_request(kind: Any, weight: int) -> None:
    assert request_weight("info", {"type": kind}) == weight


@pytest.mark.parametrize("key", ["orders", "cancels", "modifies"])
@pytest.mark.parametrize(("length", "weight"), [(0, 1), (1, 1), (39, 1), (40, 2), (79, 2), (80, 3)])
def test_weight_of_an_action_grows_with_its_batch(key: str, length: int, weight: int) -> None:
    assert request_weight("exchange", {"action": {"type": "x", key: [{}] * length}}) == weight


@pytest.mark.parametrize("body", [None, [], {}, {"action": 3}, {"action": {"orders": "long"}}])
def test_garbage_weighs_as_little_as_an_action(body: Any) -> None:
    assert request_weight("exchange", body) == 1


@pytest.mark.parametrize(
    ("kind", "rows", "weight"),
    [
        ("candleSnapshot", 59, 0),
        ("candleSnapshot", 60, 1),
        ("candleSnapshot", 5_000, 83),
        ("userFills", 19, 0),
        ("userFills", 2_000, 100),
        ("fundingHistory", 500, 25),
        ("meta", 5_000, 0),
        (None, 5_000, 0),
    ],
)
def test_rows_of_an_answer_weigh(kind: str | None, rows: int, weight: int) -> None:
    assert answer_weight(kind, json.dumps([{}] * rows).encode()) == weight


@pytest.mark.parametrize("answer", [b"", b"null", b"{", b"\xff", b'{"a": 1}'])
def test_answer_without_rows_weighs_nothing(answer: bytes) -> None:
    assert answer_weight("userFills", answer) == 0


@given(
    st.lists(st.tuples(st.integers(0, 40_000), st.integers(1, 60)), max_size=60),
    st.integers(1, 200),
)
def test_no_minute_ever_holds_more_than_the_limit(
    requests: list[tuple[int, int]], limit: int
) -> None:
    clock = ManualClock(1_000_000)
    meter = WeightMeter(limit, clock.now_ms)
    charged: list[tuple[int, int]] = []

    for pause_ms, weight in requests:
        clock.advance(pause_ms)
        recent = sum(w for t, w in charged if t > clock.now_ms() - 60_000)
        assert meter.spent == recent
        assert meter.has_room(weight) is (recent + weight <= limit)
        if meter.has_room(weight):
            meter.charge(weight)
            charged.append((clock.now_ms(), weight))
