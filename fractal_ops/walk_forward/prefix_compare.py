"""Hold what a strategy read from a prefix beside what it reads from all candles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from fractal_ops.walk_forward.prefix_replay import Columns

SIGNALS = ("enter_long", "exit_long", "enter_short", "exit_short")
TAGS = ("enter_tag", "exit_tag")
ROUNDING_RATIO = 1e-9
"""Relative difference below which a number is the same: what the order of additions can do."""
ROUNDING_SCALE_RATIO = 1e-13
"""The same beside the column's largest number, for differences of large numbers."""


@dataclass(frozen=True)
class Comparison:
    """Where a prefix and the whole differ.

    Parameters
    ----------
    changed : dict of str to array of int
        Rows that differ, ascending, by column; columns without any are left out.
    rounded : tuple of str
        Columns that differ by no more than rounding.
    readings : int
        Values compared.
    """

    changed: dict[str, np.ndarray]
    rounded: tuple[str, ...]
    readings: int


def is_signal(column: str) -> bool:
    """Tell whether freqtrade trades on a column."""
    return column in SIGNALS or column in TAGS


def kept(columns: Columns, ignore: Iterable[str]) -> Columns:
    """Leave out columns by name or pattern (``chart_*``), and bring the signals into one form.

    Notes
    -----
    A signal is what freqtrade takes for one: the number 1. A tag that is missing is empty.
    """
    patterns = tuple(ignore)
    result: Columns = {}
    for name, values in columns.items():
        if name in SIGNALS:
            result[name] = np.asarray(values == 1, dtype=np.bool_)
        elif name in TAGS:
            text = values.astype(object)
            result[name] = np.where(pd.isna(text), "", text)
        elif not any(fnmatchcase(name, pattern) for pattern in patterns):
            result[name] = values
    return result


def compare(part: Columns, whole: Columns, rows: int, first: int) -> Comparison:
    """Compare the rows from `first` to `rows`.

    Parameters
    ----------
    part, whole : dict of str to array
        Columns from :func:`kept`, of the first `rows` candles and of all.
    rows, first : int
        Length of the prefix, and the first row that is no start-up row.

    Notes
    -----
    A column that one of the two lacks counts as empty there: no signal, no tag, NaN.
    """
    changed: dict[str, np.ndarray] = {}
    rounded = []
    for name in whole.keys() | part.keys():
        settled = _column(whole, name, part, rows)[first:rows]
        read = _column(part, name, whole, rows)[first:rows]
        is_plain = settled.dtype == read.dtype and settled.dtype != object
        if is_plain and settled.tobytes() == read.tobytes():
            continue
        differs, differs_much = _differences(read, settled)
        if differs_much.any():
            changed[name] = np.flatnonzero(differs_much) + first
        elif differs.any():
            rounded.append(name)
    return Comparison(changed, tuple(rounded), (rows - first) * len(whole))


def _column(columns: Columns, name: str, other: Columns, rows: int) -> np.ndarray:
    if name in columns:
        return columns[name]
    if name in SIGNALS:
        return np.zeros(rows, dtype=np.bool_)
    empty = "" if name in TAGS else np.nan
    return np.full(max(rows, len(other[name])), empty, dtype=object)


def _differences(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where two columns differ at all, and where by more than rounding."""
    if left.dtype.kind in "fiub" and right.dtype.kind in "fiub":
        is_float = "f" in (left.dtype.kind, right.dtype.kind)
        left, right = left.astype(np.float64), right.astype(np.float64)
        differs = ~((left == right) | (np.isnan(left) & np.isnan(right)))
        if not differs.any() or not is_float:
            return differs, differs
        finite = np.abs(right[np.isfinite(right)])
        scale = finite.max() if len(finite) else 0.0
        with np.errstate(invalid="ignore"):
            size = np.maximum(np.abs(left), np.abs(right))
            near = np.abs(left - right) <= ROUNDING_RATIO * size + ROUNDING_SCALE_RATIO * scale
        # Infinities differ by NaN or infinity; they are never near anything but themselves.
        return differs, differs & ~(near & np.isfinite(left) & np.isfinite(right))
    missing = pd.isna(left) & pd.isna(right)
    differs = ~(_equal(left, right) | missing)
    return differs, differs


def _equal(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    pairs = zip(left.astype(object), right.astype(object), strict=True)
    return np.fromiter((_is_equal(a, b) for a, b in pairs), dtype=np.bool_, count=len(left))


def _is_equal(left: object, right: object) -> bool:
    if left is right:
        return True
    try:
        return bool(left == right)
    except (TypeError, ValueError):  # lists and arrays in cells, times with and without a zone
        return repr(left) == repr(right)
