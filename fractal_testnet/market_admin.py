"""The operator's side of the market: push a price, look at all of them.

It stands beside the venue's own protocol, which knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from fractal_testnet.faults import refuse_web_pages
from fractal_testnet.market import Clock, NoPriceError
from fractal_testnet.market.move import MAX_OVER_MS, Move, MoveError
from fractal_testnet.market.moves import MovedMarket

Record = Callable[[dict[str, Any]], None]


class MoveRequest(BaseModel):
    """What `POST /admin/market/move` takes: the coin, the ratio, market seconds it takes."""

    model_config = ConfigDict(extra="forbid", strict=True)

    coin: str
    ratio: float = Field(allow_inf_nan=False)
    over_seconds: float = Field(default=0.0, ge=0.0, le=MAX_OVER_MS / 1000)


def market_router(market: MovedMarket, clock: Clock, record: Record) -> APIRouter:
    """Build the routes that push prices.

    Parameters
    ----------
    market : MovedMarket
        What is pushed.
    clock : Clock
        The market's time; a push begins now.
    record : callable
        Takes each push as a JSON-ready dict (the exchange's journal): ``event``
        ``marketMove``, ``time`` (ms), ``coin``, ``ratio``, ``over_ms``.

    Returns
    -------
    APIRouter
        `POST /admin/market/move` and `GET /admin/market`. Errors are ``{"detail": …}``:
        400 with a text for what can not be pushed, 403 for browsers, 422 for a body of another
        shape.
    """
    router = APIRouter(prefix="/admin/market", dependencies=[Depends(refuse_web_pages)])

    @router.post("/move")
    async def push(wanted: MoveRequest) -> dict[str, Any]:
        # Never before what was shown, even if the machine's clock was put back.
        at_ms = max(clock.now_ms(), market.shown_ms)
        try:
            made = market.move(wanted.coin, wanted.ratio, at_ms, round(wanted.over_seconds * 1000))
        except (MoveError, NoPriceError) as error:
            raise HTTPException(400, str(error)) from error
        record(
            {
                "event": "marketMove",
                "time": at_ms,
                "coin": made.coin,
                "ratio": made.ratio,
                "over_ms": made.over_ms,
            }
        )
        return _told(made)

    @router.get("")
    async def show() -> dict[str, Any]:
        now = clock.now_ms()
        return {
            "now_ms": now,
            "prices": {spec.name: _mark(market, spec.name, now) for spec in market.assets},
            "moves": [_told(made) for made in market.moves],
        }

    return router


def _told(move: Move) -> dict[str, Any]:
    return {
        "coin": move.coin,
        "ratio": move.ratio,
        "at_ms": move.at_ms,
        "over_seconds": move.over_ms / 1000,
    }


def _mark(market: MovedMarket, coin: str, now_ms: int) -> float | None:
    try:
        return market.mark(coin, now_ms)
    except NoPriceError:
        return None
