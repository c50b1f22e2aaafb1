"""The HTTP and WebSocket face of the loopback exchange."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request, Response, WebSocket

from fractal_testnet.account.exchange import Exchange
from fractal_testnet.account.journal import Journal
from fractal_testnet.admin import create_account_router
from fractal_testnet.disturbance import BoardDisturbance
from fractal_testnet.faults import (
    FaultBoard,
    FaultedMarket,
    FaultMiddleware,
    create_admin_router,
)
from fractal_testnet.market import Clock, Market
from fractal_testnet.market.moves import MovedMarket
from fractal_testnet.market_admin import market_router
from fractal_testnet.wire.account_info import AccountInfo
from fractal_testnet.wire.account_streams import account_streams
from fractal_testnet.wire.errors import WireError, malformed
from fractal_testnet.wire.exchange import ExchangeRouter
from fractal_testnet.wire.info import Handler, InfoRouter
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
    journal: Journal | None = None,
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
    journal : Journal, optional
        Where everything that happens is written down; by default in memory only.
    idle_seconds : float, default 60
        Silence after which a WebSocket client is let go.
    push_seconds : float, default 0.5
        How often WebSocket streams are looked at.

    Returns
    -------
    FastAPI
        With `POST /info`, `POST /exchange`, `/ws`, `GET /health` and `/admin`. The server has to
        run with `HangUpProtocol`, or faults can not break a connection.
    """
    app = FastAPI(title="FractalTrader loopback exchange", docs_url=None, redoc_url=None)
    journal = journal if journal is not None else Journal()
    board = FaultBoard(market.seed, clock, _writer(journal), [spec.name for spec in market.assets])
    moved = MovedMarket(market)
    exchange = Exchange(moved, clock.now_ms(), journal)
    venue = Venue(FaultedMarket(moved, board), clock)
    info = InfoRouter(venue)
    AccountInfo(exchange).attach(info)
    info.add("exchangeStatus", _exchange_status(board))
    actions = ExchangeRouter(venue, exchange, BoardDisturbance(board))
    app.add_middleware(FaultMiddleware, board=board, user_of=actions.user_of)
    app.include_router(create_admin_router(board))
    app.include_router(create_account_router(exchange, clock))
    app.include_router(market_router(moved, clock, _writer(journal)))
    app.state.venue, app.state.info, app.state.exchange = venue, info, exchange

    async def answer(request: Request, respond: Callable[[object], Any]) -> Response:
        path = request.url.path
        try:
            body = await _decode(request)
            made = _json(respond(body))
        except WireError as error:
            logger.warning("%s refused with %d: %s", path, error.status, error.reason)
            now = clock.now_ms()
            journal.write("refused", now, path=path, status=error.status, reason=error.reason)
            kind = "application/json" if error.body == "null" else "text/plain"
            return Response(error.body, error.status, media_type=kind)
        if path == "/info" and isinstance(body, dict):
            journal.write("info", clock.now_ms(), type=body.get("type"), user=body.get("user"))
        return made

    @app.post("/info")
    async def answer_info(request: Request) -> Response:
        return await answer(request, info.answer)

    @app.post("/exchange")
    async def answer_exchange(request: Request) -> Response:
        return await answer(request, actions.answer)

    @app.websocket("/ws")
    async def serve_ws(socket: WebSocket) -> None:
        await socket.accept()
        session = Session(
            socket,
            venue,
            info,
            idle_seconds,
            push_seconds,
            actions=actions.answer,
            streams=account_streams(exchange),
            faults=board.open_session(),
        )
        await session.run()

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


def _writer(journal: Journal) -> Callable[[dict[str, Any]], None]:
    def write(row: dict[str, Any]) -> None:
        rest = {key: value for key, value in row.items() if key not in ("event", "time")}
        journal.write(row["event"], row["time"], **rest)

    return write


def _exchange_status(board: FaultBoard) -> Handler:
    def status(venue: Venue, _: Mapping[str, Any]) -> Any:
        return {"specialStatuses": None, "time": venue.now_ms() + board.clock_offset_ms()}

    return status
