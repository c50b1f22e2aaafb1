"""Answers that are kept back, spoilt, or made up."""

from __future__ import annotations

from starlette.types import Message, Receive, Send

MAX_BODY_BYTES = 1_000_000
"""Longest body of a request that is looked at; the venue's own routes refuse longer ones too."""


class Answer:
    """Keep an application's answer until it is decided what becomes of it."""

    def __init__(self) -> None:
        self._start: Message | None = None
        self.body = b""

    @property
    def status(self) -> int | None:
        """HTTP status; None without an answer."""
        return None if self._start is None else int(self._start["status"])

    async def keep(self, message: Message) -> None:
        """Take the place of the server's `send`."""
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    async def release(self, send: Send) -> None:
        """Send it as it is."""
        if self._start is not None:
            await send(self._start)
            await send({"type": "http.response.body", "body": self.body})

    async def release_spoilt(self, send: Send) -> None:
        """Send the first half and a character that makes any JSON invalid."""
        if self._start is None:
            return
        body = self.body[: len(self.body) // 2] + "\ufffd".encode()
        headers = [pair for pair in self._start.get("headers", []) if pair[0] != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        await send({**self._start, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def answer(send: Send, status: int, body: bytes, media_type: bytes) -> None:
    """Send an answer of the middleware's own, and let the client keep its connection."""
    headers = [(b"content-type", media_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def read_body(receive: Receive) -> bytes | None:
    """Return a request's body, or None if the client left meanwhile.

    A body longer than `MAX_BODY_BYTES` is returned cut to one byte more than that.
    """
    parts = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts += message.get("body", b"")
        if len(parts) > MAX_BODY_BYTES:
            return bytes(parts[: MAX_BODY_BYTES + 1])
        if not message.get("more_body", False):
            return bytes(parts)


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body once more, then what the server says."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
