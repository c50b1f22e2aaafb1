"""Orders that repair: reduce-only, and found again by our own id when the answer is lost."""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

import ccxt

from fractal_ops.recovery.facts import OrderAnswer
from fractal_ops.recovery.venue import Venue, VenueUnreachableError

logger = logging.getLogger(__name__)

LOOKUPS = 3
LOOKUP_PAUSE_SECONDS = 1.0
CLOID_PREFIX = "0x46524143"
"""Begins the client order id of everything that we send, so that people know it again."""
_STUMBLES = (LookupError, TypeError, ValueError, AttributeError)
"""What ccxt raises over an answer of an unexpected shape."""


class Fate(StrEnum):
    """What became of a request."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request's fate, what the venue said, and the order's id.

    `is_invalid`: refused for what the order is, not for the moment, so sending it again is idle.
    """

    fate: Fate
    text: str = ""
    order_id: str = ""
    is_invalid: bool = False


class Sender:
    """Sends orders that can only make a position smaller.

    Parameters
    ----------
    venue
        The account; its client needs the key.
    sleep
        Waits between two questions.
    """

    def __init__(self, venue: Venue, sleep: Callable[[float], object]) -> None:
        self._venue = venue
        self._sleep = sleep

    def close(self, pair: str, side: int, size: Decimal, limit_price: Decimal) -> Sent:
        """Send an order that fills at once, at `limit_price` or better, or is cancelled."""
        return self._send(pair, side, size, limit_price, {"timeInForce": "Ioc"})

    def stop(
        self, pair: str, side: int, size: Decimal, trigger_price: Decimal, limit_price: Decimal
    ) -> Sent:
        """Send a stop-limit order, as freqtrade does."""
        prices = {"stopLossPrice": self._price(pair, trigger_price)}
        return self._send(pair, side, size, limit_price, prices)

    def cancel(self, order_id: str, pair: str) -> Sent:
        """Cancel an order, and ask whether it is gone."""
        said = ""
        try:
            self._venue.client.cancel_order(order_id, pair)
        except (ccxt.BaseError, *_STUMBLES) as error:
            # Refused (it may have filled meanwhile) or lost: the order itself knows.
            said = f"{type(error).__name__}: {error}"
            logger.warning("cancelling %s of %s: %s", order_id, pair, said)
        answer = self._asked(order_id, pair, lambda a: not is_open(a))
        if answer is None:
            return Sent(Fate.UNKNOWN, said)
        if is_open(answer):
            return Sent(Fate.REFUSED, said or "it is still open")
        return Sent(Fate.ACCEPTED, answer.status or "the venue knows it no more")

    def _send(
        self, pair: str, side: int, size: Decimal, limit_price: Decimal, extra: dict[str, str]
    ) -> Sent:
        cloid = CLOID_PREFIX + uuid.uuid4().hex[: 34 - len(CLOID_PREFIX)]
        parameters: dict[str, Any] = {"reduceOnly": True, "clientOrderId": cloid, **extra}
        direction = "buy" if side > 0 else "sell"
        price = self._price(pair, limit_price)
        amount = f"{size:f}"
        logger.info("%s: %s %s at %s, %s", pair, direction, amount, price, parameters)
        refusal, is_invalid = None, False
        try:
            self._venue.client.create_order(pair, "limit", direction, amount, price, parameters)
        except ccxt.ExchangeError as error:
            refusal = f"{type(error).__name__}: {error}"
            is_invalid = isinstance(error, (ccxt.InvalidOrder, ccxt.BadRequest))
        except (ccxt.BaseError, *_STUMBLES) as error:
            # Lost on the way there or on the way back, or an answer that ccxt stumbles over.
            logger.warning("%s: the order's answer is lost: %s", pair, error)
        else:
            return Sent(Fate.ACCEPTED, order_id=cloid)
        # Never sent twice on a guess: it is looked up by our id first, and the next look decides.
        answer = self._asked(cloid, pair, lambda a: a.is_known)
        if answer is not None and answer.is_known:
            if "rejected" in answer.status.lower():
                return Sent(Fate.REFUSED, answer.status, cloid, is_invalid=True)
            return Sent(Fate.ACCEPTED, f"found by its id: {answer.status}", cloid)
        if refusal is not None:
            return Sent(Fate.REFUSED, refusal, cloid, is_invalid=is_invalid)
        return Sent(Fate.UNKNOWN, "neither an answer nor an order of that id", cloid)

    def _asked(
        self, order_id: str, pair: str, is_enough: Callable[[OrderAnswer], bool]
    ) -> OrderAnswer | None:
        """Ask about an order until the answer is enough, a few times; None without any answer."""
        latest = None
        for attempt in range(1, LOOKUPS + 1):
            try:
                latest = self._venue.answer(order_id, pair)
            except VenueUnreachableError as error:
                logger.warning("asking about %s of %s: %s", order_id, pair, error)
            if latest is not None and is_enough(latest):
                return latest
            if attempt < LOOKUPS:
                self._sleep(LOOKUP_PAUSE_SECONDS)
        return latest

    def _price(self, pair: str, price: Decimal) -> str:
        return str(self._venue.client.price_to_precision(pair, f"{price:f}"))


def is_open(answer: OrderAnswer) -> bool:
    """Tell whether an order can still fill."""
    return answer.status in ("open", "triggered")
