"""freqtrade's tables as far as they are read, and their rows as facts."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, Column, Float, Integer, MetaData, Row, String, Table

from fractal_ops.recovery.facts import ZERO, RecordedOrder, RecordedTrade, Role

_metadata = MetaData()
# Only what is read; freqtrade's tables have more.
trades = Table(
    "trades",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("pair", String),
    Column("is_open", Boolean),
    Column("is_short", Boolean),
    Column("amount", Float),
    Column("stop_loss", Float),
    Column("liquidation_price", Float),
)
orders = Table(
    "orders",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("ft_trade_id", Integer),
    Column("ft_order_side", String),
    Column("ft_is_open", Boolean),
    Column("order_id", String),
    Column("status", String),
    Column("filled", Float),
)


def trade_of(database: str, row: Row[Any], rows: Sequence[Row[Any]]) -> RecordedTrade:
    """Read a trade and its orders.

    Raises
    ------
    ValueError
        A number is none.
    """
    return RecordedTrade(
        database=database,
        id=row.id,
        pair=row.pair,
        side=-1 if row.is_short else 1,
        amount=_decimal(row.amount),
        stop_price=_stop_price(row),
        orders=tuple(
            RecordedOrder(
                id=order.order_id,
                role=_role(order.ft_order_side, is_short=row.is_short),
                is_open=order.ft_is_open,
                status=order.status or "",
                filled=_decimal(order.filled),
            )
            for order in rows
        ),
    )


def _role(order_side: str, *, is_short: bool) -> Role:
    if order_side == "stoploss":
        return Role.STOP
    is_entry = order_side == ("sell" if is_short else "buy")
    return Role.ENTRY if is_entry else Role.EXIT


def _stop_price(row: Row[Any]) -> Decimal | None:
    """Return freqtrade's stop: never beyond the price where the venue would liquidate."""
    prices = [_decimal(p) for p in (row.stop_loss, row.liquidation_price) if p]
    if not prices:
        return None
    return min(prices) if row.is_short else max(prices)


def _decimal(value: float | None) -> Decimal:
    # By its shortest text: 0.1 is 0.1 and not the binary number next to it.
    number = Decimal(repr(value)) if value is not None else ZERO
    if not number.is_finite():
        raise ValueError(f"it holds the number {value}")
    return number
