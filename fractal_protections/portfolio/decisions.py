"""Decisions of the risk budget, and the stable codes of its denials."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class DenialCode(StrEnum):
    """Why an entry was denied. The words are stable: logs, docs and alerts go by them."""

    TOTAL_EXPOSURE = "TOTAL_EXPOSURE"
    CORRELATED_EXPOSURE = "CORRELATED_EXPOSURE"
    SYMBOL_LIMIT = "SYMBOL_LIMIT"
    POSITION_COUNT = "POSITION_COUNT"
    POSITION_SIZE = "POSITION_SIZE"
    RISK_PER_TRADE = "RISK_PER_TRADE"
    MIN_CONFIDENCE = "MIN_CONFIDENCE"
    BELOW_MINIMUM = "BELOW_MINIMUM"
    DAILY_LOSS = "DAILY_LOSS"
    DRAWDOWN = "DRAWDOWN"
    REDUCING = "REDUCING"
    HALTED = "HALTED"
    AMBIGUOUS_ORDER = "AMBIGUOUS_ORDER"
    POSITION_DRIFT = "POSITION_DRIFT"
    STALE_DATA = "STALE_DATA"
    NO_SETUP = "NO_SETUP"
    LEDGER_UNAVAILABLE = "LEDGER_UNAVAILABLE"
    INTERNAL_ERROR = "INTERNAL_ERROR"

    @property
    def meaning(self) -> str:
        """One line for people: what the code says, and what to do."""
        return _MEANINGS[self]


_MEANINGS: Mapping[DenialCode, str] = {
    DenialCode.TOTAL_EXPOSURE: "The margin of all positions would exceed its share of the equity; "
    "wait until a position closes.",
    DenialCode.CORRELATED_EXPOSURE: "The leveraged notional of pairs that move together would "
    "exceed its share of the equity; wait, or trade pairs that move on their own.",
    DenialCode.SYMBOL_LIMIT: "The portfolio already holds this pair, in this bot or another.",
    DenialCode.POSITION_COUNT: "Every position slot of the portfolio is taken.",
    DenialCode.POSITION_SIZE: "The margin of this one position would exceed its share of the "
    "equity.",
    DenialCode.RISK_PER_TRADE: "The loss at the stop, fees included, would exceed the risk of one "
    "trade.",
    DenialCode.MIN_CONFIDENCE: "The setup scores below the portfolio's least confidence.",
    DenialCode.BELOW_MINIMUM: "What the budget leaves is less than the exchange's smallest order; "
    "freqtrade would have raised it.",
    DenialCode.DAILY_LOSS: "Today's loss, open positions included, has reached its limit; entries "
    "resume at 00:00 UTC.",
    DenialCode.DRAWDOWN: "The loss from the equity's peak has reached its limit; a person looks "
    "and runs `fractal risk resume`.",
    DenialCode.REDUCING: "A person set the portfolio to exits only (`fractal risk reduce`).",
    DenialCode.HALTED: "The portfolio is halted; a person looks and runs `fractal risk resume`.",
    DenialCode.AMBIGUOUS_ORDER: "An order was sent for this pair and its outcome is unknown; the "
    "pair opens when the venue has answered, or by `fractal risk clear PAIR`.",
    DenialCode.POSITION_DRIFT: "Venue and database disagree about this pair, or can not be "
    "compared; the pair opens when `fractal reconcile` finds them aligned.",
    DenialCode.STALE_DATA: "Candles, equity or another bot's report are too old or missing.",
    DenialCode.NO_SETUP: "The last closed candle proposes no such entry, or price has left it.",
    DenialCode.LEDGER_UNAVAILABLE: "The shared ledger is locked, gone or damaged, so nobody knows "
    "what the portfolio holds.",
    DenialCode.INTERNAL_ERROR: "Something failed inside the gate; the log has the trace. The "
    "answer to doubt is no.",
}

Numbers = Mapping[str, Decimal | float | int | str]


@dataclass(frozen=True, slots=True)
class Approved:
    """The entry may go out with this margin (stake currency)."""

    margin: Decimal
    numbers: Numbers = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Denied:
    """The entry may not go out.

    Parameters
    ----------
    code
        Stable reason.
    message
        One sentence with the numbers, for people.
    numbers
        The same numbers by name, for programs.
    """

    code: DenialCode
    message: str
    numbers: Numbers = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


Decision = Approved | Denied
