"""A strategy that does what a test writes into a file: enter, hold, leave."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
from freqtrade.persistence import Trade

from fractal_protections.portfolio import Denied, EntryTerms, PortfolioGuard

CROSSING_RATIO = 0.002
"""How far through the book a limit is sent, so that it fills although the price has moved on."""


class Commanded(PortfolioGuard):
    """Enters and leaves by `commands.json` in the user directory; the portfolio's gate is real.

    ``{"BTC/USDC:USDC": "long", "exit": ["ETH/USDC:USDC"]}`` signals a long entry for BTC and an
    exit for ETH in every loop, until the file changes. `loops` beside it counts the loops begun.
    """

    INTERFACE_VERSION = 3
    can_short = True
    # Long enough that a lock of one candle outlives a test, short enough to need few candles.
    timeframe = "5m"
    process_only_new_candles = False  # a command counts at once
    startup_candle_count = 30

    minimal_roi: ClassVar[dict[str, float]] = {}
    stoploss = -0.05
    use_exit_signal = True

    # As our real strategies have them.
    order_types: ClassVar[dict[str, Any]] = {
        "entry": "limit",
        "exit": "limit",
        "emergency_exit": "market",
        "force_entry": "limit",
        "force_exit": "market",
        "stoploss": "limit",
        "stoploss_on_exchange": True,
        "stoploss_on_exchange_interval": 60,
        "stoploss_on_exchange_limit_ratio": 0.97,
    }
    order_time_in_force: ClassVar[dict[str, str]] = {"entry": "GTC", "exit": "GTC"}

    _loops = 0

    @property
    def _folder(self) -> Path:
        return Path(self.config["user_data_dir"])

    def _commands(self) -> dict[str, Any]:
        try:
            commands: dict[str, Any] = json.loads((self._folder / "commands.json").read_text())
        except FileNotFoundError:
            return {}
        return commands

    def portfolio_protections(self) -> list[dict[str, Any]]:
        """Lock a pair after its exit for a full candle; freqtrade's own lock may end at once."""
        return [{"method": "CooldownPeriod", "stop_duration_candles": 1}]

    def on_loop(self, current_time: datetime) -> None:
        """Count, for the test to know when a loop has seen its commands."""
        self._loops += 1
        part = self._folder / "loops.part"
        part.write_text(str(self._loops))
        part.replace(self._folder / "loops")

    def populate_indicators(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        return dataframe

    def populate_entry_trend(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        side = self._commands().get(metadata["pair"])
        dataframe["enter_long"] = int(side == "long")
        dataframe["enter_short"] = int(side == "short")
        dataframe["enter_tag"] = "commanded"
        return dataframe

    def populate_exit_trend(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        leaves = int(metadata["pair"] in self._commands().get("exit", []))
        dataframe["exit_long"] = leaves
        dataframe["exit_short"] = leaves
        return dataframe

    def entry_terms(
        self, pair: str, side: int, rate: float, now: datetime, entry_tag: str | None
    ) -> EntryTerms | Denied:
        """Offer the best of setups in a market as wild as ever."""
        return EntryTerms(
            side=side,
            entry=rate,
            stop=rate * (1.0 + side * self.stoploss),
            confidence=100.0,
            atr=1.0,
            atr_baseline=1.0,
            fee_ratio=0.0005,
        )

    def custom_entry_price(
        self,
        pair: str,
        trade: Trade | None,
        current_time: datetime,
        proposed_rate: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float:
        return proposed_rate * (1.0 + CROSSING_RATIO * (1.0 if side == "long" else -1.0))

    def custom_exit_price(
        self,
        pair: str,
        trade: Trade,
        current_time: datetime,
        proposed_rate: float,
        current_profit: float,
        exit_tag: str | None,
        **kwargs: Any,
    ) -> float:
        return proposed_rate * (1.0 - CROSSING_RATIO * (-1.0 if trade.is_short else 1.0))
