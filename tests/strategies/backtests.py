"""freqtrade's own Backtesting on a table of candles, with an exchange that never connects."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.resolvers import ExchangeResolver

from .bots import PAIR, make_config

MARKET: dict[str, Any] = {
    "id": "BTC",
    "symbol": PAIR,
    "base": "BTC",
    "quote": "USDC",
    "settle": "USDC",
    "type": "swap",
    "spot": False,
    "swap": True,
    "future": False,
    "contract": True,
    "linear": True,
    "inverse": False,
    "active": True,
    "contractSize": 1.0,
    "precision": {"amount": 1e-5, "price": 0.01},
    "limits": {
        "amount": {"min": None, "max": None},
        "cost": {"min": 10.0, "max": None},
        "price": {"min": None, "max": None},
        "leverage": {"min": None, "max": 20},
    },
    "info": {"isDelisted": False},
}


def market_of(pair: str) -> dict[str, Any]:
    """The market written down above, under another name."""
    base = pair.partition("/")[0]
    return {**MARKET, "id": base, "symbol": pair, "base": base}


@contextmanager
def offline_backtesting(
    strategy: str, pairs: Sequence[str] = (PAIR,), **overrides: Any
) -> Iterator[Backtesting]:
    """Backtesting with Hyperliquid's own class over markets that are written down here."""
    config = make_config(strategy, **{"timeframe": "1h", **overrides})
    config["exchange"]["pair_whitelist"] = list(pairs)
    markets = {pair: market_of(pair) for pair in pairs}
    exchange = ExchangeResolver.load_exchange(config, validate=False)
    exchange._markets = markets
    exchange._last_markets_refresh = int(time.time() * 1000) + 10**9
    for api in (exchange._api, exchange._api_async):
        api.markets = markets
    exchange.calculate_funding_fees = lambda *args, **kwargs: 0.0
    testing = Backtesting(config, exchange)
    try:
        testing.required_startup = 0
        testing.futures_data = {pair: pd.DataFrame() for pair in pairs}
        testing.funding_fee_timeframe_secs = 3600
        (strategy_object,) = testing.strategylist
        # Backtesting writes into this dict, which otherwise belongs to the class.
        strategy_object.order_types = dict(strategy_object.order_types)
        testing._set_strategy(strategy_object)
        yield testing
    finally:
        Backtesting.cleanup()
        exchange.close()
        if not exchange.loop.is_closed():
            exchange.loop.close()
        asyncio.set_event_loop(None)


def run_table(strategy: str, frame: pd.DataFrame, **overrides: Any) -> pd.DataFrame:
    """The trades that freqtrade books on a table with setup columns."""
    with offline_backtesting(strategy, **overrides) as testing:
        dates = frame["date"]
        start = dates.iloc[0].to_pydatetime()
        end = dates.iloc[-1].to_pydatetime()
        content = testing.backtest({PAIR: frame.copy()}, start, end)
    return content["results"]
