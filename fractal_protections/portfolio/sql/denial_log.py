"""Denials: one row for each kind and candle, with a count of its repeats."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from ..decisions import DenialCode, Denied
from ..ledger import DenialRecord
from .schema import denials

KEPT = timedelta(days=90)
NO_CANDLE = datetime.fromtimestamp(0, UTC)
"""Stands for "no candle" in the key, where NULL would be unequal to itself."""


def count_denial(
    connection: Connection,
    bot: str,
    pair: str,
    side: int,
    denied: Denied,
    candle: datetime | None,
    now: datetime,
) -> bool:
    """Log a denial; True if it is the first of its kind on this candle."""
    key = {
        "bot": bot,
        "pair": pair,
        "side": side,
        "code": denied.code.value,
        "candle": NO_CANDLE if candle is None else candle,
    }
    repeated = connection.execute(
        update(denials)
        .where(*(denials.c[column] == value for column, value in key.items()))
        .values(count=denials.c.count + 1, last_at=now)
    )
    if repeated.rowcount:
        return False
    connection.execute(
        insert(denials).values(**key, message=denied.message, first_at=now, last_at=now, count=1)
    )
    connection.execute(delete(denials).where(denials.c.last_at < now - KEPT))
    return True


def load_denials(connection: Connection, limit: int) -> tuple[DenialRecord, ...]:
    """Read the latest denials, newest first."""
    rows = connection.execute(
        select(denials).order_by(denials.c.last_at.desc(), denials.c.first_at.desc()).limit(limit)
    )
    return tuple(
        DenialRecord(
            row.bot,
            row.pair,
            row.side,
            DenialCode(row.code),
            row.message,
            None if row.candle == NO_CANDLE else row.candle,
            row.first_at,
            row.last_at,
            row._mapping["count"],  # a row is a tuple, whose own `count` is a method
        )
        for row in rows
    )
