"""A person stops a real bot: entries end, positions are closed, strangers are not obeyed."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.e2e import commanded
from tests.e2e.commanded import BTC, ETH, SOL, CommandedBot
from tests.kit import ProcessRunner, eventually
from tests.kit.telegram_api import TelegramApi, telegram_api

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-emergency"), pytest.mark.timeout(300)]

OWNER = 4242
STRANGER = 6666


@pytest.fixture(scope="module")
def telegram() -> Iterator[TelegramApi]:
    with telegram_api() as api:
        yield api


@pytest.fixture(scope="module")
def started(
    tmp_path_factory: pytest.TempPathFactory, project_root: Path, telegram: TelegramApi
) -> Iterator[CommandedBot]:
    folder = tmp_path_factory.mktemp("emergency")
    (folder / "logs").mkdir()
    runner = ProcessRunner(folder / "logs")
    try:
        bot = commanded.start(
            runner,
            folder,
            project_root,
            telegram=telegram,
            money=Decimal(10_000),
            chat_id=OWNER,
            authorized_users=[OWNER],
        )
        yield bot
        output = bot.stop().split("worker found")[0]  # what follows is its end
        assert " - ERROR - " not in output
        # freqtrade's loop may look at a position that a person's command, in another thread, has
        # just closed: it finds out, and stumbles over its own dates on the way.
        known = output.count("Error finding onexchange order")
        assert output.count("Traceback") == known
        assert output.count("can't compare offset-naive") >= known
    finally:
        runner.close()


@pytest.fixture
def bot(started: CommandedBot) -> CommandedBot:
    """The bot, running, without commands, positions or locks: whatever the last test left."""
    started.command()
    started.post("/start")
    started.post("/forceexit", {"tradeid": "all"})
    eventually(started.is_flat, 30, "a flat bot")
    started.settle()  # locks come after the trade is closed
    for lock in started.get("/locks")["locks"]:
        started.client.delete(f"/locks/{lock['id']}").raise_for_status()
    assert started.state == "running"
    return started


def enter(bot: CommandedBot, *pairs: str) -> None:
    """Signal entries, and wait until the positions are there."""
    bot.command(dict.fromkeys(pairs, "long"))
    eventually(lambda: bot.open_pairs() >= set(pairs), 30, f"positions in {pairs}")


def test_rest_stops_entries_and_closes_everything(bot: CommandedBot) -> None:
    enter(bot, BTC)

    answer = bot.post("/stopentry")
    assert "no more entries will occur" in answer["status"]
    bot.command({BTC: "long", ETH: "short"})
    bot.settle()
    assert bot.open_pairs() == {BTC}
    assert bot.state == "paused"

    bot.post("/forceexit", {"tradeid": "all"})
    eventually(bot.is_flat, 30, "a flat bot")
    assert bot.trades()[-1]["exit_reason"] == "force_exit"
    # freqtrade's own "Auto lock" beside it ends with the candle, which may be now.
    eventually(lambda: bot.cooling_pairs() == {BTC}, 30, "the lock")

    # The signals were real: with entries back, ETH is entered and only the lock keeps BTC out.
    bot.post("/start")
    eventually(lambda: ETH in bot.open_pairs(), 30, "the entry in ETH")
    bot.settle()
    assert bot.open_pairs() == {ETH}


def test_telegram_stops_entries_and_closes_everything(
    bot: CommandedBot, telegram: TelegramApi
) -> None:
    enter(bot, BTC, ETH)

    before = telegram.say(OWNER, "/stopentry")
    telegram.wait_for_message("no more entries will occur", since=before, chat_id=OWNER)
    bot.command(dict.fromkeys([BTC, ETH, SOL], "long"))
    bot.settle()
    assert bot.open_pairs() == {BTC, ETH}
    assert bot.state == "paused"

    before = telegram.say(OWNER, "/forceexit all")
    for pair in (BTC, ETH):
        message = telegram.wait_for_message(f"Exited {pair}", since=before, chat_id=OWNER)
        assert "`force_exit`" in message.text
    eventually(bot.is_flat, 30, "a flat bot")
    eventually(lambda: bot.cooling_pairs() == {BTC, ETH}, 30, "the locks")
    before = telegram.say(OWNER, "/locks")
    table = telegram.wait_for_message("<pre>", since=before, chat_id=OWNER).text
    assert BTC in table
    assert ETH in table
    assert SOL not in table

    telegram.say(OWNER, "/start")
    eventually(lambda: SOL in bot.open_pairs(), 30, "the entry in SOL")
    bot.settle()
    assert bot.open_pairs() == {SOL}


def test_a_button_of_the_telegram_keyboard_closes_its_trade(
    bot: CommandedBot, telegram: TelegramApi
) -> None:
    enter(bot, BTC, ETH)
    bot.command()

    before = telegram.say(OWNER, "/forceexit")
    menu = telegram.wait_for_message("Which trade?", since=before, chat_id=OWNER)
    [trade] = [trade for trade in bot.get("/status") if trade["pair"] == ETH]
    [button] = [
        data for data in menu.buttons if data.startswith(f"force_exit__{trade['trade_id']}")
    ]
    before = telegram.press(menu, button)

    telegram.wait_for_message(f"Exited {ETH}", since=before, chat_id=OWNER)
    edit = telegram.wait_for_message("Manually exiting Trade", since=before, chat_id=OWNER)
    assert (edit.is_edit, edit.message_id) == (True, menu.message_id)
    eventually(lambda: bot.open_pairs() == {BTC}, 30, "the exit of ETH alone")
    closed = {ETH}
    eventually(
        lambda: closed <= {t["pair"] for t in bot.trades() if not t["is_open"]}, 30, "its booking"
    )


def test_strangers_are_not_obeyed(bot: CommandedBot, telegram: TelegramApi) -> None:
    enter(bot, BTC)
    [trade] = bot.get("/status")
    # From here on the bot has no news of its own.
    telegram.wait_for_message(f"New Trade (#{trade['trade_id']})")
    orders = ("/stopentry", "/forceexit all", "/unlock", "/status", "/balance")

    # From another chat. /tg_info answers everybody, so its answer says that the bot, which takes
    # one message after the other, is through with the orders before it.
    before = telegram.say(STRANGER, orders[0])
    for order in orders[1:]:
        telegram.say(STRANGER, order)
    telegram.say(STRANGER, "/tg_info")
    info = telegram.wait_for_message("Bot Info", since=before, chat_id=STRANGER)
    assert f'"chat_id": "{STRANGER}"' in info.text
    assert str(OWNER) not in info.text
    # From another person in the right chat; the owner's question comes after.
    for order in orders:
        telegram.say(OWNER, order, user_id=STRANGER)
    telegram.say(OWNER, "/version")
    telegram.wait_for_message("*Version:*", since=before, chat_id=OWNER)
    bot.settle()

    replies = telegram.sent[before:]
    assert [message.chat_id for message in replies] == [STRANGER, OWNER], replies
    assert bot.state == "running"
    assert bot.open_pairs() == {BTC}

    # The same orders from the owner do all that.
    before = telegram.say(OWNER, "/stopentry")
    telegram.wait_for_message("no more entries will occur", since=before, chat_id=OWNER)
    before = telegram.say(OWNER, "/forceexit all")
    telegram.wait_for_message(f"Exited {BTC}", since=before, chat_id=OWNER)
    eventually(bot.is_flat, 30, "a flat bot")
    assert bot.state == "paused"


def test_a_stopped_entry_leaves_exits_working(bot: CommandedBot) -> None:
    enter(bot, BTC)
    bot.post("/stopentry")
    bot.settle()
    assert bot.open_pairs() == {BTC}

    bot.command(exits=[BTC])

    eventually(bot.is_flat, 30, "the exit on its signal")
    assert bot.trades()[-1]["exit_reason"] == "exit_signal"
    assert bot.state == "paused"
