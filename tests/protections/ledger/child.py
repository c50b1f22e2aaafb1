"""Another bot's process: ``python -m tests.protections.ledger.start_child WHAT URL [NAME]``."""

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlalchemy import insert

from fractal_protections.portfolio.positions import Reservation
from fractal_protections.portfolio.sql import SqlLedger, engine, open_ledger
from fractal_protections.portfolio.sql.records import reservation_row
from fractal_protections.portfolio.sql.schema import reservations
from tests.protections.ledger.specimens import BTC, NOW, approve, request, slots


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # what the parent waits for


def reserve(ledger: SqlLedger) -> None:
    """Reserve, and hang before the order."""
    ledger.reserve(request("victim"), approve, NOW + timedelta(hours=24))
    say("reserved")
    signal.pause()


def hold(ledger: SqlLedger) -> None:
    """Hang in the middle of writing, with the lock."""
    half = Reservation("half", request("victim"), False, NOW)
    with ledger._database.write() as connection:
        connection.execute(insert(reservations).values(reservation_row(half)))
        say("holding")
        signal.pause()


def race(ledger: SqlLedger, bot: str) -> None:
    """Enter whenever the parent says so: at a moment, against limits."""
    say("ready")
    for line in sys.stdin:
        moment, slot_limit, margin_limit = line.split()
        judge = slots(int(slot_limit), Decimal(margin_limit))
        while time.monotonic() < float(moment):
            pass  # awake at the same instant as the others
        now = datetime.now(UTC)
        started = time.perf_counter()
        _, reservation = ledger.reserve(request(bot, f"{bot}-{BTC}", now), judge, now)
        milliseconds = (time.perf_counter() - started) * 1000
        say(f"{reservation.id if reservation else '-'} {milliseconds:.3f}")


def race_carelessly(ledger: SqlLedger, bot: str) -> None:
    """Race with a lock of one's own: the guilty specimen of the test."""
    engine._WRITERS_LOCK = os.getpid()
    race(ledger, bot)


def main() -> None:
    what, url, *names = sys.argv[1:]
    ledger = open_ledger(url, mode="dry_run", lock_timeout_seconds=5.0)
    say("opened")
    if what != "open":
        COMMANDS[what](ledger, *names)
    ledger.close()


COMMANDS: dict[str, Callable[..., None]] = {
    "reserve": reserve,
    "hold": hold,
    "race": race,
    "race-carelessly": race_carelessly,
}

if __name__ == "__main__":
    main()
