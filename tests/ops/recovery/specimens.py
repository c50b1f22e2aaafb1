"""Books that are aligned, and small ways to break them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from fractal_ops.recovery.facts import (
    Claim,
    RecordedOrder,
    RecordedTrade,
    Role,
    Snapshot,
    VenueOrder,
    VenuePosition,
)

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BTC, ETH = "BTC/USDC:USDC", "ETH/USDC:USDC"
STEP = Decimal("0.001")


def d(text: str | int) -> Decimal:
    return Decimal(text)


def entry(order_id: str = "1", filled: str = "2", **changes: Any) -> RecordedOrder:
    values = {"is_open": False, "status": "closed", **changes}
    return RecordedOrder(order_id, Role.ENTRY, filled=d(filled), **values)


def stop(order_id: str = "2", **changes: Any) -> RecordedOrder:
    values = {"is_open": True, "status": "open", "filled": d(0), **changes}
    return RecordedOrder(order_id, Role.STOP, **values)


def trade(*orders: RecordedOrder, **changes: Any) -> RecordedTrade:
    """A long of 2 at about 100, with its stop at 95."""
    values: dict[str, Any] = {
        "database": "trades.sqlite",
        "id": 7,
        "pair": BTC,
        "side": 1,
        "amount": d(2),
        "stop_price": d(95),
        "orders": orders or (entry(), stop()),
        **changes,
    }
    return RecordedTrade(**values)


def venue_stop(order_id: str = "2", size: str = "2", **changes: Any) -> VenueOrder:
    """A stop of a long, its limit 3 % below its trigger."""
    values: dict[str, Any] = {
        "pair": BTC,
        "side": -1,
        "remaining": d(size),
        "filled": d(0),
        "limit_price": d("92.15"),
        "reduce_only": True,
        "trigger_price": d(95),
        "is_stop": True,
        **changes,
    }
    return VenueOrder(order_id, **values)


def venue_order(order_id: str = "9", size: str = "2", **changes: Any) -> VenueOrder:
    """A resting order that would open a long."""
    values: dict[str, Any] = {
        "side": 1,
        "limit_price": d(98),
        "reduce_only": False,
        "trigger_price": None,
        "is_stop": False,
        **changes,
    }
    return venue_stop(order_id, size, **values)


def held(size: str = "2", mark: str = "100", pair: str = BTC) -> dict[str, VenuePosition]:
    return {pair: VenuePosition(pair, d(size), d(mark))}


def aligned(**changes: Any) -> Snapshot:
    """One long with its stop, on both sides."""
    values: dict[str, Any] = {
        "at": NOW,
        "equity": d(1000),
        "positions": held(),
        "orders": (venue_stop(),),
        "trades": (trade(),),
        "steps": {BTC: STEP, ETH: STEP},
        "claims": (Claim("bot/A", BTC),),
        **changes,
    }
    return Snapshot(**values)


def flat(**changes: Any) -> Snapshot:
    """Nothing anywhere, with money in the account."""
    empty = {"positions": {}, "orders": (), "trades": (), "claims": ()}
    return aligned(**{**empty, **changes})


def at(snapshot: Snapshot, seconds: float, **changes: Any) -> Snapshot:
    return replace(snapshot, at=NOW + seconds * SECOND, **changes)
