"""A small seeded market: calm and hurried hours, with volume that follows the hurry."""

import numpy as np
import pandas as pd

from .bots import START


def synthetic_market(rows: int, *, seed: int, timeframe: str = "2h") -> pd.DataFrame:
    """Candles of `rows` periods; the same seed gives the same prices."""
    random = np.random.default_rng(seed)
    volatility = 0.004 * np.exp(0.5 * np.sin(np.arange(rows) / 40.0 + seed))
    hurried = random.random(rows) < 0.06
    steps = random.normal(0.0, 1.0, rows) * volatility
    steps += hurried * random.choice([-1.0, 1.0], rows) * 4.0 * volatility
    close = 100.0 * np.exp(np.cumsum(steps))
    open_ = np.concatenate([[100.0], close[:-1]])
    wick = np.abs(random.normal(0.0, 0.6, (2, rows))) * volatility
    high = np.maximum(open_, close) * (1.0 + wick[0])
    low = np.minimum(open_, close) * (1.0 - wick[1])
    volume = 100.0 * np.exp(random.normal(0.0, 0.4, rows)) * (1.0 + 2.0 * hurried)
    dates = pd.date_range(START, periods=rows, freq=timeframe.replace("m", "min"))
    return pd.DataFrame(
        {"date": dates, "open": open_, "high": high, "low": low, "close": close, "volume": volume}
    )


def aggregate(frame: pd.DataFrame, timeframe: str) -> pd.DataFrame:
    """The same market in a longer timeframe; the last period may be incomplete."""
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    return frame.resample(timeframe, on="date").agg(rules).dropna().reset_index()
