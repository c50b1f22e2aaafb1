"""CorrelatedExposureLimit: lock a side while pairs that move together are too large a bet."""

from datetime import datetime

from freqtrade.constants import LongShort
from freqtrade.plugins.protections import ProtectionReturn

from fractal_protections.portfolio.protection import PortfolioProtection


class CorrelatedExposureLimit(PortfolioProtection):
    """Lock a pair, in the direction that would add to its group, while the group is full.

    The other side stays open: it hedges.
    """

    has_local_stop = True

    def short_desc(self) -> str:
        """Say what it does, for freqtrade's start message."""
        limits = self.gate.limits
        return (
            f"{self.name} - pairs that correlate {limits.correlation_threshold:g} or more hold at "
            f"most {limits.max_correlated_exposure_ratio:.0%} of the equity as one leveraged bet."
        )

    def judge(self, date_now: datetime, side: LongShort, pair: str) -> ProtectionReturn | None:
        """Lock the pair's side while its group has no room."""
        if self.correlated_room(pair, side, date_now) > 0:
            return None
        return self.lock_for_candles(
            date_now,
            f"CORRELATED_EXPOSURE: no room for another {side} that moves with {pair}",
            side,
        )
