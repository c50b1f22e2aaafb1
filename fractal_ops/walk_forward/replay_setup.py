"""Find the strategy, the pairs and the candles that a user means."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from freqtrade.configuration import TimeRange
from freqtrade.data.history import load_pair_history
from freqtrade.enums import CandleType, RunMode, TradingMode
from freqtrade.exceptions import FreqtradeException
from freqtrade.exchange import timeframe_to_seconds
from freqtrade.resolvers import StrategyResolver
from freqtrade.strategy import IStrategy

from fractal_ops.risk.errors import RiskError
from fractal_ops.risk.place import find_place
from fractal_ops.walk_forward.errors import WalkForwardError

DEFAULT_CANDLES = 5_000
"""Settled candles that are replayed if no timerange is given: the newest."""


@dataclass(frozen=True)
class Candles:
    """Candles of a data directory, cut for a replay; call it with pair, timeframe and kind.

    Parameters
    ----------
    datadir : Path
        Where.
    data_format : str
        freqtrade's ``dataformat_ohlcv``.
    timeframe, startup_candles : str, int
        The strategy's, whose frames are cut; others are given whole.
    timerange : TimeRange or None
        None takes the newest :data:`DEFAULT_CANDLES`. Start-up candles come before either.
    """

    datadir: Path
    data_format: str
    timeframe: str
    startup_candles: int
    timerange: TimeRange | None

    def __call__(self, pair: str, timeframe: str, kind: CandleType) -> pd.DataFrame:
        """Return candles as a backtest loads them: gaps filled with the last close."""
        frame: pd.DataFrame = load_pair_history(
            pair,
            timeframe,
            self.datadir,
            data_format=self.data_format,
            candle_type=kind,
            fill_up_missing=kind != CandleType.FUNDING_RATE,
        )
        if timeframe != self.timeframe or frame.empty:
            return frame
        if self.timerange is None:
            frame = frame.iloc[-(DEFAULT_CANDLES + self.startup_candles) :]
        else:
            # The stop is that of a backtest, which takes the candle that opens there.
            start, stop = self.timerange.startdt, self.timerange.stopdt
            warm_up = pd.Timedelta(seconds=timeframe_to_seconds(timeframe) * self.startup_candles)
            if start is not None:
                frame = frame.loc[frame["date"] >= start - warm_up]
            if stop is not None:
                frame = frame.loc[frame["date"] <= stop]
        return frame.reset_index(drop=True)


@dataclass(frozen=True)
class Bench:
    """What a replay needs."""

    strategy: IStrategy
    candles: Candles
    pairs: tuple[str, ...]


def prepare(
    strategy: str,
    configs: Sequence[Path] | None = None,
    *,
    datadir: Path | None = None,
    timerange: str | None = None,
    pairs: Sequence[str] = (),
    strategy_path: Path | None = None,
    user_data_dir: Path | None = None,
) -> Bench:
    """Load a strategy through freqtrade's resolver, and find its candles.

    Parameters
    ----------
    strategy : str
        Name of the class.
    configs : sequence of Path or None
        freqtrade's config files; None takes ``config.testnet.json``.
    datadir, strategy_path, user_data_dir : Path or None
        Take the place of the config's.
    timerange : str or None
        freqtrade's.
    pairs : sequence of str
        Take the place of the whitelist.

    Raises
    ------
    WalkForwardError
        A config, the strategy or a pair's candles can not be read; the text says what to do.
    """
    try:
        config = deepcopy(find_place(configs, user_data_dir=user_data_dir).config)
    except RiskError as error:
        raise WalkForwardError(str(error)) from error
    exchange = config.get("exchange", {})
    wanted = tuple(dict.fromkeys(pairs or exchange.get("pair_whitelist") or ()))
    if not wanted:
        raise WalkForwardError("the config has no exchange.pair_whitelist: name pairs with --pairs")
    trading_mode = TradingMode(config.get("trading_mode", TradingMode.SPOT))
    is_futures = trading_mode == TradingMode.FUTURES
    folder = Path(user_data_dir or config.get("user_data_dir") or "user_data")
    config |= {
        "strategy": strategy,
        "runmode": RunMode.BACKTEST,
        "dry_run": True,
        "trading_mode": trading_mode,
        "candle_type_def": CandleType.FUTURES if is_futures else CandleType.SPOT,
        "user_data_dir": folder,
        "datadir": Path(
            datadir or config.get("datadir") or folder / "data" / str(exchange.get("name", ""))
        ),
        "dataformat_ohlcv": config.get("dataformat_ohlcv", "feather"),
    }
    config.setdefault("stake_currency", wanted[0].partition("/")[2].partition(":")[0])
    if strategy_path:
        config["strategy_path"] = str(strategy_path)
    loaded = _load(config)
    candles = Candles(
        config["datadir"],
        config["dataformat_ohlcv"],
        loaded.timeframe,
        int(loaded.startup_candle_count),
        _timerange(timerange),
    )
    _must_exist(candles, wanted, config["candle_type_def"])
    return Bench(loaded, candles, wanted)


def _load(config: dict[str, Any]) -> IStrategy:
    try:
        return StrategyResolver.load_strategy(config)
    except Exception as error:  # its module and its constructor may raise anything
        raise WalkForwardError(
            f"--strategy {config['strategy']} can not be loaded "
            f"({' '.join(str(error).split()).rstrip('.')}): name its class, and its folder with "
            "--strategy-path"
        ) from error


def _timerange(text: str | None) -> TimeRange | None:
    if not text:
        return None
    try:
        return TimeRange.parse_timerange(text)
    except FreqtradeException as error:
        raise WalkForwardError(
            f"--timerange {text} can not be read: write it as 20240701-20250101"
        ) from error


def _must_exist(candles: Candles, pairs: tuple[str, ...], kind: CandleType) -> None:
    for pair in pairs:
        if candles(pair, candles.timeframe, kind).empty:
            where = "in that --timerange" if candles.timerange else "at all"
            raise WalkForwardError(
                f"--datadir {candles.datadir} has no {candles.timeframe} candles of {pair} "
                f"{where}: get them with `fractal data` or `freqtrade download-data`, or name "
                "another --datadir, --timerange or --pairs"
            )
