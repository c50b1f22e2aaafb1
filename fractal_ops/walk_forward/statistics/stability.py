"""Whether the windows of a walk-forward tell the same story."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

MAX_RATIO = 3.0
"""The criterion: the best window's Sharpe is at most three times the worst's."""


@dataclass(frozen=True, slots=True)
class Stability:
    """How alike the windows' Sharpe ratios are.

    Parameters
    ----------
    windows
        How many there were.
    positive_share
        Share with a Sharpe above 0; a window without a defined Sharpe (no trades) is not positive.
        nan without windows.
    largest, smallest
        Of the defined Sharpe ratios; nan without any.
    ratio
        Largest over smallest; nan where it has no meaning.
    passes
        Whether the ratio has a meaning and is at most 3.
    meaning
        One sentence on the ratio.
    """

    windows: int
    positive_share: float
    largest: float
    smallest: float
    ratio: float
    passes: bool
    meaning: str


def stability(window_sharpes: ArrayLike) -> Stability:
    """Compare the Sharpe ratios of the out-of-sample windows.

    Parameters
    ----------
    window_sharpes
        One Sharpe per window, annualised or not, shape (windows,); nan where undefined.

    Returns
    -------
    Stability
        The ratio has a meaning only when every window has a Sharpe and all are above 0; in every
        other case the criterion fails and `meaning` says why.

    Raises
    ------
    ValueError
        Not one-dimensional, or a Sharpe is infinite.
    """
    sharpes = np.asarray(window_sharpes, dtype=np.float64)
    if sharpes.ndim != 1 or np.isinf(sharpes).any():
        raise ValueError(
            f"window_sharpes is {sharpes.tolist()}: give one Sharpe per window, nan if undefined"
        )
    known = sharpes[~np.isnan(sharpes)]
    largest = float(known.max()) if known.size else math.nan
    smallest = float(known.min()) if known.size else math.nan
    problem = _why_no_ratio(sharpes, largest, smallest)
    ratio = math.nan if problem else largest / smallest
    passes = not problem and ratio <= MAX_RATIO
    word = "within" if passes else "beyond"
    return Stability(
        windows=int(sharpes.size),
        positive_share=float(np.mean(sharpes > 0)) if sharpes.size else math.nan,
        largest=largest,
        smallest=smallest,
        ratio=ratio,
        passes=passes,
        meaning=problem
        or f"the best window's Sharpe is {ratio:.2f} times the worst's,"
        f" {word} the criterion of {MAX_RATIO:g}",
    )


def _why_no_ratio(sharpes: np.ndarray, largest: float, smallest: float) -> str:
    """Return why the ratio of the Sharpe ratios has no meaning; empty when it has."""
    if sharpes.size < 2:
        return f"{sharpes.size} window: a ratio needs two"
    if np.isnan(sharpes).any():
        return "a window has no defined Sharpe (no trades): the ratio has no meaning"
    if smallest < 0 < largest:
        return "signs differ: the ratio has no meaning"
    if smallest < 0:
        return "no window has a Sharpe above 0: the ratio has no meaning"
    if smallest == 0:
        return "a window has a Sharpe of 0: the ratio has no meaning"
    return ""
