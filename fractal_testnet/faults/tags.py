"""What a request is about, read from its body without trusting any of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from fractal_testnet.faults.match import Match, Role

Path = Literal["info", "exchange"]


@dataclass(frozen=True, slots=True)
class OrderTag:
    """One order of a request.

    Parameters
    ----------
    coin : str or None
        Asset by name; None if its index is none of ours.
    role : {"entry", "stop", "exit"}
        What it is for.
    post_only : bool
        Whether it may only rest (time in force ``Alo``).
    """

    coin: str | None
    role: Role
    post_only: bool = False


@dataclass(frozen=True, slots=True)
class RequestTag:
    """What faults are matched against.

    Parameters
    ----------
    path : {"info", "exchange"}
        Where it was sent.
    type : str or None
        Type of the info request or action.
    orders : tuple of OrderTag
        Orders that it places or changes into.
    coins : tuple of str
        Assets that it names, orders' included.
    user : str or None
        Account in lower case, if known.
    """

    path: Path
    type: str | None = None
    orders: tuple[OrderTag, ...] = ()
    coins: tuple[str, ...] = ()
    user: str | None = None

    def only(self, index: int) -> RequestTag:
        """Return the tag of one order of the request alone."""
        order = self.orders[index]
        return replace(self, orders=(order,), coins=(order.coin,) if order.coin else ())

    def meets(self, match: Match) -> bool:
        """Tell whether a fault's filter lets this request in."""
        if match.path not in ("*", self.path):
            return False
        if match.type is not None and match.type != self.type:
            return False
        if match.user is not None and match.user.lower() != self.user:
            return False
        if match.role is None:
            return match.coin is None or match.coin in self.coins
        return any(
            order.role == match.role and match.coin in (None, order.coin) for order in self.orders
        )

    def shown(self) -> dict[str, Any]:
        """Return what is known, JSON-ready."""
        known: dict[str, Any] = {"path": self.path, "type": self.type, "user": self.user}
        known["coins"] = list(self.coins)
        known["roles"] = [order.role for order in self.orders]
        return {key: value for key, value in known.items() if value}


def tag_of(path: Path, body: object, assets: Sequence[str], user: str | None = None) -> RequestTag:
    """Read the tag of a request; never raises, whatever the body holds.

    Parameters
    ----------
    path : {"info", "exchange"}
        Where it was sent.
    body : object
        The decoded body.
    assets : sequence of str
        Asset names in the order of their indices.
    user : str, optional
        The account, if it is known; else that which an info request names.
    """
    fields = _object(body)
    if path == "info":
        coin = fields.get("coin", _object(fields.get("req")).get("coin"))
        coins = (coin,) if isinstance(coin, str) else ()
        return RequestTag("info", _text(fields.get("type")), (), coins, _address(fields, user))
    action = _object(fields.get("action"))
    orders = tuple(_order(wire, assets) for wire in _orders(action))
    named = [order.coin for order in orders]
    named += [_name(_object(item).get("a"), assets) for item in _list(action.get("cancels"))]
    named += [_name(_object(item).get("asset"), assets) for item in _list(action.get("cancels"))]
    named.append(_name(action.get("asset"), assets))
    distinct = tuple(dict.fromkeys(coin for coin in named if coin is not None))
    address = None if user is None else user.lower()
    return RequestTag("exchange", _text(action.get("type")), orders, distinct, address)


def _address(fields: dict[str, Any], known: str | None) -> str | None:
    user = known if known is not None else _text(fields.get("user"))
    return None if user is None else user.lower()


def _orders(action: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the orders of `order`, `modify` and `batchModify`."""
    for item in _list(action.get("orders")):
        yield _object(item)
    for item in _list(action.get("modifies")):
        yield _object(_object(item).get("order"))
    if isinstance(action.get("order"), dict):
        yield action["order"]


def _order(wire: dict[str, Any], assets: Sequence[str]) -> OrderTag:
    terms = _object(wire.get("t"))
    role: Role = "entry"
    if "trigger" in terms:
        role = "stop"
    elif wire.get("r") is True:
        role = "exit"
    post_only = _object(terms.get("limit")).get("tif") == "Alo"
    return OrderTag(_name(wire.get("a"), assets), role, post_only)


def _name(index: object, assets: Sequence[str]) -> str | None:
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(assets):
        return None
    return assets[index]


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
