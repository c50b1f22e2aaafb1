"""What a drill can end with."""

from __future__ import annotations


class DrillError(Exception):
    """The drill itself can not be run: says what is missing, and the remedy."""


class DrillFailedError(Exception):
    """What the drill waited for did not happen, or something else did."""


class DrillSkippedError(Exception):
    """The machine does not allow what the drill needs; says what."""
