"""The reconciler: looks, remembers, closes and opens pairs in the ledger, tells people."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from fractal_ops.recovery import advice
from fractal_ops.recovery.alerts import Alert
from fractal_ops.recovery.compare import compare
from fractal_ops.recovery.drift import CANNOT_TELL, Drift, DriftKind, whole_account
from fractal_ops.recovery.facts import Snapshot
from fractal_ops.recovery.look import Look, Verdict, marks_of
from fractal_ops.recovery.plan import STOP_LIMIT_RATIO, plan
from fractal_ops.recovery.reading import Reader
from fractal_ops.recovery.repair import Repairer, Result
from fractal_ops.recovery.tracker import Sighting, Tracker
from fractal_protections.portfolio.drift import (
    AccountLook,
    DriftMark,
    MarkChange,
    take_look,
)
from fractal_protections.portfolio.ledger import Ledger, LedgerError

logger = logging.getLogger(__name__)

NAME = "reconciler"


class Reconciler:
    """Reconciles one account, look by look.

    Parameters
    ----------
    account
        Its name in the ledger.
    reader
        Reads venue, databases and ledger.
    ledger
        Where pairs are closed and opened.
    alert
        Hears of every change.
    clock
        Returns now, UTC.
    tracker
        Tells crossing moments from drifts.
    interval_seconds
        When the next look follows; None where nobody watches.
    writes
        Whether the ledger is written: not beside another reconciler of this account.
    limit_ratio
        Limit over trigger of a stop that is placed.
    """

    def __init__(
        self,
        account: str,
        reader: Reader,
        ledger: Ledger,
        alert: Alert,
        clock: Callable[[], datetime],
        *,
        tracker: Tracker | None = None,
        interval_seconds: float | None = None,
        writes: bool = True,
        limit_ratio: Decimal = STOP_LIMIT_RATIO,
    ) -> None:
        self._account = account
        self._reader = reader
        self._ledger = ledger
        self._alert = alert
        self._clock = clock
        self._tracker = tracker or Tracker()
        self._interval_seconds = interval_seconds
        self._writes = writes
        self._limit_ratio = limit_ratio
        self._marks: tuple[DriftMark, ...] | None = None
        self._blind: Sighting | None = None
        self._verdict = Verdict.UNKNOWN

    def look(self) -> Look:
        """Compare once, and let the ledger know before anybody else."""
        snapshot, drifts, blindness = self._compare()
        now = self._clock() if snapshot is None else snapshot.at
        sightings: tuple[Sighting, ...]
        if snapshot is None or blindness is not None:
            # Nothing is known: what was seen before stays as it is, confirmed or not.
            snapshot, verdict = None, Verdict.UNKNOWN
            sightings = () if blindness is None else (self._blinded(blindness, now),)
        else:
            self._blind = None
            sightings = self._tracker.look(drifts, snapshot)
            verdict = Verdict.DRIFT if sightings else Verdict.ALIGNED
        steps = () if snapshot is None else plan(sightings, snapshot, self._limit_ratio)
        in_ledger = self._note(now, verdict, sightings, is_complete=snapshot is not None)
        return Look(now, self._account, verdict, sightings, steps, snapshot, in_ledger)

    def repair(self, look: Look, repairer: Repairer) -> tuple[Result, ...]:
        """Carry out what a look has planned; the next look tells what it was good for."""
        results = []
        for result in repairer.run(look.steps):
            self._tracker.forget(result.step.pair)
            results.append(result)
            text = f"{result.step.pair}: repair: {result.step}: {result.outcome}: {result.text}"
            self._alert.tell(text, is_urgent=True)
        return tuple(results)

    def end(self) -> None:
        """Let the ledger know that nobody watches any more; its marks stay."""
        if self._writes:
            last = AccountLook(self._account, self._clock(), NAME, self._verdict, (), False, None)
            try:
                self._ledger.take_look(last)
            except LedgerError:
                logger.exception("the ledger could not be told that the watch has ended")

    def _compare(self) -> tuple[Snapshot | None, tuple[Drift, ...], Drift | None]:
        try:
            reading = self._reader.read()
            if reading.snapshot is None:
                return None, (), reading.blindness
            drifts = compare(reading.snapshot)
        except Exception as error:  # whatever fails, the answer is that nobody knows
            logger.exception("the comparison failed")
            said = f"{type(error).__name__}: {error}"
            return None, (), whole_account(DriftKind.INTERNAL_ERROR, said, advice.INTERNAL_ERROR)
        blindness = next((drift for drift in drifts if drift.kind in CANNOT_TELL), None)
        return reading.snapshot, drifts, blindness

    def _blinded(self, drift: Drift, now: datetime) -> Sighting:
        before = self._blind
        since = now if before is None else before.since
        self._blind = Sighting(drift, since, confirmed=before is not None)
        return self._blind

    # -- ledger and people -----------------------------------------------------------------

    def _note(
        self, now: datetime, verdict: Verdict, sightings: Sequence[Sighting], *, is_complete: bool
    ) -> bool:
        look = AccountLook(
            account=self._account,
            at=now,
            by=NAME,
            result=verdict,
            drifts=marks_of(sightings),
            complete=is_complete,
            interval_seconds=self._interval_seconds,
        )
        self._verdict = verdict
        in_ledger = False
        try:
            if self._marks is None:
                book = self._ledger.book(now)
                self._marks = tuple(m for m in book.drifts if m.account == self._account)
            if self._writes:
                self._ledger.take_look(look)
                in_ledger = True
        except LedgerError as error:
            # The gate of every bot meets the same error, and answers no.
            logger.error("the ledger does not take the look: %s", error)  # noqa: TRY400  # expected
            self._alert.tell(f"the ledger does not take what was seen: {error}", is_urgent=True)
        change = take_look(self._marks or (), look)
        self._marks = change.marks
        self._tell(change, sightings)
        return in_ledger

    def _tell(self, change: MarkChange, sightings: Sequence[Sighting]) -> None:
        todos: dict[str, str] = {}
        for seen in sightings:
            todos.setdefault(seen.drift.pair, seen.drift.advice)
        for mark in (*change.new, *change.changed):
            state = "confirmed" if mark.confirmed else "seen, looked at again"
            text = f"{mark.pair}: {mark.kind} ({state}), entries closed: {mark.message}"
            todo = todos.get(mark.pair)
            if mark.confirmed and todo:
                text += f" -> {todo}"
            self._alert.tell(text, is_urgent=mark.confirmed)
        for mark in change.gone:
            self._alert.tell(
                f"{mark.pair}: aligned again, entries open; it was {mark.kind}", is_urgent=False
            )
