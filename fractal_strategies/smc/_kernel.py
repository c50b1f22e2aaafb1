"""The one decorator of every kernel.

Contract of all functions named ``*_nb``: they take one-dimensional, C-contiguous, equally long
arrays (float64 unless stated), never pandas; they do not check their input (the wrappers do);
they read rows ``<= t`` to write row ``t``; they do not write to their arguments. Row numbers
are int64 and -1 means "none"; prices are float64 and NaN means "none"; directions are int8:
+1 bullish, -1 bearish, 0 none.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` with numba, keeping its Python signature for the type checker.

    The compiled code is cached on disk, so only the first run after an installation waits for
    the compiler. ``fastmath`` stays off: a reordered sum would differ between a prefix and the
    whole history, and then causality could not be proven bit for bit.
    """
    return cast("Callable[P, R]", numba.njit(cache=True)(function))
