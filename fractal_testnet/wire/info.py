"""`POST /info`: one handler for each request type.

This is the market-data side; `AccountInfo` adds the requests about an account.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from fractal_testnet.market.intervals import HOUR_MS, INTERVALS_MS
from fractal_testnet.wire import format as fmt
from fractal_testnet.wire import shapes
from fractal_testnet.wire.errors import WireError, malformed
from fractal_testnet.wire.venue import MAX_MS, Request, Venue, integer

logger = logging.getLogger(__name__)

FUNDING_ROWS = 500
RECENT_TRADES = 10

Handler = Callable[[Venue, Request], Any]


def _main_dex_only(request: Request) -> None:
    """Refuse a builder-deployed exchange: there are none here."""
    dex = request.get("dex")
    if dex is not None and not isinstance(dex, str):
        raise malformed(f"dex is {dex!r}, not a text")
    if dex:
        raise WireError(500, "null", f"unknown dex {dex!r}")


def _exchange_status(venue: Venue, _: Request) -> Any:
    return {"specialStatuses": None, "time": venue.now_ms()}


def _perp_dexs(_: Venue, __: Request) -> Any:
    return [None]


def _meta(venue: Venue, request: Request) -> Any:
    _main_dex_only(request)
    return shapes.meta(venue)


def _contexts(venue: Venue, request: Request) -> Any:
    _main_dex_only(request)
    now = venue.now_ms()
    contexts = [shapes.asset_context(venue, spec, now) for spec in venue.market.assets]
    return [shapes.meta(venue), contexts]


def _spot_meta(_: Venue, __: Request) -> Any:
    usdc = {
        "name": "USDC",
        "szDecimals": 8,
        "weiDecimals": 8,
        "index": 0,
        "tokenId": "0x6d1e7cde53ba9467b783cb7c530ce054",
        "isCanonical": True,
        "evmContract": None,
        "fullName": None,
    }
    return {"tokens": [usdc], "universe": []}


def _spot_contexts(venue: Venue, request: Request) -> Any:
    return [_spot_meta(venue, request), []]


def _all_mids(venue: Venue, request: Request) -> Any:
    _main_dex_only(request)
    return shapes.mids(venue, venue.now_ms())


def _candle_snapshot(venue: Venue, request: Request) -> Any:
    body = request.get("req")
    if not isinstance(body, dict):
        raise malformed(f"req is {body!r}, not an object")
    interval = body.get("interval")
    if not isinstance(interval, str) or interval not in INTERVALS_MS:
        raise malformed(f"interval is {interval!r}, not one of {', '.join(INTERVALS_MS)}")
    spec = venue.spec(body.get("coin"))
    start = integer(body, "startTime")
    end = integer(body, "endTime", MAX_MS)
    bars = venue.market.candles(spec.name, interval, start, end, venue.now_ms())
    return shapes.candles(bars, spec, interval)


def _l2_book(venue: Venue, request: Request) -> Any:
    spec = venue.spec(request.get("coin"))
    figures, mantissa = shapes.book_precision(request)
    return shapes.book(venue.market.book(spec.name, venue.now_ms()), spec, figures, mantissa)


def _recent_trades(venue: Venue, request: Request) -> Any:
    spec = venue.spec(request.get("coin"))
    return shapes.prints(venue.market.trades(spec.name, 0, venue.now_ms(), RECENT_TRADES), spec)


def _funding_history(venue: Venue, request: Request) -> Any:
    spec = venue.spec(request.get("coin"))
    start = integer(request, "startTime")
    now = venue.now_ms()
    end = integer(request, "endTime", now)
    rows = venue.market.funding(spec.name, start, end, now, FUNDING_ROWS)
    return [
        {
            "coin": spec.name,
            "fundingRate": fmt.rate(row.rate),
            "premium": fmt.rate(row.premium),
            "time": row.time_ms,
        }
        for row in rows
    ]


def _predicted_fundings(venue: Venue, _: Request) -> Any:
    now = venue.now_ms()
    following = now // HOUR_MS * HOUR_MS + HOUR_MS
    return [
        [
            spec.name,
            [
                [
                    "HlPerp",
                    {
                        "fundingRate": fmt.rate(venue.market.funding_now(spec.name, now).rate),
                        "nextFundingTime": following,
                        "fundingIntervalHours": 1,
                    },
                ]
            ],
        ]
        for spec in venue.market.assets
    ]


def _user(request: Request) -> str:
    user = request.get("user")
    if not isinstance(user, str) or len(user) != 42 or not user.startswith("0x"):
        raise malformed(f"user is {user!r}, not an address")
    return user


def _user_abstraction(_: Venue, request: Request) -> Any:
    _user(request)
    return "disabled"


_HANDLERS: dict[str, Handler] = {
    "allMids": _all_mids,
    "candleSnapshot": _candle_snapshot,
    "exchangeStatus": _exchange_status,
    "fundingHistory": _funding_history,
    "l2Book": _l2_book,
    "meta": _meta,
    "metaAndAssetCtxs": _contexts,
    "perpDexs": _perp_dexs,
    "predictedFundings": _predicted_fundings,
    "recentTrades": _recent_trades,
    "spotMeta": _spot_meta,
    "spotMetaAndAssetCtxs": _spot_contexts,
    "userAbstraction": _user_abstraction,
}


class InfoRouter:
    """Answer info requests, whoever carries them (REST, or a WebSocket's `post`).

    Parameters
    ----------
    venue : Venue
        The market and its clock.
    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._handlers = dict(_HANDLERS)

    def add(self, kind: str, handler: Handler) -> None:
        """Answer one more request type."""
        self._handlers[kind] = handler

    def answer(self, request: object) -> Any:
        """Return the JSON-ready answer to a request.

        Parameters
        ----------
        request : object
            Any decoded JSON value.

        Raises
        ------
        WireError
            With the venue's status and text, for everything that is no valid request.
        """
        if not isinstance(request, dict):
            raise malformed(f"the body is {type(request).__name__}, not an object")
        kind = request.get("type")
        handler = self._handlers.get(kind) if isinstance(kind, str) else None
        if handler is None:
            raise malformed(f"unknown request type {kind!r}")
        return handler(self._venue, request)
