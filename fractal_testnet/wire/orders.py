"""Orders as they stand on the wire, both ways."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from fractal_testnet.account.orders import Order, OrderRequest, Tif, Trigger, fires_below
from fractal_testnet.account.trader import FillRow, OrderEvent
from fractal_testnet.market import AssetSpec
from fractal_testnet.wire import format as fmt
from fractal_testnet.wire.errors import malformed

TOO_LARGE = Decimal(10**15)
LONGEST_NUMBER = 40
_CLOID = re.compile(r"^0x[0-9a-fA-F]{32}$")
_TIFS = {tif.value: tif for tif in Tif} | {"FrontendMarket": Tif.IOC}


def number(value: object, name: str) -> Decimal:
    """Read a decimal number in text.

    Raises
    ------
    WireError
        422 if it is no text of a finite number.
    """
    if not isinstance(value, str):
        raise malformed(f"{name} is {value!r}, not a number in text")
    try:
        parsed = Decimal(value)
    except InvalidOperation as error:
        raise malformed(f"{name} is {value!r}, not a number") from error
    if not parsed.is_finite():
        raise malformed(f"{name} is {value!r}, not a finite number")
    if abs(parsed) >= TOO_LARGE or len(value) > LONGEST_NUMBER:
        raise malformed(f"{name} is {value[:40]!r}, which no amount of anything is")
    return parsed


def asset_index(value: object, specs: list[AssetSpec]) -> int:
    """Read an asset's index.

    Raises
    ------
    WireError
        422 if it is none.
    """
    if type(value) is not int or not 0 <= value < len(specs):
        raise malformed(f"asset {value!r} does not exist: there are {len(specs)}")
    return value


def cloid(value: object) -> str | None:
    """Read a client order id; None where there is none.

    Raises
    ------
    WireError
        422 if it is not 128 bits in hexadecimal.
    """
    if value is None:
        return None
    if not isinstance(value, str) or not _CLOID.match(value):
        raise malformed(f"client order id {value!r} is not 0x and 32 hexadecimal digits")
    return value.lower()


def order_request(wire: object, specs: list[AssetSpec], builder_ratio: Decimal) -> OrderRequest:
    """Read an order.

    Parameters
    ----------
    wire : object
        Any JSON value; an order has a, b, p, s, r, t and maybe c.
    specs : list of AssetSpec
        The contracts in the order of their indices.
    builder_ratio : Decimal
        Fee for the maker of the program, over notional.

    Raises
    ------
    WireError
        422 if it is no order.
    """
    if not isinstance(wire, Mapping):
        raise malformed(f"an order is {wire!r}, not an object")
    spec = specs[asset_index(wire.get("a"), specs)]
    for name in ("b", "r"):
        if not isinstance(wire.get(name), bool):
            raise malformed(f"order.{name} is {wire.get(name)!r}, not true or false")
    kind = wire.get("t")
    if not isinstance(kind, Mapping) or len(kind) != 1:
        raise malformed(f"order.t is {kind!r}, not one of limit and trigger")
    tif, trigger = Tif.GTC, None
    if isinstance(limit := kind.get("limit"), Mapping):
        found = _TIFS.get(str(limit.get("tif")))
        if found is None:
            raise malformed(f"order.t.limit.tif is {limit.get('tif')!r}, not Gtc, Ioc or Alo")
        tif = found
    elif isinstance(wanted := kind.get("trigger"), Mapping):
        trigger = _trigger(wanted)
    else:
        raise malformed(f"order.t is {kind!r}, not one of limit and trigger")
    return OrderRequest(
        coin=spec.name,
        side=1 if wire["b"] else -1,
        size=number(wire.get("s"), "order.s"),
        price=number(wire.get("p"), "order.p"),
        tif=tif,
        reduce_only=wire["r"],
        trigger=trigger,
        cloid=cloid(wire.get("c")),
        builder_ratio=builder_ratio,
    )


def _trigger(wanted: Mapping[str, Any]) -> Trigger:
    is_market, tpsl = wanted.get("isMarket"), wanted.get("tpsl")
    if not isinstance(is_market, bool):
        raise malformed(f"trigger.isMarket is {is_market!r}, not true or false")
    if tpsl == "sl":
        return Trigger(number(wanted.get("triggerPx"), "trigger.triggerPx"), is_market, "sl")
    if tpsl == "tp":
        return Trigger(number(wanted.get("triggerPx"), "trigger.triggerPx"), is_market, "tp")
    raise malformed(f"trigger.tpsl is {tpsl!r}, not tp or sl")


def side(sign: int) -> str:
    """Return the venue's letter of a side: B buys, A sells."""
    return "B" if sign > 0 else "A"


