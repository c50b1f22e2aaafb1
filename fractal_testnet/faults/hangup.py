"""End a connection without an answer, as a broken line or a dead machine does.

ASGI has no word for it: an application that raises, or returns early, makes uvicorn answer 500.
So the protocol leaves the way to its transport in each scope's `state`, which a WebSocket scope
inherits from the HTTP connection that it was upgraded from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from starlette.types import Receive, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

_KEY = "fractal_testnet.abort"


class HangUpProtocol(H11Protocol):
    """HTTP/1.1 whose connections `cut` can end: for the `http` of `uvicorn.Config`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection; uvicorn copies `app_state` into each scope of it."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, _KEY: transport.abort}


def cut(scope: Scope) -> None:
    """End the connection of a request or a WebSocket session at once.

    Parameters
    ----------
    scope : dict
        Its ASGI scope.

    Raises
    ------
    RuntimeError
        If the server does not run with `HangUpProtocol`.
    """
    abort = scope.get("state", {}).get(_KEY)
    if abort is None:
        msg = "this server cannot hang up: run uvicorn with http=HangUpProtocol"
        raise RuntimeError(msg)
    cast("Callable[[], None]", abort)()


async def hang_up(scope: Scope, receive: Receive) -> None:
    """End a connection and wait until the server has noticed.

    Only then may the application return without an answer and uvicorn stay silent about it.

    Parameters
    ----------
    scope, receive
        Of the ASGI call.
    """
    cut(scope)
    while (await receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
        pass
