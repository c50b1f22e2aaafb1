"""The curve of each account's equity, a point every few minutes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, delete, insert, select

from ..equity import AccountTrack
from .schema import equity_snapshots

INTERVAL = timedelta(minutes=5)
KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """Equity of an account at one moment.

    Parameters
    ----------
    account
        Which account.
    at
        When, UTC.
    equity, peak
        Its money, and the highest so far; stake currency.
    """

    account: str
    at: datetime
    equity: Decimal
    peak: Decimal


def is_due(latest: datetime | None, now: datetime) -> bool:
    """Tell whether an account whose latest point is `latest` gets another."""
    return latest is None or now - latest >= INTERVAL


def append(connection: Connection, track: AccountTrack) -> None:
    """Add a point, and drop the account's oldest ones.

    A point that is there already stays: an account that was forgotten and reported again at
    the same moment.
    """
    at = track.updated_at
    of_account = equity_snapshots.c.account == track.account
    connection.execute(
        delete(equity_snapshots).where(of_account, equity_snapshots.c.at < at - KEPT)
    )
    if not connection.scalar(
        select(equity_snapshots.c.at).where(of_account, equity_snapshots.c.at == at)
    ):
        connection.execute(
            insert(equity_snapshots).values(
                account=track.account, at=at, equity=track.equity, peak=track.peak_equity
            )
        )


def load(connection: Connection, since: datetime) -> tuple[EquityPoint, ...]:
    """Read the points from a moment on, oldest first."""
    table = equity_snapshots
    rows = connection.execute(
        select(table.c.account, table.c.at, table.c.equity, table.c.peak)
        .where(table.c.at >= since)
        .order_by(table.c.at, table.c.account)
    )
    return tuple(EquityPoint(*row) for row in rows)
