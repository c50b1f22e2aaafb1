"""The exchange's side of wallets, on a real port: it checks signatures as the venue does."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from fractal_testnet.market import PathMarket
from fractal_testnet.market.clock import ManualClock
from fractal_testnet.market.moves import MovedMarket
from fractal_testnet.market.synthetic import SyntheticSource
from fractal_testnet.market_admin import market_router
from fractal_testnet.server import bind
from fractal_testnet.wire.signing import Signature
from fractal_testnet.wire.user_signed import recover_user_signer
from tests.kit import eventually

NOW_MS = 1_795_433_417_123


class StandIn:
    def __init__(self) -> None:
        self.url = ""
        self.money: dict[str, Decimal] = {}
        self.agents: dict[str, list[dict[str, Any]]] = {}
        self.paths: list[str] = []
        self.refuses: str | None = None
        self.health: dict[str, Any] = {
            "status": "ok", "market": "synthetic", "seed": 1, "speed": 1.0, "now_ms": NOW_MS,
        }  # fmt: skip
        self.clock = ManualClock(NOW_MS)
        self.market = MovedMarket(PathMarket(SyntheticSource(seed=7)))

    def app(self) -> FastAPI:
        app = FastAPI()
        app.include_router(market_router(self.market, self.clock, lambda row: None))

        @app.get("/health")
        async def health() -> dict[str, Any]:
            return self.health

        @app.post("/admin/fund")
        async def fund(request: Request) -> dict[str, Any]:
            body = await request.json()
            self.paths.append("/admin/fund")
            user = body["user"]
            self.money[user] = self.money.get(user, Decimal(0)) + Decimal(body["amount"])
            return {"user": user}

        @app.post("/exchange")
        async def exchange(request: Request) -> dict[str, Any]:
            body = await request.json()
            self.paths.append("/exchange")
            if self.refuses:
                return {"status": "err", "response": self.refuses}
            action = body["action"]
            signature = Signature.from_wire(body["signature"])
            user = recover_user_signer(action, signature, body["nonce"])
            if user not in self.money:
                return {"status": "err", "response": f"Must deposit first. User: {user}"}
            found = re.fullmatch(r"(.*) valid_until (\d+)", action["agentName"])
            assert found is not None
            self.agents.setdefault(user, []).append(
                {"address": action["agentAddress"], "name": found[1], "validUntil": int(found[2])}
            )
            return {"status": "ok", "response": {"type": "default"}}

        @app.post("/info")
        async def info(request: Request) -> Response:
            body = await request.json()
            if body["type"] == "extraAgents":
                return JSONResponse(self.agents.get(body["user"], []))
            value = str(self.money.get(body["user"], Decimal("0.0")))
            return JSONResponse({"marginSummary": {"accountValue": value}, "withdrawable": value})

        return app


@contextmanager
def serving(stand_in: StandIn) -> Iterator[StandIn]:
    listener = bind(0)
    server = uvicorn.Server(uvicorn.Config(stand_in.app(), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        eventually(lambda: server.started, what="the stand-in's start")
        stand_in.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield stand_in
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
