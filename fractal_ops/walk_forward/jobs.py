"""Which jobs a walk-forward has, and which files each depends on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freqtrade.data.dataprovider import DataProvider
from freqtrade.data.history.datahandlers import get_datahandler
from freqtrade.enums import CandleType, TradingMode
from freqtrade.exceptions import FreqtradeException
from freqtrade.plugins.pairlistmanager import PairListManager
from freqtrade.resolvers import ExchangeResolver, StrategyResolver

from fractal_ops.walk_forward.data_span import DataSpan
from fractal_ops.walk_forward.errors import WalkForwardError
from fractal_ops.walk_forward.run_config import kept_logging
from fractal_ops.walk_forward.settings import RunSettings
from fractal_ops.walk_forward.windows import Window

_ANY_SPAN = "20000101-20000102"


@dataclass(frozen=True)
class StrategyFacts:
    """What the runner has to know of a strategy before it runs.

    Parameters
    ----------
    name : str
        Class.
    file : Path
        Its source.
    timeframe : str
        Its own, or the config's.
    startup_candles : int
        Candles before a span that its indicators need.
    data_files : tuple of Path
        Candles, funding and marks of its pairs, and its informative candles.
    """

    name: str
    file: Path
    timeframe: str
    startup_candles: int
    data_files: tuple[Path, ...]


@dataclass(frozen=True)
class Job:
    """One strategy on one window.

    Parameters
    ----------
    facts : StrategyFacts
        The strategy.
    window : Window
        The window.
    train_detail, test_detail : str or None
        freqtrade's ``--timeframe-detail`` on either span.
    data_files : tuple of Path
        All files it may read, sorted.
    """

    facts: StrategyFacts
    window: Window
    train_detail: str | None
    test_detail: str | None
    data_files: tuple[Path, ...]

    @property
    def name(self) -> str:
        """The job in a word: ``BosOrderBlock-w03``."""
        return f"{self.facts.name}-w{self.window.number:02d}"


def strategy_facts(settings: RunSettings, strategy: str) -> StrategyFacts:
    """Load a strategy as a backtest does, and ask it.

    Raises
    ------
    WalkForwardError
        freqtrade can not load it.
    """
    config = settings.freqtrade_config(strategy, _ANY_SPAN, None)
    try:
        with kept_logging():
            exchange = ExchangeResolver.load_exchange(config)
            try:
                loaded = StrategyResolver.load_strategy(config)
                provider = DataProvider(config, exchange)
                pairlists = PairListManager(exchange, config, provider)
                pairlists.refresh_pairlist()
                provider.add_pairlisthandler(pairlists)
                loaded.dp = provider
                frames = {(pair, loaded.timeframe, _kind(config)) for pair in settings.pairs}
                frames |= set(loaded.gather_informative_pairs())
                if config["trading_mode"] == TradingMode.FUTURES:
                    frames |= {
                        (pair, exchange.get_option(f"{name}_timeframe"), kind)
                        for pair in settings.pairs
                        for name, kind in (
                            ("funding_fee", CandleType.FUNDING_RATE),
                            (
                                "mark_ohlcv",
                                CandleType.from_string(exchange.get_option("mark_ohlcv_price")),
                            ),
                        )
                    }
            finally:
                exchange.close()
                asyncio.set_event_loop(None)
    except FreqtradeException as error:
        raise WalkForwardError(
            f"freqtrade can not load the strategy {strategy} ({error}): check --strategy and "
            "--strategy-path"
        ) from error
    return StrategyFacts(
        strategy,
        Path(loaded.__file__).resolve(),
        str(loaded.timeframe),
        int(loaded.startup_candle_count),
        _files(settings, frames),
    )


def plan_jobs(
    settings: RunSettings,
    strategies: Iterable[StrategyFacts],
    windows: Sequence[Window],
    *,
    timeframe_detail: str | None = None,
    span: DataSpan | None = None,
) -> tuple[Job, ...]:
    """Make a job of each strategy and window, window by window.

    Parameters
    ----------
    settings : RunSettings
        Of the run.
    strategies : iterable of StrategyFacts
        All to test.
    windows : sequence of Window
        The plan.
    timeframe_detail : str or None
        To look fills up in, on every span that `span` has it for; each result says what it had.
    span : DataSpan or None
        What the data directory has.
    """
    jobs = []
    for window in windows:
        for facts in strategies:
            train, test = (
                timeframe_detail
                if timeframe_detail
                and span is not None
                and timeframe_detail in span.detail_timeframes(facts.timeframe, start, end)
                else None
                for start, end in (
                    (window.train_start, window.train_end),
                    (window.test_start, window.test_end),
                )
            )
            files = set(facts.data_files)
            if train or test:
                kind = _kind(settings.config)
                files |= set(
                    _files(settings, {(pair, timeframe_detail, kind) for pair in settings.pairs})
                )
            jobs.append(Job(facts, window, train, test, tuple(sorted(files))))
    return tuple(jobs)


def _files(settings: RunSettings, frames: Iterable[tuple[Any, ...]]) -> tuple[Path, ...]:
    handler = get_datahandler(settings.datadir, settings.config["dataformat_ohlcv"])
    return tuple(
        sorted(
            handler._pair_data_filename(settings.datadir, pair, timeframe, kind)
            for pair, timeframe, kind in frames
        )
    )


def _kind(config: Any) -> CandleType:
    return CandleType.get_default(config["trading_mode"])