def placed(order: Order, spec: AssetSpec) -> dict[str, Any]:
    """Return the answer to an accepted order."""
    ids: dict[str, Any] = {"oid": order.oid}
    if order.request.cloid is not None:
        ids["cloid"] = order.request.cloid
    if order.filled > 0 and not order.waits:
        total, average = fmt.size(order.filled, spec), fmt.average(order.average, spec)
        if not order.is_live or order.filled == order.request.size:
            return {"filled": {"totalSz": total, "avgPx": average, **ids}}
    return {"resting": ids}


def order_row(order: Order, spec: AssetSpec, remaining: Decimal | None = None) -> dict[str, Any]:
    """Return an order as `frontendOpenOrders` lists it.

    Parameters
    ----------
    order : Order
        The order.
    spec : AssetSpec
        Its contract.
    remaining : Decimal, optional
        What was left at another moment than now.
    """
    request, trigger = order.request, order.request.trigger
    left = order.remaining if remaining is None else remaining
    return {
        "coin": request.coin,
        "side": side(request.side),
        "limitPx": fmt.price(request.price, spec),
        "sz": fmt.size(left, spec),
        "oid": order.oid,
        "timestamp": order.placed_ms,
        "triggerCondition": "N/A" if trigger is None else _condition(request, spec),
        "isTrigger": trigger is not None,
        "triggerPx": "0.0" if trigger is None else fmt.price(trigger.price, spec),
        "children": [],
        "isPositionTpsl": False,
        "reduceOnly": request.reduce_only,
        "orderType": order.kind,
        "origSz": fmt.size(request.size, spec),
        "tif": request.tif.value if trigger is None else None,
        "cloid": request.cloid,
    }


def brief_row(order: Order, spec: AssetSpec) -> dict[str, Any]:
    """Return an order as `openOrders` lists it."""
    names = ("coin", "side", "limitPx", "sz", "oid", "timestamp", "origSz", "cloid", "reduceOnly")
    row = order_row(order, spec)
    return {name: row[name] for name in names if row[name] not in (None, False)}


def event_row(event: OrderEvent, spec: AssetSpec) -> dict[str, Any]:
    """Return a change of an order as `historicalOrders` and `orderUpdates` give it."""
    return {
        "order": order_row(event.order, spec, event.remaining),
        "status": event.status,
        "statusTimestamp": event.at_ms,
    }


def fill_row(fill: FillRow, spec: AssetSpec, user: str) -> dict[str, Any]:
    """Return an execution as `userFills` lists it."""
    row: dict[str, Any] = {
        "coin": fill.coin,
        "px": fmt.price(fill.price, spec),
        "sz": fmt.size(fill.size, spec),
        "side": side(fill.side),
        "time": fill.at_ms,
        "startPosition": fmt.size(fill.start_position, spec),
        "dir": fill.direction,
        "closedPnl": fmt.decimal(fill.closed_pnl, 6),
        "hash": fmt.digest(user, "fill", fill.tid),
        "oid": fill.oid,
        "crossed": fill.is_taker,
        "fee": fmt.decimal(fill.fee, 6),
        "tid": fill.tid,
        "feeToken": "USDC",
        "twapId": None,
    }
    if fill.cloid is not None:
        row["cloid"] = fill.cloid
    if fill.builder_fee > 0:
        row["builderFee"] = fmt.decimal(fill.builder_fee, 6)
    if fill.liquidation_mark is not None:
        mark = fmt.price(fill.liquidation_mark, spec)
        row["liquidation"] = {"liquidatedUser": user, "markPx": mark, "method": "backstop"}
    return row


def _condition(request: OrderRequest, spec: AssetSpec) -> str:
    if request.trigger is None:
        return "N/A"
    word = "below" if fires_below(request) else "above"
    return f"Price {word} {fmt.price(request.trigger.price, spec)}"
