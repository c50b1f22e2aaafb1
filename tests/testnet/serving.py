"""Run the exchange's app inside the test, on a clock that the test moves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from fractal_testnet.account.journal import Journal
from fractal_testnet.app import create_app
from fractal_testnet.faults import HangUpProtocol
from fractal_testnet.market import Clock, Market
from fractal_testnet.server import bind
from tests.kit import eventually


@contextmanager
def served(
    market: Market,
    clock: Clock,
    *,
    idle_seconds: float = 60.0,
    push_seconds: float = 0.02,
    journal: Journal | None = None,
) -> Iterator[str]:
    """Serve a market on a free port; yield its address without the scheme."""
    listener = bind(0)
    app = create_app(
        market, clock, journal=journal, idle_seconds=idle_seconds, push_seconds=push_seconds
    )
    config = uvicorn.Config(
        app,
        log_level="error",
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
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
