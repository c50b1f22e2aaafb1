"""What the protection plugins share: the portfolio's gate, and failing closed."""

import logging
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from freqtrade.constants import Config, LongShort
from freqtrade.exceptions import OperationalException
from freqtrade.exchange import timeframe_to_minutes
from freqtrade.persistence import Trade
from freqtrade.plugins.protections import IProtection, ProtectionReturn

from .book import Book
from .gate import Gate
from .positions import EntryRequest
from .risk_manager import AvailableRisk

logger = logging.getLogger(__name__)

KNOWN_KEYS = frozenset({"method", "gate", "stop_duration_candles"})
ANY_PAIR = "*"


class PortfolioProtection(IProtection):
    """Base of the protections that look at the whole portfolio.

    Parameters
    ----------
    config
        freqtrade's config.
    protection_config
        Keys: ``method``; ``gate``, which the strategy's guard adds; ``stop_duration_candles``,
        how long a lock lasts, 1 by default.

    Raises
    ------
    OperationalException
        A key is unknown (freqtrade itself would say nothing), a value makes no sense, or the
        strategy has no portfolio guard.

    Notes
    -----
    An exception in a protection would end freqtrade's process, so all are caught here. The
    answer to one is a lock for a candle.
    """

    def __init__(self, config: Config, protection_config: dict[str, Any]) -> None:
        _check_keys(type(self).__name__, protection_config)
        super().__init__(config, {"stop_duration_candles": 1, **protection_config})
        self.gate: Gate = protection_config["gate"]
        self._candle = timedelta(minutes=timeframe_to_minutes(config["timeframe"]))

    @abstractmethod
    def judge(self, date_now: datetime, side: LongShort, pair: str) -> ProtectionReturn | None:
        """Decide on a lock; `pair` is "*" when all pairs are meant."""

    def global_stop(
        self, date_now: datetime, side: LongShort, starting_balance: float
    ) -> ProtectionReturn | None:
        """Answer freqtrade's question about all pairs."""
        return self._judge_safely(date_now, side, ANY_PAIR) if self.has_global_stop else None

    def stop_per_pair(
        self, pair: str, date_now: datetime, side: LongShort, starting_balance: float
    ) -> ProtectionReturn | None:
        """Answer freqtrade's question about one pair."""
        return self._judge_safely(date_now, side, pair) if self.has_local_stop else None

    def lock_for_candles(
        self, date_now: datetime, reason: str, side: str = "*"
    ) -> ProtectionReturn:
        """Make a lock of ``stop_duration_candles``."""
        candles = self._stop_duration_candles or 1
        return ProtectionReturn(True, date_now + candles * self._candle, reason, side)

    def book(self, now: datetime) -> Book:
        """Read the ledger, without the trade whose closing is the reason for being asked.

        freqtrade asks in the middle of a loop, and the ledger hears of a closed trade only at the
        start of the next one.
        """
        book = self.gate.ledger.book(now)
        still_open = {trade.pair for trade in Trade.get_trades_proxy(is_open=True)}

        def counts(bot: str, pair: str) -> bool:
            return bot != self.gate.bot or pair in still_open

        return replace(
            book,
            positions=tuple(p for p in book.positions if counts(p.bot, p.pair)),
            reservations=tuple(
                r for r in book.reservations if r.ambiguous or counts(r.request.bot, r.request.pair)
            ),
        )

    def available_risk(self, now: datetime) -> AvailableRisk:
        """Return what the portfolio can still take on."""
        return self.gate.manager.get_available_risk(self.book(now))

    def correlated_room(self, pair: str, side: LongShort, now: datetime) -> Decimal:
        """Return the notional that the pair's group has left in a direction, stake currency."""
        book = self.book(now)
        direction = 1 if side == "long" else -1
        one = Decimal(1)
        probe = EntryRequest(self.gate.bot, pair, direction, one, one, Decimal(0), 100.0, now)
        return self.gate.manager.correlated_room(book, probe, self.gate.view(now))

    def _judge_safely(self, now: datetime, side: LongShort, pair: str) -> ProtectionReturn | None:
        try:
            return self.judge(now, side, pair)
        except Exception as error:
            logger.exception("%s failed: locking %s for a candle", self.name, pair)
            return self.lock_for_candles(
                now, f"INTERNAL_ERROR: {self.name}: {type(error).__name__}: {error}"
            )


def _check_keys(name: str, protection_config: Mapping[str, Any]) -> None:
    if "gate" not in protection_config:
        raise OperationalException(
            f"{name} needs the portfolio's gate: derive the strategy from PortfolioGuard and put "
            "the protection into its portfolio_protections"
        )
    unknown = sorted(set(protection_config) - KNOWN_KEYS)
    if unknown:
        raise OperationalException(
            f"{name}: {unknown[0]} = {protection_config[unknown[0]]!r} is unknown (known keys: "
            "stop_duration_candles); correct or remove it"
        )
    candles = protection_config.get("stop_duration_candles", 1)
    if not isinstance(candles, int) or candles < 1:
        raise OperationalException(
            f"{name}: stop_duration_candles = {candles!r}: give a whole number of candles, 1 or "
            "more"
        )
