"""The loopback Bot API keeps Telegram's promises, and a real bot finds it."""

import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kit import ProcessRunner, SharedClock
from tests.kit.telegram_api import TOKEN, TelegramApi, telegram_api

# Built as freqtrade builds its own: without an address.
ECHO = f"""
from datetime import datetime
from telegram.ext import Application, CommandHandler

async def answer(update, context):
    await update.message.reply_text(f"{{datetime.now():%Y-%m-%d}} {{context.args}}")

app = Application.builder().token("{TOKEN}").build()
app.add_handler(CommandHandler("echo", answer))
app.run_polling(timeout=20)
"""


@pytest.fixture
def api() -> Iterator[TelegramApi]:
    with telegram_api() as served:
        yield served


def ask(api: TelegramApi, method: str, token: str = TOKEN, **fields: object) -> httpx.Response:
    data = {key: str(value) for key, value in fields.items()}
    return httpx.post(f"{api.url}/bot{token}/{method}", data=data, timeout=30)


def texts(answer: httpx.Response) -> list[Any]:
    return [update["message"]["text"] for update in answer.json()["result"]]


@pytest.mark.parametrize("has_clock", [False, True])
def test_a_real_bot_without_an_address_comes_here(
    api: TelegramApi, processes: ProcessRunner, tmp_path: Path, has_clock: bool
) -> None:
    clock = SharedClock(tmp_path / "clock", datetime(2031, 5, 4, tzinfo=UTC)) if has_clock else None
    processes.start([sys.executable, "-c", ECHO], env=api.env(clock.env() if clock else None))
    api.wait_for_bot()

    before = api.say(7, "/echo one two")

    echo = api.wait_for_message("['one', 'two']", since=before, chat_id=7)
    assert echo.text.startswith("2031-05-04") is has_clock


def test_an_update_is_served_until_it_is_confirmed(api: TelegramApi) -> None:
    api.say(7, "first")
    api.say(7, "second")

    assert texts(ask(api, "getUpdates")) == ["first", "second"]
    [first, second] = ask(api, "getUpdates").json()["result"]
    assert texts(ask(api, "getUpdates", offset=first["update_id"] + 1)) == ["second"]
    assert texts(ask(api, "getUpdates")) == ["second"]
    assert texts(ask(api, "getUpdates", offset=second["update_id"] + 1)) == []


def test_a_long_poll_ends_with_the_next_update(api: TelegramApi) -> None:
    answers: list[httpx.Response] = []
    poll = threading.Thread(target=lambda: answers.append(ask(api, "getUpdates", timeout=25)))
    poll.start()
    api.wait_for_bot()

    api.say(7, "at last")

    poll.join(10)
    [answer] = answers
    assert texts(answer) == ["at last"]


def test_pending_updates_go_with_the_webhook_if_the_bot_says_so(api: TelegramApi) -> None:
    api.say(7, "old")

    ask(api, "deleteWebhook")
    assert texts(ask(api, "getUpdates")) == ["old"]
    ask(api, "deleteWebhook", drop_pending_updates="true")
    assert texts(ask(api, "getUpdates")) == []


@pytest.mark.parametrize(
    ("token", "method", "status"), [("123:xyz", "getMe", 401), (TOKEN, "getTeapot", 404)]
)
def test_what_telegram_would_refuse_is_refused(
    api: TelegramApi, token: str, method: str, status: int
) -> None:
    answer = ask(api, method, token)

    assert (answer.status_code, answer.json()["ok"]) == (status, False)
