"""`/ws`: one session per client, fed by a loop of its own."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from fractal_testnet.faults import WsFaults, cut
from fractal_testnet.wire.errors import WireError, malformed
from fractal_testnet.wire.info import InfoRouter
from fractal_testnet.wire.subscriptions import Message, Subscription, subscription_of
from fractal_testnet.wire.venue import Request, Venue

logger = logging.getLogger(__name__)

IDLE_SECONDS = 60.0
PUSH_SECONDS = 0.5
MAX_SUBSCRIPTIONS = 1_000


class Session:
    """Serve one WebSocket client.

    Parameters
    ----------
    socket : WebSocket
        The accepted connection.
    venue : Venue
        The market and its clock.
    info : InfoRouter
        Answers `post` requests of type info.
    idle_seconds : float, default 60
        Close after so long without a word from the client, as the venue does.
    push_seconds : float, default 0.5
        How often streams are looked at.
    actions : callable
        Answers `post` requests of type action.
    streams : mapping
        Makes the subscriptions about an account, by type.
    faults : WsFaults
        What goes wrong with this session.
    """

    def __init__(
        self,
        socket: WebSocket,
        venue: Venue,
        info: InfoRouter,
        idle_seconds: float,
        push_seconds: float,
        *,
        actions: Callable[[object], Message],
        streams: Mapping[str, Callable[[Venue, Request], Subscription]],
        faults: WsFaults,
    ) -> None:
        self._socket = socket
        self._venue = venue
        self._info = info
        self._idle_seconds = idle_seconds
        self._push_seconds = push_seconds
        self._actions = actions
        self._makers = streams
        self._faults = faults
        self._streams: dict[str, Subscription] = {}
        self._heard = time.monotonic()

    async def run(self) -> None:
        """Serve until the client leaves or is silent for too long."""
        pusher = asyncio.create_task(self._push())
        try:
            await self._listen()
        except (WebSocketDisconnect, OSError):
            logger.debug("ws client left")
        finally:
            pusher.cancel()
            await asyncio.gather(pusher, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            left = self._heard + self._idle_seconds - time.monotonic()
            try:
                frame = await asyncio.wait_for(self._socket.receive(), max(left, 0.0))
            except TimeoutError:
                logger.info("ws client silent for %.0f s: closed", self._idle_seconds)
                await self._socket.close(1000, "Inactive")
                return
            if frame["type"] == "websocket.disconnect":
                return
            self._heard = time.monotonic()
            for message in self.answers(frame.get("text") or ""):
                await self._send(message)

    async def _push(self) -> None:
        """Send what streams have due until the connection ends."""
        while self._socket.client_state is WebSocketState.CONNECTED:
            if self._faults.closed():
                cut(self._socket.scope)
                return
            for stream in list(self._streams.values()):
                try:
                    messages = stream.due(self._venue.now_ms())
                except Exception:
                    logger.exception("ws stream %s failed and is dropped", stream.key)
                    self._streams.pop(stream.key, None)
                    continue
                try:
                    for message in messages:
                        if stream.key in self._streams and not self._is_silenced(stream):
                            await self._send(message)
                except (WebSocketDisconnect, RuntimeError, OSError):
                    return  # the client has gone; the listener ends the session
            await asyncio.sleep(self._push_seconds)

    def _is_silenced(self, stream: Subscription) -> bool:
        return self._faults.silent(stream.echo["type"], stream.echo.get("coin"))

    async def _send(self, message: Message) -> None:
        await self._socket.send_text(json.dumps(message, separators=(",", ":")))

    def answers(self, text: str) -> list[Message]:
        """Return the direct answers to a client's message; never raises for its content."""
        try:
            request = json.loads(text)
        except (ValueError, RecursionError):
            request = None
        method = request.get("method") if isinstance(request, dict) else None
        if method == "ping":
            return [{"channel": "pong"}]
        if method in ("subscribe", "unsubscribe"):  # a tuple: the value may not be hashable
            wanted = request.get("subscription")
            if isinstance(wanted, dict):
                return [self._subscribe(method, wanted)]
        if method == "post":
            return [self._post(request)]
        logger.warning("ws: no valid request: %.200s", text)
        return [_error(f"Error parsing JSON into valid websocket request: {text}")]

    def _subscribe(self, method: str, wanted: Message) -> Message:
        shown = json.dumps(wanted, separators=(",", ":"))
        try:
            maker = self._makers.get(str(wanted.get("type")), subscription_of)
            stream = maker(self._venue, wanted)
        except WireError as error:
            logger.warning("ws: %s refused: %s", method, error.reason)
            return _error(f"Invalid subscription {shown}")
        known = stream.key in self._streams
        if method == "subscribe":
            if known:
                return _error(f"Already subscribed: {shown}")
            if len(self._streams) >= MAX_SUBSCRIPTIONS:
                return _error(f"Cannot track more than {MAX_SUBSCRIPTIONS} subscriptions.")
            self._streams[stream.key] = stream
        elif not known:
            return _error(f"Already unsubscribed: {shown}")
        else:
            del self._streams[stream.key]
        return {
            "channel": "subscriptionResponse",
            "data": {"method": method, "subscription": stream.echo},
        }

    def _post(self, request: Message) -> Message:
        """Answer a request that came over the socket instead of by HTTP."""
        body = request.get("request")
        kind = body.get("type") if isinstance(body, dict) else None
        payload = body.get("payload") if isinstance(body, dict) else None
        response: dict[str, Any]
        try:
            if kind == "info":
                asked = payload.get("type") if isinstance(payload, dict) else None
                data = self._info.answer(payload)
                response = {"type": "info", "payload": {"type": asked, "data": data}}
            elif kind == "action":
                response = {"type": "action", "payload": self._actions(payload)}
            else:
                raise malformed(f"a post of type {kind!r}")
        except WireError as error:
            logger.warning("ws post refused: %s", error.reason)
            response = {"type": "error", "payload": f"{error.status} {error.body}"}
        return {"channel": "post", "data": {"id": request.get("id"), "response": response}}


def _error(text: str) -> Message:
    return {"channel": "error", "data": text}
