"""Append what is new to what is stored, and refuse to mix two markets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fractal_ops.data.errors import DataError

_SAME_RATIO = 1e-9


def append(stored: pd.DataFrame, fetched: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the stored rows and, after them, the fetched ones that are later.

    Parameters
    ----------
    stored, fetched : DataFrame
        Rows by `date`, sorted, with the same columns; they have to overlap.
    name : str
        The file's name, for the message.

    Raises
    ------
    DataError
        If a row that both hold differs, if one holds a row of the overlap that the other
        lacks, or if they do not overlap.
    """
    start, end = fetched["date"].iloc[0], stored["date"].iloc[-1]
    ours = stored[stored["date"] >= start].reset_index(drop=True)
    theirs = fetched[fetched["date"] <= end].reset_index(drop=True)
    if stored["date"].iloc[0] > start:  # the exchange reaches back further
        theirs = theirs[theirs["date"] >= stored["date"].iloc[0]].reset_index(drop=True)
    columns = [column for column in fetched.columns if column != "date"]
    if ours.empty or len(ours) != len(theirs) or not ours["date"].equals(theirs["date"]):
        _refuse(name, f"at {end} the two do not hold the same rows")
    left = ours[columns].to_numpy(np.float64)
    right = theirs[columns].to_numpy(np.float64)
    same = np.isclose(left, right, rtol=_SAME_RATIO, atol=1e-15)
    if not same.all():
        row, column = (int(x[0]) for x in np.nonzero(~same))
        _refuse(
            name,
            f"at {ours['date'].iloc[row]} it holds {columns[column]} {left[row, column]:g}, the "
            f"exchange {right[row, column]:g}",
        )
    before = fetched[fetched["date"] < stored["date"].iloc[0]]
    after = fetched[fetched["date"] > end]
    kept = stored[list(fetched.columns)]
    parts = [part for part in (before, kept, after) if not part.empty]
    merged: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return merged


def _refuse(name: str, what: str) -> None:
    msg = (
        f"{name} comes from another market ({what}): start the exchange with the seed or replay "
        "it was made with, or replace all of these files with --fresh"
    )
    raise DataError(msg)
