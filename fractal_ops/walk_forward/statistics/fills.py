"""How one trade would have gone: entry at an open, then stop, target or time.

The rules, stop first: a candle that reaches both stop and target fills the stop. A candle that
opens beyond the stop or the target fills at its open. The candle of entry counts. After
`holding_bars` candles without a fill the trade closes at the next open. Funding is left out.
"""

import numpy as np
from numpy.typing import NDArray

from ._checks import Floats
from .plans import Costs, Market, Rows, TradePlans


def trade_returns(market: Market, plans: TradePlans, entries: Rows, costs: Costs) -> Floats:
    """Simulate trades that enter at given candles.

    Parameters
    ----------
    market
        The candles.
    plans
        One per trade.
    entries
        Row whose open is the entry, int64 of shape (..., trades); the last axis matches `plans`.
    costs
        Fees and slippage.

    Returns
    -------
    numpy.ndarray
        float64 of the shape of `entries`: profit after costs over the notional at entry. Divide
        by `plans.stop_ratio` for R multiples.

    Raises
    ------
    ValueError
        A trade would outlast the candles: ``entry + holding_bars`` must be a row.
    """
    ends = entries + plans.holding_bars
    if entries.size and (entries.min() < 0 or ends.max() >= len(market.open)):
        raise ValueError(
            f"entries reach from row {entries.min()} to exits at row {ends.max()} of"
            f" {len(market.open)} candles: give entries whose holding time fits"
        )
    side = np.broadcast_to(plans.side, entries.shape).ravel()
    stop = side * np.broadcast_to(plans.stop_ratio, entries.shape).ravel()
    target = side * np.broadcast_to(plans.target_ratio, entries.shape).ravel()
    first, last = entries.ravel(), ends.ravel()
    fills = market.open[first].copy()
    price, limit = _walk(market, side, fills * (1.0 - stop), fills * (1.0 + target), first, last)
    slip = np.where(limit, 0.0, costs.slippage_ratio)
    entry = fills * (1.0 + side * costs.slippage_ratio)
    leave = price * (1.0 - side * slip)
    fee = np.where(limit, costs.maker_ratio, costs.taker_ratio)
    net = side * (leave - entry) - costs.taker_ratio * entry - fee * leave
    return np.asarray((net / entry).reshape(entries.shape), dtype=np.float64)


def _walk(
    market: Market, side: Rows, stop: Floats, target: Floats, first: Rows, last: Rows
) -> tuple[Floats, NDArray[np.bool_]]:
    """Follow all trades candle by candle; return exit prices and whether the target filled."""
    price = market.open[last].copy()
    limit = np.zeros(len(price), dtype=np.bool_)
    live, row = np.arange(len(price)), first.copy()
    while live.size:
        # Prices times the side: what is higher is better, for longs and shorts alike.
        sign = side[live]
        begin = sign * market.open[row]
        worst = np.where(sign > 0, market.low[row], -market.high[row])
        best = np.where(sign > 0, market.high[row], -market.low[row])
        floor, aim = sign * stop[live], sign * target[live]
        # A target of nan is none: it compares as not reached.
        stopped = (begin <= floor) | (~(begin >= aim) & (worst <= floor))
        reached = ~stopped & (best >= aim)
        level = np.where(stopped, np.minimum(floor, begin), np.maximum(aim, begin))
        out = stopped | reached
        price[live[out]] = (sign * level)[out]
        limit[live[reached]] = True
        row = row + 1
        stay = ~out & (row < last[live])
        live, row = live[stay], row[stay]
    return price, limit
