"""What one look at an account has seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fractal_ops.recovery.facts import Snapshot
from fractal_ops.recovery.plan import Step
from fractal_ops.recovery.tracker import Sighting
from fractal_protections.portfolio.drift import SeenDrift


class Verdict(StrEnum):
    """What a look says of an account."""

    ALIGNED = "aligned"
    DRIFT = "drift"
    UNKNOWN = "unknown"

    @property
    def exit_status(self) -> int:
        """0 aligned, 1 drift, 2 nobody knows."""
        return list(Verdict).index(self)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at an account.

    Parameters
    ----------
    at, account, verdict
        When, where, and what it says.
    sightings
        What was seen.
    steps
        What a repair would do now.
    snapshot
        What it was seen in; None where not everything could be read.
    in_ledger
        Whether the ledger has it, so that bots go by it.
    """

    at: datetime
    account: str
    verdict: Verdict
    sightings: tuple[Sighting, ...]
    steps: tuple[Step, ...]
    snapshot: Snapshot | None
    in_ledger: bool

    @property
    def is_settled(self) -> bool:
        """Whether another look would not tell more: all that was seen is confirmed."""
        return all(seen.confirmed for seen in self.sightings)


def marks_of(sightings: Sequence[Sighting]) -> tuple[SeenDrift, ...]:
    """Put together what was seen of each pair: named by the gravest, confirmed if any is."""
    by_pair: dict[str, list[Sighting]] = {}
    for seen in sightings:
        by_pair.setdefault(seen.drift.pair, []).append(seen)
    return tuple(
        SeenDrift(
            pair,
            min((seen.drift.kind for seen in found), key=lambda kind: kind.gravity),
            "; ".join(seen.drift.message for seen in found),
            any(seen.confirmed for seen in found),
        )
        for pair, found in sorted(by_pair.items())
    )
