"""What every function here asks of its input, and how it refuses."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
"""An array of float64."""

CHUNK_CELLS = 1 << 20
"""Matrices of resamples are worked through in pieces of about this many cells (8 MB each)."""


def vector(name: str, values: ArrayLike) -> Floats:
    """Return `values` as a float64 vector.

    Raises
    ------
    ValueError
        Not one-dimensional, or a value is NaN or infinite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} has shape {array.shape}: give a one-dimensional array")
    _refuse_non_finite(name, array)
    return array


def matrix(name: str, values: ArrayLike) -> Floats:
    """Return `values` as a float64 matrix.

    Raises
    ------
    ValueError
        Not two-dimensional, or a value is NaN or infinite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2:
        raise ValueError(f"{name} has shape {array.shape}: give days as rows, trials as columns")
    _refuse_non_finite(name, array)
    return array


def same_length(**arrays: NDArray[np.generic]) -> None:
    """Refuse arrays that belong together and differ in length.

    Raises
    ------
    ValueError
        The lengths differ.
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"lengths differ: {lengths}; give one value of each per trade or candle")


def at_least(name: str, value: float, minimum: float) -> None:
    """Refuse a value below `minimum`, and NaN.

    Raises
    ------
    ValueError
        The value is smaller than `minimum` or NaN.
    """
    if not value >= minimum:
        raise ValueError(f"{name} is {value}: give {minimum} or more")


def finite(name: str, value: float) -> None:
    """Refuse NaN and infinity.

    Raises
    ------
    ValueError
        The value is NaN or infinite.
    """
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}: give a finite number")


def proportion(name: str, value: float) -> None:
    """Refuse a value outside the open interval from 0 to 1.

    Raises
    ------
    ValueError
        The value is not between 0 and 1.
    """
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} is {value}: give a number between 0 and 1, such as 0.95")


def rows_per_chunk(columns: int) -> int:
    """Return how many rows of `columns` cells fit into one piece of work, at least 1."""
    return max(1, CHUNK_CELLS // max(1, columns))


def _refuse_non_finite(name: str, array: Floats) -> None:
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        where = np.unravel_index(int(bad[0]), array.shape)
        place = ", ".join(str(int(index)) for index in where)
        raise ValueError(
            f"{name}[{place}] is {array[where]}: give finite numbers"
            " (a trial or day without trades is 0)"
        )
