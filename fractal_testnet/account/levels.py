"""Prices at which something happens to a contract's orders and positions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from .orders import Order, fires_below
from .trader import Trader

HALF_SPREAD = 0.00004
"""A resting order fills when the other side's best price, half a spread from mid, reaches it."""


class Level(NamedTuple):
    """A mid price (USDC) that wakes an order, or liquidates a trader's position."""

    price: float
    order: Order | None
    trader: Trader


class Again(NamedTuple):
    """A moment (ms UTC) at which an order takes from a fresh book what the old one had not."""

    at_ms: int
    order: Order
    trader: Trader


@dataclass(frozen=True)
class Levels:
    """The nearest level below and above the price, of all that wait on either side.

    Parameters
    ----------
    low, high : Level or None
        What a fall reaches first, and what a rise reaches first.
    has_position : bool
        Whether anybody holds the contract.
    again : Again or None
        The first order that takes again.
    """

    low: Level | None
    high: Level | None
    has_position: bool = False
    again: Again | None = None


def nearest(
    coin: str, max_leverage: int, orders: Iterable[Order], traders: dict[str, Trader]
) -> Levels:
    """Find the levels that the price of a contract meets first.

    Parameters
    ----------
    coin : str
        The contract.
    max_leverage : int
        Its highest leverage.
    orders : iterable of Order
        Its live orders, oldest first.
    traders : dict
        All traders by address.

    Notes
    -----
    Where two wait at one price the older order goes first, and an order before a liquidation.
    """
    lows: list[Level] = []
    highs: list[Level] = []
    again: list[Again] = []
    for order in orders:
        request, trader = order.request, traders[order.trader]
        if order.waits and request.trigger is not None:
            level = Level(float(request.trigger.price), order, trader)
            (lows if fires_below(request) else highs).append(level)
        elif order.again_ms is not None:
            again.append(Again(order.again_ms, order, trader))
        elif order.fillable > 0:
            edge = float(request.price) / (1 + request.side * HALF_SPREAD)
            (lows if request.side > 0 else highs).append(Level(edge, order, trader))
    has_position = False
    for trader in traders.values():
        position = trader.account.positions.get(coin)
        if position is not None:
            has_position = True
            price = float(trader.account.liquidation_price(coin, max_leverage))
            (lows if position.side > 0 else highs).append(Level(price, None, trader))
    return Levels(
        max(lows, key=lambda level: level.price, default=None),
        min(highs, key=lambda level: level.price, default=None),
        has_position,
        min(again, key=lambda one: one.at_ms, default=None),
    )
