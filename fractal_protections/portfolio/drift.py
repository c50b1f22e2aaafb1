"""Doubts about what an account holds on its venue: pure, shared by every kind of ledger."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

LATE_AFTER_INTERVALS = 4
"""A watch that missed so many looks in a row has stopped."""
ALL_PAIRS = "*"
"""Stands for every pair, where an account could not be compared with its databases at all."""


@dataclass(frozen=True, slots=True)
class DriftMark:
    """A pair that stays closed while venue and databases disagree about it.

    Parameters
    ----------
    account
        Where the disagreement is.
    pair
        freqtrade's pair name, or :data:`ALL_PAIRS`.
    kind
        Stable word for what disagrees.
    message
        The same with its numbers, for people.
    since, last_seen
        First and latest look that saw any disagreement about the pair, UTC.
    confirmed
        Whether it was seen often enough to be no crossing of two moments.
    """

    account: str
    pair: str
    kind: str
    message: str
    since: datetime
    last_seen: datetime
    confirmed: bool


@dataclass(frozen=True, slots=True)
class SeenDrift:
    """What one look says about a pair; see :class:`DriftMark`."""

    pair: str
    kind: str
    message: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class AccountLook:
    """One comparison of an account's venue with its databases.

    Parameters
    ----------
    account
        Which account.
    at
        When, UTC.
    by
        Who looked.
    result
        ``aligned``, ``drift`` or ``unknown``.
    drifts
        What was found.
    complete
        Whether the whole venue and every database were read. Only such a look can tell that a
        pair is aligned again: what was not seen is not flat.
    interval_seconds
        When the next look follows; None where nobody keeps looking.
    """

    account: str
    at: datetime
    by: str
    result: str
    drifts: tuple[SeenDrift, ...]
    complete: bool
    interval_seconds: float | None


@dataclass(frozen=True, slots=True)
class LookStatus:
    """The latest look at an account, without its drifts."""

    account: str
    at: datetime
    by: str
    result: str
    interval_seconds: float | None

    def is_late(self, now: datetime) -> bool:
        """Tell whether a watch that has not ended in order looks no more."""
        if self.interval_seconds is None:
            return False
        return (now - self.at).total_seconds() > LATE_AFTER_INTERVALS * self.interval_seconds


@dataclass(frozen=True, slots=True)
class MarkChange:
    """What a look changes: `kept` and `new` marks stand after it, `gone` ones do not.

    `changed` are those of `kept` that say something else than before.
    """

    kept: tuple[DriftMark, ...]
    new: tuple[DriftMark, ...]
    gone: tuple[DriftMark, ...]
    changed: tuple[DriftMark, ...]

    @property
    def marks(self) -> tuple[DriftMark, ...]:
        """Every mark that stands, by pair."""
        return tuple(sorted((*self.kept, *self.new), key=lambda mark: mark.pair))


def take_look(known: Iterable[DriftMark], look: AccountLook) -> MarkChange:
    """Continue an account's marks with a look.

    Parameters
    ----------
    known
        The marks of this account.
    look
        The look; one that is not complete only adds to them.
    """
    before = {mark.pair: mark for mark in known}
    seen = {drift.pair: _mark(look, drift, before.get(drift.pair)) for drift in look.drifts}
    left = [mark for pair, mark in before.items() if pair not in seen]
    kept = [mark for pair, mark in seen.items() if pair in before]
    return MarkChange(
        kept=tuple(kept if look.complete else [*kept, *left]),
        new=tuple(mark for pair, mark in seen.items() if pair not in before),
        gone=tuple(left) if look.complete else (),
        changed=tuple(mark for mark in kept if _says_else(mark, before[mark.pair])),
    )


def status_of_look(look: AccountLook) -> LookStatus:
    """Keep of a look what is not about single pairs."""
    return LookStatus(look.account, look.at, look.by, look.result, look.interval_seconds)


def _mark(look: AccountLook, drift: SeenDrift, before: DriftMark | None) -> DriftMark:
    since = look.at if before is None else before.since
    return DriftMark(
        look.account, drift.pair, drift.kind, drift.message, since, look.at, drift.confirmed
    )


def _says_else(mark: DriftMark, before: DriftMark) -> bool:
    # The message is left out: it holds prices, which move with every look.
    return (mark.kind, mark.confirmed) != (before.kind, before.confirmed)
