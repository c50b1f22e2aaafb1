"""Run a strategy as it would have run when only the first candles were known."""

from __future__ import annotations

import copy
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import CandleType
from freqtrade.exchange import timeframe_to_seconds
from freqtrade.strategy import IStrategy
from freqtrade.strategy.strategy_validation import StrategyResultValidator

from fractal_ops.walk_forward.errors import WalkForwardError

Columns = dict[str, np.ndarray]
FrameLoader = Callable[[str, str, CandleType], pd.DataFrame]
"""From pair, timeframe and kind to every candle there is; empty if there is none."""

_SHARED = frozenset({"config", "dp", "wallets"})
logger = logging.getLogger(__name__)

_CONTAINERS = (dict, list, set, deque, bytearray, pd.DataFrame, pd.Series, np.ndarray)


class CutProvider(DataProvider):  # type: ignore[misc]  # freqtrade ships no types
    """freqtrade's data provider, which hides every candle that has not closed yet.

    Parameters
    ----------
    config : dict
        freqtrade's.
    load : callable
        Gives whole frames.
    pairs : sequence of str
        The whitelist.
    """

    def __init__(self, config: dict[str, Any], load: FrameLoader, pairs: Sequence[str]) -> None:
        super().__init__(config, None)
        self._load = load
        self._pairs = list(pairs)
        self._frames: dict[tuple[str, str, CandleType], tuple[pd.DataFrame, pd.DatetimeIndex]] = {}
        self.now: pd.Timestamp | None = None

    def historic_ohlcv(self, pair: str, timeframe: str, candle_type: str = "") -> pd.DataFrame:
        """Return the candles of a pair that have closed by `now`."""
        kind = CandleType.from_string(candle_type) if candle_type else self._default_candle_type
        key = (pair, str(timeframe), kind)
        if key not in self._frames:
            frame = self._load(*key)
            self._frames[key] = (frame, closing_times(frame, str(timeframe)))
        frame, closes = self._frames[key]
        if self.now is None or frame.empty:
            return frame.copy()
        return frame.iloc[: closes.searchsorted(self.now, side="right")].copy()

    def current_whitelist(self) -> list[str]:
        """Return the pairs of this replay."""
        return self._pairs.copy()

    def market(self, pair: str) -> dict[str, Any] | None:
        """Return what a pair's name says of its market."""
        base, _, rest = pair.partition("/")
        quote, _, settle = rest.partition(":")
        return {"symbol": pair, "base": base, "quote": quote, "settle": settle or None}

    def get_funding_rate_timeframe(self) -> str:
        """Return the timeframe that freqtrade stores funding rates in."""
        return "1h"


class Replay:
    """A strategy on the prefixes of one pair's candles.

    Parameters
    ----------
    strategy : IStrategy
        Loaded, its ``ft_bot_start`` done, its data provider a :class:`CutProvider`.
    pair : str
        Whose candles.
    frame : DataFrame
        The candles, oldest first.

    Notes
    -----
    Each run gets a strategy of its own as far as that can be copied, since one that remembers
    the whole market would answer a prefix from memory and hide its leak.
    """

    def __init__(self, strategy: IStrategy, pair: str, frame: pd.DataFrame) -> None:
        self._strategy = strategy
        self._pair = pair
        self._frame = frame
        self._closes = closing_times(frame, strategy.timeframe)
        self.runs = 0

    def __len__(self) -> int:
        return len(self._frame)

    def date(self, row: int) -> pd.Timestamp:
        """Return when a row's candle opened."""
        date: pd.Timestamp = self._frame["date"].iloc[row]
        return date

    def run(self, rows: int) -> Columns:
        """Return every column as the strategy computes it from the first `rows` candles.

        Raises
        ------
        WalkForwardError
            The strategy fails on them.
        """
        self.runs += 1
        strategy = _fresh(self._strategy)
        strategy.dp.now = self._closes[rows - 1]
        part = self._frame.iloc[:rows].copy()
        metadata = {"pair": self._pair}
        try:
            validator = StrategyResultValidator(part)
            done = strategy.advise_indicators(part.copy(), metadata).copy()
            validator.assert_df(done)
            done = strategy.ft_advise_signals(done, metadata)
            validator.assert_df(done)
        except Exception as error:
            name = type(self._strategy).__name__
            what = f"{type(error).__name__}: {error}".strip().rstrip(".")
            remedy = (
                "raise its startup_candle_count, or mend it"
                if rows < len(self)
                else "mend it, or get the candles that it asks for with `freqtrade download-data`"
            )
            raise WalkForwardError(
                f"{name} fails on the first {rows:,} of {len(self):,} candles of {self._pair} "
                f"({what}): {remedy}"
            ) from error
        return _columns(done)


def start(strategy: IStrategy) -> None:
    """Let a strategy begin as freqtrade does, with its parameters loaded.

    Raises
    ------
    WalkForwardError
        It fails.
    """
    try:
        strategy.ft_bot_start()
    except Exception as error:  # a strategy's own code may raise anything
        what = f"{type(error).__name__}: {error}".rstrip(".")
        raise WalkForwardError(
            f"{type(strategy).__name__} does not start ({what}): mend its bot_start or parameters"
        ) from error


def closing_times(frame: pd.DataFrame, timeframe: str) -> pd.DatetimeIndex:
    """Return when each candle closes; `frame` has its opening times in `date`."""
    if frame.empty:
        return pd.DatetimeIndex([], tz="UTC")
    opens = pd.DatetimeIndex(frame["date"])
    if timeframe.endswith("M"):
        return opens + pd.DateOffset(months=int(timeframe[:-1]))
    return opens + pd.Timedelta(seconds=timeframe_to_seconds(timeframe))


def _columns(frame: pd.DataFrame) -> Columns:
    columns: Columns = {}
    for position, label in enumerate(frame.columns):
        values = frame.iloc[:, position]
        if isinstance(values.dtype, pd.DatetimeTZDtype):  # would become slow objects
            values = values.dt.tz_convert(None)
        name = str(label)
        columns[f"{name} (column {position})" if name in columns else name] = values.to_numpy()
    return columns


def _fresh(strategy: IStrategy) -> IStrategy:
    """Copy a strategy with what it may remember, whether the object holds it or its class."""
    clone = copy.copy(strategy)
    state: dict[str, Any] = {}
    for owner in reversed(type(strategy).__mro__):
        if not owner.__module__.startswith("freqtrade."):
            state |= vars(owner)
    for name, value in (state | vars(strategy)).items():
        if isinstance(value, _CONTAINERS) and name not in _SHARED and not name.startswith("_ft_"):
            try:
                setattr(clone, name, copy.deepcopy(value))
            except Exception as error:  # noqa: BLE001  # a strategy may hold anything, a lock too
                logger.warning(
                    "%s.%s can not be copied (%s): a leak through it would stay unseen",
                    type(strategy).__name__,
                    name,
                    error,
                )
    return clone
