"""The verdict on a strategy, by rules that are written down once.

The rules are tried in the order of :data:`RULES`. One rule of TOO FEW TRADES that holds gives
that word; else one of NO EDGE SHOWN; else EDGE when every rule of EDGE holds; else WEAK.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from .evidence import Evidence
from .sharpe import SharpeMoments, minimum_track_record_length

MIN_TRADES = 30
"""Fewer trades than these do not show a distribution."""
BOLD_SHARPE = 3.0
"""An annualised Sharpe of real strategies at their very best."""
MIN_DAYS = math.ceil(minimum_track_record_length(SharpeMoments(BOLD_SHARPE / math.sqrt(365), 2)))
"""Days that even such a Sharpe, of normal returns, needs to be above 0 with 95 % confidence."""


class Word(StrEnum):
    """The four verdicts."""

    TOO_FEW_TRADES = "TOO FEW TRADES"
    NO_EDGE_SHOWN = "NO EDGE SHOWN"
    EDGE = "EDGE"
    WEAK = "WEAK"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table.

    Parameters
    ----------
    word
        The verdict the rule belongs to.
    text
        The rule in words.
    holds
        Whether it does; None where it does not apply.
    figure
        The number it looks at, as text.
    """

    word: Word
    text: str
    holds: Callable[[Evidence], bool | None]
    figure: Callable[[Evidence], str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The word, and why.

    Parameters
    ----------
    word
        The verdict.
    reasons
        One sentence per rule that decided: those that held, or for WEAK those of EDGE that failed.
    """

    word: Word
    reasons: tuple[str, ...]


RULES: tuple[Rule, ...] = (
    Rule(
        Word.TOO_FEW_TRADES,
        f"fewer than {MIN_TRADES} trades out-of-sample",
        lambda e: e.trades < MIN_TRADES,
        lambda e: f"{e.trades} trades",
    ),
    Rule(
        Word.TOO_FEW_TRADES,
        f"fewer than {MIN_DAYS} days, which even a Sharpe of {BOLD_SHARPE:g} needs to show itself",
        lambda e: e.days < MIN_DAYS,
        lambda e: f"{e.days} days",
    ),
    Rule(
        Word.NO_EDGE_SHOWN,
        "mean R is not above 0",
        lambda e: not e.mean_r > 0,
        lambda e: f"mean R {e.mean_r:+.3f}",
    ),
    Rule(
        Word.NO_EDGE_SHOWN,
        "probabilistic Sharpe ratio is below 0.95",
        lambda e: not e.probabilistic_sharpe >= 0.95,
        lambda e: f"PSR {e.probabilistic_sharpe:.3f}",
    ),
    Rule(
        Word.NO_EDGE_SHOWN,
        "mean R is below the 75th percentile of random entries",
        lambda e: not e.random_percentile >= 75,
        lambda e: f"percentile {e.random_percentile:.1f}",
    ),
    Rule(
        Word.EDGE,
        "deflated Sharpe ratio is at least 0.95",
        lambda e: e.deflated_sharpe >= 0.95,
        lambda e: f"DSR {e.deflated_sharpe:.3f}",
    ),
    Rule(
        Word.EDGE,
        "lower end of the 95 % interval of mean R is above 0",
        lambda e: e.mean_r_low > 0,
        lambda e: f"lower end {e.mean_r_low:+.3f} R",
    ),
    Rule(
        Word.EDGE,
        "probability of backtest overfitting is below 0.5 (where there were trials)",
        lambda e: None if e.overfitting is None else e.overfitting < 0.5,
        lambda e: f"PBO {math.nan if e.overfitting is None else e.overfitting:.3f}",
    ),
    Rule(
        Word.EDGE,
        "mean R stays above 0 with fees and slippage doubled",
        lambda e: e.stressed_mean_r > 0,
        lambda e: f"mean R {e.stressed_mean_r:+.3f}",
    ),
    Rule(
        Word.EDGE,
        "mean R is at least the 95th percentile of random entries",
        lambda e: e.random_percentile >= 95,
        lambda e: f"percentile {e.random_percentile:.1f}",
    ),
    Rule(
        Word.EDGE,
        "at least two thirds of the windows have a Sharpe above 0",
        lambda e: e.positive_windows >= 2 / 3 - 1e-9,
        lambda e: f"{e.positive_windows * 100:.0f} % of the windows",
    ),
)
"""Every rule, in the order in which they are tried."""


def judge(evidence: Evidence) -> Verdict:
    """Judge a strategy by :data:`RULES`.

    Parameters
    ----------
    evidence
        Its figures out-of-sample.

    Returns
    -------
    Verdict
        The word with its reasons, each ending in the figure that decided.
    """
    for word in (Word.TOO_FEW_TRADES, Word.NO_EDGE_SHOWN):
        reasons = _reasons(evidence, word, outcome=True)
        if reasons:
            return Verdict(word, reasons)
    failed = _reasons(evidence, Word.EDGE, outcome=False)
    if failed:
        return Verdict(Word.WEAK, tuple(f"not so: {reason}" for reason in failed))
    return Verdict(Word.EDGE, _reasons(evidence, Word.EDGE, outcome=True))


def _reasons(evidence: Evidence, word: Word, *, outcome: bool) -> tuple[str, ...]:
    return tuple(
        f"{rule.text}: {rule.figure(evidence)}"
        for rule in RULES
        if rule.word is word and rule.holds(evidence) is outcome
    )
