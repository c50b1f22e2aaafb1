"""How alike a search's trials are, and how many independent ones they amount to."""

import math

import numpy as np
from numpy.typing import ArrayLike

from ._checks import Floats, at_least, matrix


def effective_trials(trials: int, correlation: float) -> float:
    """Return how many independent trials `trials` trials with a mean correlation amount to.

    Parameters
    ----------
    trials
        Number of trials, at least 1.
    correlation
        Their mean correlation, -1 to 1; below 0 counts as 0, so the result never exceeds
        `trials`. nan gives nan.

    Returns
    -------
    float
        From 1 to `trials`.

    Raises
    ------
    ValueError
        `trials` is below 1, or `correlation` outside -1 to 1.

    References
    ----------
    D. H. Bailey and M. Lopez de Prado, "The Deflated Sharpe Ratio", 2014, appendix A.3:
    correlation + (1 - correlation) * trials.
    """
    at_least("trials", trials, 1)
    if math.isnan(correlation):
        return math.nan
    if not -1.0 <= correlation <= 1.0:
        raise ValueError(f"correlation is {correlation}: give a number from -1 to 1")
    share = max(0.0, correlation)
    return share + (1.0 - share) * trials


def mean_correlation(returns: ArrayLike) -> float:
    """Return the mean correlation of all pairs of trials.

    Parameters
    ----------
    returns
        Daily returns of the trials, shape (days, trials).

    Returns
    -------
    float
        -1 to 1; nan with fewer than two trials whose returns vary.

    Raises
    ------
    ValueError
        Not a matrix of finite numbers.

    Notes
    -----
    Trials whose returns are all equal have no correlation and are left out. Of standardised
    columns the squared row sums hold every pair at once, so no (trials, trials) matrix is made.
    """
    values: Floats = matrix("returns", returns)
    if not len(values):
        return math.nan
    varying = values[:, (np.ptp(values, axis=0) > 0) & (values.std(axis=0) > 0)]
    count = varying.shape[1]
    if count < 2:
        return math.nan
    standard = (varying - varying.mean(axis=0)) / varying.std(axis=0)
    total = float(np.mean(standard.sum(axis=1) ** 2))
    return float(np.clip((total - count) / (count * (count - 1)), -1.0, 1.0))
