"""A bot is killed with SIGKILL: what it had written stays, what it had begun does not."""

import time
from datetime import timedelta

import pytest

from fractal_protections.portfolio.ledger import LedgerError, Patience
from tests.kit import eventually
from tests.protections.ledger.conftest import Child, Opener
from tests.protections.ledger.specimens import BTC, NOW, SECOND, approve, report, request

CAPITAL_UNTIL = NOW + timedelta(hours=24)  # as in child.py


@pytest.fixture
def after_crash(url: str, opened: Opener, child: Child):
    """The ledger after a bot has died between its reservation and its order."""
    ledger = opened(url)
    victim = child("reserve", url)
    victim.wait_for_output("reserved")
    victim.popen.kill()
    assert victim.wait() == -9
    return ledger


def test_a_killed_bots_reservation_still_holds_capital(after_crash) -> None:
    (reservation,) = after_crash.book(NOW).reservations

    assert (reservation.request.bot, reservation.ambiguous) == ("victim", False)
    assert len(after_crash.book(NOW).exposures()) == 1


def test_after_its_restart_a_local_order_is_released(after_crash) -> None:
    patience = Patience(NOW + timedelta(days=9), orders_are_local=True)

    book = after_crash.report(report("victim", NOW + SECOND), patience)

    assert book.reservations == ()
    assert after_crash.events()[-1].kind == "released"


def test_after_its_restart_a_venues_order_is_ambiguous_until_cleared(after_crash) -> None:
    patience = Patience(NOW + SECOND, orders_are_local=False)

    after_crash.report(report("victim", NOW + SECOND), patience)

    assert len(after_crash.book(CAPITAL_UNTIL - SECOND).exposures()) == 1
    later = after_crash.book(CAPITAL_UNTIL)
    assert later.exposures() == ()
    assert [(held.request.pair, held.ambiguous) for held in later.reservations] == [(BTC, True)]

    assert after_crash.clear(BTC, "operator", CAPITAL_UNTIL)
    assert after_crash.book(CAPITAL_UNTIL).reservations == ()


def test_a_bot_killed_while_writing_leaves_nothing_and_no_lock(
    url: str, opened: Opener, child: Child
) -> None:
    ledger = opened(url, lock_timeout_seconds=0.2)
    victim = child("hold", url)
    victim.wait_for_output("holding")
    with pytest.raises(LedgerError, match="locked"):  # it did hold the lock
        ledger.reserve(request(), approve, NOW)

    victim.popen.kill()
    victim.wait()

    def reserved() -> bool:
        try:
            return ledger.reserve(request(), approve, NOW)[1] is not None
        except LedgerError:
            return False  # PostgreSQL's server may take a moment to notice

    eventually(reserved, 5)
    assert [held.request.bot for held in ledger.book(NOW).reservations] == ["alpha"]
    assert [event.bot for event in ledger.events()] == ["alpha"]


def test_a_locked_ledger_says_so_in_time_and_works_again_later(
    url: str, opened: Opener, child: Child
) -> None:
    ledger = opened(url, lock_timeout_seconds=0.3)
    holder = child("hold", url)
    holder.wait_for_output("holding")

    for _ in range(3):
        started = time.monotonic()
        with pytest.raises(LedgerError, match="is locked: another bot held it") as raised:
            ledger.reserve(request(), approve, NOW)
        assert 0.25 < time.monotonic() - started < 1.3
        assert raised.value.__cause__ is not None
    # Readers need no lock, and see nothing of what is half written.
    assert ledger.book(NOW).reservations == ()
    assert opened(url, mode=None, lock_timeout_seconds=0.3).events() == ()
    with pytest.raises(LedgerError, match="is locked"):
        opened(url, lock_timeout_seconds=0.3)

    holder.popen.kill()
    holder.wait()
    eventually(lambda: can_reserve(ledger), 5)


def can_reserve(ledger) -> bool:
    try:
        return ledger.reserve(request(), approve, NOW)[1] is not None
    except LedgerError:
        return False
