"""What can happen to a ledger on a server: it restarts, refuses, or answers nothing."""

import socket
import time

import pytest

from fractal_protections.portfolio.ledger import LedgerError
from fractal_protections.portfolio.sql import open_ledger
from tests.protections.ledger.conftest import Opener
from tests.protections.ledger.postgres import PostgresServer
from tests.protections.ledger.specimens import NOW, approve, request

pytestmark = pytest.mark.xdist_group("postgresql")


def database_of(url: str) -> str:
    return url.rpartition("/ledger_")[2].partition("?")[0]


def test_the_ledger_works_again_after_the_servers_restart(
    postgres: PostgresServer, postgresql_url: str, opened: Opener
) -> None:
    ledger = opened(postgresql_url)
    ledger.reserve(request(), approve, NOW)

    postgres.stop()
    try:
        for _ in range(2):
            with pytest.raises(LedgerError, match="can not be reached: check that the database"):
                ledger.reserve(request(), approve, NOW)
    finally:
        postgres.start()

    assert ledger.reserve(request(), approve, NOW)[1] is not None
    assert len(ledger.book(NOW).reservations) == 2


def test_a_connection_cut_within_a_decision_leaves_nothing(
    postgres: PostgresServer, postgresql_url: str, opened: Opener
) -> None:
    ledger = opened(postgresql_url)
    name = f"ledger_{database_of(postgresql_url)}"

    def cut(book):
        postgres.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "  # noqa: S608  # our own name
            f"WHERE datname = '{name}'"
        )
        return approve(book)

    with pytest.raises(LedgerError, match="can not be reached"):
        ledger.reserve(request(), cut, NOW)

    assert ledger.book(NOW).reservations == ()
    assert ledger.reserve(request(), approve, NOW)[1] is not None


def test_a_bot_that_freezes_with_the_lock_loses_it(postgresql_url: str, opened: Opener) -> None:
    frozen = opened(postgresql_url, lock_timeout_seconds=0.1)
    other = opened(postgresql_url, lock_timeout_seconds=5.0)
    answers = []

    def freeze(book):
        # Another bot waits for the lock while this one sleeps with it, and gets it.
        answers.append(other.reserve(request("other"), approve, NOW)[1])
        return approve(book)

    with pytest.raises(LedgerError):
        frozen.reserve(request("frozen"), freeze, NOW)

    assert answers[0] is not None
    assert [held.request.bot for held in other.book(NOW).reservations] == ["other"]


@pytest.mark.parametrize(
    ("setting", "reason"),
    [("default_transaction_read_only = on", "is read-only")],
)
def test_a_server_that_does_not_write_is_told(
    postgres: PostgresServer, postgresql_url: str, opened: Opener, setting: str, reason: str
) -> None:
    ledger = opened(postgresql_url)
    postgres.sql(f"ALTER DATABASE ledger_{database_of(postgresql_url)} SET {setting}")
    ledger._database.engine.pool.dispose()

    with pytest.raises(LedgerError, match=reason):
        ledger.reserve(request(), approve, NOW)


def test_a_missing_database_and_a_refused_login_are_told_without_password(
    postgresql_url: str, opened: Opener
) -> None:
    server = postgresql_url.rpartition("host=")[2]

    for url, reason in (
        (f"postgresql://fractal:hunter2@/nowhere?host={server}", "nowhere"),
        (f"postgresql://stranger:hunter2@/postgres?host={server}", "stranger"),
    ):
        with pytest.raises(LedgerError, match=reason) as raised:
            opened(url)
        assert "hunter2" not in str(raised.value)
        assert "fractal_" not in str(raised.value)


def test_another_programs_database_is_refused(
    postgres: PostgresServer, postgresql_url: str, opened: Opener
) -> None:
    name = f"ledger_{database_of(postgresql_url)}"
    postgres.sql("CREATE TABLE trades (id integer)", name)

    with pytest.raises(LedgerError, match=r"another program's tables \(trades, …\)"):
        opened(postgresql_url)
    assert postgres.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", name) == "1"


def test_a_server_that_accepts_and_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        started = time.monotonic()

        with pytest.raises(LedgerError, match="can not be reached") as raised:
            open_ledger(
                f"postgresql://bot:hunter2@127.0.0.1:{port}/ledger",
                mode="dry_run",
                lock_timeout_seconds=0.5,
            )

    assert time.monotonic() - started < 5
    assert "bot:***@127.0.0.1" in str(raised.value)
    assert "hunter2" not in str(raised.value)
