"""What the portfolio holds, and what somebody asks to add."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Position:
    """An open position or resting entry of one bot.

    Parameters
    ----------
    bot
        Who holds it.
    pair
        freqtrade's pair name, e.g. ``BTC/USDC:USDC``.
    side
        +1 long, -1 short.
    margin
        Own money in it, stake currency, at entry prices; unfilled rest of entry orders included.
    notional
        Margin times leverage, stake currency.
    entered_at
        When its latest entry order was sent, UTC.
    """

    bot: str
    pair: str
    side: int
    margin: Decimal
    notional: Decimal
    entered_at: datetime


@dataclass(frozen=True, slots=True)
class EntryRequest:
    """One entry that a bot wants to send.

    Parameters
    ----------
    bot, pair, side
        Who, what, +1 long or -1 short.
    margin, notional
        Own money, and that times leverage; stake currency.
    loss_at_stop
        What the position loses at its stop, fees of both ways included; stake currency.
    confidence
        The setup's score, 0 to 100.
    at
        When the question is asked, UTC.
    is_addition
        Whether it adds to a position that this bot already holds.

    Raises
    ------
    ValueError
        A side that is neither, amounts that are not positive and finite, or a notional below the
        margin.
    """

    bot: str
    pair: str
    side: int
    margin: Decimal
    notional: Decimal
    loss_at_stop: Decimal
    confidence: float
    at: datetime
    is_addition: bool = False

    def __post_init__(self) -> None:
        if self.side not in (1, -1):
            raise ValueError(f"side {self.side!r} of {self.pair}: +1 is long, -1 is short")
        amounts = (self.margin, self.notional, self.loss_at_stop)
        if (
            not all(amount.is_finite() for amount in amounts)  # NaN does not compare, it raises
            or not self.notional >= self.margin > 0
            or not self.loss_at_stop >= 0
        ):
            raise ValueError(
                f"{self.pair}: margin {self.margin}, notional {self.notional} and loss at the "
                f"stop {self.loss_at_stop} can not be: 0 < margin <= notional and loss >= 0"
            )


@dataclass(frozen=True, slots=True)
class Reservation:
    """Budget that an approved entry holds until its order is known.

    Parameters
    ----------
    id
        Identifies it in the ledger.
    request
        What was approved.
    ambiguous
        Whether the bot went on without a trade for it, so that nobody knows whether the venue
        took the order. Only an answer of the venue or a person ends that.
    capital_until
        Until when an ambiguous reservation holds capital; its pair stays closed beyond.
    """

    id: str
    request: EntryRequest
    ambiguous: bool
    capital_until: datetime

    def as_position(self) -> Position:
        """Count the reservation as if its order had filled."""
        r = self.request
        return Position(r.bot, r.pair, r.side, r.margin, r.notional, r.at)


@dataclass(frozen=True, slots=True)
class ClosedTrade:
    """Result of one finished trade.

    Parameters
    ----------
    bot
        Who traded.
    trade_id
        freqtrade's id, unique within the bot's database.
    pair
        What was traded.
    closed_at
        When, UTC.
    profit
        Profit after fees and funding, stake currency.
    """

    bot: str
    trade_id: int
    pair: str
    closed_at: datetime
    profit: Decimal
