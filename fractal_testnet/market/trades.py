"""Prints: the public trades along the price's path."""

from __future__ import annotations

from typing import NamedTuple

SLOT_MS = 2_000  # one print each so often


class Print(NamedTuple):
    """One public trade: ms UTC, price (USDC), size (base units), side of the taker, id.

    `side` is ``B`` when a buyer took, ``A`` when a seller did.
    """

    time_ms: int
    px: float
    sz: float
    side: str
    tid: int
