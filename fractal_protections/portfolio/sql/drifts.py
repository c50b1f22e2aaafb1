"""Marks of drift, and the looks that write them."""

from dataclasses import asdict

from sqlalchemy import Connection, delete, insert, select

from ..drift import AccountLook, DriftMark, LookStatus, MarkChange, status_of_look, take_look
from ..journal import drift_detail
from .records import note, put
from .schema import drifts, looks


def write_look(connection: Connection, look: AccountLook) -> MarkChange:
    """Write what a look changes."""
    own = drifts.c.account == look.account
    known = [DriftMark(*row) for row in connection.execute(select(drifts).where(own))]
    change = take_look(known, look)
    connection.execute(delete(drifts).where(own))
    if change.marks:
        connection.execute(insert(drifts), [asdict(mark) for mark in change.marks])
    for mark in change.gone:
        note(connection, look.at, look.by, "aligned", mark.pair, drift_detail(mark))
    for mark in (*change.new, *change.changed):
        note(connection, look.at, look.by, "drifted", mark.pair, drift_detail(mark))
    is_known = connection.scalar(select(looks.c.account).where(looks.c.account == look.account))
    put(connection, looks, asdict(status_of_look(look)), is_known=is_known is not None)
    return change


def load_looks(connection: Connection) -> tuple[LookStatus, ...]:
    """Read the latest look at every account."""
    rows = connection.execute(select(looks).order_by(looks.c.account))
    return tuple(LookStatus(*row) for row in rows)


def drop_account(connection: Connection, account: str) -> None:
    """Forget an account that no bot trades any more."""
    for table in (drifts, looks):
        connection.execute(delete(table).where(table.c.account == account))
