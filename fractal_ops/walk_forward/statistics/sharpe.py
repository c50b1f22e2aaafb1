"""How sure a Sharpe ratio is: the probabilistic Sharpe ratio and the track it needs.

All Sharpe ratios here are per day, not annualised: these formulas are not invariant to
annualising. Kurtosis is Pearson's (3 for normal returns), not excess.

References
----------
[1] D. H. Bailey and M. Lopez de Prado, "The Sharpe Ratio Efficient Frontier", Journal of Risk
    15(2), 2012.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from ._checks import at_least, finite, proportion, vector
from .performance import daily_sharpe

NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class SharpeMoments:
    """What the distribution of a Sharpe estimate depends on.

    Parameters
    ----------
    sharpe
        Per observation (day), not annualised; nan when undefined.
    observations
        Number of returns, at least 2.
    skewness
        Third standardised moment of the returns, population form (divided by n).
    kurtosis
        Fourth standardised moment, population form, not excess; 1 or more.

    Raises
    ------
    ValueError
        Fewer than 2 observations, or with a defined Sharpe a moment that is not possible.
    """

    sharpe: float
    observations: int
    skewness: float = 0.0
    kurtosis: float = 3.0

    def __post_init__(self) -> None:
        at_least("observations", self.observations, 2)
        if math.isnan(self.sharpe):
            return
        finite("sharpe", self.sharpe)
        finite("skewness", self.skewness)
        at_least("kurtosis", self.kurtosis, 1.0)
        if self.variance_term <= 0:
            raise ValueError(
                f"the Sharpe estimate's variance term is {self.variance_term:.3g} with skewness"
                f" {self.skewness:.3g} and kurtosis {self.kurtosis:.3g}: the returns are too few"
                " or too extreme for the normal approximation; score a longer span"
            )

    @property
    def variance_term(self) -> float:
        """The variance of the Sharpe estimate times (observations - 1), of [1] equation 6."""
        return 1.0 - self.skewness * self.sharpe + (self.kurtosis - 1.0) / 4.0 * self.sharpe**2


def sharpe_moments(returns: ArrayLike) -> SharpeMoments:
    """Measure a series of daily returns.

    Parameters
    ----------
    returns
        Daily returns, ratios, shape (days,), at least 2.

    Returns
    -------
    SharpeMoments
        The Sharpe with ddof=1 and population skewness and kurtosis; all nan when every return is
        the same (no trades).

    Raises
    ------
    ValueError
        Fewer than 2 days, or returns too extreme for the approximation.
    """
    values = vector("returns", returns)
    sharpe = daily_sharpe(values)
    if math.isnan(sharpe):
        return SharpeMoments(math.nan, len(values), math.nan, math.nan)
    standard = (values - values.mean()) / values.std()
    # Rounding may leave the kurtosis of two equally frequent values just below its least.
    kurtosis = max(1.0, float(np.mean(standard**4)))
    return SharpeMoments(sharpe, len(values), float(np.mean(standard**3)), kurtosis)


def probabilistic_sharpe_ratio(moments: SharpeMoments, benchmark: float = 0.0) -> float:
    """Return the probability that the true Sharpe is above `benchmark`.

    Parameters
    ----------
    moments
        Of the daily returns.
    benchmark
        Sharpe per day to be beaten.

    Returns
    -------
    float
        Probability; nan when the Sharpe is undefined.

    Raises
    ------
    ValueError
        `benchmark` is not finite.

    Notes
    -----
    [1], equation 11. It takes the returns as independent of each other.
    """
    finite("benchmark", benchmark)
    if math.isnan(moments.sharpe):
        return math.nan
    root = math.sqrt((moments.observations - 1) / moments.variance_term)
    return NORMAL.cdf((moments.sharpe - benchmark) * root)


def minimum_track_record_length(
    moments: SharpeMoments, benchmark: float = 0.0, confidence: float = 0.95
) -> float:
    """Return how many days this Sharpe would need to be above `benchmark` with `confidence`.

    Parameters
    ----------
    moments
        Of the daily returns; their number plays no part.
    benchmark
        Sharpe per day to be beaten.
    confidence
        Probability asked for, from 0.5 (excluded) to 1 (excluded).

    Returns
    -------
    float
        Days, not rounded; infinite when the Sharpe does not exceed the benchmark, nan when it is
        undefined.

    Raises
    ------
    ValueError
        `benchmark` is not finite, or `confidence` not between 0.5 and 1.

    Notes
    -----
    [1], equation 13: the number of observations at which the probabilistic Sharpe ratio reaches
    `confidence`.
    """
    finite("benchmark", benchmark)
    proportion("confidence", confidence)
    if confidence <= 0.5:
        raise ValueError(f"confidence is {confidence}: give more than 0.5, such as 0.95")
    if math.isnan(moments.sharpe):
        return math.nan
    margin = moments.sharpe - benchmark
    if margin <= 0:
        return math.inf
    return 1.0 + moments.variance_term * (NORMAL.inv_cdf(confidence) / margin) ** 2
