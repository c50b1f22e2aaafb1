"""Wait for what a drill expects."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from fractal_ops.drills.errors import DrillFailedError

T = TypeVar("T")

POLL_SECONDS = 0.05


def until(condition: Callable[[], T], what: str, seconds: float = 45.0) -> T:
    """Return a condition's value once it is true.

    Parameters
    ----------
    condition : callable
        Is asked again and again.
    what : str
        What is waited for, in words.
    seconds : float, default 45
        How long at most.

    Raises
    ------
    DrillFailedError
        It did not become true in time.
    """
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise DrillFailedError(f"within {seconds:g} s there was no {what}")
        time.sleep(POLL_SECONDS)
    return value


def expect(condition: object, what: str) -> None:
    """Check what must be so.

    Parameters
    ----------
    condition : object
        True if it is so.
    what : str
        What is wrong where it is not, in words.

    Raises
    ------
    DrillFailedError
        It is not so.
    """
    if not condition:
        raise DrillFailedError(what)
