"""Strategies, configs and stand-ins for freqtrade's helpers, without network or keys."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from freqtrade.enums import CandleType, MarginMode, RunMode, TradingMode
from freqtrade.resolvers import StrategyResolver
from freqtrade.wallets import Wallet

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "fractal_strategies"
SPECIMENS = Path(__file__).parent / "specimens"
PAIR = "BTC/USDC:USDC"
START = datetime(2025, 1, 1, tzinfo=UTC)
STRATEGIES = ("LiquiditySweep", "BosOrderBlock", "FvgFill", "SmcEnsemble")


def make_config(strategy: str = "SmcEnsemble", **overrides: Any) -> dict[str, Any]:
    """A complete futures config; the strategy is found among the plugins or the specimens."""
    folder = PLUGINS if strategy in STRATEGIES else SPECIMENS
    config: dict[str, Any] = {
        "strategy": strategy,
        "strategy_path": str(folder),
        "user_data_dir": Path("no-such-user-data"),
        "dry_run": True,
        "dry_run_wallet": {"USDC": 10_000.0},
        "runmode": RunMode.BACKTEST,
        "trading_mode": TradingMode.FUTURES,
        "margin_mode": MarginMode.ISOLATED,
        "candle_type_def": CandleType.FUTURES,
        "stake_currency": "USDC",
        "stake_amount": "unlimited",
        "tradable_balance_ratio": 0.99,
        "max_open_trades": 3,
        "fee": 0.0,
        "exchange": {"name": "hyperliquid", "pair_whitelist": [PAIR], "pair_blacklist": []},
        "pairlists": [{"method": "StaticPairList"}],
        "entry_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
        "exit_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
        "dataformat_ohlcv": "feather",
        "datadir": Path("no-such-data"),
    }
    config.update(deepcopy(overrides))
    return config


def load(strategy: str, **overrides: Any) -> Any:
    """A strategy as freqtrade's own resolver loads it."""
    return StrategyResolver.load_strategy(make_config(strategy, **overrides))


class StubProvider:
    """Serves one analysed frame per pair, as the data provider does."""

    runmode = RunMode.DRY_RUN

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    def get_analyzed_dataframe(self, pair: str, timeframe: str) -> tuple[pd.DataFrame, datetime]:
        return self.frame, START


class BrokenProvider:
    """Fails on every question."""

    runmode = RunMode.DRY_RUN

    def get_analyzed_dataframe(self, pair: str, timeframe: str) -> tuple[pd.DataFrame, datetime]:
        raise OSError("the data is gone")


class StubWallets:
    """A wallet with a fixed total; None where the venue's answer names none."""

    def __init__(self, total: float | None) -> None:
        self.total = total

    def get_total(self, currency: str) -> float:
        return self.total or 0.0

    def get_all_balances(self) -> dict[str, Wallet]:
        return {"USDC": Wallet("USDC", total=self.total)}


def candle_table(
    rows: list[tuple[float, float, float, float]],
    *,
    timeframe: str = "1h",
    start: datetime = START,
    volume: float = 100.0,
) -> pd.DataFrame:
    """Candles from (open, high, low, close) rows, checked."""
    for number, (open_, high, low, close) in enumerate(rows):
        assert low <= min(open_, close), f"row {number}: low above the body"
        assert high >= max(open_, close), f"row {number}: high below the body"
    frame = pd.DataFrame(rows, columns=["open", "high", "low", "close"], dtype=float)
    dates = pd.date_range(start, periods=len(rows), freq=timeframe.replace("m", "min"))
    frame.insert(0, "date", dates)
    frame["volume"] = volume
    return frame


def with_setups(frame: pd.DataFrame, setups: dict[int, dict[str, Any]]) -> pd.DataFrame:
    """Add setup columns; `setups` maps a row to its values (prices; the rest has defaults)."""
    defaults: dict[str, Any] = {
        "side": 0,
        "tag": "",
        "confidence": 80.0,
        "limit": float("nan"),
        "stop": float("nan"),
        "target": float("nan"),
        "target_r": float("nan"),
        "expiry_bars": 0,
        "max_bars": 0,
    }
    columns: dict[str, list[Any]] = {f"setup_{name}": [] for name in defaults}
    columns["atr"] = [2.0] * len(frame)
    for row in range(len(frame)):
        values = defaults | ({"tag": "scripted"} | setups[row] if row in setups else {})
        assert len(values) == len(defaults), f"unknown setup key in {setups.get(row)}"
        for name, value in values.items():
            columns[f"setup_{name}"].append(value)
    return pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1)


def hours(count: float) -> timedelta:
    return timedelta(hours=count)
