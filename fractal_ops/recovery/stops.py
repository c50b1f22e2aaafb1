"""Which orders protect a position, and how much of it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from fractal_ops.recovery.facts import ZERO, RecordedTrade, VenueOrder, VenuePosition


@dataclass(frozen=True, slots=True)
class Protection:
    """How a position is protected.

    Parameters
    ----------
    live
        Stops that can still fill.
    missed
        Stops whose limit the price has gone through: awake or not, they rest where nobody buys.
    surplus
        Stops that no database has, of which the position needs none.
    covered
        Contracts that the live stops cover.
    """

    live: tuple[VenueOrder, ...]
    missed: tuple[VenueOrder, ...]
    surplus: tuple[VenueOrder, ...]
    covered: Decimal


def protection_of(
    position: VenuePosition, orders: Iterable[VenueOrder], recorded: frozenset[str]
) -> Protection:
    """Find the stops of a position.

    Parameters
    ----------
    position
        The position.
    orders
        The pair's open orders.
    recorded
        Ids of orders that a database has as an open stop. Once awake, the venue lists a stop
        like any other order: then only the database knows what it is.
    """
    stops = [order for order in orders if _protects(order, position, recorded)]
    missed = tuple(order for order in stops if _is_missed(order, position))
    fit = [order for order in stops if order not in missed]
    # The bot's own first: what it does not know of only counts where the rest does not reach.
    fit.sort(key=lambda order: (order.id not in recorded, order.id))
    size, covered = abs(position.size), ZERO
    live, surplus = [], []
    for order in fit:
        if order.id not in recorded and covered >= size:
            surplus.append(order)
            continue
        covered += order.remaining
        live.append(order)
    return Protection(tuple(live), missed, tuple(surplus), covered)


def wanted_stop(position: VenuePosition, trades: Iterable[RecordedTrade]) -> Decimal | None:
    """Return the price where the databases want the position's stop; the nearest of several."""
    prices = [
        trade.stop_price
        for trade in trades
        if trade.side == position.side and trade.stop_price is not None and trade.stop_price > 0
    ]
    if not prices:
        return None
    return max(prices) if position.side > 0 else min(prices)


def is_through(position: VenuePosition, price: Decimal) -> bool:
    """Tell whether the mark price has reached a stop's price."""
    if position.side > 0:
        return position.mark_price <= price
    return position.mark_price >= price


def _protects(order: VenueOrder, position: VenuePosition, recorded: frozenset[str]) -> bool:
    is_stop = order.is_stop or order.id in recorded
    return order.reduce_only and order.side == -position.side and is_stop


def _is_missed(order: VenueOrder, position: VenuePosition) -> bool:
    if position.side > 0:
        return position.mark_price < order.limit_price
    return position.mark_price > order.limit_price
