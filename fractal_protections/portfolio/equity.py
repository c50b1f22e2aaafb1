"""Equity over time: what today and the way down from the peak have cost."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

from .money import ZERO


@dataclass(frozen=True, slots=True)
class AccountTrack:
    """Equity of one account, with the marks that losses are measured from.

    Parameters
    ----------
    account
        Wallet address, or a bot's paper account.
    equity
        Money of the account with the open positions at the latest prices, stake currency.
    profit
        Realised and open profit of the account's bots since their databases began.
    peak_equity
        Highest equity since the start or since a person resumed.
    day
        UTC day that the day's marks belong to.
    day_start_equity, day_start_profit
        Equity and profit at 00:00 UTC of that day.
    updated_at
        Time of the latest report, UTC.
    """

    account: str
    equity: Decimal
    profit: Decimal
    peak_equity: Decimal
    day: date
    day_start_equity: Decimal
    day_start_profit: Decimal
    updated_at: datetime

    @classmethod
    def start(cls, account: str, equity: Decimal, profit: Decimal, now: datetime) -> "AccountTrack":
        """Begin with the first report of an account."""
        day = now.astimezone(UTC).date()
        return cls(account, equity, profit, equity, day, equity, profit, now)

    def update(self, equity: Decimal, profit: Decimal, now: datetime) -> "AccountTrack":
        """Take in a report.

        On a new UTC day the marks move to the better of the last report before midnight and this
        one: where no bot reported around midnight, a loss in between counts as today's.
        """
        day = now.astimezone(UTC).date()
        moved = replace(
            self,
            equity=equity,
            profit=profit,
            peak_equity=max(self.peak_equity, equity),
            updated_at=now,
        )
        if day <= self.day:
            return moved
        return replace(
            moved,
            day=day,
            day_start_equity=max(self.equity, equity),
            day_start_profit=max(self.profit, profit),
        )

    def rebase_peak(self) -> "AccountTrack":
        """Forget the old peak: a person has looked at the drawdown and goes on."""
        return replace(self, peak_equity=self.equity)

    def rebase_day(self) -> "AccountTrack":
        """Measure today's loss from here on: money was moved into or out of the account."""
        return replace(self, day_start_equity=self.equity, day_start_profit=self.profit)


def daily_loss(tracks: tuple[AccountTrack, ...], now: datetime) -> tuple[Decimal, Decimal]:
    """Return today's loss of all accounts, and the equity that it is measured against.

    Each account's loss is the worse of two readings: the fall of its equity, and the fall of its
    realised and open profit. A deposit hides a loss from the first and a lost trade database
    hides it from the second, but not from both. A track whose day is over counts from its latest
    equity.

    Returns
    -------
    loss, base
        Stake currency; `loss` is 0 or more.
    """
    today = now.astimezone(UTC).date()
    base = lost = ZERO
    for track in tracks:
        if track.day == today:
            base += track.day_start_equity
            lost += max(
                track.day_start_equity - track.equity, track.day_start_profit - track.profit
            )
        else:
            base += track.equity
    return max(lost, ZERO), base


def drawdown(tracks: tuple[AccountTrack, ...]) -> tuple[Decimal, Decimal]:
    """Return the loss from the peak of all accounts, and that peak.

    With several accounts the peak is the sum of each one's own, which is never below the
    highest sum: the safe side.
    """
    peak = sum((track.peak_equity for track in tracks), ZERO)
    equity = sum((track.equity for track in tracks), ZERO)
    return max(peak - equity, ZERO), peak
