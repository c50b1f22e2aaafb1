"""Zones: the shared life story of order blocks and fair value gaps."""

from enum import IntEnum
from typing import NamedTuple

from ._candles import Directions, Floats, Rows


class EndReason(IntEnum):
    """Why a zone stopped being live."""

    LIVE = 0
    """It has not ended in the candles given."""
    INVALIDATED = 1
    """Order block: a close beyond its far edge."""
    FILLED = 2
    """Fair value gap: price reached its far edge."""
    EXPIRED = 3
    """It grew older than its limit."""
    MERGED = 4
    """A newer overlapping order block took it in."""
    CROWDED_OUT = 5
    """More zones were live than are kept on one side; the oldest went."""


class Zones(NamedTuple):
    """A table of zones in the order they became known; one array per column, shape (m,).

    Only the story's later chapters (`touched_row`, `end_row`, `end_reason`, `fill`) change when
    more candles arrive, and what was written for a row that has passed stays.
    """

    direction: Directions
    """+1 bullish (support), -1 bearish (resistance)."""
    source_row: Rows
    """Row of the candle that made the zone (its block, or the gap's first candle)."""
    known_row: Rows
    """Row from which the zone may be used: it could not have been seen before."""
    top: Floats
    """Upper edge, price."""
    bottom: Floats
    """Lower edge, price."""
    touched_row: Rows
    """First row after `known_row` whose range enters the zone; -1 if none."""
    end_row: Rows
    """Row in which the zone ends; -1 while it lives."""
    end_reason: Directions
    """An :class:`EndReason`."""
    fill: Floats
    """Deepest share entered while live, 0..1 (1 = far edge reached)."""
    members: Rows
    """Order blocks that the zone unites; 1 for a gap."""
