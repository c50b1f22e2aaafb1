"""Faults between the network and the exchange: what happens to a request as a whole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from fractal_testnet.faults.answers import MAX_BODY_BYTES, Answer, answer, read_body, replayed
from fractal_testnet.faults.board import FaultBoard
from fractal_testnet.faults.fault import Fault
from fractal_testnet.faults.hangup import hang_up
from fractal_testnet.faults.spec import FaultSpec
from fractal_testnet.faults.tags import Path, RequestTag, tag_of
from fractal_testnet.faults.weights import WeightMeter, answer_weight, request_weight

UserOf = Callable[[object], str | None]

_PATHS: dict[str, Path] = {"/info": "info", "/exchange": "exchange"}


class FaultMiddleware:
    """Strike requests to `/info` and `/exchange`, and whole connections while down.

    Parameters
    ----------
    app : ASGI application
        The exchange.
    board : FaultBoard
        Its faults.
    user_of : callable, optional
        Takes the decoded body of an `/exchange` request and returns the account that signed it,
        or None; asked only while a fault is for one user. Must not raise.

    Notes
    -----
    Before the exchange sees a request: down, latency, drop_request, rate_limit, server_error.
    After it has answered 200: latency and server_error with `processed`, drop_response,
    unknown_order, malformed. `/admin` and `/health` are always reachable.
    """

    def __init__(self, app: ASGIApp, board: FaultBoard, user_of: UserOf | None = None) -> None:
        self._app = app
        self._board = board
        self._user_of = user_of
        self._meters: dict[int, WeightMeter] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or not."""
        if not self._board.armed or scope["type"] == "lifespan" or _is_for_operators(scope):
            await self._app(scope, receive, send)
        elif self._is_refused(scope):
            await hang_up(scope, receive)
        elif scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in _PATHS:
            await self._serve(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_refused(self, scope: Scope) -> bool:
        """Tell whether the connection ends here; that is recorded."""
        is_ws = scope["type"] == "websocket"
        refusing = self._board.of("down")
        if is_ws:
            refusing += [f for f in self._board.of("ws_close") if f.end_ms is not None]
        what = {"path": scope["path"].strip("/") or "/"}
        return any(self._board.hit(fault, what) for fault in refusing)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        if body is None:
            return
        if len(body) > MAX_BODY_BYTES:
            await answer(send, 413, b"length limit exceeded", b"text/plain")
            return
        path = _PATHS[scope["path"]]
        decoded = _decode(body)
        tag = self._tag(path, decoded)
        if late := self._board.strike("latency", tag, processed=False):
            await asyncio.sleep(late.seconds)
            if self._is_refused(scope):
                await hang_up(scope, receive)
                return
        if self._board.strike("drop_request", tag):
            await hang_up(scope, receive)
            return
        meters = self._meters_of(tag)
        if self._is_over_limit(meters, request_weight(path, decoded), tag):
            await answer(send, 429, b"null", b"application/json")
            return
        if broken := self._board.strike("server_error", tag, processed=False):
            await _answer_error(send, broken)
            return
        kept = Answer()
        await self._app(scope, replayed(body, receive), kept.keep)
        for _, meter in meters:
            meter.charge(answer_weight(tag.type if path == "info" else None, kept.body))
        if kept.status == HTTPStatus.OK:
            await self._give(kept, tag, scope, receive, send)
        else:
            await kept.release(send)

    async def _give(
        self, kept: Answer, tag: RequestTag, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Hand out the answer to a processed request, or not."""
        board = self._board
        if late := board.strike("latency", tag, processed=True):
            await asyncio.sleep(late.seconds)
            if self._is_refused(scope):
                await hang_up(scope, receive)
                return
        if board.strike("drop_response", tag):
            await hang_up(scope, receive)
        elif broken := board.strike("server_error", tag, processed=True):
            await _answer_error(send, broken)
        elif tag.type == "orderStatus" and board.strike("unknown_order", tag):
            await answer(send, 200, b'{"status":"unknownOid"}', b"application/json")
        elif board.strike("malformed", tag):
            await kept.release_spoilt(send)
        else:
            await kept.release(send)

    def _tag(self, path: Path, decoded: object) -> RequestTag:
        tag = tag_of(path, decoded, self._board.assets)
        if path == "exchange" and self._user_of is not None and self._asks_for_users():
            user = self._user_of(decoded)
            tag = replace(tag, user=None if user is None else user.lower())
        return tag

    def _asks_for_users(self) -> bool:
        return any(fault.spec.match.user is not None for fault in self._board.faults)

    def _meters_of(self, tag: RequestTag) -> list[tuple[Fault, WeightMeter]]:
        """Return the limits that a request is weighed against, each with its own minute."""
        found = []
        for fault in self._board.of("rate_limit", tag):
            meter = self._meters.get(fault.number)
            if meter is None:
                meter = WeightMeter(fault.spec.weight_per_minute, self._board.now_ms)
                self._meters[fault.number] = meter
            found.append((fault, meter))
        return found

    def _is_over_limit(
        self, meters: list[tuple[Fault, WeightMeter]], weight: int, tag: RequestTag
    ) -> bool:
        """Charge a request, unless a limit refuses it: a refused one weighs nothing."""
        for fault, meter in meters:
            if meter.has_room(weight):
                continue
            if self._board.hit(fault, {**tag.shown(), "weight": weight, "spent": meter.spent}):
                return True
        for _, meter in meters:
            meter.charge(weight)
        return False


def _is_for_operators(scope: Scope) -> bool:
    path: str = scope["path"]
    return path == "/health" or path == "/admin" or path.startswith("/admin/")


def _decode(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


async def _answer_error(send: Send, spec: FaultSpec) -> None:
    """Answer as the proxy before the venue does: with a page, not with JSON."""
    try:
        title = f"{spec.status} {HTTPStatus(spec.status).phrase}"
    except ValueError:
        title = str(spec.status)
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    await answer(send, spec.status, page.encode(), b"text/html")
