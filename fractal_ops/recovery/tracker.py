"""A drift is confirmed when it is seen again: two moments may cross, one can not stay crossed."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fractal_ops.recovery.drift import UNPROTECTED, Drift
from fractal_ops.recovery.facts import Snapshot

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A drift, since when it is seen, and whether it is confirmed."""

    drift: Drift
    since: datetime
    confirmed: bool


@dataclass(frozen=True, slots=True)
class _Seen:
    since: datetime
    unchanged_since: datetime
    looks: int
    fingerprint: tuple[object, ...]


class Tracker:
    """Remembers drifts from look to look.

    Parameters
    ----------
    least_gap
        Time between two looks that must agree.
    patience
        How long a pair that never comes to rest may put off the confirmation that its position is
        unprotected. A bot that fails to place a stop in every loop touches the pair in every loop.

    Notes
    -----
    A look that could not read everything is not given to the tracker: it neither confirms nor
    takes back.
    """

    def __init__(
        self,
        least_gap: timedelta = timedelta(seconds=4),
        patience: timedelta = timedelta(seconds=20),
    ) -> None:
        self._least_gap = least_gap
        self._patience = patience
        self._seen: dict[Key, _Seen] = {}

    def look(self, drifts: tuple[Drift, ...], snapshot: Snapshot) -> tuple[Sighting, ...]:
        """Take in a look at everything, and tell which drifts are confirmed by now."""
        before, self._seen = self._seen, {}
        sightings = []
        for drift in drifts:
            seen = self._continue(drift, before.get(drift.key), snapshot)
            self._seen[drift.key] = seen
            sightings.append(Sighting(drift, seen.since, self._is_confirmed(drift, seen, snapshot)))
        return tuple(sightings)

    def forget(self, pair: str) -> None:
        """Confirm nothing of a pair by what was seen before: it was just repaired.

        Since when a drift is seen stays, so that a repair which fails again and again shows.
        """
        self._seen = {
            key: replace(seen, fingerprint=(), looks=0) if key[1] == pair else seen
            for key, seen in self._seen.items()
        }

    def _continue(self, drift: Drift, seen: _Seen | None, snapshot: Snapshot) -> _Seen:
        fingerprint = snapshot.fingerprint(drift.pair)
        now = snapshot.at
        if seen is None:
            return _Seen(now, now, 1, fingerprint)
        is_resting = fingerprint == seen.fingerprint and drift.pair not in snapshot.in_motion
        return replace(
            seen,
            looks=seen.looks + 1,
            unchanged_since=seen.unchanged_since if is_resting else now,
            fingerprint=fingerprint,
        )

    def _is_confirmed(self, drift: Drift, seen: _Seen, snapshot: Snapshot) -> bool:
        now = snapshot.at
        if drift.pair not in snapshot.in_motion and now - seen.unchanged_since >= self._least_gap:
            return True
        return drift.kind in UNPROTECTED and seen.looks > 1 and now - seen.since >= self._patience
