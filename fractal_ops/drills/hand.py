"""A person's hand on the account: orders sent past the bot, as from the venue's web page."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fractal_ops.drills.venue import DrillVenue
from fractal_ops.drills.verdict import BY_HAND
from fractal_ops.recovery.client import client_of

REACH_RATIO = 0.03
"""How far from the mark price a person's market order may fill."""


class Hand:
    """Trades on the drill's account with its own key.

    Parameters
    ----------
    config : mapping
        The bot's config: exchange and keys.
    venue : DrillVenue
        Tells prices and orders.

    Notes
    -----
    Its orders carry a client order id that begins with `BY_HAND`, so that the verdict can tell a
    person's addition from a bot's double entry.
    """

    def __init__(self, config: Mapping[str, Any], venue: DrillVenue) -> None:
        self._client = client_of(config)
        self._venue = venue

    def trade(self, pair: str, change: Decimal, *, reduce_only: bool = False) -> None:
        """Buy (above 0) or sell (below 0) so many contracts at once."""
        side = 1 if change > 0 else -1
        price = self._venue.price(pair) * (1 + side * REACH_RATIO)
        self._send(pair, change, price, {"timeInForce": "Ioc", "reduceOnly": reduce_only})

    def close(self, pair: str) -> None:
        """Close a position; its stop stays on the venue."""
        self.trade(pair, -self._venue.position(pair), reduce_only=True)

    def rest(self, pair: str, change: Decimal, price: float) -> str:
        """Let an order rest on the book, and return its id."""
        return self._send(pair, change, price, {"timeInForce": "Gtc"})

    def cancel_stops(self, pair: str) -> None:
        """Cancel every protective stop of a pair."""
        for stop in self._venue.stops(pair):
            self._client.cancel_order(str(stop["oid"]), pair)

    def _send(self, pair: str, change: Decimal, price: float, parameters: dict[str, Any]) -> str:
        self._client.load_markets()
        cloid = BY_HAND + secrets.token_hex(12)
        answer = self._client.create_order(
            pair,
            "limit",
            "buy" if change > 0 else "sell",
            f"{abs(change):f}",
            self._client.price_to_precision(pair, price),
            {**parameters, "clientOrderId": cloid},
        )
        return str(answer["id"])
