"""The HTTP and WebSocket face of the loopback exchange."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request, Response, WebSocket

from fractal_testnet.market import Clock, Market
from fractal_testnet.wire.errors import WireError, malformed
from fractal_testnet.wire.info import InfoRouter
from fractal_testnet.wire.venue import Venue
from fractal_testnet.wire.ws import IDLE_SECONDS, PUSH_SECONDS, Session

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 1_000_000


def _json(value: Any, status: int = 200) -> Response:
    body = json.dumps(value, separators=(",", ":"))
    return Response(body, status, media_type="application/json")


async def _decode(request: Request) -> object:
    body = await request.body()
    if len(body) > MAX_BODY_BYTES:
        raise WireError(413, "length limit exceeded", f"a body of {len(body)} bytes")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise malformed(f"the body is not JSON: {error}") from error


def create_app(
    market: Market,
    clock: Clock,
    *,
    idle_seconds: float = IDLE_SECONDS,
    push_seconds: float = PUSH_SECONDS,
) -> FastAPI:
    """Build the exchange's web application.

    Parameters
    ----------
    market : Market
        What trades.
    clock : Clock
        The market's time.
    idle_seconds : float, default 60
        Silence after which a WebSocket client is let go.
    push_seconds : float, default 0.5
        How often WebSocket streams are looked at.

    Returns
    -------
    FastAPI
        With `POST /info`, `/ws` and `GET /health`; `app.state.venue` and
        `app.state.info` are where further sides of the exchange attach.
    """
    app = FastAPI(title="FractalTrader loopback exchange", docs_url=None, redoc_url=None)
    venue = Venue(market, clock)
    info = InfoRouter(venue)
    app.state.venue = venue
    app.state.info = info

    @app.post("/info")
    async def answer_info(request: Request) -> Response:
        try:
            return _json(info.answer(await _decode(request)))
        except WireError as error:
            logger.warning("/info refused with %d: %s", error.status, error.reason)
            kind = "application/json" if error.body == "null" else "text/plain"
            return Response(error.body, error.status, media_type=kind)

    @app.websocket("/ws")
    async def serve_ws(socket: WebSocket) -> None:
        await socket.accept()
        await Session(socket, venue, info, idle_seconds, push_seconds).run()

    @app.get("/health")
    async def health() -> Response:
        now = clock.now_ms()
        return _json(
            {
                "status": "ok",
                "market": market.kind,
                "seed": market.seed,
                "speed": clock.speed,
                "now_ms": now,
                "now": datetime.fromtimestamp(now / 1000, tz=UTC).isoformat(),
                "coins": [spec.name for spec in market.assets],
            }
        )

    return app
