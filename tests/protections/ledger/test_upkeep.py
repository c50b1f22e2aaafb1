"""What grows is pruned, the curve has few points, reports are cheap, and checks find faults."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, text

from fractal_protections.portfolio.decisions import DenialCode, Denied
from fractal_protections.portfolio.sql import EquityPoint, SqlLedger
from tests.protections.ledger.conftest import Opener
from tests.protections.ledger.specimens import (
    BTC,
    DAY,
    ETH,
    NOW,
    SECOND,
    WAITS,
    approve,
    closed,
    position,
    report,
    request,
)

MINUTE = timedelta(minutes=1)
NO = Denied(DenialCode.HALTED, "no")


@contextmanager
def statements(ledger: SqlLedger) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        seen.append(statement)

    event.listen(ledger._database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(ledger._database.engine, "before_cursor_execute", note)


def test_the_curve_gets_a_point_every_five_minutes_for_each_account(
    sql_ledger: SqlLedger,
) -> None:
    for minute in range(11):
        at = NOW + minute * MINUTE
        sql_ledger.report(report("alpha", at, account="one", balance=str(100 - minute)), WAITS)
    sql_ledger.report(report("beta", NOW + MINUTE, account="two"), WAITS)

    assert sql_ledger.equity_history(NOW) == (
        EquityPoint("one", NOW, Decimal(100), Decimal(100)),
        EquityPoint("two", NOW + MINUTE, Decimal(1000), Decimal(1000)),
        EquityPoint("one", NOW + 5 * MINUTE, Decimal(95), Decimal(100)),
        EquityPoint("one", NOW + 10 * MINUTE, Decimal(90), Decimal(100)),
    )
    assert len(sql_ledger.equity_history(NOW + 5 * MINUTE)) == 2


def test_points_older_than_400_days_go(sql_ledger: SqlLedger) -> None:
    for days in (0, 1, 401):
        sql_ledger.report(report(at=NOW + days * DAY), WAITS)
    sql_ledger.report(report("beta", NOW, account="other"), WAITS)

    points = [(point.account, point.at) for point in sql_ledger.equity_history(NOW - DAY)]
    assert points == [("other", NOW), ("wallet", NOW + DAY), ("wallet", NOW + 401 * DAY)]


def test_a_forgotten_account_keeps_its_curve(sql_ledger: SqlLedger) -> None:
    sql_ledger.report(report(), WAITS)
    sql_ledger.forget("alpha", "operator", NOW)
    sql_ledger.report(report(balance="5"), WAITS)

    assert [point.equity for point in sql_ledger.equity_history(NOW)] == [1000]


def test_denials_older_than_90_days_go_with_the_next_new_one(sql_ledger: SqlLedger) -> None:
    sql_ledger.deny("alpha", BTC, 1, NO, None, NOW)
    sql_ledger.deny("alpha", ETH, 1, NO, None, NOW + DAY)
    sql_ledger.deny("alpha", ETH, 1, NO, None, NOW + 91 * DAY)
    assert len(sql_ledger.denials(9)) == 2

    sql_ledger.deny("alpha", ETH, -1, NO, None, NOW + 91 * DAY)

    assert {(denial.pair, denial.side) for denial in sql_ledger.denials(9)} == {(ETH, 1), (ETH, -1)}


def test_a_report_without_news_is_few_statements_and_leaves_the_positions(
    sql_ledger: SqlLedger,
) -> None:
    sql_ledger.report(report("alpha", NOW, position(), position(pair=ETH)), WAITS)

    with statements(sql_ledger) as seen:
        sql_ledger.report(report("alpha", NOW + SECOND, position(), position(pair=ETH)), WAITS)

    # Seven tables of the book, the account, the bot, and what begins the transaction.
    assert len(seen) <= 12, seen
    written = [line for line in seen if not line.startswith(("SELECT", "BEGIN"))]
    assert {line.split()[1] for line in written} == {"accounts", "bots"}


def test_known_closed_trades_are_not_written_again(sql_ledger: SqlLedger) -> None:
    trades = [closed(number) for number in range(700)]
    sql_ledger.record_closed(trades)

    with statements(sql_ledger) as seen:
        sql_ledger.record_closed(trades)

    assert not [line for line in seen if line.startswith("INSERT")]
    assert len(seen) <= 4


def test_a_sound_ledger_has_no_problems(sql_ledger: SqlLedger) -> None:
    sql_ledger.report(report("alpha", NOW, position()), WAITS)
    sql_ledger.reserve(request(), approve, NOW)

    problems = [problem for problem in sql_ledger.check() if "in the future" not in problem]
    assert problems == []


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        ("UPDATE positions SET margin = '0'", "position of alpha in BTC/USDC:USDC: side 1, margin"),
        ("UPDATE positions SET side = 0", "position of alpha in BTC/USDC:USDC: side 0"),
        ("UPDATE reservations SET notional = '-1'", "is damaged"),
        ("UPDATE reservations SET side = 7", "is damaged"),
        ("UPDATE meta SET state = 'SLEEPY'", "is damaged"),
        ("UPDATE accounts SET peak_equity = '1'", "peak equity 1 is below its equity 1000"),
        ("UPDATE accounts SET updated_at = '2999-01-01T00:00:00.000000+00:00'", "in the future"),
        ("UPDATE meta SET ledger_id = 'other'", "was replaced by another one"),
        ("ALTER TABLE fences RENAME TO gone", "lacks its tables"),
    ],
)
def test_a_check_finds_what_can_not_be(sql_ledger: SqlLedger, damage: str, problem: str) -> None:
    sql_ledger.report(report("alpha", NOW - 9 * DAY, position()), WAITS)
    sql_ledger.reserve(request(pair=ETH), approve, NOW)
    with sql_ledger._database.write() as connection:
        connection.execute(
            text(damage.replace("'0'", "0").replace("'-1'", "-1").replace("'1'", "1"))
        )

    assert any(problem in found for found in sql_ledger.check())


def test_a_check_tells_a_ledger_that_can_not_be_written(sqlite_url: str, opened: Opener) -> None:
    ledger = opened(sqlite_url)

    @event.listens_for(ledger._database.engine, "checkout")
    def read_only(connection, *_rest) -> None:
        connection.execute("PRAGMA query_only=ON")

    (problem,) = ledger.check()
    assert "is read-only" in problem
