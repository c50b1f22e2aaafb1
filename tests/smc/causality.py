"""The proof of causality: no reading may change when later candles arrive.

`assert_causal` runs any function from candles to columns on prefixes of a frame and compares
every row of every prefix with the run on the whole frame, bit for bit. A value that differs
depended on candles after its own row. Detectors and strategies share it.
"""

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from fractal_strategies.smc import EndReason, Zones


def assert_causal(
    function: Callable[[pd.DataFrame], pd.DataFrame],
    frame: pd.DataFrame,
    prefixes: Iterable[int] | None = None,
    *,
    ignore: Iterable[str] = (),
) -> int:
    """Prove on `frame` that no settled reading of `function` changes.

    Parameters
    ----------
    function
        From a candle frame to a frame of as many rows; gets its own copy every time.
    frame
        Candles, oldest first.
    prefixes
        Numbers of leading rows to try; all from 0 to the whole if None.
    ignore
        Columns that are left out.

    Returns
    -------
    int
        Readings compared, so that a test can show that the proof looked at something.

    Raises
    ------
    AssertionError
        A reading differs; the message names column, row, prefix and both values. Of all
        differences of a prefix, the one in the earliest row is named.
    """
    whole = _columns(function, frame, set(ignore))
    compared = 0
    for rows in range(len(frame) + 1) if prefixes is None else prefixes:
        part = _columns(function, frame.iloc[:rows], set(ignore))
        if list(part) != list(whole):
            odd = sorted(set(part) ^ set(whole))
            raise AssertionError(f"columns {odd} come and go: prefix of {rows} rows")
        changed = []
        for name, values in part.items():
            settled = whole[name][:rows]
            if values.dtype == settled.dtype and values.tobytes() == settled.tobytes():
                continue
            differs = ~_same(values, settled)
            if differs.any():
                changed.append((int(differs.argmax()), name))
        if changed:
            row, name = min(changed)
            raise AssertionError(
                f"column {name!r}, row {row}: read as {part[name][row]!r} when {rows} candles "
                f"were known, but as {whole[name][row]!r} with all {len(frame)}; "
                "it depends on the future"
            )
        compared += rows * len(part)
    return compared


def _columns(
    function: Callable[[pd.DataFrame], pd.DataFrame], frame: pd.DataFrame, ignore: set[str]
) -> dict[str, np.ndarray]:
    result = function(frame.copy())
    assert len(result) == len(frame), f"{len(result)} rows out of {len(frame)}"
    return {str(name): result[name].to_numpy() for name in result.columns if name not in ignore}


def _same(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    both_missing = pd.isna(left) & pd.isna(right)
    return (left == right) | both_missing


def assert_zones_settled(part: Zones, whole: Zones, rows: int) -> None:
    """Prove that zones read from a prefix of `rows` candles tell the same story so far.

    Chapters of the whole story that lie after the prefix must read as not yet happened.
    """
    known = whole.known_row < rows
    fixed = ("direction", "source_row", "known_row", "top", "bottom", "members")
    for name in fixed:
        settled = getattr(whole, name)[known]
        assert np.array_equal(getattr(part, name), settled), f"zones' {name}, prefix {rows}"
    touched, end = whole.touched_row[known], whole.end_row[known]
    expected_end = np.where(end < rows, end, -1)
    assert np.array_equal(part.touched_row, np.where(touched < rows, touched, -1)), rows
    assert np.array_equal(part.end_row, expected_end), rows
    reason = np.where(expected_end >= 0, whole.end_reason[known], int(EndReason.LIVE))
    assert np.array_equal(part.end_reason, reason), rows
    fill = whole.fill[known]
    over = expected_end >= 0
    assert np.array_equal(part.fill[over], fill[over]), f"fill of ended zones, prefix {rows}"
    assert (part.fill <= fill).all(), f"fill shrank after prefix {rows}"
