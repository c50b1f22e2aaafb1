"""Synthetic candles in every timeframe that the specimens read, in memory and on disk."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from freqtrade.data.history.datahandlers import get_datahandler
from freqtrade.enums import CandleType

from tests.strategies.bots import load
from tests.strategies.market import aggregate, synthetic_market

PAIR = "BTC/USDC:USDC"
OTHER = "ETH/USDC:USDC"
SPECIMENS = Path(__file__).parent / "specimens"
ROWS = 600


def specimen(name: str) -> Any:
    return load(name, strategy_path=str(SPECIMENS))


def markets(rows: int = ROWS) -> Callable[[str, str, CandleType], pd.DataFrame]:
    """A loader of two pairs' 2h, 4h and 12h candles."""

    def frames(pair: str, timeframe: str, kind: CandleType) -> pd.DataFrame:
        market = synthetic_market(rows, seed={PAIR: 7, OTHER: 8}[pair])
        return market if timeframe == "2h" else aggregate(market, timeframe)

    return frames


def write(
    datadir: Path,
    frame: pd.DataFrame,
    timeframe: str = "2h",
    pair: str = PAIR,
    kind: CandleType = CandleType.FUTURES,
) -> None:
    """Store candles as freqtrade does."""
    (datadir / "futures").mkdir(parents=True, exist_ok=True)
    get_datahandler(datadir, "feather").ohlcv_store(pair, timeframe, frame, kind)


def write_config(path: Path, **more: Any) -> Path:
    """A futures config as a user has it."""
    config = {
        "trading_mode": "futures",
        "margin_mode": "isolated",
        "stake_currency": "USDC",
        "exchange": {"name": "hyperliquid", "pair_whitelist": [PAIR]},
        "strategy_path": str(SPECIMENS),
    }
    path.write_text(json.dumps(config | more))
    return path
