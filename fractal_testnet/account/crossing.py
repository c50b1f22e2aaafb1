"""When a price first reaches a level."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from fractal_testnet.market import Knots


class Touch(NamedTuple):
    """The moment (ms UTC) at which a level was reached, and on which side."""

    at_ms: int
    is_low: bool


def first_touch(knots: Knots, after_ms: int, low: float | None, high: float | None) -> Touch | None:
    """Find when a path first is at or below `low`, or at or above `high`.

    Parameters
    ----------
    knots : Knots
        The way of the price.
    after_ms : int
        Moments before this one do not count.
    low, high : float or None
        Levels; None where there is none.

    Returns
    -------
    Touch or None
        The first whole millisecond at which the price has reached one of them. Where a step
        jumps over both, `low` is told.
    """
    for number, ((start, price), (end, following)) in enumerate(pairwise(_corners(knots)), 2):
        if end <= after_ms and number < len(knots.t):
            continue  # a step at this very moment counts with the price after it
        slope = 0.0 if end == start else (following - price) / (end - start)
        begin = max(start, after_ms)
        standing = price + slope * (begin - start)
        if low is not None and standing <= low:
            return Touch(begin, True)
        if high is not None and standing >= high:
            return Touch(begin, False)
        if low is not None and following <= low:
            return Touch(_reached(begin, standing, slope, low, end), True)
        if high is not None and following >= high:
            return Touch(_reached(begin, standing, slope, high, end), False)
    return None


def _corners(knots: Knots) -> Iterator[tuple[int, float]]:
    return zip(knots.t, knots.p, strict=True)


def _reached(begin: int, standing: float, slope: float, level: float, end: int) -> int:
    """Return the first whole millisecond of a line that ends beyond a level."""
    if slope == 0:
        return end
    return min(begin + math.ceil((level - standing) / slope), end)
