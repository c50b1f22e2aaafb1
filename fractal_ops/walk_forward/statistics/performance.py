"""The plain figures of an equity curve and its trades.

NaN policy: what is not defined is nan, never 0 or infinity; each function says when. Crypto has
no weekend, so a year has 365 daily returns. The risk-free rate is 0.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from ._checks import vector

DAYS_PER_YEAR = 365
"""Returns of a year: crypto trades every day."""
ROUNDING = 1e-12
"""A standard deviation this small beside the largest value is rounding: the values are equal."""


def sharpe_ratio(returns: ArrayLike) -> float:
    """Return mean over standard deviation (ddof=1) of daily returns, times sqrt(365).

    Undefined (nan) for fewer than 2 days and for returns that are all equal.

    References
    ----------
    W. F. Sharpe, "The Sharpe Ratio", Journal of Portfolio Management 21(1), 1994.
    """
    return daily_sharpe(returns) * math.sqrt(DAYS_PER_YEAR)


def daily_sharpe(returns: ArrayLike) -> float:
    """Return mean over standard deviation (ddof=1), not annualised; nan as `sharpe_ratio`."""
    values = vector("returns", returns)
    if len(values) < 2:
        return math.nan
    deviation = float(values.std(ddof=1))
    if deviation <= ROUNDING * float(np.abs(values).max()):
        return math.nan
    return float(values.mean()) / deviation


def sortino_ratio(returns: ArrayLike) -> float:
    """Return mean over downside deviation of daily returns, times sqrt(365).

    The downside deviation is the root of the mean square of the losses over all days, with a
    target of 0. Undefined (nan) without a losing day.

    References
    ----------
    F. A. Sortino and L. N. Price, "Performance Measurement in a Downside Risk Framework",
    Journal of Investing 3(3), 1994.
    """
    values = vector("returns", returns)
    if not np.any(values < 0):
        return math.nan
    downside = math.sqrt(float(np.mean(np.minimum(values, 0.0) ** 2)))
    return float(values.mean()) / downside * math.sqrt(DAYS_PER_YEAR)


def max_drawdown(equity: ArrayLike) -> float:
    """Return the deepest fall of equity below its running peak, ratio of that peak, 0 or more.

    Undefined (nan) for an empty curve.

    Raises
    ------
    ValueError
        The curve starts at or below 0.
    """
    curve = vector("equity", equity)
    if not len(curve):
        return math.nan
    if curve[0] <= 0:
        raise ValueError(f"equity starts at {curve[0]}: give a curve that starts above 0")
    peaks = np.maximum.accumulate(curve)
    return float(np.max(1.0 - curve / peaks))


def calmar_ratio(equity: ArrayLike) -> float:
    """Return the compound annual return over the maximum drawdown.

    Parameters
    ----------
    equity
        From :func:`equity_curve`: one value a day and one more, shape (days + 1,).

    Returns
    -------
    float
        Ratio; nan for a curve of no day and one without a drawdown.

    References
    ----------
    T. W. Young, "Calmar Ratio: A Smoother Tool", Futures 20(1), 1991 (36 months there; here the
    whole span).
    """
    curve = vector("equity", equity)
    drawdown = max_drawdown(curve)
    if len(curve) < 2 or drawdown == 0:
        return math.nan
    growth = max(0.0, float(curve[-1] / curve[0]))
    return (math.pow(growth, DAYS_PER_YEAR / (len(curve) - 1)) - 1.0) / drawdown


def profit_factor(profits: ArrayLike) -> float:
    """Return the sum of the gains over the sum of the losses; nan without a losing trade."""
    values = vector("profits", profits)
    losses = -float(values[values < 0].sum())
    return float(values[values > 0].sum()) / losses if losses > 0 else math.nan


def win_rate(profits: ArrayLike) -> float:
    """Return the share of trades that earned more than 0; nan without trades."""
    values = vector("profits", profits)
    return float(np.mean(values > 0)) if len(values) else math.nan


def mean_r(r_multiples: ArrayLike) -> float:
    """Return the mean profit in units of the risk taken (entry to stop); nan without trades.

    References
    ----------
    V. K. Tharp, *Trade Your Way to Financial Freedom*, 1998 (expectancy in R multiples).
    """
    values = vector("r_multiples", r_multiples)
    return float(values.mean()) if len(values) else math.nan
