"""The strategy of the drills: its setups come from a file, everything else is SmcStrategy's."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from freqtrade.persistence import Trade

from fractal_strategies.smc import SmcConfig
from fractal_strategies.trading import SmcStrategy
from fractal_strategies.trading.setups import Reading

CROSSING_RATIO = 0.002
"""How far through the book a limit is sent, so that it fills although the price has moved on."""
ATR_BARS = 14
OHLC = ("open", "high", "low", "close")


class Drilled(SmcStrategy):
    """Enters and leaves as ``commands.json`` in the user directory says.

    The file maps a pair to its setup, ``{"side": "long", "stop": 0.02, "target": 0.03,
    "enter": true}`` (ratios of the price; without ``enter`` the setup is known but signals
    nothing), and ``"exit"`` to the pairs to be left. The file ``loops`` beside it counts the loops
    that have begun, and ``candles.jsonl`` has every candle that was taken for the last closed one.
    """

    timeframe = "5m"
    process_only_new_candles = False  # a command counts at once
    # A drill must not end by itself while it is watched.
    unfilledtimeout: ClassVar[dict[str, Any]] = {"entry": 10, "exit": 10, "unit": "minutes"}

    _loops = 0

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._last_rows: dict[str, list[Any]] = {}
        self.startup_candle_count = 2 * ATR_BARS  # nothing is detected here

    @property
    def _folder(self) -> Path:
        return Path(self.config["user_data_dir"])

    def _commands(self) -> dict[str, Any]:
        try:
            commands: dict[str, Any] = json.loads((self._folder / "commands.json").read_text())
        except FileNotFoundError:
            return {}
        return commands

    def smc_config(self) -> SmcConfig:
        """Detect nothing, so that candles may be shorter than the trend's average allows."""
        return SmcConfig()

    def correlation_bars(self) -> int:
        """Need no history: every pair then counts as moving with every other."""
        return 0

    def portfolio_protections(self) -> list[dict[str, Any]]:
        """Lock a pair after its exit for a candle, so that a drill has one trade."""
        return [{"method": "CooldownPeriod", "stop_duration_candles": 1}]

    def on_loop(self, current_time: datetime) -> None:
        """Count, so that a drill knows when a loop has seen its commands."""
        self._loops += 1
        part = self._folder / "loops.part"
        part.write_text(str(self._loops))
        part.replace(self._folder / "loops")

    def populate_indicators(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        """Add what the base class reads of the SMC columns."""
        spread = dataframe["high"] - dataframe["low"]
        dataframe["atr"] = spread.rolling(ATR_BARS, min_periods=1).mean()
        dataframe["confidence_long"] = 100.0
        dataframe["confidence_short"] = 100.0
        dataframe["pair"] = metadata["pair"]
        self._note_last(metadata["pair"], dataframe)
        return dataframe

    def _note_last(self, pair: str, frame: pd.DataFrame) -> None:
        """Write down the candle that is taken for the last closed one, whenever it changes."""
        last = frame.iloc[-1]
        row = [pair, int(last["date"].timestamp() * 1000), *(float(last[name]) for name in OHLC)]
        if self._last_rows.get(pair) != row:
            self._last_rows[pair] = row
            with (self._folder / "candles.jsonl").open("a") as file:
                file.write(json.dumps(row) + "\n")

    def readings(self, frame: pd.DataFrame) -> Sequence[Reading]:
        """Propose the commanded setup on every candle."""
        wanted = self._commands().get(frame["pair"].iloc[-1])
        if wanted is None:
            return []
        side = 1 if wanted["side"] == "long" else -1
        close = frame["close"].to_numpy(dtype=float)
        return [
            Reading(
                tag="drill",
                side=np.full(len(frame), side, np.int8),
                stop=close * (1 - side * wanted.get("stop", 0.02)),
                target=close * (1 + side * wanted.get("target", 0.06)),
            )
        ]

    def populate_entry_trend(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        """Signal what is to be entered."""
        frame = super().populate_entry_trend(dataframe, metadata)
        if not self._commands().get(metadata["pair"], {}).get("enter", False):
            frame["enter_long"] = 0
            frame["enter_short"] = 0
        return frame

    def populate_exit_trend(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        """Signal what is to be left."""
        leaves = int(metadata["pair"] in self._commands().get("exit", []))
        dataframe["exit_long"] = leaves
        dataframe["exit_short"] = leaves
        return dataframe

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
        """Go through the book a little."""
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
        """Go through the book a little."""
        return proposed_rate * (1.0 + CROSSING_RATIO * (1.0 if trade.is_short else -1.0))
