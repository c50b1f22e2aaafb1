"""A fault's description: what is accepted, and what a refusal says."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fractal_testnet.faults import KINDS, FaultSpecError, Problem, parse_spec

NEEDED: dict[str, dict[str, Any]] = {
    "latency": {"seconds": 0.5},
    "reject": {"reason": "tick"},
    "clock_offset": {"offset_seconds": 3600},
    "down": {"for_seconds": 3},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read_back_from_what_is_shown(kind: str) -> None:
    spec = parse_spec({"kind": kind, "after_seconds": 1, **NEEDED.get(kind, {})})

    shown = json.loads(json.dumps(spec.shown()))

    assert parse_spec(shown).shown() == shown
    assert shown["kind"] == kind


def test_shown_spec_holds_the_kinds_numbers_but_not_others() -> None:
    spec = parse_spec({"kind": "rate_limit", "match": {"path": "info"}, "count": 2})

    assert spec.shown() == {
        "kind": "rate_limit",
        "match": {"path": "info"},
        "count": 2,
        "weight_per_minute": 1200,
    }


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "fault is list, not an object"),
        ({}, "kind is missing"),
        ({"kind": "slow"}, "kind is 'slow': it must be 'latency'"),
        ({"kind": "latency"}, "seconds is missing: latency needs it"),
        ({"kind": "latency", "seconds": 0}, "seconds is 0: input should be greater than 0"),
        ({"kind": "latency", "seconds": "1"}, "seconds is '1'"),
        ({"kind": "latency", "seconds": float("nan")}, "seconds is nan"),
        ({"kind": "malformed", "probabilty": 0.5}, "did you mean probability"),
        ({"kind": "malformed", "probability": 1.5}, "less than or equal to 1"),
        ({"kind": "malformed", "count": 0}, "count is 0"),
        ({"kind": "malformed", "count": True}, "count is True"),
        ({"kind": "malformed", "ratio": 0.3}, "ratio is not for malformed: leave it away"),
        ({"kind": "malformed", "match": {"role": "tp"}}, "match.role is 'tp'"),
        ({"kind": "malformed", "match": {"coins": "BTC"}}, "match.coins is unknown.*mean coin"),
        ({"kind": "malformed", "match": {"user": "me"}}, "match.user is 'me'"),
        ({"kind": "reject"}, "reason is missing"),
        ({"kind": "reject", "reason": "mood"}, "reason is 'mood': it must be 'margin'"),
        ({"kind": "no_fill", "match": {"path": "info"}}, "match.path is 'info'"),
        ({"kind": "down"}, "for_seconds is missing: down needs it"),
        ({"kind": "down", "for_seconds": 3, "count": 1}, "count is not for down"),
        ({"kind": "stale_candles", "match": {"coin": "BTC"}}, "it takes .*coins"),
        ({"kind": "ws_silent", "match": {"role": "entry"}}, "matches by coin, type"),
        ({"kind": "server_error", "status": 429}, "status is 429"),
        ({"kind": "partial_fill", "ratio": 1}, "ratio is 1"),
    ],
)
def test_refusal_names_key_value_and_remedy(data: Any, message: str) -> None:
    with pytest.raises(FaultSpecError, match=message):
        parse_spec(data)


@given(
    st.dictionaries(
        st.sampled_from(["kind", "match", "count", "coins", "seconds", "{x}"])
        | st.text(max_size=3),
        st.sampled_from(KINDS)
        | st.none()
        | st.floats()
        | st.integers()
        | st.text(max_size=3)
        | st.lists(st.text(max_size=2), max_size=2)
        | st.dictionaries(st.text(max_size=4), st.none() | st.text(max_size=3), max_size=2),
        max_size=5,
    )
)
def test_any_object_is_read_or_refused_in_words(data: dict[str, Any]) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        parse_spec(data)
    except FaultSpecError as error:
        problems = error.problems
    assert all(problem.text for problem in problems)
