"""Funding as the venue has booked it, in freqtrade's books."""

import logging
from datetime import datetime
from decimal import Decimal
from typing import Any

from freqtrade.persistence import LocalTrade, Order

logger = logging.getLogger(__name__)

PAGE_ROWS = 500
"""The venue lists so many payments at most in one answer."""
MOST_PAGES = 40


def book_funding(order: Order, paid: Decimal | None) -> bool:
    """Put the funding of a trade into the order that has ended it, and compute its profit anew.

    freqtrade leaves stops on the exchange out, so that a trade which they end is booked as if it
    had neither paid nor received; and it reckons funding itself, an hour too much for every entry
    that fills in the first seconds of an hour, which is when candles close.

    Parameters
    ----------
    order
        A filled exit or stop, freqtrade's own object and not a copy.
    paid
        What the venue has booked since the trade began, below zero where the trade paid; None
        where the venue could not be asked: then freqtrade's own figure is kept.

    Returns
    -------
    bool
        Whether anything was changed.
    """
    trade: LocalTrade = order.trade
    if order.ft_order_side == trade.entry_side or not order.filled:
        return False
    before = order.funding_fee
    if paid is not None:
        others = sum(o.funding_fee or 0.0 for o in trade.orders if o is not order)
        order.funding_fee = float(paid) - others
    elif before is None:
        order.funding_fee = trade.funding_fee_running or 0.0
    if order.funding_fee == (before or 0.0):
        return False
    trade.funding_fee_running = 0.0
    trade.recalc_trade_from_orders(is_closing=not trade.is_open)
    return True


def funding_paid(api: Any, pair: str, since: datetime, until: datetime) -> Decimal | None:
    """Ask the venue for the funding of a pair.

    Parameters
    ----------
    api
        ccxt client of the account.
    pair
        freqtrade's name of it.
    since, until
        UTC; both included.

    Returns
    -------
    Decimal or None
        Stake currency, below zero where the account paid; None where the venue did not answer.
    """
    start, end = round(since.timestamp() * 1000), round(until.timestamp() * 1000)
    total = Decimal(0)
    seen: set[tuple[int, str]] = set()
    try:
        for _ in range(MOST_PAGES):
            rows = api.fetch_funding_history(None, start, None, {"until": end})
            for row in rows:
                key = int(row["timestamp"]), str(row["symbol"])
                if row["symbol"] == pair and key not in seen:
                    total += Decimal(str(row["info"]["delta"]["usdc"]))
                seen.add(key)
            if len(rows) < PAGE_ROWS:
                return total
            start = max(int(row["timestamp"]) for row in rows)
    except Exception as error:  # noqa: BLE001  # whatever fails, freqtrade's own figure stays
        logger.warning("%s: the venue did not tell the funding that was paid: %s", pair, error)
        return None
    logger.warning("%s: more than %d funding payments; freqtrade's figure is kept", pair, len(seen))
    return None
