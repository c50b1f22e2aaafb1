"""The stationary bootstrap: which rows to draw, and how long its blocks should be.

References
----------
[1] D. N. Politis and H. White, "Automatic Block-Length Selection for the Dependent Bootstrap",
    Econometric Reviews 23(1), 2004.
[2] A. Patton, D. N. Politis and H. White, "Correction to 'Automatic Block-Length Selection for
    the Dependent Bootstrap'", Econometric Reviews 28(4), 2009.
[3] D. N. Politis and J. P. Romano, "The Stationary Bootstrap", Journal of the American
    Statistical Association 89(428), 1994.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._checks import Floats, vector

MIN_VALUES = 9
"""Shorter series say nothing about their own dependence: they are resampled value by value."""


def block_length(values: ArrayLike) -> float:
    """Choose the mean block length from the series' own autocorrelation.

    Parameters
    ----------
    values
        The series in time order, shape (n,).

    Returns
    -------
    float
        Mean block length, from 1 to min(3 sqrt(n), n / 3). 1 (independent values) for fewer than
        9 values and for a series that does not vary.

    Raises
    ------
    ValueError
        A value is not finite.

    Notes
    -----
    [1] with the correction of [2]: a flat-top window as wide as twice the last lag before
    max(5, sqrt(log10 n)) lags in a row are insignificant, significance being
    2 sqrt(log10(n) / n).
    """
    series = vector("values", values)
    n = len(series)
    if n < MIN_VALUES or np.ptp(series) == 0:
        return 1.0
    centred = series - series.mean()
    centred /= np.abs(centred).max()  # squares of tiny values would vanish
    run = max(5, int(math.sqrt(math.log10(n))))
    covariance = _autocovariance(centred, min(n - 1, math.ceil(math.sqrt(n)) + run))
    window = _window(covariance / covariance[0], n, run)
    lags = np.arange(1, window + 1)
    weight = np.minimum(1.0, 2.0 * (1.0 - lags / window))
    tail = weight * covariance[1 : window + 1]
    spectrum = covariance[0] + 2.0 * tail.sum()
    slope = 2.0 * float((lags * tail).sum())
    length = math.cbrt(float(slope / spectrum) ** 2 * n) if spectrum else math.inf
    return min(max(1.0, length), min(3.0 * math.sqrt(n), n / 3.0))


def resample_rows(
    n: int, mean_block: float, resamples: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw rows of a stationary bootstrap.

    Parameters
    ----------
    n
        Length of the series.
    mean_block
        Mean of the geometric block lengths, 1 or more.
    resamples
        How many series to draw.
    rng
        Source of randomness.

    Returns
    -------
    numpy.ndarray
        int64 of shape (resamples, n): rows of the series, which is taken as a circle.

    Notes
    -----
    [3]: each value starts a new block with probability 1 / mean_block, else it is its
    predecessor's successor.
    """
    starts = rng.integers(0, n, size=(resamples, n))
    new = rng.random((resamples, n)) < 1.0 / mean_block
    new[:, 0] = True
    position = np.arange(n)
    begun = np.maximum.accumulate(np.where(new, position, 0), axis=1)
    rows: NDArray[np.int64] = (np.take_along_axis(starts, begun, axis=1) + position - begun) % n
    return rows


def _autocovariance(centred: Floats, lags: int) -> Floats:
    n = len(centred)
    return np.array([centred[lag:] @ centred[: n - lag] for lag in range(lags + 1)]) / n


def _window(correlation: Floats, n: int, run: int) -> int:
    """Return the widest lag of the flat-top window."""
    significant = np.abs(correlation[1:]) >= 2.0 * math.sqrt(math.log10(n) / n)
    last = 0
    for lag, is_significant in enumerate(significant, start=1):
        if is_significant:
            last = lag
        elif lag - last >= run:
            break
    return min(2 * max(last, 1), len(correlation) - 1)
