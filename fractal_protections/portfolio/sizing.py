"""The size of a position: from the loss that it may cost, then cut to every limit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from .limits import RiskLimits
from .money import UNIT, ZERO
from .positions import ClosedTrade

VOLATILITY_FLOOR = 0.5
VOLATILITY_CEILING = 1.5
"""Bounds of the volatility factor: half the size in wild markets, half more in calm ones."""
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class EntryTerms:
    """What a strategy knows about an entry.

    Parameters
    ----------
    side
        +1 long, -1 short.
    entry, stop
        Prices.
    confidence
        The setup's score, 0 to 100.
    atr, atr_baseline
        Average true range now and what is usual for the pair, in the same unit; NaN if unknown.
    fee_ratio
        Fee of one fill over its notional.
    """

    side: int
    entry: float
    stop: float
    confidence: float
    atr: float
    atr_baseline: float
    fee_ratio: float

    def loss_ratio(self) -> Decimal:
        """Loss at the stop over the notional, fees of entry and stop included.

        Raises
        ------
        ValueError
            The side is neither, the prices are not positive and finite, the fee is not a ratio
            from 0 to 1, or the stop is not on the losing side of the entry.
        """
        if self.side not in (1, -1):
            raise ValueError(f"side {self.side!r}: +1 is long, -1 is short")
        # NaN fails the comparisons of floats here; those of decimals would raise.
        if not 0.0 <= self.fee_ratio < 1.0:
            raise ValueError(f"fee {self.fee_ratio} is not a ratio from 0 to 1")
        long_or_short = "long" if self.side > 0 else "short"
        if (
            not (0.0 < self.entry < math.inf and 0.0 < self.stop < math.inf)
            or self.side * (self.entry - self.stop) <= 0.0
        ):
            raise ValueError(
                f"stop {self.stop} is not on the losing side of entry {self.entry} "
                f"({long_or_short}): no size limits its loss"
            )
        entry, stop = Decimal(str(self.entry)), Decimal(str(self.stop))
        fee = Decimal(str(self.fee_ratio))
        return self.side * (entry - stop) / entry + fee * (1 + stop / entry)


def volatility_factor(atr: float, baseline: float) -> Decimal:
    """Shrink in wild markets and grow in calm ones: the usual range over the present one.

    Parameters
    ----------
    atr, baseline
        Average true range now and usually, same unit.

    Returns
    -------
    Decimal
        0.5 to 1.5; where one of them is unknown, 0.5.
    """
    if not (0.0 < atr < math.inf and 0.0 < baseline < math.inf):
        return Decimal(str(VOLATILITY_FLOOR))
    return Decimal(str(min(max(baseline / atr, VOLATILITY_FLOOR), VOLATILITY_CEILING)))


def streak_factor(closed: Sequence[ClosedTrade], limits: RiskLimits) -> Decimal:
    """Shrink after losses in a row, and after wins in a row.

    Parameters
    ----------
    closed
        Finished trades of the portfolio, newest first; at least as many as the longer streak.
    limits
        Lengths and factors.
    """
    losses = wins = 0
    for trade in closed:
        if trade.profit < 0 and not wins:
            losses += 1
        elif trade.profit > 0 and not losses:
            wins += 1
        else:
            break
    if losses >= limits.loss_streak:
        return limits.loss_streak_factor
    return limits.win_streak_factor if wins >= limits.win_streak else ONE


def target_margin(
    equity: Decimal,
    terms: EntryTerms,
    leverage: Decimal,
    closed: Sequence[ClosedTrade],
    limits: RiskLimits,
) -> Decimal:
    """Size a position by its risk, before the exposure limits.

    Parameters
    ----------
    equity
        Stake currency.
    terms
        The entry.
    leverage
        Notional over margin.
    closed
        Finished trades, newest first.
    limits
        Risk per trade and streaks.

    Returns
    -------
    Decimal
        Margin in stake currency. The loss at the stop, fees included, is the risk per trade
        times confidence (0 to 1), volatility factor and streak factor, and never more than the
        risk per trade.

    Raises
    ------
    ValueError
        The terms make no sense, or confidence, equity or leverage is not a number.
    """
    if not math.isfinite(terms.confidence):
        raise ValueError(f"confidence {terms.confidence} is not a score from 0 to 100")
    if not (equity.is_finite() and leverage.is_finite() and leverage > 0):
        raise ValueError(f"equity {equity} and leverage {leverage} can not be: leverage is above 0")
    factor = (
        Decimal(str(terms.confidence))
        / 100
        * volatility_factor(terms.atr, terms.atr_baseline)
        * streak_factor(closed, limits)
    )
    risk = equity * limits.risk_per_trade_ratio * min(factor, ONE)
    return round_down(risk / terms.loss_ratio() / leverage)


def round_down(amount: Decimal) -> Decimal:
    """Cut an amount to what can be booked."""
    return max(amount, ZERO).quantize(UNIT, rounding=ROUND_DOWN)
