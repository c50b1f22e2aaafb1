"""Column types that keep amounts exact and moments in UTC, on SQLite and PostgreSQL alike."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import DateTime, Dialect, Numeric, Text
from sqlalchemy.types import TypeDecorator, TypeEngine


def as_utc(moment: datetime) -> datetime:
    """Convert a moment to UTC.

    Raises
    ------
    ValueError
        `moment` has no time zone, so nobody knows when it is.
    """
    if moment.utcoffset() is None:
        raise ValueError(f"{moment!r} has no time zone: give the ledger datetimes in UTC")
    return moment.astimezone(UTC)


class Amount(TypeDecorator[Decimal]):
    """An exact decimal: NUMERIC on PostgreSQL; text on SQLite, whose numbers are binary.

    Raises
    ------
    ValueError
        The value is not a Decimal, or not a finite one.
    """

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type in a database."""
        chosen: TypeEngine[Any] = Text() if dialect.name == "sqlite" else Numeric()
        return dialect.type_descriptor(chosen)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Convert for the database."""
        if not isinstance(value, Decimal) or not value.is_finite():
            raise ValueError(f"amount {value!r} is not a finite Decimal: book it with money()")
        return str(value) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal:
        """Convert from the database."""
        return Decimal(value)


class Moment(TypeDecorator[datetime]):
    """A moment in UTC; on SQLite as text of one width, so that texts sort as moments do.

    Raises
    ------
    ValueError
        The value has no time zone.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type in a database."""
        chosen: TypeEngine[Any] = Text() if dialect.name == "sqlite" else DateTime(timezone=True)
        return dialect.type_descriptor(chosen)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Convert for the database."""
        if value is None:
            return None
        moment = as_utc(value)
        return moment.isoformat(timespec="microseconds") if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Convert from the database."""
        if value is None:
            return None
        return as_utc(datetime.fromisoformat(value) if isinstance(value, str) else value)
