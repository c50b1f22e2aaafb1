"""Kinds of drift between venue and databases, and what is done about each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from fractal_protections.portfolio.drift import ALL_PAIRS


class DriftKind(StrEnum):
    """What disagrees. The words are stable: ledger, logs, docs and alerts go by them.

    In order of gravity: the first one names a pair that has several.
    """

    VENUE_UNREACHABLE = "VENUE_UNREACHABLE"
    DATABASE_UNREADABLE = "DATABASE_UNREADABLE"
    EMPTY_ACCOUNT = "EMPTY_ACCOUNT"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    CLOCK_OFFSET = "CLOCK_OFFSET"
    MISSING_DATABASE = "MISSING_DATABASE"
    WRONG_SIDE = "WRONG_SIDE"
    UNKNOWN_POSITION = "UNKNOWN_POSITION"
    STOP_MISSED = "STOP_MISSED"
    NO_STOP = "NO_STOP"
    STOP_TOO_SMALL = "STOP_TOO_SMALL"
    WRONG_SIZE = "WRONG_SIZE"
    MISSING_POSITION = "MISSING_POSITION"
    ORPHAN_ORDER = "ORPHAN_ORDER"
    LOST_ORDER = "LOST_ORDER"

    @property
    def meaning(self) -> str:
        """One line for people."""
        return _MEANINGS[self]

    @property
    def gravity(self) -> int:
        """Place in the order above; 0 is the gravest."""
        return tuple(DriftKind).index(self)


_MEANINGS: Mapping[DriftKind, str] = {
    DriftKind.VENUE_UNREACHABLE: "The venue did not answer, or not with what it should.",
    DriftKind.DATABASE_UNREADABLE: "A database, or the ledger, could not be read.",
    DriftKind.EMPTY_ACCOUNT: "The venue shows no money, position or order at all: the address is "
    "wrong, or everything is gone.",
    DriftKind.INTERNAL_ERROR: "The comparison itself failed; the log has the trace.",
    DriftKind.CLOCK_OFFSET: "This machine's clock and the venue's are apart, so candles, prices "
    "and reports are not as old as they seem.",
    DriftKind.MISSING_DATABASE: "A bot of this account holds something that no given database "
    "knows.",
    DriftKind.WRONG_SIDE: "Long on the venue and short in the databases, or the other way round.",
    DriftKind.UNKNOWN_POSITION: "A position on the venue that no open trade knows.",
    DriftKind.STOP_MISSED: "The price has gone through the stop's limit and the position is still "
    "there.",
    DriftKind.NO_STOP: "A position without a live reduce-only stop.",
    DriftKind.STOP_TOO_SMALL: "The live reduce-only stops cover only a part of the position.",
    DriftKind.WRONG_SIZE: "The same side with another size.",
    DriftKind.MISSING_POSITION: "An open trade whose position is not on the venue: liquidated, or "
    "closed by hand.",
    DriftKind.ORPHAN_ORDER: "An order that is open on the venue and open in no database.",
    DriftKind.LOST_ORDER: "An order that is open in a database and not on the venue.",
}

CANNOT_TELL = frozenset(
    {
        DriftKind.VENUE_UNREACHABLE,
        DriftKind.DATABASE_UNREADABLE,
        DriftKind.EMPTY_ACCOUNT,
        DriftKind.INTERNAL_ERROR,
    }
)
"""Kinds that say nothing about positions: nobody knows, so every pair is closed."""

UNPROTECTED = frozenset({DriftKind.STOP_MISSED, DriftKind.NO_STOP, DriftKind.STOP_TOO_SMALL})
"""Kinds that can not wait until a busy pair comes to rest."""


class Remedy(StrEnum):
    """What ``--repair`` does about a drift."""

    PLACE_STOP = "place a reduce-only stop"
    FLATTEN = "close reduce-only"
    CANCEL = "cancel the order"
    PERSON = "a person acts"


@dataclass(frozen=True, slots=True)
class Drift:
    """One disagreement.

    Parameters
    ----------
    kind, pair
        What, and where; :data:`ALL_PAIRS` where no pair can be compared.
    message
        What was found, with the numbers, for people.
    remedy
        What ``--repair`` does.
    advice
        What a person does.
    numbers
        The message's numbers by name, for programs.
    order_id
        The order that it is about, if one.
    """

    kind: DriftKind
    pair: str
    message: str
    remedy: Remedy
    advice: str
    numbers: Mapping[str, Decimal | str] = field(default_factory=dict)
    order_id: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same drift in the next look."""
        return (self.kind, self.pair, self.order_id)


def whole_account(kind: DriftKind, message: str, advice: str) -> Drift:
    """Make a drift that closes every pair."""
    return Drift(kind, ALL_PAIRS, message, Remedy.PERSON, advice)
