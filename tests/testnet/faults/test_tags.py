"""What a request is about, and whom a filter lets in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fractal_testnet.faults import Match, tag_of
from tests.testnet.faults.exchange import USER, order, place

ASSETS = ("BTC", "ETH", "SOL")

ORDER_KEYS = ["orders", "order", "modifies", "cancels", "a", "t", "r", "limit", "tif", "trigger"]
KEYS = st.sampled_from(["action", "type", "asset", "req", "coin", "user", *ORDER_KEYS])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=30,
)


@given(JSON, st.sampled_from(["info", "exchange"]))
def test_tag_of_any_json_is_made_without_raising(body: Any, path: Any) -> None:
    tag = tag_of(path, body, ASSETS)

    assert set(tag.coins) <= set(ASSETS) or path == "info"
    assert tag.meets(Match())
    assert tag.shown()["path"] == path


@pytest.mark.parametrize(
    ("wire", "role"),
    [
        (order(), "entry"),
        (order(reduce=True), "exit"),
        (order(trigger=True), "stop"),
        (order(trigger=True, reduce=True), "stop"),
    ],
)
def test_role_of_an_order(wire: dict[str, Any], role: str) -> None:
    tag = tag_of("exchange", place(wire), ASSETS)

    assert [known.role for known in tag.orders] == [role]
    for other in ("entry", "exit", "stop"):
        assert tag.meets(Match(role=other)) is (other == role)


@pytest.mark.parametrize(
    "action",
    [
        {"type": "cancel", "cancels": [{"a": 1, "o": 7}]},
        {"type": "cancelByCloid", "cancels": [{"asset": 1, "cloid": "0x1"}]},
        {"type": "updateLeverage", "asset": 1, "isCross": False, "leverage": 3},
        {"type": "modify", "oid": 7, "order": order(1)},
        {"type": "batchModify", "modifies": [{"oid": 7, "order": order(1)}]},
        {"type": "order", "orders": [order(1)]},
    ],
)
def test_coin_of_an_action_is_read_by_its_index(action: dict[str, Any]) -> None:
    tag = tag_of("exchange", {"action": action}, ASSETS)

    assert (tag.type, tag.coins) == (action["type"], ("ETH",))
    assert tag.meets(Match(coin="ETH", type=action["type"], path="exchange"))
    assert not tag.meets(Match(coin="BTC"))
    assert not tag.meets(Match(path="info"))


@pytest.mark.parametrize(
    "body",
    [{"type": "l2Book", "coin": "SOL"}, {"type": "candleSnapshot", "req": {"coin": "SOL"}}],
)
def test_coin_of_an_info_request(body: dict[str, Any]) -> None:
    assert tag_of("info", body, ASSETS).coins == ("SOL",)


def test_role_and_coin_must_be_those_of_one_order() -> None:
    tag = tag_of("exchange", place(order(0), order(1, trigger=True)), ASSETS)

    assert tag.meets(Match(role="entry", coin="BTC"))
    assert not tag.meets(Match(role="stop", coin="BTC"))
    assert tag.only(1).coins == ("ETH",)
    assert not tag.only(1).meets(Match(role="entry"))


def test_user_is_matched_in_any_case() -> None:
    named = tag_of("info", {"type": "openOrders", "user": USER}, ASSETS)
    signed = tag_of("exchange", place(order()), ASSETS, USER)

    assert named.meets(Match(user=USER.lower()))
    assert signed.meets(Match(user=USER))
    assert not tag_of("exchange", place(order()), ASSETS).meets(Match(user=USER))


@pytest.mark.parametrize("index", [-1, 3, True, 1.0, "1", None, 10**30])
def test_index_that_is_no_assets_has_no_coin(index: Any) -> None:
    assert tag_of("exchange", place({**order(), "a": index}), ASSETS).orders[0].coin is None
