"""The SQLite file goes away, is replaced, fills up or is damaged while a bot runs, or before."""

import os
import shutil
import sqlite3
import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import event

from fractal_protections.portfolio.ledger import LedgerError
from fractal_protections.portfolio.sql import SqlLedger
from fractal_protections.portfolio.sql.location import connect
from fractal_protections.portfolio.sql.sqlite_file import SqliteFile
from tests.protections.ledger.conftest import Opener
from tests.protections.ledger.specimens import NOW, approve, closed, request

GONE = "is gone or was replaced: restore it"


@pytest.fixture
def ledger(sqlite_url: str, opened: Opener) -> SqlLedger:
    made = opened(sqlite_url)
    made.reserve(request(), approve, NOW)
    return made


def refused(ledger: SqlLedger, match: str) -> None:
    for _ in range(2):
        with pytest.raises(LedgerError, match=match):
            ledger.reserve(request(), approve, NOW)
        with pytest.raises(LedgerError, match=match):
            ledger.book(NOW)


def test_a_new_file_is_its_owners_alone(ledger: SqlLedger, path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        assert stat.S_IMODE(os.stat(f"{path}{suffix}").st_mode) == 0o600  # noqa: PTH116  # a name with a suffix


def test_a_new_ledger_is_told_once(sqlite_url: str, opened: Opener, caplog) -> None:
    opened(sqlite_url)
    opened(sqlite_url)

    (record,) = [r for r in caplog.records if "new ledger" in r.message]
    assert record.levelname == "WARNING"
    assert "peak equity and today's loss are measured from now" in record.message


def test_a_deleted_file_is_noticed(ledger: SqlLedger, path: Path) -> None:
    path.unlink()

    refused(ledger, GONE)


def test_a_file_replaced_by_a_copy_is_noticed(ledger: SqlLedger, path: Path) -> None:
    shutil.copy(path, path.with_suffix(".copy"))
    path.with_suffix(".copy").replace(path)

    refused(ledger, GONE)


def test_a_file_replaced_by_a_new_ledger_is_noticed(
    ledger: SqlLedger, path: Path, sqlite_url: str, opened: Opener
) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink()
    other = opened(sqlite_url)

    refused(ledger, GONE)
    assert other.book(NOW).reservations == ()


def test_tables_that_have_changed_are_told(ledger: SqlLedger, path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE fences RENAME COLUMN reason TO other")
    connection.close()

    refused(ledger, "can not answer: the log has the trace")


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_a_deleted_log_or_index_is_noticed(ledger: SqlLedger, path: Path, suffix: str) -> None:
    Path(f"{path}{suffix}").unlink()

    refused(ledger, GONE)


def test_a_file_put_back_is_used_again(ledger: SqlLedger, path: Path) -> None:
    aside = path.with_suffix(".aside")
    path.rename(aside)
    refused(ledger, GONE)

    aside.rename(path)

    assert len(ledger.book(NOW).reservations) == 1
    assert ledger.reserve(request(), approve, NOW)[1] is not None


def test_a_file_that_vanishes_within_the_transaction_is_noticed(
    ledger: SqlLedger, path: Path
) -> None:
    @event.listens_for(ledger._database.engine, "before_cursor_execute")
    def vanish(_connection, _cursor, statement, *_rest) -> None:
        if statement.startswith("BEGIN"):
            path.unlink(missing_ok=True)

    with pytest.raises(LedgerError, match=GONE):
        ledger.reserve(request(), approve, NOW)


def test_another_ledger_written_over_the_file_in_place_is_noticed(
    ledger: SqlLedger, path: Path, tmp_path: Path, opened: Opener
) -> None:
    other = tmp_path / "other.sqlite"
    opened(f"sqlite:///{other}").close()
    source, target = sqlite3.connect(other), sqlite3.connect(path)
    source.backup(target)  # the same file to the file system, another ledger to us
    source.close()
    target.close()

    refused(ledger, "was replaced by another one")


def test_lost_tables_are_named(ledger: SqlLedger, path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE reservations")
    connection.close()

    refused(ledger, "lacks its tables")


def test_a_read_only_ledger_says_so(ledger: SqlLedger) -> None:
    @event.listens_for(ledger._database.engine, "connect")
    def read_only(connection, _record) -> None:
        connection.execute("PRAGMA query_only=ON")

    ledger._database.engine.pool.dispose()
    with pytest.raises(LedgerError, match="is read-only: give the user"):
        ledger.record_closed([closed(1)])
    assert ledger.book(NOW).reservations


def test_a_connection_that_met_an_error_is_not_used_again(ledger: SqlLedger, path: Path) -> None:
    dropped: list[object] = []
    event.listen(ledger._database.engine, "invalidate", lambda *about: dropped.append(about))
    outside = sqlite3.connect(path, isolation_level=None)
    outside.execute("ALTER TABLE events RENAME TO aside")

    with pytest.raises(LedgerError, match="lacks its tables"):
        ledger.reserve(request(), approve, NOW)
    assert len(dropped) == 1

    outside.execute("ALTER TABLE aside RENAME TO events")
    outside.close()
    assert len(ledger.book(NOW).reservations) == 1  # the half of it was taken back
    assert ledger.reserve(request(), approve, NOW)[1] is not None
    assert len(dropped) == 1


def test_a_full_disk_changes_nothing_and_passes(ledger: SqlLedger) -> None:
    limit = "2147483646"

    @event.listens_for(ledger._database.engine, "checkout")
    def fill(connection, *_rest) -> None:
        connection.execute(f"PRAGMA max_page_count={limit}")

    trades = [closed(number) for number in range(5000)]
    limit = "1"  # as small as the file is: no page can be added
    with pytest.raises(LedgerError, match="the disk is full"):
        ledger.record_closed(trades)
    assert ledger.closed_trades(1) == ()
    assert len(ledger.book(NOW).reservations) == 1

    limit = "2147483646"
    ledger.record_closed(trades)
    assert len(ledger.closed_trades(9999)) == 5000


def test_threads_share_a_ledger(ledger: SqlLedger) -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(20):
                ledger.reserve(request(), approve, NOW)
                ledger.book(NOW)
        except BaseException as error:  # noqa: BLE001  # shown below, in the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert failures == []
    assert len(ledger.book(NOW).reservations) == 81


# opening


def test_a_file_that_is_no_database_is_refused(path: Path, sqlite_url: str, opened: Opener) -> None:
    path.write_text("bot,pair,margin\n" * 100)

    with pytest.raises(LedgerError, match="is not a ledger but some other file: correct"):
        opened(sqlite_url)
    assert path.read_text().startswith("bot,pair")


def test_a_damaged_file_is_refused(path: Path, sqlite_url: str, opened: Opener) -> None:
    ledger = opened(sqlite_url)
    ledger.record_closed([closed(number) for number in range(3000)])
    ledger.close()
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 20_000)

    with pytest.raises(LedgerError, match="is damaged: stop all bots, and restore a backup"):
        opened(sqlite_url)


def test_damage_while_running_is_told(ledger: SqlLedger, path: Path, sqlite_url: str) -> None:
    ledger.record_closed([closed(number) for number in range(3000)])
    outside = sqlite3.connect(path)
    outside.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    outside.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    ledger._database.engine.pool.dispose()

    with pytest.raises(LedgerError, match="damaged"):
        ledger.closed_trades(9999)
    assert any("damaged" in problem for problem in ledger.check())


def test_damage_is_met_by_the_bot_that_was_the_last_to_write(ledger: SqlLedger, path: Path) -> None:
    """What a connection remembers of its own writing must not hide the file from it."""
    ledger.record_closed([closed(number) for number in range(30)])
    for file in (path, path.with_name(f"{path.name}-wal")):
        with file.open("r+b") as pages:
            pages.seek(4096)
            pages.write(b"\xff" * (file.stat().st_size - 4096))

    with pytest.raises(LedgerError, match=r"is damaged|is not a ledger"):
        ledger.closed_trades(30)


def test_a_file_that_another_bot_makes_at_the_same_moment_is_taken(path: Path, monkeypatch) -> None:
    path.write_text("made by the other")
    monkeypatch.setattr(Path, "exists", lambda _path: False)  # it was not there a moment ago

    SqliteFile(str(path)).find(create=True)

    assert path.read_text() == "made by the other"


def test_a_check_tells_rows_that_break_the_tables_rules(ledger: SqlLedger, path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA ignore_check_constraints=ON")
    connection.execute("UPDATE meta SET id = 2")
    connection.close()

    assert any("is damaged" in problem and "CHECK" in problem for problem in ledger.check())


def test_threads_may_begin_ledgers_at_once(tmp_path: Path, opened: Opener) -> None:
    threads = [
        threading.Thread(target=opened, args=[f"sqlite:///{tmp_path}/{number % 3}.sqlite"])
        for number in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    # An exception in a thread fails the test by pytest's own warning.
    assert sorted(p.name for p in tmp_path.glob("*.sqlite")) == ["0.sqlite", "1.sqlite", "2.sqlite"]


def test_another_programs_database_is_refused_untouched(
    path: Path, sqlite_url: str, opened: Opener
) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE trades (id INTEGER)")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(LedgerError, match=r"another program's tables \(trades, …\): give"):
        opened(sqlite_url)
    assert path.read_bytes() == before


def test_a_missing_folder_is_told(tmp_path: Path, opened: Opener) -> None:
    with pytest.raises(LedgerError, match="its folder does not exist; make the folder"):
        opened(f"sqlite:///{tmp_path}/nowhere/ledger.sqlite")


def test_a_folder_in_the_files_place_is_refused(
    path: Path, sqlite_url: str, opened: Opener
) -> None:
    path.mkdir()

    with pytest.raises(LedgerError, match="can not be opened"):
        opened(sqlite_url)


def test_a_folder_that_is_not_ours_is_refused(
    open_folder: Path, opened: Opener, ordinary_user
) -> None:
    open_folder.chmod(0o555)

    with ordinary_user(), pytest.raises(LedgerError, match="can not be opened"):
        opened(f"sqlite:///{open_folder}/ledger.sqlite")
    open_folder.chmod(0o755)


def test_a_file_that_is_not_ours_to_write_is_refused(
    open_folder: Path, opened: Opener, ordinary_user
) -> None:
    url = f"sqlite:///{open_folder}/ledger.sqlite"
    opened(url).close()
    (open_folder / "ledger.sqlite").chmod(0o444)
    open_folder.chmod(0o555)

    with ordinary_user(), pytest.raises(LedgerError, match=r"read-only|can not be opened"):
        opened(url)
    open_folder.chmod(0o755)


def test_a_file_whose_program_still_uses_it_otherwise_is_told(
    path: Path, sqlite_url: str, opened: Opener
) -> None:
    path.touch()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(LedgerError, match="locked"):
        opened(sqlite_url, lock_timeout_seconds=0.2)
    other.close()
    opened(sqlite_url)


def test_a_file_system_without_write_ahead_log_is_told(
    sqlite_url: str, opened: Opener, monkeypatch
) -> None:
    class Memory:
        """Stands in for a network folder: there, too, SQLite answers with another mode."""

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def exec_driver_sql(self, _statement):
            return self

        def scalar(self):
            return "delete"

    monkeypatch.setattr("sqlalchemy.Engine.connect", lambda _engine: Memory())
    database = connect(sqlite_url, 0.2)

    with pytest.raises(LedgerError, match="write-ahead log on this file system: put it on a local"):
        database.file.use_wal(database.engine, 0.2)
    database.close()


def test_two_links_lead_to_one_ledger_until_one_is_turned(
    tmp_path: Path, ledger: SqlLedger, path: Path, opened: Opener
) -> None:
    link = tmp_path / "link.sqlite"
    link.symlink_to(path)
    linked = opened(f"sqlite:///{link}")
    assert len(linked.book(NOW).reservations) == 1

    link.unlink()
    link.symlink_to(tmp_path / "elsewhere.sqlite")

    with pytest.raises(LedgerError, match=GONE):
        linked.book(NOW)
    assert ledger.book(NOW).reservations
