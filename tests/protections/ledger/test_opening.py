"""Which URLs, modes and versions a ledger opens with, on SQLite and PostgreSQL."""

import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, MetaData, Table, Text, text

from fractal_protections.portfolio.ledger import LedgerError
from fractal_protections.portfolio.sql import SqlLedger, migrate, open_ledger
from fractal_protections.portfolio.sql.schema import VERSION_TABLE, metadata
from tests.protections.ledger.conftest import Child, Opener
from tests.protections.ledger.specimens import NOW, approve, request


def change(ledger: SqlLedger, statement: str) -> None:
    with ledger._database.write() as connection:
        connection.execute(text(statement))


def test_a_ledger_outlives_its_bots(url: str, opened: Opener) -> None:
    first = opened(url)
    _, reservation = first.reserve(request(), approve, NOW)
    first.close()

    assert opened(url).book(NOW).reservations == (reservation,)


@pytest.mark.parametrize(("made_for", "asked_by"), [("dry_run", "live"), ("live", "dry_run")])
def test_a_ledger_of_the_other_mode_is_refused(url: str, opened: Opener, made_for, asked_by):
    opened(url, mode=made_for)

    with pytest.raises(LedgerError, match=f"is for {made_for} trading and this bot's mode is"):
        opened(url, mode=asked_by)
    assert opened(url, mode=None).mode == made_for
    assert opened(url, mode=made_for).mode == made_for


def test_an_unknown_mode_is_refused(sqlite_url: str, path: Path, opened: Opener) -> None:
    with pytest.raises(ValueError, match="'paper': a ledger is for dry_run or for live"):
        opened(sqlite_url, mode="paper")
    assert not path.exists()


@pytest.mark.parametrize("options", [{"create": False}, {"mode": None}])
def test_no_ledger_is_made_where_none_is_wanted(url: str, opened: Opener, options) -> None:
    for _ in range(2):
        with pytest.raises(LedgerError, match=r"there is no ledger.* start a bot"):
            opened(url, **options)

    opened(url)
    assert opened(url, **options).mode == "dry_run"


def test_an_empty_file_is_no_ledger_but_may_become_one(
    path: Path, sqlite_url: str, opened: Opener
) -> None:
    path.touch()

    with pytest.raises(LedgerError, match="there is no ledger in"):
        opened(sqlite_url, create=False)
    assert opened(sqlite_url).events() == ()


def test_a_newer_ledger_is_refused(url: str, opened: Opener) -> None:
    change(opened(url), "UPDATE ledger_version SET version_num = '9999'")

    for options in ({}, {"mode": None}):
        with pytest.raises(LedgerError, match=r"has version 9999 .* update FractalTrader"):
            opened(url, **options)


def test_a_ledger_without_its_row_is_refused(url: str, opened: Opener) -> None:
    ledger = opened(url)
    change(ledger, "DELETE FROM meta")

    with pytest.raises(LedgerError, match=r"is damaged.*table meta is empty"):
        opened(url)
    with pytest.raises(LedgerError, match="was replaced by another one"):
        ledger.book(NOW)


def test_two_bots_that_begin_at_once_share_one_new_ledger(
    url: str, opened: Opener, child: Child
) -> None:
    bots = [child("open", url) for _ in range(3)]

    assert [bot.wait() for bot in bots] == [0, 0, 0]
    assert sum("new ledger" in bot.output() for bot in bots) == 1
    assert opened(url).check() == []


@pytest.mark.parametrize("timeout", [0, -1.0])
def test_a_timeout_of_nothing_is_refused(sqlite_url: str, opened: Opener, timeout: float) -> None:
    with pytest.raises(ValueError, match="lock_timeout_seconds is"):
        opened(sqlite_url, lock_timeout_seconds=timeout)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file.*MemoryLedger"),
        ("sqlite:///file:ledger?mode=memory&uri=true", "has options"),
        ("sqlite:///ledger.sqlite?timeout=99", "has options"),
        ("mysql://bot:hunter2@db/ledger", "begins with mysql: it can be on sqlite or postgresql"),
        ("postgresql+asyncpg://bot:hunter2@db/ledger", r"begins with postgresql\+asyncpg"),
        ("bot:hunter2@db/ledger", "can not be read: write sqlite:///FILE"),
        ("postgresql://bot:hunter2@db:port/ledger", "can not be read: write sqlite:///FILE"),
    ],
)
def test_other_urls_are_refused_without_their_password(url: str, reason: str) -> None:
    with pytest.raises(LedgerError, match=reason) as raised:
        open_ledger(url, mode="dry_run")

    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_without_psycopg_the_remedy_is_told(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(LedgerError, match=r"pip install 'fractaltrader\[postgresql\]'") as raised:
        open_ledger("postgresql://bot:hunter2@127.0.0.1/ledger", mode="dry_run")
    assert "hunter2" not in str(raised.value)


# migrations


def test_the_migrations_make_the_schema(url: str, opened: Opener) -> None:
    ledger = opened(url)
    options = {"version_table": VERSION_TABLE, "compare_server_default": True}

    with ledger._database.read() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert context.get_current_revision() == migrate.versions()[-1]
        assert compare_metadata(context, metadata) == []

        # The comparison does see a table, a column and a type that no migration makes.
        changed = MetaData()
        Table("extra", changed, Column("a", Text, primary_key=True))
        Table("fences", changed, Column("pair", Text, primary_key=True), Column("new", Text))
        Table("positions", changed, Column("margin", Text, primary_key=True))
        found = {entry[0] for entry in compare_metadata(context, changed) if type(entry) is tuple}
        assert {"add_table", "add_column", "remove_column"} <= found


def test_an_older_ledger_is_brought_up_to_date(url: str, opened: Opener, monkeypatch) -> None:
    opened(url).close()
    upgraded = []
    # A version that this code knows and that is not its newest: the one there is.
    monkeypatch.setattr(migrate, "versions", lambda: (*real_versions, "9999"))
    monkeypatch.setattr(migrate, "upgrade", upgraded.append)

    old = opened(url)

    assert len(upgraded) == 1
    assert any(
        f"has version {real_versions[-1]}, not 9999: restart" in problem for problem in old.check()
    )


real_versions = migrate.versions()


def test_the_journal_is_only_added_to(project_root: Path) -> None:
    folder = project_root / "fractal_protections/portfolio/sql"
    sources = [path.read_text() for path in folder.rglob("*.py")]

    assert any("insert(events)" in source for source in sources)
    for source in sources:
        for word in ("update(events", "delete(events", "events.update", "events.delete"):
            assert word not in source
