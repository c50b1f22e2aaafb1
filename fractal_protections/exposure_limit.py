"""ExposureLimit: lock the bot while the portfolio has no margin or slot left."""

from datetime import datetime

from freqtrade.constants import LongShort
from freqtrade.plugins.protections import ProtectionReturn

from fractal_protections.portfolio.protection import PortfolioProtection


class ExposureLimit(PortfolioProtection):
    """Lock all pairs for some candles while the total exposure or the position count is full.

    The portfolio's gate denies such entries anyway; the lock makes it visible where freqtrade
    shows locks, and saves the sizing of signals that can not be taken.
    """

    has_global_stop = True

    def short_desc(self) -> str:
        """Say what it does, for freqtrade's start message."""
        limits = self.gate.limits
        return (
            f"{self.name} - at most {limits.max_positions} positions with "
            f"{limits.max_total_exposure_ratio:.0%} of the equity as margin, across all bots."
        )

    def judge(self, date_now: datetime, side: LongShort, pair: str) -> ProtectionReturn | None:
        """Lock while nothing more may be opened."""
        available = self.available_risk(date_now)
        if available.blocked_by is not None or (available.positions and available.margin > 0):
            return None
        what = "margin" if available.positions else "position slot"
        return self.lock_for_candles(date_now, f"TOTAL_EXPOSURE: no {what} left in the portfolio")
