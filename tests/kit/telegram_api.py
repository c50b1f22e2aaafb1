"""A loopback Telegram Bot API: the test speaks to a real bot, and reads what it answers."""

import asyncio
import json
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from tests.kit.waiting import eventually

SITE = Path(__file__).parent / "telegram_site"
TOKEN = "123:abc"
BOT = {"id": 123, "is_bot": True, "first_name": "Bot under test", "username": "under_test_bot"}
ACKNOWLEDGED = (
    *("setMyCommands", "deleteMyCommands", "setWebhook", "sendChatAction"),
    *("answerCallbackQuery", "deleteMessage"),
)
"""Methods that are answered with true and have no effect here."""


class Refusal(Exception):  # noqa: N818  # it is an answer, as Telegram words it
    """What Telegram answers to a request that it does not take."""

    def __init__(self, status: int, description: str) -> None:
        super().__init__(description)
        self.status = status


@dataclass(frozen=True)
class Sent:
    """A message of the bot."""

    message_id: int
    chat_id: int
    text: str
    buttons: tuple[str, ...] = ()
    """What the inline keyboard's buttons send when they are pressed."""
    is_edit: bool = False


class TelegramApi:
    """The state behind the Bot API: people's updates for the bot, and the bot's messages.

    `say` and `press` return how many messages the bot had sent by then, for `wait_for_message`
    to look at later ones only.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._changed = threading.Condition()
        self._sent: list[Sent] = []
        self._updates: list[dict[str, Any]] = []
        self._update_id = 1000
        self._message_id = 0
        self._polls = 0
        self._is_closing = False

    # -- the test's side ---------------------------------------------------------------------

    def env(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """Environment of a process whose bots come here.

        Parameters
        ----------
        base
            What else the process needs, such as a `SharedClock`'s environment: its sitecustomize
            is run by ours. This process' own environment by default.
        """
        base = os.environ if base is None else base
        return {
            **base,
            "PYTHONPATH": os.pathsep.join([str(SITE), base.get("PYTHONPATH", "")]),
            "FRACTAL_TEST_TELEGRAM": f"{self.url}/bot",
        }

    @property
    def sent(self) -> list[Sent]:
        """Everything that the bot has sent, oldest first."""
        with self._changed:
            return list(self._sent)

    def say(self, chat_id: int, text: str, user_id: int | None = None) -> int:
        """Write to the bot; in a private chat, the user's number is the chat's."""
        message = {
            "message_id": self._next_message_id(),
            "date": int(time.time()),
            "chat": {"id": chat_id, "type": "private"},
            "from": _person(chat_id if user_id is None else user_id),
            "text": text,
        }
        if text.startswith("/"):
            command = text.split()[0]
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(command)}]
        return self._queue({"message": message})

    def press(self, message: Sent, button: str, user_id: int | None = None) -> int:
        """Press a button of a message's inline keyboard."""
        assert button in message.buttons, f"no button {button!r} among {message.buttons}"
        callback = {
            "id": str(self._next_message_id()),
            "from": _person(message.chat_id if user_id is None else user_id),
            "message": _message(message),
            "chat_instance": "1",
            "data": button,
        }
        return self._queue({"callback_query": callback})

    def wait_for_bot(self, timeout: float = 30.0) -> None:
        """Wait until the bot polls; what was said earlier, it may throw away at its start."""
        eventually(lambda: self._polls, timeout, "the bot's first getUpdates")

    def wait_for_message(
        self, text: str, *, since: int = 0, chat_id: int | None = None, timeout: float = 10.0
    ) -> Sent:
        """Return the first message that contains a text, of those after the first `since`."""

        def found() -> Sent | None:
            for message in self.sent[since:]:
                if text in message.text and chat_id in (None, message.chat_id):
                    return message
            return None

        try:
            message = eventually(found, timeout, f"a message with {text!r}")
        except AssertionError as error:
            later = "\n".join(f"{m.chat_id}: {m.text}" for m in self.sent[since:])
            raise AssertionError(f"{error}; the bot has sent:\n{later}") from None
        assert message is not None
        return message

    def close(self) -> None:
        """Let waiting polls go."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()

    def _queue(self, update: dict[str, Any]) -> int:
        with self._changed:
            self._update_id += 1
            self._updates.append({"update_id": self._update_id, **update})
            self._changed.notify_all()
            return len(self._sent)

    def _next_message_id(self) -> int:
        with self._changed:
            self._message_id += 1
            return self._message_id

    # -- the bot's side ----------------------------------------------------------------------

    def answer(self, token: str, method: str, fields: Mapping[str, str]) -> Any:
        """Answer one request of the bot; may take as long as its poll asks for.

        Raises
        ------
        Refusal
            The token is not the bot's, or the method is not known here.
        """
        if token != TOKEN:
            raise Refusal(401, "Unauthorized")
        if method == "getMe":
            return BOT
        if method == "getUpdates":
            return self._wait_for_updates(fields)
        if method == "deleteWebhook":
            if fields.get("drop_pending_updates") == "true":
                with self._changed:
                    self._updates.clear()
            return True
        if method == "sendMessage":
            return self._take_message(self._next_message_id(), fields)
        if method == "editMessageText":
            return self._take_message(int(fields["message_id"]), fields, is_edit=True)
        if method in ACKNOWLEDGED:
            return True
        raise Refusal(404, f"Not Found: method {method} is not known here")

    def _wait_for_updates(self, fields: Mapping[str, str]) -> list[dict[str, Any]]:
        offset = int(fields.get("offset", 0))
        limit = int(fields.get("limit", 100))
        with self._changed:
            self._polls += 1
            # An update is the bot's until it asks for a later one: a lost answer loses nothing.
            self._updates[:] = [u for u in self._updates if u["update_id"] >= offset]
            self._changed.wait_for(
                lambda: self._updates or self._is_closing, float(fields.get("timeout", 0))
            )
            return self._updates[:limit]

    def _take_message(
        self, message_id: int, fields: Mapping[str, str], *, is_edit: bool = False
    ) -> dict[str, Any]:
        keyboard = json.loads(fields.get("reply_markup", "{}")).get("inline_keyboard", [])
        buttons = tuple(button.get("callback_data", "") for row in keyboard for button in row)
        message = Sent(message_id, int(fields["chat_id"]), fields["text"], buttons, is_edit)
        with self._changed:
            self._sent.append(message)
        return _message(message)


def _person(user_id: int) -> dict[str, Any]:
    return {"id": user_id, "is_bot": False, "first_name": f"User {user_id}"}


def _message(message: Sent) -> dict[str, Any]:
    return {
        "message_id": message.message_id,
        "date": int(time.time()),
        "chat": {"id": message.chat_id, "type": "private"},
        "from": BOT,
        "text": message.text,
    }


@contextmanager
def telegram_api() -> Iterator[TelegramApi]:
    """Serve a Bot API on a free port of 127.0.0.1."""
    listener = socket.create_server(("127.0.0.1", 0))
    api = TelegramApi(f"http://127.0.0.1:{listener.getsockname()[1]}")
    app = FastAPI()

    @app.post("/bot{token}/{method}")
    async def respond(token: str, method: str, request: Request) -> JSONResponse:
        fields = dict(parse_qsl((await request.body()).decode()))
        try:
            # In a thread, since a poll waits.
            result = await asyncio.to_thread(api.answer, token, method, fields)
        except Refusal as refusal:
            body = {"ok": False, "error_code": refusal.status, "description": str(refusal)}
            return JSONResponse(body, refusal.status)
        return JSONResponse({"ok": True, "result": result})

    config = uvicorn.Config(app, log_level="error", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="Telegram", daemon=True
    )
    thread.start()
    try:
        eventually(lambda: server.started, what="the server's start")
        yield api
    finally:
        api.close()
        server.should_exit = True
        thread.join(10)
        listener.close()
