"""The benchmark of random entries: the strategy's own risks, at moments it did not choose."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ._checks import Floats, at_least, finite, rows_per_chunk, vector
from .fills import trade_returns
from .plans import Costs, Market, TradePlans

MIN_DRAWS = 200
DEFAULT_DRAWS = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class RandomEntries:
    """What the same trades earned at random candles.

    Parameters
    ----------
    mean_r
        Mean R multiple after costs of each draw, shape (draws,).
    total_return
        Sum of profits over starting equity of each draw, not compounded, shape (draws,).
    mean_r_percentile
        Share of the draws, in per cent, that the strategy's mean R exceeds; ties count half. nan
        without trades.
    total_return_percentile
        The same of its total return.
    """

    mean_r: Floats
    total_return: Floats
    mean_r_percentile: float
    total_return_percentile: float


def random_entries(
    markets: Sequence[Market],
    plans: Sequence[TradePlans],
    costs: Costs,
    rng: np.random.Generator,
    *,
    observed_mean_r: float,
    observed_total_return: float,
    draws: int = DEFAULT_DRAWS,
) -> RandomEntries:
    """Enter at random candles with the strategy's sides, stops, targets and time stops.

    Parameters
    ----------
    markets
        Candles of each pair, the scored span only.
    plans
        The strategy's trades in each pair, in the order of `markets`.
    costs
        Fees and slippage, as the strategy's.
    rng
        Source of randomness, seeded by the caller.
    observed_mean_r
        The strategy's own mean R after the same costs.
    observed_total_return
        The strategy's own sum of profits over starting equity, not compounded.
    draws
        How often all entries are drawn anew, at least 200.

    Returns
    -------
    RandomEntries
        Of shape (0,) and nan without trades.

    Raises
    ------
    ValueError
        Markets and plans do not pair up, a market is too short for a holding time, there are
        fewer than 200 draws, or an observed figure is not finite.

    Notes
    -----
    Every trade keeps its pair and its own set of side, stop, target and time, so that wide stops
    stay with wild markets; its entry is uniform over the candles that leave room for its holding
    time. As all entries are independent and alike, permuting the sets among them would draw from
    the same distribution. Entries may overlap, and the portfolio's limits do not apply.

    Unbiased by construction: on a martingale no stop or target earns or loses anything, so the
    mean is minus the costs (a candle that holds both stop and target counts against the trade).
    Benchmark after H. White, "A Reality Check for Data Snooping", Econometrica 68(5), 2000, and
    D. Aronson, *Evidence-Based Technical Analysis*, 2006 (Monte-Carlo permutation).
    """
    at_least("draws", draws, MIN_DRAWS)
    if len(markets) != len(plans):
        raise ValueError(f"{len(markets)} markets, {len(plans)} plans: give one of each per pair")
    trades = sum(len(plan) for plan in plans)
    if not trades:
        return RandomEntries(np.empty(0), np.empty(0), math.nan, math.nan)
    finite("observed_mean_r", observed_mean_r)
    finite("observed_total_return", observed_total_return)
    sum_r, total = np.zeros(draws), np.zeros(draws)
    for number, (market, plan) in enumerate(zip(markets, plans, strict=True)):
        if not len(plan):
            continue
        room = len(market.open) - plan.holding_bars
        if room.min() < 1:
            raise ValueError(
                f"market {number} has {len(market.open)} candles, a trade holds"
                f" {plan.holding_bars.max()}: give a longer span"
            )
        step = rows_per_chunk(len(plan))
        for done in range(0, draws, step):
            part = slice(done, min(done + step, draws))
            entries = rng.integers(0, room, size=(part.stop - done, len(plan)))
            earned = trade_returns(market, plan, entries, costs)
            sum_r[part] += (earned / plan.stop_ratio).sum(axis=1)
            total[part] += earned @ plan.notional_ratio
    means = sum_r / trades
    return RandomEntries(
        mean_r=means,
        total_return=total,
        mean_r_percentile=percentile_of(observed_mean_r, means),
        total_return_percentile=percentile_of(observed_total_return, total),
    )


def percentile_of(observed: float, values: ArrayLike) -> float:
    """Return the share of `values` below `observed` in per cent, ties counting half.

    Raises
    ------
    ValueError
        There are no values, or one is not finite.
    """
    others = vector("values", values)
    if not len(others):
        raise ValueError("values is empty: give at least one value to compare with")
    below = np.mean(others < observed) + np.mean(others == observed) / 2.0
    return float(below * 100.0)
