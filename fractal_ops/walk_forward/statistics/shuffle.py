"""How deep the drawdown could have been, had the same trades come in another order."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ._checks import Floats, at_least, rows_per_chunk, vector

PERCENTILES = (5, 25, 50, 75, 95, 99)
DEFAULT_SHUFFLES = 10_000


@dataclass(frozen=True, slots=True)
class ShuffledDrawdowns:
    """The maximum drawdowns of reshuffled trades.

    Parameters
    ----------
    observed
        Maximum drawdown in the order that happened, ratio of the peak, 0 or more.
    percentiles
        Drawdown by percentile (5, 25, 50, 75, 95, 99): the 95th is exceeded by one order in
        twenty.
    share_as_deep
        Share of the orders with a drawdown at least as deep as the observed one. Near 1 the
        history was lucky in its order, near 0 unlucky.
    final_equity
        Equity at the end over equity at the start: the same in every order.
    shuffles
        How many orders were drawn.
    compounding
        Whether profits were reinvested.
    """

    observed: float
    percentiles: Mapping[int, float]
    share_as_deep: float
    final_equity: float
    shuffles: int
    compounding: bool


def shuffled_drawdowns(
    trade_returns: ArrayLike,
    rng: np.random.Generator,
    *,
    shuffles: int = DEFAULT_SHUFFLES,
    compounding: bool = True,
) -> ShuffledDrawdowns:
    """Draw the distribution of the maximum drawdown over orders of the same trades.

    Parameters
    ----------
    trade_returns
        Profit of each trade over equity, shape (trades,): over equity at its entry when
        `compounding`, else over starting equity.
    rng
        Source of randomness, seeded by the caller.
    shuffles
        How many orders to draw, at least 1.
    compounding
        Whether profits are reinvested: equity is the product of (1 + return), else 1 + the sum.

    Returns
    -------
    ShuffledDrawdowns
        All nan without trades.

    Raises
    ------
    ValueError
        A value is not finite, a compounding trade loses all equity or more, or `shuffles` is
        below 1.

    Notes
    -----
    Shuffling breaks up streaks: when losses cluster, the observed drawdown lies above the
    distribution, and `share_as_deep` near 0 says so. Trades are taken one after the other, as if
    none overlapped. Monte-Carlo permutation after D. Aronson, *Evidence-Based Technical
    Analysis*, 2006.
    """
    values = vector("trade_returns", trade_returns)
    at_least("shuffles", shuffles, 1)
    if compounding and np.any(values <= -1.0):
        raise ValueError(
            f"a trade returned {values.min()}, all equity or more: give profit over equity,"
            " not over stake"
        )
    n = len(values)
    if not n:
        empty = dict.fromkeys(PERCENTILES, math.nan)
        return ShuffledDrawdowns(math.nan, empty, math.nan, math.nan, shuffles, compounding)
    step = rows_per_chunk(n)
    drawn = np.concatenate(
        [
            _drawdowns(equity_paths(orders(values, min(step, shuffles - done), rng), compounding))
            for done in range(0, shuffles, step)
        ]
    )
    path = equity_paths(values[np.newaxis], compounding)
    observed = float(_drawdowns(path)[0])
    depths = np.percentile(drawn, PERCENTILES)
    return ShuffledDrawdowns(
        observed=observed,
        percentiles={p: float(depth) for p, depth in zip(PERCENTILES, depths, strict=True)},
        # The same order summed another way may differ in the last bits.
        share_as_deep=float(np.mean(drawn >= observed - 1e-12)),
        final_equity=float(path[0, -1]),
        shuffles=shuffles,
        compounding=compounding,
    )


def equity_paths(trade_returns: Floats, compounding: bool) -> Floats:
    """Return equity after each trade, from 1, of each row: shape (rows, trades + 1)."""
    start = np.ones((len(trade_returns), 1))
    if compounding:
        return np.hstack([start, np.cumprod(1.0 + trade_returns, axis=1)])
    return np.hstack([start, 1.0 + np.cumsum(trade_returns, axis=1)])


def orders(values: Floats, rows: int, rng: np.random.Generator) -> Floats:
    """Return `rows` random orders of the values, shape (rows, trades)."""
    return rng.permuted(np.tile(values, (rows, 1)), axis=1)


def _drawdowns(paths: Floats) -> Floats:
    depth: Floats = np.max(1.0 - paths / np.maximum.accumulate(paths, axis=1), axis=1)
    return depth
