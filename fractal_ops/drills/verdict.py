"""What the exchange's journal says about a drill: pure functions over its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

Row = Mapping[str, Any]
ZERO = Decimal(0)
LIVE = ("open", "triggered")
BY_HAND = "0x68616e64"
"""Begins the client order id of what a drill sends in a person's name."""


class Span(NamedTuple):
    """A stretch of time, ms UTC, in one contract."""

    coin: str
    start_ms: int
    end_ms: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.end_ms - self.start_ms) / 1000


@dataclass
class _Standing:
    """Position and protective stops in one contract, as the rows go by."""

    size: Decimal = ZERO
    entries: set[int] = field(default_factory=set)
    stops: dict[int, tuple[int, Decimal]] = field(default_factory=dict)
    bare_since: int | None = None

    def is_covered(self) -> bool:
        """Tell whether live stops cover the whole position."""
        against = -1 if self.size > 0 else 1
        covering = sum((size for side, size in self.stops.values() if side == against), ZERO)
        return covering >= abs(self.size)


@dataclass(frozen=True)
class History:
    """What happened to positions.

    Parameters
    ----------
    bare : list of Span
        When a position had no live reduce-only stop for all of it.
    doubled : list of str
        Entries that filled into a position that another entry had opened, a person's included;
        what a person adds himself is no double.
    positions : dict
        Signed sizes at the end, by coin; without those that are flat.
    fills : int
        How many there were.
    """

    bare: list[Span]
    doubled: list[str]
    positions: dict[str, Decimal]
    fills: int

    def longest_bare(self) -> float:
        """Return the longest time without a stop, seconds."""
        return max((span.seconds for span in self.bare), default=0.0)

    def bare_after(self, start_ms: int) -> float:
        """Return how long positions were without a stop after a moment (ms UTC), seconds."""
        return sum(max(span.end_ms - max(span.start_ms, start_ms), 0) for span in self.bare) / 1000


def read_history(rows: Iterable[Row], user: str, end_ms: int) -> History:
    """Follow one account through the exchange's journal.

    Parameters
    ----------
    rows : iterable of mapping
        Journal rows in their order.
    user : str
        Lower-case address.
    end_ms : int
        Where an open stretch ends.

    Notes
    -----
    A stop covers a position while it waits for its trigger. One that was triggered and rests
    unfilled protects nothing: the price has gone through it.
    """
    standings: dict[str, _Standing] = {}
    requests: dict[int, Row] = {}
    bare: list[Span] = []
    doubled: list[str] = []
    fills = 0
    for row in rows:
        if row.get("user") != user or row["event"] not in ("order", "fill"):
            continue
        standing = standings.setdefault(row["coin"], _Standing())
        if row["event"] == "order":
            requests[row["oid"]] = row
            _note_stop(standing, row)
        else:
            fills += 1
            _note_fill(standing, row, requests.get(row["oid"]), doubled)
        _note_cover(standing, row, bare)
    for coin, standing in standings.items():
        if standing.bare_since is not None:
            bare.append(Span(coin, standing.bare_since, end_ms))
    positions = {coin: s.size for coin, s in standings.items() if s.size}
    return History(bare, doubled, positions, fills)


def _note_stop(standing: _Standing, row: Row) -> None:
    if row["trigger_px"] is None or not row["reduce_only"]:
        return
    if row["status"] == "open":
        standing.stops[row["oid"]] = 1 if row["side"] == "B" else -1, Decimal(row["sz"])
    else:
        standing.stops.pop(row["oid"], None)


def _note_fill(standing: _Standing, row: Row, request: Row | None, doubled: list[str]) -> None:
    before = standing.size
    signed = Decimal(row["sz"]) * (1 if row["side"] == "B" else -1)
    standing.size = before + signed
    if before == 0 or before * standing.size < 0:
        standing.entries.clear()
    if request is not None and not request["reduce_only"]:
        standing.entries.add(row["oid"])
        is_by_hand = (request["cloid"] or "").startswith(BY_HAND)
        if len(standing.entries) > 1 and not is_by_hand:
            doubled.append(f"{row['coin']}: orders {sorted(standing.entries)} in one position")


def _note_cover(standing: _Standing, row: Row, bare: list[Span]) -> None:
    is_bare = standing.size != 0 and not standing.is_covered()
    if is_bare and standing.bare_since is None:
        standing.bare_since = row["at_ms"]
    elif not is_bare and standing.bare_since is not None:
        bare.append(Span(row["coin"], standing.bare_since, row["at_ms"]))
        standing.bare_since = None
