"""`/info`: the venue's shapes, and a clean refusal of everything else."""

import json
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fractal_testnet.market import PathMarket
from fractal_testnet.market.clock import ManualClock
from fractal_testnet.market.intervals import HOUR_MS
from fractal_testnet.wire.errors import DESERIALIZE, WireError
from fractal_testnet.wire.info import _HANDLERS, InfoRouter
from fractal_testnet.wire.venue import Venue

NOW_MS = 1_795_433_417_123
USER = "0x" + "0" * 40


@pytest.fixture
def info(venue: Venue) -> InfoRouter:
    return InfoRouter(venue)


def candles(coin: object = "BTC", interval: object = "1h", start: object = 0, **more: Any) -> Any:
    req = {"coin": coin, "interval": interval, "startTime": start, **more}
    return {"type": "candleSnapshot", "req": req}


def test_exchange_status_tells_the_markets_time(info: InfoRouter) -> None:
    assert info.answer({"type": "exchangeStatus"}) == {"specialStatuses": None, "time": NOW_MS}


def test_candle_has_the_venues_keys_and_strings(info: InfoRouter) -> None:
    row = info.answer(candles(start=NOW_MS - HOUR_MS))[-1]

    assert set(row) == set("tTsiochlvn")
    assert (row["s"], row["i"], row["T"] - row["t"]) == ("BTC", "1h", HOUR_MS - 1)
    assert all(isinstance(row[key], str) and "." in row[key] for key in "ochlv")
    assert isinstance(row["n"], int)


def test_context_belongs_to_the_asset_of_the_same_place(info: InfoRouter) -> None:
    meta, contexts = info.answer({"type": "metaAndAssetCtxs", "dex": ""})

    assert len(meta["universe"]) == len(contexts) == 15
    assert meta["universe"][0]["name"] == "BTC"
    mids = info.answer({"type": "allMids"})
    for asset, context in zip(meta["universe"], contexts, strict=True):
        assert context["midPx"] == mids[asset["name"]]
        assert float(context["impactPxs"][0]) < float(context["impactPxs"][1])
        assert float(context["dayNtlVlm"]) > 0


def test_funding_history_pages_by_500_without_loss(info: InfoRouter) -> None:
    start = NOW_MS - 700 * HOUR_MS
    first = info.answer({"type": "fundingHistory", "coin": "ETH", "startTime": start})
    rest = info.answer(
        {"type": "fundingHistory", "coin": "ETH", "startTime": first[-1]["time"] + 1}
    )

    times = [row["time"] for row in (*first, *rest)]
    assert (len(first), len(rest)) == (500, 200)
    assert {b - a for a, b in pairwise(times)} == {HOUR_MS}
    assert times[-1] <= NOW_MS


def test_book_of_fewer_figures_is_merged(info: InfoRouter) -> None:
    book = info.answer({"type": "l2Book", "coin": "BTC", "nSigFigs": 3, "mantissa": None})

    assert all(float(level["px"]) % 100 == 0 for side in book["levels"] for level in side)


def test_recent_trades_are_new_and_newest_first(info: InfoRouter) -> None:
    rows = info.answer({"type": "recentTrades", "coin": "SOL"})

    assert len(rows) == 10
    assert [row["time"] for row in rows] == sorted((r["time"] for r in rows), reverse=True)
    assert all(NOW_MS - 120_000 < row["time"] <= NOW_MS for row in rows)


@pytest.mark.parametrize(
    ("request_", "status", "body"),
    [
        ({"type": "noSuchThing"}, 422, DESERIALIZE),
        ({}, 422, DESERIALIZE),
        ([], 422, DESERIALIZE),
        (None, 422, DESERIALIZE),
        (candles(interval="7m"), 422, DESERIALIZE),
        (candles(start="yesterday"), 422, DESERIALIZE),
        (candles(start=-1), 422, DESERIALIZE),
        (candles(start=True), 422, DESERIALIZE),
        ({"type": "candleSnapshot"}, 422, DESERIALIZE),
        (candles(coin=["BTC"]), 422, DESERIALIZE),
        ({"type": "l2Book", "coin": "BTC", "nSigFigs": 9}, 422, DESERIALIZE),
        ({"type": "l2Book", "coin": "BTC", "nSigFigs": 4, "mantissa": 2}, 422, DESERIALIZE),
        ({"type": "userFees", "user": "me"}, 422, DESERIALIZE),
        (candles(coin="NOPE"), 500, "null"),
        ({"type": "l2Book", "coin": "btc"}, 500, "null"),
        ({"type": "meta", "dex": "xyz"}, 500, "null"),
    ],
)
def test_bad_request_is_refused_as_the_venue_does(
    info: InfoRouter, request_: object, status: int, body: str
) -> None:
    with pytest.raises(WireError) as caught:
        info.answer(request_)

    assert (caught.value.status, caught.value.body) == (status, body)


@pytest.mark.parametrize("kind", sorted(_HANDLERS))
def test_every_answer_is_json_and_repeatable(info: InfoRouter, kind: str) -> None:
    request = {
        "type": kind, "coin": "BTC", "user": USER, "startTime": NOW_MS - 10**7,
        "req": candles()["req"],
    }  # fmt: skip

    assert json.dumps(info.answer(request)) == json.dumps(info.answer(request))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
names = st.sampled_from(["coin", "req", "dex", "user", "startTime", "endTime", "nSigFigs",
                         "mantissa", "interval"])  # fmt: skip
near_values = json_values | st.sampled_from(["BTC", "1h", NOW_MS, 0, USER, {"coin": "BTC"}])
near_requests = st.builds(
    lambda kind, fields: {**fields, "type": kind},
    st.sampled_from(sorted(_HANDLERS)) | json_values,
    st.dictionaries(names, near_values, max_size=6),
)


@given(request=near_requests | json_values)
def test_no_request_breaks_the_exchange(market: PathMarket, request: object) -> None:
    info = InfoRouter(Venue(market, ManualClock(NOW_MS)))
    with suppress(WireError):  # a refusal in the venue's shape is an answer
        json.dumps(info.answer(request))
