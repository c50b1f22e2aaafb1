"""What goes into the database comes out as it was, and what is vague does not go in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from fractal_protections.portfolio.book import Fence, TradingState
from fractal_protections.portfolio.decisions import DenialCode, Denied
from fractal_protections.portfolio.ledger import Patience
from fractal_protections.portfolio.sql import SqlLedger
from fractal_protections.portfolio.sql.column_types import Moment
from tests.protections.ledger.specimens import (
    BTC,
    NOW,
    WAITS,
    approve,
    closed,
    position,
    report,
    request,
)

POSITIVE = st.decimals(min_value="0.00000001", max_value=10**18, places=8)
AMOUNTS = st.decimals(min_value=-(10**18), max_value=10**18, places=8)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2150, 1, 1), timezones=ZONES)  # noqa: DTZ001  # hypothesis adds the zones
NAIVE = datetime(2026, 11, 23, 11, 30)  # noqa: DTZ001  # the guilty specimen
# The ledger is one for all examples: each replaces or adds, and reads what it wrote.
one_ledger = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@one_ledger
@given(POSITIVE, POSITIVE, MOMENTS, st.floats(0, 100))
@example(Decimal("0.10000000"), Decimal("123456789012345678.00000001"), NOW, 0.1)
@example(Decimal("1E+5"), Decimal(0), NOW, 100.0)
def test_a_reservation_comes_back_as_it_was(
    sql_ledger: SqlLedger, margin: Decimal, loss: Decimal, at: datetime, confidence: float
) -> None:
    asked = request(
        at=at, margin=margin, notional=margin * 3, loss_at_stop=loss, confidence=confidence
    )
    _, reservation = sql_ledger.reserve(asked, approve, at)
    assert reservation is not None

    found = sql_ledger.book(NOW).reservations[-1]

    assert found == reservation
    assert found.request.at.tzinfo is UTC
    assert found.capital_until.utcoffset() == timedelta(0)
    sql_ledger.release(reservation.id, "", NOW)


@one_ledger
@given(AMOUNTS, MOMENTS)
def test_a_report_comes_back_as_it_was(
    sql_ledger: SqlLedger, amount: Decimal, at: datetime
) -> None:
    sent = replace(
        report("alpha", at, replace(position(entered_at=at), margin=amount)),
        balance=amount,
        open_profit=-amount,
    )

    told = sql_ledger.report(sent, WAITS)

    assert told == sql_ledger.book(at)
    assert told.positions == sent.positions
    assert told.bots["alpha"].balance == amount
    assert told.bots["alpha"].reported_at.tzinfo is UTC


@one_ledger
@given(st.integers(0, 10**9), AMOUNTS, MOMENTS)
def test_a_closed_trade_comes_back_as_it_was(
    sql_ledger: SqlLedger, trade_id: int, profit: Decimal, at: datetime
) -> None:
    bot = f"{at.isoformat()} {profit}"  # each example's own
    trade = replace(closed(trade_id, bot, at), profit=profit)

    sql_ledger.record_closed([trade])

    assert trade in sql_ledger.closed_trades(10_000)


@one_ledger
@given(st.lists(MOMENTS, min_size=2, max_size=5, unique=True))
def test_moments_sort_in_the_database_as_they_do_here(
    sql_ledger: SqlLedger, moments: list[datetime]
) -> None:
    bot = str(moments)
    sql_ledger.record_closed([closed(n, bot, at) for n, at in enumerate(moments)])

    told = [trade.closed_at for trade in sql_ledger.closed_trades(10_000) if trade.bot == bot]

    assert told == sorted(moments, reverse=True)


@pytest.mark.parametrize(
    "write",
    [
        lambda ledger: ledger.book(NAIVE),
        lambda ledger: ledger.reserve(request(at=NAIVE), approve, NOW),
        lambda ledger: ledger.reserve(request(), approve, NAIVE),
        lambda ledger: ledger.report(report(at=NAIVE), WAITS),
        lambda ledger: ledger.report(report("alpha", NOW, position(entered_at=NAIVE)), WAITS),
        lambda ledger: ledger.report(report(), Patience(NAIVE, orders_are_local=True)),
        lambda ledger: ledger.record_closed([closed(1, at=NAIVE)]),
        lambda ledger: ledger.deny("a", BTC, 1, Denied(DenialCode.HALTED, ""), None, NAIVE),
        lambda ledger: ledger.deny("a", BTC, 1, Denied(DenialCode.HALTED, ""), NAIVE, NOW),
        lambda ledger: ledger.set_state(TradingState.HALTED, "", "", NAIVE),
        lambda ledger: ledger.mark_daily_loss(NAIVE),
        lambda ledger: ledger.rebase(peak=True, day=True, by="operator", now=NAIVE),
        lambda ledger: ledger.fence(Fence(BTC, "POSITION_DRIFT", "", "a", NAIVE)),
        lambda ledger: ledger.equity_history(NAIVE),
    ],
)
def test_a_naive_moment_is_refused_and_nothing_written(sql_ledger: SqlLedger, write) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        write(sql_ledger)

    assert sql_ledger.events() == ()
    assert sql_ledger.denials(5) == ()
    assert sql_ledger.book(NOW).bots == {}


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("Infinity"), 0.1, 3])
def test_an_amount_that_is_no_finite_decimal_is_refused(sql_ledger: SqlLedger, amount) -> None:
    with pytest.raises(ValueError, match="not a finite Decimal"):
        sql_ledger.record_closed([replace(closed(1), profit=amount)])

    assert sql_ledger.closed_trades(9) == ()


def test_no_moment_stays_none() -> None:
    moment, dialect = Moment(), sqlite.dialect()

    assert moment.process_bind_param(None, dialect) is None
    assert moment.process_result_value(None, dialect) is None
