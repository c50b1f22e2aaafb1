"""freqtrade's own database, read without a trace; what can not be read is never empty."""

import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest

from fractal_ops.recovery.databases import TRIES, DatabaseUnreadableError, TradeDatabase
from fractal_ops.recovery.facts import RecordedOrder, RecordedTrade, Role
from tests.ops.recovery.conftest import Books
from tests.ops.recovery.specimens import BTC, ETH, d
from tests.protections.ledger.conftest import postgres, postgresql_url

__all__ = ["postgres", "postgresql_url"]  # fixtures


def read(books: Books) -> tuple[RecordedTrade, ...]:
    return TradeDatabase(books.url, lambda _seconds: None).open_trades()


def test_open_trades_come_with_their_orders_and_roles(books: Books) -> None:
    number = books.add(
        0.1 + 0.2,
        is_short=True,
        stop_loss=105.0,
        orders=(("sell", "1", False, 0.3), ("buy", "2", True, 0.1), ("stoploss", "3", True, 0.0)),
    )

    assert read(books) == (
        RecordedTrade(
            "trades.sqlite",
            number,
            BTC,
            -1,
            Decimal("0.30000000000000004"),
            d("105.0"),
            (
                RecordedOrder("1", Role.ENTRY, False, "closed", d("0.3")),
                RecordedOrder("2", Role.EXIT, True, "open", d("0.1")),
                RecordedOrder("3", Role.STOP, True, "open", d("0.0")),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("is_short", "liquidation", "price"),
    [(False, 97.0, "97.0"), (False, 90.0, "95.0"), (True, 93.0, "93.0"), (True, 99.0, "95.0")],
)
def test_the_stop_is_never_beyond_the_liquidation(
    books: Books, is_short: bool, liquidation: float, price: str
) -> None:
    books.add(is_short=is_short, liquidation_price=liquidation)

    assert read(books)[0].stop_price == d(price)


def test_closed_trades_are_not_open_but_their_orders_are_booked(books: Books) -> None:
    books.add(is_open=False, orders=(("buy", "1", False, 2.0),))
    books.add(pair=ETH, orders=(("buy", "2", True, 0.0),))
    database = TradeDatabase(books.url)

    assert [trade.pair for trade in database.open_trades()] == [ETH]
    assert database.booked(["1", "2", "3"]) == {"1": "closed", "2": "open"}
    assert database.booked([]) == {}


def test_nothing_is_written(books: Books) -> None:
    books.add()
    before = books.path.read_bytes()
    with sqlite3.connect(books.path) as connection:
        version = connection.execute("PRAGMA data_version").fetchone()

        read(books)

        assert connection.execute("PRAGMA data_version").fetchone() == version
    assert books.path.read_bytes() == before


def test_a_database_that_a_bot_writes_at_this_moment_can_be_read(books: Books) -> None:
    books.add()
    writer = sqlite3.connect(books.path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE trades SET amount = 9")

    assert read(books)[0].amount == 2
    writer.execute("ROLLBACK")
    writer.close()


def test_a_locked_database_is_asked_again_and_then_unreadable(books: Books) -> None:
    with sqlite3.connect(books.path) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    waited: list[float] = []
    database = TradeDatabase(books.url, waited.append)
    locker = sqlite3.connect(books.path, isolation_level=None)
    locker.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(DatabaseUnreadableError, match=r"trades\.sqlite can not be read.*lock"):
            database.open_trades()
    finally:
        locker.execute("ROLLBACK")
        locker.close()
    assert len(waited) == TRIES - 1
    assert database.open_trades() == ()


def test_a_missing_file_is_unreadable_and_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "none.sqlite"

    with pytest.raises(DatabaseUnreadableError, match="there is no file"):
        TradeDatabase(f"sqlite:///{path}", lambda _s: None).open_trades()
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"not a database, but text of some length" * 40])
def test_another_file_is_unreadable(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.sqlite"
    path.write_bytes(content)

    with pytest.raises(DatabaseUnreadableError, match="can not be read"):
        TradeDatabase(f"sqlite:///{path}", lambda _s: None).open_trades()


def test_a_number_that_is_none_is_unreadable(books: Books) -> None:
    books.add()
    with sqlite3.connect(books.path) as connection:
        connection.execute("UPDATE trades SET amount = 9e999")

    with pytest.raises(DatabaseUnreadableError, match="the number inf"):
        read(books)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite://", "in the bot's memory"),
        ("sqlite:///:memory:", "in the bot's memory"),
        ("trades.sqlite", "can not be read"),
        ("oracle+nothing://bot:hunter2@db/trades", "install its driver"),
    ],
)
def test_a_url_that_nobody_else_can_read_is_refused(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as raised:
        TradeDatabase(url)
    assert "hunter2" not in str(raised.value)


@pytest.mark.xdist_group("postgresql")
def test_a_database_on_postgresql_is_read_and_hides_its_password(
    postgresql_url: str, tmp_path: Path
) -> None:
    url = postgresql_url.replace("postgresql://", "postgresql+psycopg://")
    books = Books(tmp_path, url)
    books.add(orders=(("buy", "1", False, 2.0),))
    database = TradeDatabase(url)

    (trade,) = database.open_trades()

    assert (trade.amount, trade.orders[0].role) == (d("2.0"), Role.ENTRY)
    assert database.booked(["1"]) == {"1": "closed"}


def test_a_server_that_is_away_is_unreadable_without_its_password() -> None:
    database = TradeDatabase(
        "postgresql+psycopg://bot:hunter2@127.0.0.1:9/trades?connect_timeout=1", lambda _s: None
    )

    with pytest.raises(DatabaseUnreadableError, match="can not be read") as raised:
        database.open_trades()
    assert "hunter2" not in str(raised.value) + database.name


def test_a_relative_path_with_special_characters_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = Books(tmp_path / "a b#1.sqlite")
    books.add()
    monkeypatch.chdir(tmp_path)

    (trade,) = TradeDatabase("sqlite:///a b#1.sqlite").open_trades()

    assert trade.database == "a b#1.sqlite"
