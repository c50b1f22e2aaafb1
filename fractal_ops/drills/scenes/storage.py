"""The disk lets the bot down, and what happens to files that two programs want."""

from __future__ import annotations

import errno
import json
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from fractal_ops.drills.drill import Drill
from fractal_ops.drills.errors import DrillSkippedError
from fractal_ops.drills.processes import DrillProcess, free_port
from fractal_ops.drills.stage import Stage
from fractal_ops.drills.waiting import expect, until

PAGE_BYTES = 4096
RUBBISH = b"\xa5" * PAGE_BYTES
LOCKED_SECONDS = 30.0
SMALL_DISK = "32m"
EVERY_PAIR = "*"


def _wait_ended(process: DrillProcess, word: str) -> None:
    """Wait until a process has ended by itself, and check that it has said why."""
    until(process.has_ended, f"end of {process.name}", 60)
    expect(process.says(word), f"{process.name} did not say {word!r}")


def _expect_stop(stage: Stage) -> None:
    expect(stage.venue.position(stage.pair), "the position is gone")
    expect(stage.venue.stops(stage.pair), "the position has lost its stop")


def _running(process: DrillProcess | None) -> DrillProcess:
    if process is None:
        raise DrillSkippedError("it was never started")
    return process


# Files -------------------------------------------------------------------------------------------


def _files(database: Path) -> list[Path]:
    """Return a SQLite database's files: itself, its log, the log's index."""
    named = [database.with_name(database.name + end) for end in ("", "-wal", "-shm")]
    return [file for file in named if file.exists()]


def _spoil(database: Path) -> None:
    """Write rubbish over everything behind the first page, as a dying disk does."""
    for file in _files(database):
        if file.name.endswith("-shm"):
            continue
        with file.open("r+b") as pages:
            for start in range(PAGE_BYTES, file.stat().st_size, PAGE_BYTES):
                pages.seek(start)
                pages.write(RUBBISH)
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as spoilt:
        said = "ok"
        with suppress(sqlite3.DatabaseError):
            said = spoilt.execute("PRAGMA quick_check(1)").fetchone()[0]
            expect(said != "ok", f"{database.name} is still whole")


def _back_up(stage: Stage) -> Path:
    """Copy the bot's database as docs say it is done: by SQLite itself."""
    copy = stage.folder / "backup.sqlite"
    with closing(sqlite3.connect(stage.database)) as source, closing(sqlite3.connect(copy)) as to:
        source.backup(to)
    return copy


def _restore(stage: Stage, copy: Path) -> None:
    for file in _files(stage.database):
        file.unlink()
    shutil.copy(copy, stage.database)


# Disks -------------------------------------------------------------------------------------------


def _mount_small_disk(stage: Stage) -> Path:
    """Give the scratch folder a disk of a few MB."""
    disk = stage.folder / "disk"
    disk.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(disk))
    stage.at_end.callback(_run, "umount", "--lazy", str(disk))
    return disk


def _mount(*arguments: str) -> None:
    said = _run("mount", *arguments)
    if said is not None:
        raise DrillSkippedError(f"no disk can be mounted here, which needs root: {said}")


def _run(program: str, *arguments: str) -> str | None:
    """Run a program of the system; return what it has complained about."""
    path = shutil.which(program)
    if path is None:
        return f"there is no {program}"
    done = subprocess.run([path, *arguments], capture_output=True, text=True, check=False)  # noqa: S603  # ours
    return None if done.returncode == 0 else (done.stderr or done.stdout).strip()


