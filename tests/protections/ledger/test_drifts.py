"""Marks of drift: closed by any look, opened only by one that saw everything."""

import json
from dataclasses import replace

import pytest
from alembic import command
from sqlalchemy import text

from fractal_protections.portfolio.drift import ALL_PAIRS, AccountLook, LookStatus, SeenDrift
from fractal_protections.portfolio.ledger import Ledger
from fractal_protections.portfolio.sql import SqlLedger, migrate
from tests.protections.ledger.conftest import Opener
from tests.protections.ledger.specimens import (
    BTC,
    DAY,
    ETH,
    NOW,
    SECOND,
    WAITS,
    approve,
    report,
    request,
)

UNKNOWN = SeenDrift(BTC, "UNKNOWN_POSITION", "the venue holds long 2", confirmed=False)
NO_STOP = SeenDrift(ETH, "NO_STOP", "short 1 without a stop", confirmed=True)


def look(*drifts: SeenDrift, at=NOW, account: str = "wallet", complete: bool = True) -> AccountLook:
    result = "drift" if drifts else "aligned"
    return AccountLook(account, at, "reconciler", result, drifts, complete, 15.0)


def marked(ledger: Ledger) -> list[tuple[str, str]]:
    return [(mark.account, mark.pair) for mark in ledger.book(NOW).drifts]


def test_a_look_marks_what_it_sees_and_an_aligned_one_takes_it_away(ledger: Ledger) -> None:
    change = ledger.take_look(look(UNKNOWN, NO_STOP))
    assert [mark.pair for mark in change.new] == [BTC, ETH]
    assert ledger.book(NOW).drifts == change.marks
    assert [mark.confirmed for mark in change.marks] == [False, True]

    change = ledger.take_look(look(at=NOW + SECOND))

    assert [mark.pair for mark in change.gone] == [BTC, ETH]
    assert ledger.book(NOW).drifts == ()
    assert [event.kind for event in ledger.events()] == ["drifted"] * 2 + ["aligned"] * 2
    assert json.loads(ledger.events()[0].detail) == {
        "account": "wallet",
        "kind": "UNKNOWN_POSITION",
        "message": "the venue holds long 2",
        "confirmed": False,
    }


def test_a_mark_keeps_its_beginning_and_is_noted_again_only_when_it_says_else(
    ledger: Ledger,
) -> None:
    ledger.take_look(look(UNKNOWN))
    ledger.take_look(look(replace(UNKNOWN, message="the venue holds long 3"), at=NOW + SECOND))

    (mark,) = ledger.book(NOW).drifts
    assert (mark.since, mark.last_seen) == (NOW, NOW + SECOND)
    assert mark.message == "the venue holds long 3"
    assert len(ledger.events()) == 1

    change = ledger.take_look(look(replace(UNKNOWN, confirmed=True), at=NOW + 2 * SECOND))

    assert change.new == ()
    assert change.changed == ledger.book(NOW).drifts
    assert [event.kind for event in ledger.events()] == ["drifted"] * 2


def test_a_look_that_did_not_see_everything_opens_nothing(ledger: Ledger) -> None:
    ledger.take_look(look(UNKNOWN))
    blind = SeenDrift(ALL_PAIRS, "VENUE_UNREACHABLE", "timed out", confirmed=True)

    change = ledger.take_look(look(blind, at=NOW + SECOND, complete=False))

    assert change.gone == ()
    assert marked(ledger) == [("wallet", ALL_PAIRS), ("wallet", BTC)]

    ledger.take_look(look(at=NOW + 2 * SECOND))
    assert marked(ledger) == []


def test_a_look_at_one_account_leaves_the_marks_of_others(ledger: Ledger) -> None:
    ledger.take_look(look(UNKNOWN))
    ledger.take_look(look(NO_STOP, account="other"))

    ledger.take_look(look())

    assert marked(ledger) == [("other", ETH)]


def test_the_latest_look_at_each_account_is_kept(ledger: Ledger) -> None:
    assert ledger.looks() == ()

    ledger.take_look(look(UNKNOWN))
    ledger.take_look(look(at=NOW + SECOND))
    ledger.take_look(replace(look(account="other"), interval_seconds=None))

    assert ledger.looks() == (
        LookStatus("other", NOW, "reconciler", "aligned", None),
        LookStatus("wallet", NOW + SECOND, "reconciler", "aligned", 15.0),
    )


def test_a_person_opens_a_pair_and_the_next_look_closes_it_again(ledger: Ledger) -> None:
    ledger.take_look(look(UNKNOWN, NO_STOP))

    assert ledger.clear(BTC, "operator", NOW)
    assert not ledger.clear(BTC, "operator", NOW)
    assert marked(ledger) == [("wallet", ETH)]

    ledger.take_look(look(UNKNOWN, NO_STOP, at=NOW + SECOND))
    assert marked(ledger) == [("wallet", BTC), ("wallet", ETH)]


def test_an_account_without_bots_takes_its_marks_along(ledger: Ledger) -> None:
    for bot in ("alpha", "beta"):
        ledger.report(report(bot), WAITS)
    ledger.take_look(look(UNKNOWN))

    ledger.forget("alpha", "operator", NOW)
    assert marked(ledger) == [("wallet", BTC)]

    ledger.forget("beta", "operator", NOW)
    assert marked(ledger) == []
    assert ledger.looks() == ()


def test_the_judge_of_a_reservation_sees_the_marks(ledger: Ledger) -> None:
    ledger.take_look(look(UNKNOWN))
    seen = []

    def judge(book):
        seen.append(book.drifts)
        return approve(book)

    ledger.reserve(request(), judge, NOW + DAY)

    assert seen == [ledger.book(NOW).drifts]
    assert len(seen[0]) == 1


def test_a_ledger_of_the_first_version_gets_the_tables_and_keeps_what_it_has(
    url: str, opened: Opener
) -> None:
    old = opened(url)
    _, reservation = old.reserve(request(), approve, NOW + DAY)
    back_to_first(old)
    old.close()

    now = opened(url)
    now.take_look(look(UNKNOWN))

    assert now.book(NOW).reservations == (reservation,)
    assert marked(now) == [("wallet", BTC)]
    assert not [problem for problem in now.check() if "version" in problem]


def back_to_first(ledger: SqlLedger) -> None:
    with ledger._database.write() as connection:
        for table in ("drifts", "looks"):
            connection.execute(text(f"DROP TABLE {table}"))
        config = migrate._config()
        config.attributes["connection"] = connection
        command.stamp(config, "0001")


def test_a_moment_without_a_zone_is_refused(sql_ledger: SqlLedger) -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        sql_ledger.take_look(look(at=NOW.replace(tzinfo=None)))
    assert sql_ledger.looks() == ()
