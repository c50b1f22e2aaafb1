"""What is left of a Sharpe ratio after many trials. Sharpe ratios are per day, not annualised.

References
----------
[1] D. H. Bailey and M. Lopez de Prado, "The Deflated Sharpe Ratio", Journal of Portfolio
    Management 40(5), 2014.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ._checks import at_least, finite
from .sharpe import NORMAL, SharpeMoments, probabilistic_sharpe_ratio
from .trials import effective_trials

EULER_GAMMA = 0.5772156649015329
"""The Euler-Mascheroni constant."""


@dataclass(frozen=True, slots=True)
class DeflatedSharpe:
    """A Sharpe ratio deflated by the trials behind it.

    Parameters
    ----------
    ratio
        Deflated Sharpe ratio by the true number of trials: the one to judge by. A probability.
    trials
        The true number of trials.
    variance
        Of the trials' Sharpe ratios per day (ddof=1).
    expected_maximum
        Sharpe per day that the best of so many trials without skill would show.
    effective_trials
        Number of independent trials that so alike trials amount to; nan when not asked for.
    effective_ratio
        Deflated Sharpe ratio by `effective_trials`: to be shown beside `ratio`, never instead.
    """

    ratio: float
    trials: int
    variance: float
    expected_maximum: float
    effective_trials: float = math.nan
    effective_ratio: float = math.nan


def deflate(
    moments: SharpeMoments, trial_sharpes: ArrayLike, correlation: float | None = None
) -> DeflatedSharpe:
    """Deflate a Sharpe ratio by every trial that was made.

    Parameters
    ----------
    moments
        Of the daily returns that are judged.
    trial_sharpes
        Sharpe per day (not annualised) of each trial, shape (trials,), at least one. nan is a
        trial without a defined Sharpe (no trades): it counts as a trial and is left out of the
        variance.
    correlation
        Mean correlation of the trials' daily returns, to report the effective number as well.

    Returns
    -------
    DeflatedSharpe
        Its ratios are nan when the judged Sharpe is undefined.

    Raises
    ------
    ValueError
        No trial, an infinite Sharpe, or several trials of which fewer than two have a Sharpe, so
        that their spread, and with it the deflation, is unknown.

    Notes
    -----
    Judge a track against trials over the same days: among them it was chosen. A Sharpe estimate
    without skill varies by about 1 / days, so trials over 120 days would raise the bar for a
    track of 365 days sqrt(3) times too high, and a track that no trial has seen needs no such bar.
    """
    sharpes = np.asarray(trial_sharpes, dtype=np.float64)
    if sharpes.ndim != 1 or not sharpes.size:
        raise ValueError(f"trial_sharpes has shape {sharpes.shape}: give one Sharpe per trial")
    if np.isinf(sharpes).any():
        raise ValueError("trial_sharpes holds an infinite Sharpe: give nan where it is undefined")
    known = sharpes[~np.isnan(sharpes)]
    if sharpes.size > 1 and known.size < 2:
        raise ValueError(
            f"of {sharpes.size} trials {known.size} have a Sharpe ratio, so their spread is"
            " unknown: search where trials trade, or judge without deflation"
        )
    variance = float(known.var(ddof=1)) if known.size > 1 else 0.0
    count = int(sharpes.size)
    effective = math.nan if correlation is None else effective_trials(count, correlation)
    return DeflatedSharpe(
        ratio=deflated_sharpe_ratio(moments, count, variance),
        trials=count,
        variance=variance,
        expected_maximum=expected_maximum_sharpe(count, variance),
        effective_trials=effective,
        effective_ratio=(
            math.nan
            if math.isnan(effective)
            else deflated_sharpe_ratio(moments, effective, variance)
        ),
    )


def expected_maximum_sharpe(trials: float, variance: float) -> float:
    """Return the best Sharpe to be expected of `trials` independent trials without any skill.

    Parameters
    ----------
    trials
        Number of independent trials, at least 1; an effective number may be broken.
    variance
        Variance of the Sharpe ratios (per day) across the trials.

    Returns
    -------
    float
        Sharpe per day, 0 or more; 0 for one trial, which was not selected.

    Raises
    ------
    ValueError
        `trials` is below 1 or `variance` below 0.

    Notes
    -----
    The False Strategy theorem, [1] equation 1. The approximation turns negative just above one
    trial, where a maximum cannot be below the mean: there it is 0.
    """
    at_least("trials", trials, 1)
    at_least("variance", variance, 0)
    finite("trials", trials)
    finite("variance", variance)
    if trials == 1:
        return 0.0
    # -inv_cdf(p) is inv_cdf(1 - p) without the rounding of 1 - p.
    first = -NORMAL.inv_cdf(1.0 / trials)
    second = -NORMAL.inv_cdf(1.0 / (trials * math.e))
    return max(0.0, math.sqrt(variance) * ((1.0 - EULER_GAMMA) * first + EULER_GAMMA * second))


def deflated_sharpe_ratio(moments: SharpeMoments, trials: float, variance: float) -> float:
    """Return the probability that the true Sharpe is above the best of `trials` lucky ones.

    Parameters and errors as :func:`probabilistic_sharpe_ratio` and
    :func:`expected_maximum_sharpe`; nan when the Sharpe is undefined.

    Notes
    -----
    [1], equation 2. With one trial it is the probabilistic Sharpe ratio against 0.
    """
    return probabilistic_sharpe_ratio(moments, expected_maximum_sharpe(trials, variance))