def _fill(disk: Path) -> Path:
    """Fill a disk to its last byte."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for block in (1024 * PAGE_BYTES, PAGE_BYTES, 1):
            try:
                while file.write(b"\0" * block) == block:
                    pass
            except OSError as error:
                expect(error.errno == errno.ENOSPC, f"the disk fails with {error}")
    return filler


def _use_disk(stage: Stage, *, database: bool = True, ledger: bool = True) -> Path:
    disk = _mount_small_disk(stage)
    if database:
        stage.config["db_url"] = f"sqlite:///{disk / 'trades.sqlite'}"
    if ledger:
        url = f"sqlite:///{disk / 'ledger.sqlite'}"
        stage.config["fractal"]["portfolio"]["ledger_url"] = url
    stage.write_config()
    return disk


# Scenes: the bot's database ----------------------------------------------------------------------


def _corrupted_at_start(stage: Stage) -> None:
    stage.open_position()
    backup = _back_up(stage)
    _running(stage.bot).stop()
    _spoil(stage.database)
    _wait_ended(stage.spawn_bot("bot"), "malformed")
    _blind_until_restored(stage, backup)


def _corrupted_while_running(stage: Stage) -> None:
    stage.open_position()
    backup = _back_up(stage)
    _spoil(stage.database)
    stage.wait_drift("DATABASE_UNREADABLE", EVERY_PAIR)
    other = stage.second_pair
    bot = _running(stage.bot)
    stage.enter(other)
    until(
        lambda: bot.has_ended() or "POSITION_DRIFT" in stage.denials(),
        "denial, or the end of the bot",
    )
    stage.hold()
    bot.stop()
    _blind_until_restored(stage, backup)


def _blind_until_restored(stage: Stage, backup: Path) -> None:
    """Check what holds without a database; then a person restores it."""
    stage.wait_drift("DATABASE_UNREADABLE", EVERY_PAIR)
    _running(stage.reconciler).wait_for("DATABASE_UNREADABLE (confirmed), entries closed")
    _expect_stop(stage)
    expect(len(stage.venue.accepted("entry")) == 1, "an entry without a database")
    _restore(stage, backup)
    stage.start_bot()
    stage.wait_aligned()
    _expect_stop(stage)
    stage.venue.move(stage.pair, -0.03, 5)
    stage.wait_flat()


def _read_only(stage: Stage) -> None:
    disk = _use_disk(stage, ledger=False)
    stage.switch_on()
    stage.open_position()
    _running(stage.bot).stop()
    # The reconciler's own readings may be in the way for a moment.
    said: list[str | None] = []

    def is_read_only() -> bool:
        said.append(_run("mount", "-o", "remount,ro", str(disk)))
        return said[-1] is None

    until(is_read_only, "read-only disk", 20)
    stage.enter(stage.second_pair)
    bot = stage.spawn_bot("bot")
    until(bot.has_ended, "end of a bot that can not write", 60)
    expect(
        bot.says("readonly database") or bot.says("unable to open database file"),
        "the bot did not say that its database can not be written",
    )
    expect(len(stage.venue.accepted("entry")) == 1, "an entry that can not be recorded")
    _expect_stop(stage)
    stage.hold()
    _mount("-o", "remount,rw", str(disk))
    stage.start_bot()
    stage.wait_aligned()
    stage.venue.move(stage.pair, -0.03, 5)
    stage.wait_flat()


# Scenes: a full disk -----------------------------------------------------------------------------


def _full_disk(stage: Stage) -> None:
    disk = _use_disk(stage)
    stage.switch_on()
    filler = _fill(disk)
    stage.enter()
    bot = _running(stage.bot)
    bot.wait_for("LEDGER_UNAVAILABLE", 60)
    expect(bot.says("disk is full"), "the bot did not say that the disk is full")
    stage.settle()
    expect(not stage.venue.accepted("entry"), "an entry that can not be recorded")
    filler.unlink()
    stage.wait_protected()
    stage.hold()


def _full_disk_with_position(stage: Stage) -> None:
    disk = _use_disk(stage)
    stage.switch_on()
    stage.open_position()
    filler = _fill(disk)
    bot = _running(stage.bot)
    # The trade's highest price is news that freqtrade writes down.
    stage.venue.move(stage.pair, 0.01)
    _wait_ended(bot, "disk is full")
    _expect_stop(stage)
    filler.unlink()
    stage.start_bot()
    stage.wait_aligned()
    _expect_stop(stage)
    stage.venue.move(stage.pair, -0.05, 5)
    stage.wait_flat()


def _full_disk_of_database(stage: Stage) -> None:
    disk = _use_disk(stage, ledger=False)
    stage.switch_on()
    filler = _fill(disk)
    stage.enter()
    bot = _running(stage.bot)
    until(lambda: "INTERNAL_ERROR" in stage.denials(), "denial for the full disk")
    expect(bot.says("is full (0 kB are left)"), "the bot did not say that the disk is full")
    stage.settle()
    expect(not stage.venue.accepted("entry"), "an entry that can not be recorded")
    filler.unlink()
    stage.wait_protected()
    stage.hold()


# Scenes: the ledger ------------------------------------------------------------------------------


def _ledger_file(stage: Stage) -> Path:
    url: str = stage.config["fractal"]["portfolio"]["ledger_url"]
    if not url.startswith("sqlite:///"):
        raise DrillSkippedError("the ledger is no SQLite file")
    return Path(url.removeprefix("sqlite:///"))


def _says_damaged(process: DrillProcess) -> bool:
    # Which of the two it is depends on the page that is met first.
    return process.says("is damaged") or process.says("is not a ledger but some other file")


def _ledger_corrupted(stage: Stage) -> None:
    stage.open_position()
    ledger = _ledger_file(stage)
    _spoil(ledger)
    other = stage.second_pair
    bot = _running(stage.bot)
    stage.enter(other)
    bot.wait_for(f"{other}: entry denied: LEDGER_UNAVAILABLE", 60)
    watch = _running(stage.reconciler)
    expect(_says_damaged(bot), "the bot did not say that the ledger is damaged")
    until(lambda: _says_damaged(watch), "word of the reconciler about the damage")
    stage.leave()
    until(lambda: not stage.venue.position(stage.pair), "exit without a ledger")
    expect(len(stage.venue.accepted("entry")) == 1, "an entry without a ledger")
    stage.switch_off()
    for file in _files(ledger):
        file.rename(file.with_name(f"damaged-{file.name}"))
    stage.hold()
    stage.switch_on()
    stage.enter(other)
    stage.wait_open(other)
    stage.hold()


def _ledger_locked(stage: Stage) -> None:
    stage.open_position()
    other = stage.second_pair
    bot = _running(stage.bot)
    with closing(sqlite3.connect(_ledger_file(stage), isolation_level=None, timeout=30)) as hog:
        hog.execute("BEGIN IMMEDIATE")
        free_again = time.monotonic() + LOCKED_SECONDS
        stage.enter(other)
        bot.wait_for(f"{other}: entry denied: LEDGER_UNAVAILABLE", 60)
        expect(bot.says("is locked"), "the bot did not say that the ledger is locked")
        stage.leave()
        until(lambda: not stage.venue.position(stage.pair), "exit beside a locked ledger")
        until(lambda: time.monotonic() > free_again, "end of the lock", LOCKED_SECONDS + 5)
        expect(len(stage.venue.accepted("entry")) == 1, "an entry beside a locked ledger")
        hog.execute("ROLLBACK")
    stage.enter(other)
    stage.wait_open(other)
    stage.hold()


# Scenes: two of a kind ---------------------------------------------------------------------------


def _second_config(stage: Stage, **changes: Any) -> Path:
    """Write the bot's config for a second process, with an API port of its own."""
    api = {**stage.config["api_server"], "listen_port": free_port()}
    path = stage.folder / "second.json"
    path.touch(0o600)
    path.write_text(json.dumps({**stage.config, "api_server": api, **changes}), "utf-8")
    return path


