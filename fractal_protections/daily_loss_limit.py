"""DailyLossLimit: lock the bot until midnight UTC once the day has cost too much."""

from datetime import UTC, datetime, timedelta

from freqtrade.constants import LongShort
from freqtrade.plugins.protections import ProtectionReturn

from fractal_protections.portfolio.protection import PortfolioProtection


class DailyLossLimit(PortfolioProtection):
    """Lock all pairs until 00:00 UTC when today's loss, realised and open, reached its limit.

    freqtrade asks protections only when a trade closes; in between, the portfolio's gate watches
    the same limit in every loop.
    """

    has_global_stop = True

    def short_desc(self) -> str:
        """Say what it does, for freqtrade's start message."""
        return (
            f"{self.name} - no entries until 00:00 UTC after a loss of "
            f"{self.gate.limits.daily_loss_ratio:.1%} of the equity, realised and open."
        )

    def judge(self, date_now: datetime, side: LongShort, pair: str) -> ProtectionReturn | None:
        """Lock until the day is over."""
        denied = self.gate.manager.check_daily_loss(self.book(date_now))
        if denied is None:
            return None
        midnight = date_now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return ProtectionReturn(True, midnight + timedelta(days=1), str(denied))
