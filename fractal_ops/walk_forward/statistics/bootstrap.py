"""Confidence intervals that neither assume normal returns nor independent days."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from ._bca import acceleration, bca_tails
from ._checks import Floats, at_least, finite, proportion, rows_per_chunk, vector
from .performance import DAYS_PER_YEAR, ROUNDING
from .stationary import block_length, resample_rows

Method = Literal["percentile", "bca"]
DEFAULT_RESAMPLES = 10_000
MIN_RESAMPLES = 100


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval.

    Parameters
    ----------
    estimate
        Of the series itself.
    low, high
        Ends of the interval; all three are nan when the estimate is undefined.
    confidence
        Two-sided: below `low` lies half of what is left.
    share_not_positive
        Share of resamples in which the figure was 0 or less; nan when undefined.
    block_length
        Mean length of the blocks, in values (trades or days).
    resamples
        How many were drawn.
    method
        How the ends were taken from the resamples.
    """

    estimate: float
    low: float
    high: float
    confidence: float
    share_not_positive: float
    block_length: float
    resamples: int
    method: Method


def mean_r_interval(
    r_multiples: ArrayLike,
    rng: np.random.Generator,
    *,
    confidence: float = 0.95,
    resamples: int = DEFAULT_RESAMPLES,
    mean_block: float | None = None,
    method: Method = "bca",
) -> Interval:
    """Give the mean R of trades its confidence interval.

    Parameters
    ----------
    r_multiples
        Profit of each trade in units of its risk, in order of time, shape (trades,).
    rng
        Source of randomness, seeded by the caller.
    confidence
        Two-sided, between 0 and 1.
    resamples
        At least 100; ends this far out want 10,000.
    mean_block
        Mean block length in trades, 1 or more; chosen by :func:`block_length` unless given.
    method
        "bca" corrects for bias and skewness (Efron 1987); "percentile" takes plain quantiles.

    Returns
    -------
    Interval
        nan with fewer than two trades.

    Raises
    ------
    ValueError
        A value is not finite, or a setting is out of range.
    """
    values = vector("r_multiples", r_multiples)
    settings = (confidence, resamples, mean_block, method)
    return _interval(
        values, _means, float(values.mean()) if len(values) else math.nan, rng, settings
    )


def sharpe_interval(
    returns: ArrayLike,
    rng: np.random.Generator,
    *,
    confidence: float = 0.95,
    resamples: int = DEFAULT_RESAMPLES,
    mean_block: float | None = None,
    method: Method = "percentile",
) -> Interval:
    """Give the annualised Sharpe ratio of daily returns its confidence interval.

    Parameters
    ----------
    returns
        Daily returns, ratios, in order of time, shape (days,).
    rng, confidence, resamples, mean_block, method
        As :func:`mean_r_interval`; blocks are in days.

    Returns
    -------
    Interval
        nan when the Sharpe is undefined. A resample without variation counts as a Sharpe of 0.

    Raises
    ------
    ValueError
        As :func:`mean_r_interval`.
    """
    values = vector("returns", returns)
    estimate = float(_sharpes(values[np.newaxis])[0]) if len(values) > 1 else math.nan
    if len(values) > 1 and values.std() <= ROUNDING * np.abs(values).max():
        estimate = math.nan
    return _interval(values, _sharpes, estimate, rng, (confidence, resamples, mean_block, method))


def _interval(
    values: Floats,
    figure: Callable[[Floats], Floats],
    estimate: float,
    rng: np.random.Generator,
    settings: tuple[float, int, float | None, Method],
) -> Interval:
    confidence, resamples, mean_block, method = settings
    proportion("confidence", confidence)
    at_least("resamples", resamples, MIN_RESAMPLES)
    if method not in get_args(Method):
        raise ValueError(f"method is {method!r}: give one of {', '.join(get_args(Method))}")
    length = block_length(values) if mean_block is None else mean_block
    at_least("mean_block", length, 1)
    finite("mean_block", length)
    n = len(values)
    if n < 2 or math.isnan(estimate):
        nan = math.nan
        return Interval(nan, nan, nan, confidence, nan, length, resamples, method)
    step = rows_per_chunk(n)
    drawn = np.concatenate(
        [
            figure(values[resample_rows(n, length, min(step, resamples - done), rng)])
            for done in range(0, resamples, step)
        ]
    )
    tails = np.array([(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0])
    if method == "bca":
        tails = bca_tails(tails, drawn, estimate, acceleration(values, figure, length))
    low, high = np.quantile(drawn, tails)
    below = float(np.mean(drawn <= 0))
    return Interval(estimate, float(low), float(high), confidence, below, length, resamples, method)


def _means(rows: Floats) -> Floats:
    means: Floats = rows.mean(axis=1)
    return means


def _sharpes(rows: Floats) -> Floats:
    """Annualised Sharpe of each row; 0 where a row does not vary."""
    deviation = rows.std(axis=1, ddof=1)
    flat = deviation <= ROUNDING * np.abs(rows).max(axis=1)
    ratio = rows.mean(axis=1) / np.where(flat, 1.0, deviation)
    return np.where(flat, 0.0, ratio) * math.sqrt(DAYS_PER_YEAR)