def _two_bots(stage: Stage) -> None:
    stage.open_position()
    same = stage.spawn_bot("same-name", config=_second_config(stage))
    _wait_ended(same, "already running in this portfolio")
    named = _second_config(stage, bot_name="other")
    elsewhere = stage.folder / "other_user_data"
    elsewhere.mkdir()
    other = stage.spawn_bot("other-name", config=named, userdir=elsewhere)
    _wait_ended(other, "another bot trades on the database")
    expect(len(stage.venue.accepted("entry")) == 1, "two entries")
    expect(len(stage.venue.stops(stage.pair)) == 1, "two stops")
    stage.settle()


def _two_reconcilers(stage: Stage) -> None:
    stage.open_position()
    second = stage.spawn_reconciler("second-reconciler")
    _wait_ended(second, "another `fractal reconcile` watches this account already")
    expect(not _running(stage.reconciler).has_ended(), "the first reconciler has ended")


DRILLS: tuple[Drill, ...] = (
    Drill(
        "database-corrupted",
        "rubbish over the bot's database while the bot is off",
        "Does not start; says that the database is malformed.",
        "The stop rests on the venue; the reconciler says DATABASE_UNREADABLE and closes every "
        "pair until a backup is restored.",
        _corrupted_at_start,
    ),
    Drill(
        "database-corrupted-running",
        "rubbish over the bot's database while the bot trades",
        "Goes on, errors in hooks counting as consent, or ends by itself; only the log has it.",
        "The reconciler says DATABASE_UNREADABLE and closes every pair until a backup is restored; "
        "the stop rests on the venue.",
        _corrupted_while_running,
    ),
    Drill(
        "database-read-only",
        "the bot's database can not be written when the bot starts",
        "Does not start, and says so.",
        "The stop rests on the venue until the bot is back.",
        _read_only,
        uses_bot=False,
    ),
    Drill(
        "disk-full",
        "the disk of database and ledger is full before an entry",
        "Sends the entry, can not write it down, and ends by itself: a position without a stop "
        "that nobody knows.",
        "No entry: LEDGER_UNAVAILABLE. When there is space again, entries go on by themselves.",
        _full_disk,
        uses_bot=False,
    ),
    Drill(
        "disk-full-with-position",
        "the disk of database and ledger fills up while a position is open",
        "Ends by itself at the first price that it would write down.",
        "The same; the stop rests on the venue until the bot is back.",
        _full_disk_with_position,
        uses_bot=False,
    ),
    Drill(
        "disk-full-database",
        "only the disk of the database is full, the ledger is elsewhere",
        "Sends the entry, can not write it down, and ends by itself: a position without a stop "
        "that nobody knows.",
        "No entry: the guard looks for room before the order is sent. When there is space again, "
        "entries go on by themselves.",
        _full_disk_of_database,
        uses_bot=False,
    ),
    Drill(
        "ledger-corrupted",
        "rubbish over the portfolio's ledger while the bot trades",
        "Has no ledger.",
        "Entries are denied with LEDGER_UNAVAILABLE, exits go on; with a new ledger entries do.",
        _ledger_corrupted,
    ),
    Drill(
        "ledger-locked",
        "another process holds the ledger's lock for 30 s",
        "Has no ledger.",
        "Entries are denied with LEDGER_UNAVAILABLE, exits go on; then entries do by themselves.",
        _ledger_locked,
    ),
    Drill(
        "two-processes-one-database",
        "a second bot is started on the first one's database, with its name and with another",
        "Starts: both look after the same trades and enter.",
        "The second does not start: one process for each bot name, one for each database.",
        _two_bots,
        fast=True,
    ),
    Drill(
        "two-reconcilers",
        "a second reconciler is started beside the first",
        "Has no reconciler.",
        "The second does not start: two would place two stops.",
        _two_reconcilers,
        fast=True,
    ),
)
