"""All faults of an exchange: what is asked before, while and after it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fractal_testnet.faults.fault import Fault
from fractal_testnet.faults.problems import check_names
from fractal_testnet.faults.spec import FaultSpec, Kind
from fractal_testnet.faults.tags import RequestTag
from fractal_testnet.faults.ws import WsFaults
from fractal_testnet.market.clock import Clock

Record = Callable[[dict[str, Any]], None]


class FaultBoard:
    """Hold the faults, decide which of them strike, and report every hit.

    Parameters
    ----------
    seed : int
        Seed of every draw.
    clock : Clock
        The exchange's true clock, on which schedules run.
    record : callable
        Takes each addition, removal and hit as a JSON-ready dict (the exchange's journal).
    assets : sequence of str
        Asset names in the order of their indices.

    Notes
    -----
    For one event loop; not thread-safe. The same calls on a board of the same seed have the
    same hits.
    """

    def __init__(self, seed: int, clock: Clock, record: Record, assets: Sequence[str]) -> None:
        self._seed = seed
        self._clock = clock
        self._record = record
        self.assets = tuple(assets)
        self._faults: dict[int, Fault] = {}
        self._by_kind: dict[Kind, list[Fault]] = {}
        self.newest = 0
        self._sessions = 0

    @property
    def armed(self) -> bool:
        """Whether there is any fault at all, active or not."""
        return bool(self._faults)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All faults in the order of addition."""
        return tuple(self._faults.values())

    def now_ms(self) -> int:
        """Return the time of the exchange's true clock."""
        return self._clock.now_ms()

    def add(self, spec: FaultSpec) -> int:
        """Add a fault and return its number.

        Raises
        ------
        FaultSpecError
            If it names an asset or an interval that does not exist, so that it never could hit.
        """
        check_names(spec, self.assets)
        self.newest += 1
        fault = Fault(self.newest, spec, self._seed, self.now_ms())
        self._faults[fault.number] = fault
        self._by_kind.setdefault(spec.kind, []).append(fault)
        self._report("fault_added", fault, {"spec": spec.shown()})
        return fault.number

    def remove(self, number: int) -> bool:
        """Take a fault off; tell whether it was there."""
        fault = self._faults.pop(number, None)
        if fault is None:
            return False
        self._by_kind[fault.spec.kind].remove(fault)
        self._report("fault_removed", fault, {"hits": fault.hits})
        return True

    def clear(self) -> int:
        """Take all faults off and return how many there were."""
        return sum(self.remove(number) for number in list(self._faults))

    def of(self, kind: Kind, tag: RequestTag | None = None) -> list[Fault]:
        """Return the active faults of a kind that a request meets, oldest first."""
        return [
            fault
            for fault in self.scheduled(kind)
            if not fault.is_spent and (tag is None or tag.meets(fault.spec.match))
        ]

    def scheduled(self, kind: Kind) -> list[Fault]:
        """Return the faults of a kind whose time is now, spent or not: lasting states go on."""
        known = self._by_kind.get(kind)
        if not known:
            return []
        now = self.now_ms()
        return [fault for fault in known if fault.is_scheduled(now)]

    def begun(self, kind: Kind) -> list[Fault]:
        """Return the faults of a kind whose time has come or is over, oldest first."""
        now = self.now_ms()
        return [fault for fault in self._by_kind.get(kind, ()) if fault.has_begun(now)]

    def active(self, kind: Kind, tag: RequestTag | None = None) -> FaultSpec | None:
        """Return the first active fault of a kind that a request meets; consumes nothing."""
        found = self.of(kind, tag)
        return found[0].spec if found else None

    def strike(
        self, kind: Kind, tag: RequestTag, *, processed: bool | None = None
    ) -> FaultSpec | None:
        """Offer a request or an order to the faults of a kind; the first that takes it strikes.

        Parameters
        ----------
        kind : str
            The kind.
        tag : RequestTag
            What is offered.
        processed : bool, optional
            Ask only the faults with that value of `processed`.

        Returns
        -------
        FaultSpec or None
            What strikes; counted and recorded.
        """
        for fault in self.of(kind, tag):
            if processed in (None, fault.spec.processed) and self.hit(fault, tag.shown()):
                return fault.spec
        return None

    def hit(self, fault: Fault, what: dict[str, Any]) -> bool:
        """Offer an opportunity to one fault; count and record it if it strikes."""
        if not fault.takes_next():
            return False
        self._report("fault", fault, {"hit": what, "hits": fault.hits})
        return True

    def touches(self, fault: Fault, subject: str, what: dict[str, Any]) -> bool:
        """Tell whether a fault touches a lasting subject; its first touch is recorded."""
        touched, is_new = fault.touches(subject)
        if touched and is_new:
            self._report("fault", fault, {"hit": what, "hits": fault.hits})
        return touched

    def outcome(self, tag: RequestTag) -> FaultSpec | None:
        """Return what becomes of one order: ask once, when it is placed.

        Parameters
        ----------
        tag : RequestTag
            Of a single order (`RequestTag.only`).

        Returns
        -------
        FaultSpec or None
            Of kind `post_only`, `reject`, `no_fill` or `partial_fill`, in that precedence.
        """
        if len(tag.orders) != 1:
            msg = f"{len(tag.orders)} orders, not one: ask with tag.only(index)"
            raise ValueError(msg)
        if not tag.orders[0].post_only and (struck := self.strike("post_only", tag)):
            return struck
        return (
            self.strike("reject", tag)
            or self.strike("no_fill", tag)
            or self.strike("partial_fill", tag)
        )

    def post_only(self) -> bool:
        """Tell whether a post-only period is on for anybody."""
        return self.active("post_only") is not None

    def clock_offset_ms(self) -> int:
        """Return how far the exchange claims to be ahead of its true clock, ms."""
        offset = 0.0
        for fault in self.scheduled("clock_offset"):
            if self.touches(fault, "clock", {"clock": "all"}):
                offset += fault.spec.offset_seconds
        return round(offset * 1000)

    def open_session(self) -> WsFaults:
        """Return what a new WebSocket session asks while it lives."""
        self._sessions += 1
        return WsFaults(self, self._sessions)

    def _report(self, event: str, fault: Fault, more: dict[str, Any]) -> None:
        head = {"event": event, "time": self.now_ms(), "fault": fault.number}
        self._record(head | {"kind": fault.spec.kind} | more)
