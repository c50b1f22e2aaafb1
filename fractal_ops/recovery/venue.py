"""The venue, read through ccxt: a wrong shape is no answer, and no answer is not empty."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import ccxt

from fractal_ops.recovery.facts import ZERO, OrderAnswer, VenueOrder, VenuePosition

logger = logging.getLogger(__name__)

TRIES = 2

T = TypeVar("T")


class VenueUnreachableError(Exception):
    """The venue did not answer, or not with what it should: nothing is known."""


class Venue:
    """Reads one account.

    Parameters
    ----------
    client
        A ccxt client of Hyperliquid with the account's address.
    dexes
        Builder-deployed exchanges (``exchange.hip3_dexes``) that are read beside the main one.
    """

    def __init__(self, client: Any, dexes: Sequence[str] = ()) -> None:
        self.client = client
        self._parameters: list[dict[str, str]] = [{}, *({"dex": dex} for dex in dexes)]

    def positions(self) -> dict[str, VenuePosition]:
        """Read the open positions, by pair.

        Raises
        ------
        VenueUnreachableError
            The venue did not answer as it should.
        """
        found: dict[str, VenuePosition] = {}
        for parameters in self._parameters:
            said = self._info("clearinghouseState", parameters)
            for row in _rows(said, "assetPositions"):
                position = _understood(
                    lambda raw: position_of(self.client.parse_position(raw)), row
                )
                if position.size:
                    found[position.pair] = position
        return found

    def orders(self) -> tuple[VenueOrder, ...]:
        """Read the open orders, stops included.

        Raises
        ------
        VenueUnreachableError
            The venue did not answer as it should.
        """
        return tuple(
            _understood(lambda raw: order_of(self.client.parse_order(raw)), row)
            for parameters in self._parameters
            for row in _rows(self._info("frontendOpenOrders", parameters))
        )

    def answer(self, order_id: str, pair: str) -> OrderAnswer:
        """Ask about one order, by the venue's id or by the client's own.

        Raises
        ------
        VenueUnreachableError
            The venue did not answer as it should; an order that it does not know is an answer.
        """
        try:
            row = self._ask(self.client.fetch_order, order_id, pair)
        except ccxt.OrderNotFound:
            return OrderAnswer("")
        return _understood(_answer_of, row)

    def equity(self) -> Decimal:
        """Read what the account is worth: perpetuals, and spot where that is empty.

        Raises
        ------
        VenueUnreachableError
            The venue did not answer as it should.
        """
        total = ZERO
        for parameters in (*self._parameters, {"type": "spot"}):
            row = self._ask(self.client.fetch_balance, parameters)
            # Any coin counts: the question is only whether anything at all is there.
            total += sum((_number(v) for v in row["total"].values() if v is not None), ZERO)
            if total:
                break
        return total

    def time(self) -> datetime:
        """Read the venue's clock, UTC.

        Raises
        ------
        VenueUnreachableError
            The venue did not answer as it should.
        """
        said = self._ask(self.client.fetch_time)
        if said is None:
            raise VenueUnreachableError("its answer makes no sense: it names no time")
        return datetime.fromtimestamp(int(said) / 1000, tz=UTC)

    def step(self, pair: str) -> Decimal:
        """Return the smallest step of a pair's size.

        Raises
        ------
        VenueUnreachableError
            The venue knows no such pair.
        """
        if pair not in (self.client.markets or {}):
            self._ask(self.client.load_markets, True)  # listed since we asked
        try:
            return _number(self.client.market(pair)["precision"]["amount"])
        except (ccxt.BaseError, LookupError, TypeError, InvalidOperation) as error:
            raise VenueUnreachableError(f"the venue lists no {pair}: {error}") from error

    def _info(self, kind: str, parameters: Mapping[str, str]) -> Any:
        """Ask for what ccxt's own methods would make an empty list of, had it another shape."""
        user = self.client.handle_public_address("fetchPositions", {})[0]
        return self._ask(self.client.publicPostInfo, {"type": kind, "user": user, **parameters})

    def _ask(self, question: Callable[..., Any], *arguments: Any) -> Any:
        """Ask, and once more after a network's hiccup: reading twice does no harm."""
        for attempt in range(1, TRIES + 1):
            try:
                return question(*arguments)
            except ccxt.OrderNotFound:
                raise
            except ccxt.BaseError as error:
                if attempt < TRIES and isinstance(error, ccxt.NetworkError):
                    logger.info("asking the venue again: %s", error)
                    continue
                raise VenueUnreachableError(f"{type(error).__name__}: {error}") from error
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                # ccxt stumbles over an answer of an unexpected shape.
                raise VenueUnreachableError(
                    f"its answer makes no sense ({type(error).__name__}: {error})"
                ) from error
        raise AssertionError("the last try returns or raises")


def _rows(said: Any, key: str | None = None) -> list[Mapping[str, Any]]:
    rows = said
    if key is not None:
        rows = said.get(key) if isinstance(said, dict) else None
    if not isinstance(rows, list):
        raise VenueUnreachableError(f"its answer makes no sense: {str(said)[:80]}")
    return rows


def position_of(row: Mapping[str, Any]) -> VenuePosition:
    """Read a position as ccxt gives it; exact numbers come from the venue's own words."""
    held = row["info"]["position"]
    size = _number(held["szi"])
    mark = abs(_number(held["positionValue"]) / size) if size else ZERO
    return VenuePosition(str(row["symbol"]), size, mark)


def order_of(row: Mapping[str, Any]) -> VenueOrder:
    """Read an order as ccxt gives it; exact numbers come from the venue's own words."""
    raw = row["info"]
    remaining = _number(raw["sz"])
    trigger = _number(raw["triggerPx"]) if raw.get("isTrigger") else None
    return VenueOrder(
        id=str(raw["oid"]),
        pair=str(row["symbol"]),
        side=1 if raw["side"] == "B" else -1,
        remaining=remaining,
        filled=_number(raw.get("origSz", raw["sz"])) - remaining,
        limit_price=_number(raw["limitPx"]),
        reduce_only=bool(raw.get("reduceOnly")),
        trigger_price=trigger,
        is_stop="stop" in str(raw.get("orderType", "")).lower(),
        cloid=raw.get("cloid"),
    )


def _answer_of(row: Mapping[str, Any]) -> OrderAnswer:
    status, raw = str(row["info"]["status"]), row["info"]["order"]
    size = _number(raw["origSz"])
    return OrderAnswer(status, size if status == "filled" else size - _number(raw["sz"]))


def _number(value: Any) -> Decimal:
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError(f"{value} is no number")
    return number


def _understood(read: Callable[[Mapping[str, Any]], T], row: Mapping[str, Any]) -> T:
    try:
        return read(row)
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise VenueUnreachableError(
            f"its answer makes no sense ({type(error).__name__}: {error})"
        ) from error
