"""Probability of backtest overfitting: the best trial in-sample, seen out-of-sample.

References
----------
D. H. Bailey, J. M. Borwein, M. Lopez de Prado and Q. J. Zhu, "The Probability of Backtest
Overfitting", Journal of Computational Finance, 2015: combinatorially symmetric
cross-validation (CSCV).
"""

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from ._checks import Floats, matrix

DEFAULT_BLOCKS = 16
MAX_BLOCKS = 20
"""More blocks than these mean millions of combinations, and no better answer."""
CHUNK_CELLS = 1 << 14
"""Cells per piece of work: small enough to stay in the processor's cache."""
TIE = 1e-10
"""Sharpe ratios per day closer than this are equal; beyond it lies only rounding."""
EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, eq=False)
class BacktestOverfitting:
    """What the combinations say about a search.

    Parameters
    ----------
    pbo
        Share of combinations whose best in-sample trial ranks below the median out-of-sample;
        exactly at the median counts half.
    logits
        Of that trial's relative rank out-of-sample, shape (combinations,); below 0 is overfit.
    slope
        Of out-of-sample Sharpe on in-sample Sharpe of the best trials, by least squares:
        performance degradation. nan when the in-sample Sharpe never varies.
    loss_probability
        Share of combinations whose best in-sample trial lost money out-of-sample.
    in_sample, out_of_sample
        Sharpe per day of the best trial in each combination, shape (combinations,).
    trials, days, blocks
        Of the matrix.
    """

    pbo: float
    logits: Floats
    slope: float
    loss_probability: float
    in_sample: Floats
    out_of_sample: Floats
    trials: int
    days: int
    blocks: int


def backtest_overfitting(returns: ArrayLike, blocks: int = DEFAULT_BLOCKS) -> BacktestOverfitting:
    """Estimate the probability of backtest overfitting of a search.

    Parameters
    ----------
    returns
        Daily returns, ratios, shape (days, trials): every trial over the same days. A trial
        without trades is a column of zeros.
    blocks
        Number of contiguous blocks, even, 2 to 20; all ways to take half of them as in-sample
        are compared (16 blocks: 12,870).

    Returns
    -------
    BacktestOverfitting
        Performance is the Sharpe per day (ddof=1).

    Raises
    ------
    ValueError
        Fewer than 2 trials, an odd or impossible number of blocks, fewer days than blocks (or
        than 4), or a value that is not finite.

    Notes
    -----
    Blocks differ by one day at most, the first ones being longer; no day is dropped. A half
    without variation has a Sharpe of 0. Ties out-of-sample take their average rank; trials tied
    for best in-sample are all taken, with the mean of their ranks. Each combination is put
    together from sums of r and r**2 per block, and combinations are worked through in pieces, so
    memory hardly grows with the number of trials.
    """
    values = matrix("returns", returns)
    days, trials = values.shape
    if trials < 2:
        raise ValueError(f"returns has {trials} trial: overfitting needs 2 to choose between")
    if blocks % 2 or not 2 <= blocks <= MAX_BLOCKS:
        raise ValueError(f"blocks is {blocks}: give an even number from 2 to {MAX_BLOCKS}")
    if days < max(blocks, 4):
        raise ValueError(f"returns has {days} days for {blocks} blocks: give fewer blocks")

    sums = _BlockSums(values, blocks)
    halves = np.zeros((math.comb(blocks, blocks // 2), blocks))
    for row, chosen in enumerate(combinations(range(blocks), blocks // 2)):
        halves[row, list(chosen)] = 1.0
    step = max(1, CHUNK_CELLS // trials)
    pieces = [
        _best_trials(sums.sharpe(half), sums.sharpe(1.0 - half))
        for half in np.split(halves, range(step, len(halves), step))
    ]
    rank, inside, outside = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    relative = rank / (trials + 1)
    logits = np.log(relative / (1.0 - relative))
    return BacktestOverfitting(
        pbo=float(np.mean(rank < (trials + 1) / 2) + np.mean(rank == (trials + 1) / 2) / 2),
        logits=logits,
        slope=_slope(inside, outside),
        loss_probability=float(np.mean(outside < 0)),
        in_sample=inside,
        out_of_sample=outside,
        trials=trials,
        days=days,
        blocks=blocks,
    )


class _BlockSums:
    """Sums of returns and squared returns per block, from which any half's Sharpe follows."""

    def __init__(self, values: Floats, blocks: int) -> None:
        # Around each trial's own mean the squares do not cancel when variances are taken.
        self._mean = values.mean(axis=0)
        shifted = values - self._mean
        parts = np.array_split(shifted, blocks)
        self._length = np.array([float(len(part)) for part in parts])
        self._sum = np.array([part.sum(axis=0) for part in parts])
        self._squares = np.array([(part**2).sum(axis=0) for part in parts])

    def sharpe(self, half: Floats) -> Floats:
        """Return the Sharpe of each trial (columns) over each choice of blocks (rows)."""
        length = (half @ self._length)[:, np.newaxis]
        squares: Floats = half @ self._squares
        mean: Floats = half @ self._sum
        mean /= length
        spread = squares - mean * mean * length
        mean += self._mean
        # A spread within the rounding of its own terms is none: the half is constant.
        squares *= 4.0 * EPSILON * length
        flat = spread <= squares
        if flat.any():
            spread[flat] = 1.0
            mean[flat] = 0.0
        spread /= length - 1.0
        mean /= np.sqrt(spread, out=spread)
        return mean


def _best_trials(inside: Floats, outside: Floats) -> tuple[Floats, Floats, Floats]:
    """Return out-of-sample rank, in-sample and out-of-sample Sharpe of each row's best trial."""
    rows = np.arange(len(inside))
    best = inside.argmax(axis=1)
    top: Floats = inside[rows, best]
    chosen: Floats = outside[rows, best]
    column = chosen[:, np.newaxis]
    below = np.count_nonzero(outside < column - TIE, axis=1)
    up_to = np.count_nonzero(outside <= column + TIE, axis=1)
    rank: Floats = (below + up_to + 1) / 2
    tied = inside >= (top - TIE)[:, np.newaxis]
    for row in np.flatnonzero(np.count_nonzero(tied, axis=1) > 1):
        scores = outside[row, tied[row]]
        order = np.sort(outside[row])
        below = np.searchsorted(order, scores - TIE, side="left")
        up_to = np.searchsorted(order, scores + TIE, side="right")
        rank[row] = np.mean(below + up_to + 1) / 2
        chosen[row] = scores.mean()
    return rank, top, chosen


def _slope(inside: Floats, outside: Floats) -> float:
    """Return the least-squares slope of `outside` on `inside`; nan when `inside` is constant."""
    centred = inside - inside.mean()
    spread = float(centred @ centred)
    if np.ptp(inside) <= TIE:
        return math.nan
    return float(centred @ (outside - outside.mean())) / spread
