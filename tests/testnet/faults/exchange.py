"""A small exchange behind the faults, on a real server, and bodies to send to it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket
from starlette.websockets import WebSocketDisconnect

from fractal_testnet.faults import (
    FaultBoard,
    FaultMiddleware,
    HangUpProtocol,
    create_admin_router,
    cut,
)
from fractal_testnet.faults.middleware import UserOf
from tests.kit import eventually

USER = "0x" + "Ab" * 20


def order(
    asset: int = 0, *, reduce: bool = False, trigger: bool = False, tif: str = "Gtc"
) -> dict[str, Any]:
    terms = {"trigger": {"isMarket": True}} if trigger else {"limit": {"tif": tif}}
    return {"a": asset, "b": True, "p": "1.0", "s": "1.0", "r": reduce, "t": terms}


def place(*orders: dict[str, Any]) -> dict[str, Any]:
    return {"action": {"type": "order", "orders": list(orders)}, "nonce": 1}


@dataclass
class Exchange:
    """What the test sees: the address, and which requests were processed."""

    url: str = ""
    processed: list[Any] = field(default_factory=list)
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10, trust_env=False))

    def info(self, kind: str, **more: Any) -> httpx.Response:
        return self.client.post(f"{self.url}/info", json={"type": kind, **more})

    def act(self, body: dict[str, Any]) -> httpx.Response:
        return self.client.post(f"{self.url}/exchange", json=body)


def build(board: FaultBoard, seen: Exchange, user_of: UserOf | None = None) -> FastAPI:
    app = FastAPI()

    async def answer(request: Request) -> Response:
        try:
            body = json.loads(await request.body())
        except (ValueError, RecursionError):
            return Response("no JSON", 422)
        seen.processed.append(body)
        rows = body.get("rows") if isinstance(body, dict) else None
        value = [0] * rows if isinstance(rows, int) else {"status": "ok", "of": body}
        return Response(json.dumps(value), media_type="application/json")

    app.post("/info")(answer)
    app.post("/exchange")(answer)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/other")
    async def other() -> dict[str, str]:
        return {"status": "ok"}

    @app.websocket("/ws")
    async def serve_ws(session: WebSocket) -> None:
        await session.accept()
        faults = board.open_session()

        async def push() -> None:
            while not faults.closed():
                for kind, coin in (("candle", "BTC"), ("candle", "ETH"), ("trades", "BTC")):
                    if not faults.silent(kind, coin):
                        await session.send_json({"channel": kind, "coin": coin})
                await asyncio.sleep(0.01)
            cut(session.scope)

        pusher = asyncio.create_task(push())
        with suppress(WebSocketDisconnect):
            while True:
                await session.receive_text()
                await session.send_json({"channel": "pong"})
        pusher.cancel()
        await asyncio.gather(pusher, return_exceptions=True)

    app.include_router(create_admin_router(board))
    app.add_middleware(FaultMiddleware, board=board, user_of=user_of)
    return app


@contextmanager
def served(board: FaultBoard, user_of: UserOf | None = None) -> Iterator[Exchange]:
    """Serve the small exchange on a free port."""
    seen = Exchange()
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        build(board, seen, user_of),
        log_level="error",
        log_config=None,  # errors reach the test
        http=HangUpProtocol,
        ws="websockets-sansio",
        ws_ping_interval=None,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        eventually(lambda: server.started, what="the server's start")
        seen.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield seen
    finally:
        seen.client.close()
        server.should_exit = True
        thread.join(10)
        listener.close()
