"""Hold the venue beside the databases: facts in, drifts out. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from fractal_ops.recovery import advice
from fractal_ops.recovery.drift import Drift, DriftKind, Remedy, whole_account
from fractal_ops.recovery.facts import (
    ZERO,
    RecordedTrade,
    Role,
    Snapshot,
    VenueOrder,
    VenuePosition,
)
from fractal_ops.recovery.stops import is_through, protection_of, wanted_stop

MOST_CLOCK_OFFSET = timedelta(seconds=30)
"""Half of the shortest candle: beyond it, one that still forms is soon taken for closed."""


def compare(snapshot: Snapshot) -> tuple[Drift, ...]:
    """Find everything that venue and databases disagree about.

    Parameters
    ----------
    snapshot
        Both, read at one moment.

    Returns
    -------
    tuple of Drift
        By pair, the gravest first; empty where they are aligned.

    Notes
    -----
    Missing is not flat: an account that shows nothing at all is not compared, for a wrong address
    looks just like it. A pair that a bot claims and no database knows is not judged either.
    """
    if not (snapshot.equity or snapshot.positions or snapshot.orders):
        return (
            whole_account(
                DriftKind.EMPTY_ACCOUNT,
                "the venue shows no money, no position and no order in this account; "
                f"the databases have {len(snapshot.trades)} open trades",
                advice.EMPTY_ACCOUNT,
            ),
        )
    found = [drift for pair in snapshot.pairs() for drift in _Pair(snapshot, pair).drifts()]
    if abs(snapshot.clock_ahead) > MOST_CLOCK_OFFSET:
        found.append(_clock_offset(snapshot.clock_ahead))
    return tuple(sorted(found, key=lambda d: (d.pair, d.kind.gravity, d.order_id)))


def _clock_offset(ahead: timedelta) -> Drift:
    seconds = round(ahead.total_seconds())
    where = "ahead of" if seconds > 0 else "behind"
    message = f"this machine's clock is {abs(seconds)} s {where} the venue's"
    return whole_account(DriftKind.CLOCK_OFFSET, message, advice.CLOCK_OFFSET)


class _Pair:
    """One pair on both sides."""

    def __init__(self, snapshot: Snapshot, pair: str) -> None:
        self.snapshot = snapshot
        self.pair = pair
        self.position = snapshot.positions.get(pair)
        self.orders = tuple(order for order in snapshot.orders if order.pair == pair)
        self.trades = tuple(trade for trade in snapshot.trades if trade.pair == pair)
        self.claims = tuple(claim for claim in snapshot.claims if claim.pair == pair)
        self.step = snapshot.steps.get(pair, ZERO)
        self.recorded = {o.id: (t, o) for t in self.trades for o in t.orders if o.is_open}
        self.actual = ZERO if self.position is None else self.position.size
        self.expected = self._expected()

    def drifts(self) -> Iterator[Drift]:
        if len(self.claims) > len(self.trades):
            yield self._missing_database()
            return
        size = self._size()
        if size is not None:
            yield size
        is_ours = size is None or size.kind in (DriftKind.WRONG_SIZE, DriftKind.MISSING_POSITION)
        needed: frozenset[str] = frozenset()
        if self.position is not None and is_ours:
            stop, needed = self._stops(self.position)
            if stop is not None:
                yield stop
        yield from (self._orphan(o) for o in self.orders if self._is_orphan(o, needed))
        yield from self._lost_orders()

    # -- size ------------------------------------------------------------------------------

    def _expected(self) -> Decimal:
        """Signed size by the databases, with what the venue has filled of their open orders.

        freqtrade counts an order's fills when it is finished, so a filling one is no drift.
        """
        live = {order.id: order.filled for order in self.orders}
        booked = sum((trade.side * trade.amount for trade in self.trades), ZERO)
        for trade, order in self.recorded.values():
            answer = self.snapshot.answers.get(order.id)
            filled = live.get(order.id, ZERO if answer is None else answer.filled)
            booked += trade.side * (filled if order.role is Role.ENTRY else -filled)
        if not self.step:
            return booked
        # The databases hold binary numbers: what they mean is a whole number of steps.
        return (booked / self.step).quantize(Decimal(1)) * self.step

    def _size(self) -> Drift | None:
        actual, expected = self.actual, self.expected
        if actual == expected:
            return None
        if actual and expected and (actual > 0) != (expected > 0):
            return self._drift(DriftKind.WRONG_SIDE, Remedy.FLATTEN, advice.WRONG_SIDE)
        if actual and expected:
            if abs(actual - expected) <= self.step:
                return None
            return self._drift(DriftKind.WRONG_SIZE, Remedy.PERSON, advice.WRONG_SIZE)
        if not actual:
            return self._missing()
        if self.trades:
            # A trade is there that may yet turn out to own it: nothing to close by ourselves.
            return self._drift(DriftKind.WRONG_SIZE, Remedy.PERSON, advice.WRONG_SIZE)
        return self._drift(DriftKind.UNKNOWN_POSITION, Remedy.FLATTEN, advice.UNKNOWN_POSITION)

    def _missing(self) -> Drift:
        """Name a trade without its position, and an order of it that has nothing left to reduce.

        While such an order waits, freqtrade never looks for what closed its position.
        """
        drift = self._drift(DriftKind.MISSING_POSITION, Remedy.PERSON, advice.MISSING_POSITION)
        idle = [o.id for o in self.orders if o.reduce_only and o.id in self.recorded]
        if not idle:
            return drift
        message = f"{drift.message}; order {min(idle)} has nothing left to reduce"
        return replace(drift, remedy=Remedy.CANCEL, order_id=min(idle), message=message)

    def _drift(self, kind: DriftKind, remedy: Remedy, text: str) -> Drift:
        names = ", ".join(trade.name for trade in self.trades)
        message = f"the venue holds {sized(self.actual)}, the databases {sized(self.expected)}" + (
            f" ({names})" if names else ""
        )
        numbers = {"venue": self.actual, "databases": self.expected}
        return Drift(kind, self.pair, message, remedy, self._advice(text), numbers)

    # -- stops -----------------------------------------------------------------------------

    def _stops(self, position: VenuePosition) -> tuple[Drift | None, frozenset[str]]:
        """Judge the stops, and name the orders that the position needs."""
        stop_ids = frozenset(i for i, (_, o) in self.recorded.items() if o.role is Role.STOP)
        found = protection_of(position, self.orders, stop_ids)
        size, covered = abs(position.size), found.covered
        if size - covered <= (self.step if covered else ZERO):
            return None, frozenset(order.id for order in found.live)
        needed = frozenset(order.id for order in (*found.live, *found.missed))
        price = wanted_stop(position, self.trades)
        numbers: dict[str, Decimal | str] = {
            "size": position.size,
            "covered": covered,
            "mark_price": position.mark_price,
        }
        remedy = Remedy.PERSON
        if price is not None:
            numbers["stop_price"] = price
            remedy = Remedy.FLATTEN if is_through(position, price) else Remedy.PLACE_STOP
        if found.missed:
            limits = ", ".join(f"{order.limit_price:f}" for order in found.missed)
            kind, remedy = DriftKind.STOP_MISSED, Remedy.FLATTEN
            message = (
                f"{sized(position.size)} at {position.mark_price:f}: the price is through the "
                f"stop's limit {limits}, so it can not fill"
            )
        elif covered:
            kind = DriftKind.STOP_TOO_SMALL
            message = f"{sized(position.size)}: stops cover {covered:f}"
        else:
            kind = DriftKind.NO_STOP
            message = f"{sized(position.size)} without a live reduce-only stop"
        if kind is not DriftKind.STOP_MISSED and price is not None:
            message += f"; the database wants one at {price:f}"
        text = self._advice(advice.STOP)
        return Drift(kind, self.pair, message, remedy, text, numbers), needed

    # -- orders ----------------------------------------------------------------------------

    def _is_orphan(self, order: VenueOrder, needed: frozenset[str]) -> bool:
        return order.id not in self.recorded and order.id not in needed

    def _orphan(self, order: VenueOrder) -> Drift:
        booked = self.snapshot.booked.get(order.id)
        words = "in no database" if booked is None else f"{booked or 'closed'} in a database"
        if booked == "open":
            words = "belongs to a closed trade"
        kind = "reduce-only " if order.reduce_only else ""
        message = (
            f"{kind}order {order.id} to {'buy' if order.side > 0 else 'sell'} "
            f"{order.remaining:f} at {order.limit_price:f} is open on the venue and {words}"
        )
        numbers = {"remaining": order.remaining, "limit_price": order.limit_price}
        text = self._advice(advice.ORPHAN_ORDER)
        return Drift(
            DriftKind.ORPHAN_ORDER, self.pair, message, Remedy.CANCEL, text, numbers, order.id
        )

    def _lost_orders(self) -> Iterator[Drift]:
        live = {order.id for order in self.orders}
        for order_id, (trade, order) in sorted(self.recorded.items()):
            if order_id in live:
                continue
            answer = self.snapshot.answers.get(order_id)
            said = (
                f"{answer.status} with {answer.filled:f} filled"
                if answer is not None and answer.is_known
                else "that it knows no such order"
            )
            message = (
                f"{order.role} order {order_id} of {trade.name} is open there; the venue says "
                f"{said}"
            )
            text = self._advice(advice.LOST_ORDER)
            yield Drift(DriftKind.LOST_ORDER, self.pair, message, Remedy.PERSON, text, {}, order_id)

    # -- words -----------------------------------------------------------------------------

    def _missing_database(self) -> Drift:
        bots = ", ".join(sorted(claim.bot for claim in self.claims))
        message = (
            f"{bots} reported {len(self.claims)} trades to the ledger, the given databases have "
            f"{len(self.trades)}"
        )
        return Drift(
            DriftKind.MISSING_DATABASE, self.pair, message, Remedy.PERSON, advice.MISSING_DATABASE
        )

    def _advice(self, text: str) -> str:
        return text.format(pair=self.pair, trade=_ids(self.trades))


def sized(size: Decimal) -> str:
    """Say a signed size in words: ``long 2``, ``short 0.5``, ``nothing``."""
    if not size:
        return "nothing"
    return f"{'long' if size > 0 else 'short'} {abs(size).normalize():f}"


def _ids(trades: tuple[RecordedTrade, ...]) -> str:
    return "/".join(str(trade.id) for trade in trades) or "ID"
