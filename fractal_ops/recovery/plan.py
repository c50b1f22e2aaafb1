"""What ``--repair`` would do about confirmed drifts: pure, so that it can be shown first."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from fractal_ops.recovery.drift import UNPROTECTED, Drift, Remedy
from fractal_ops.recovery.facts import Snapshot, VenueOrder
from fractal_ops.recovery.tracker import Sighting

STOP_LIMIT_RATIO = Decimal("0.97")
"""Limit over trigger of a stop, as the strategies of this project have it. freqtrade's own default,
0.99, misses sooner; a stop that replaces a lost one had better fill."""
LONGEST_UNPROTECTED = timedelta(seconds=45)
"""A position whose stop could not be placed for this long is closed: with one more look it stays
below a minute."""

_REPAIRABLE = (Remedy.PLACE_STOP, Remedy.FLATTEN)


class Action(StrEnum):
    """What a step does. Nothing here can open or enlarge a position."""

    CANCEL = "cancel"
    CLOSE = "close"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Step:
    """One order, or the end of one.

    Parameters
    ----------
    action, pair
        What, and where.
    reason
        The drift that asks for it, for people.
    position
        Signed size of the position that it was planned on; a different one calls it off.
    side, size
        Of the order that is sent; +1 buys.
    trigger_price, limit_price
        Of a stop.
    order_id
        Of the order that is cancelled.
    """

    action: Action
    pair: str
    reason: str
    position: Decimal
    side: int = 0
    size: Decimal = Decimal(0)
    trigger_price: Decimal | None = None
    limit_price: Decimal | None = None
    order_id: str = ""

    def __str__(self) -> str:
        side = "buy" if self.side > 0 else "sell"
        if self.action is Action.CANCEL:
            return f"cancel order {self.order_id}"
        if self.action is Action.CLOSE:
            return f"{side} {self.size:f} reduce-only, immediate or cancel"
        return f"{side} {self.size:f} reduce-only stop at {self.trigger_price:f}"


def plan(
    sightings: Iterable[Sighting], snapshot: Snapshot, limit_ratio: Decimal = STOP_LIMIT_RATIO
) -> tuple[Step, ...]:
    """Plan the repair of confirmed drifts.

    Parameters
    ----------
    sightings
        What was seen; what is not confirmed or is for a person is passed over.
    snapshot
        What they were found in.
    limit_ratio
        Limit over trigger of a long's stop; a short's is mirrored as freqtrade does.

    Returns
    -------
    tuple of Step
        Pair by pair. First orders go that could open more, then the position is closed or
        gets its stop, and last go orders that can only close.
    """
    by_pair: dict[str, list[Drift]] = {}
    for seen in sightings:
        if seen.confirmed:
            drift = _overdue(seen, snapshot)
            by_pair.setdefault(drift.pair, []).append(drift)
    return tuple(
        step
        for pair in sorted(by_pair)
        for step in _steps(pair, by_pair[pair], snapshot, limit_ratio)
    )


def _steps(
    pair: str, drifts: list[Drift], snapshot: Snapshot, limit_ratio: Decimal
) -> Iterator[Step]:
    orders = {order.id: order for order in snapshot.orders}
    orphans = [
        (drift, orders[drift.order_id])
        for drift in drifts
        if drift.remedy is Remedy.CANCEL and drift.order_id in orders
    ]
    position = snapshot.positions.get(pair)
    size = Decimal(0) if position is None else position.size
    yield from (_cancel(d, o, size) for d, o in orphans if not o.reduce_only)
    bare = next((d for d in drifts if d.kind in UNPROTECTED and d.remedy in _REPAIRABLE), None)
    if bare is not None:
        # freqtrade gives a position no stop while its entry still fills, and keeps an entry of
        # which too little has filled.
        ours = {order.id for _, order in orphans}
        entries = (o for o in snapshot.orders if o.pair == pair and not o.reduce_only and o.filled)
        yield from (_cancel(bare, order, size) for order in entries if order.id not in ours)
    flatten = next((d for d in drifts if d.remedy is Remedy.FLATTEN), None)
    stop = next((d for d in drifts if d.remedy is Remedy.PLACE_STOP), None)
    if flatten is not None and position is not None:
        yield Step(Action.CLOSE, pair, _reason(flatten), size, side=-position.side, size=abs(size))
    elif stop is not None and position is not None:
        yield _stop(stop, size, limit_ratio)
    yield from (_cancel(d, o, size) for d, o in orphans if o.reduce_only)


def _overdue(seen: Sighting, snapshot: Snapshot) -> Drift:
    drift = seen.drift
    is_late = snapshot.at - seen.since >= LONGEST_UNPROTECTED
    if is_late and drift.kind in UNPROTECTED and drift.remedy is Remedy.PLACE_STOP:
        return replace(drift, remedy=Remedy.FLATTEN)
    return drift


def _cancel(drift: Drift, order: VenueOrder, position: Decimal) -> Step:
    return Step(Action.CANCEL, drift.pair, _reason(drift), position, order_id=order.id)


def _stop(drift: Drift, position: Decimal, limit_ratio: Decimal) -> Step:
    trigger = Decimal(drift.numbers["stop_price"])
    ratio = limit_ratio if position > 0 else 2 - limit_ratio
    return Step(
        Action.STOP,
        drift.pair,
        _reason(drift),
        position,
        side=-1 if position > 0 else 1,
        size=abs(position) - Decimal(drift.numbers["covered"]),
        trigger_price=trigger,
        limit_price=trigger * ratio,
    )


def _reason(drift: Drift) -> str:
    return f"{drift.kind}: {drift.message}"
