"""Candle frames for tests: tables, tick-rounded random walks, hypothesis markets, real ones."""

from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pandas as pd
from hypothesis.extra import numpy as hnp

from fractal_strategies.smc import SmcConfig

PROJECT_ROOT = Path(__file__).resolve().parents[2]
REAL_DATA = PROJECT_ROOT.parent / "shared" / "data" / "binance" / "futures"

SHORT = SmcConfig(
    swing_width=2,
    atr_period=3,
    volume_window_bars=4,
    ob_max_lookback_bars=6,
    ob_max_age_bars=12,
    fvg_max_age_bars=8,
    equal_tolerance_atr=0.5,
    liquidity_max_age_bars=20,
    trend_ema_bars=5,
    displacement_body_atr=0.75,
    fvg_least_size_atr=0.1,
)
"""Short memories, so that everything that can happen happens within a hundred candles."""


def table(*rows: tuple[float, ...]) -> pd.DataFrame:
    """Build a frame from (open, high, low, close[, volume]) rows; volume is 1 if not given."""
    full = [(*row, 1.0) if len(row) == 4 else row for row in rows]
    array = np.array(full, dtype=np.float64).reshape(len(full), 5)
    opens, highs, lows, closes, _ = array.T
    assert (lows <= np.minimum(opens, closes)).all(), "a test candle's low is not the lowest"
    assert (highs >= np.maximum(opens, closes)).all(), "a test candle's high is not the highest"
    return frame_of(array)


def frame_of(array: np.ndarray) -> pd.DataFrame:
    """Wrap an (n, 5) array of open, high, low, close, volume as freqtrade frames look."""
    frame = pd.DataFrame(array, columns=["open", "high", "low", "close", "volume"])
    dates = pd.date_range("2024-01-01", periods=len(frame), freq="2h", tz="UTC")
    frame.insert(0, "date", dates)
    return frame


def random_walk(rows: int, seed: int = 0, tick: float = 0.5) -> pd.DataFrame:
    """Walk at random in ticks: coarse ticks make ties, drifting volatility makes regimes."""
    rng = np.random.default_rng(seed)
    scale = 4.0 * np.exp(np.clip(np.cumsum(rng.normal(0.0, 0.05, rows)), -1.5, 1.5))
    steps = rng.standard_t(4, rows) * scale * tick
    close = 20_000.0 * tick + np.cumsum(steps)
    # Reflected, so that no length of walk ends below zero.
    close = 2_000.0 * tick + np.abs(close - 2_000.0 * tick)
    start = np.concatenate([close[:1], close[:-1]])
    high = np.maximum(start, close) + rng.exponential(1.0, rows) * scale * tick
    low = np.minimum(start, close) - rng.exponential(1.0, rows) * scale * tick
    prices = np.round(np.column_stack([start, high, low, close]) / tick) * tick
    prices[:, 1] = prices.max(axis=1)
    prices[:, 2] = prices.min(axis=1)
    volume = np.round(rng.lognormal(2.0, 1.0, rows), 1)
    volume[rng.random(rows) < 0.02] = 0.0
    return frame_of(np.column_stack([prices, volume]))


@st.composite
def markets(draw: st.DrawFn, least: int = 0, most: int = 90) -> pd.DataFrame:
    """Draw markets of few price steps, so that ties, gaps and flat candles are common."""
    rows = draw(st.integers(least, most))
    moves = draw(hnp.arrays(np.int8, (rows, 2), elements=st.integers(-5, 5))).astype(float)
    wicks = draw(hnp.arrays(np.int8, (rows, 2), elements=st.integers(0, 3))).astype(float)
    volume = draw(hnp.arrays(np.int8, (rows,), elements=st.integers(0, 4))).astype(float)
    jump, body = moves.T
    close = 2_000.0 + np.cumsum(jump + body)
    start = close - body
    high = np.maximum(start, close) + wicks[:, 0]
    low = np.minimum(start, close) - wicks[:, 1]
    prices = np.column_stack([start, high, low, close]) * 0.25
    return frame_of(np.column_stack([prices, volume]))


@st.composite
def configs(draw: st.DrawFn) -> SmcConfig:
    """Draw settings with short memories."""
    return SmcConfig(
        swing_width=draw(st.integers(1, 3)),
        atr_period=draw(st.integers(1, 5)),
        volume_window_bars=draw(st.integers(1, 7)),
        ob_max_lookback_bars=draw(st.integers(1, 8)),
        ob_max_age_bars=draw(st.integers(1, 25)),
        ob_weak_volume_ratio=draw(st.sampled_from([0.0, 1.0, 2.0])),
        fvg_least_size_atr=draw(st.sampled_from([0.0, 0.25, 1.0])),
        fvg_max_age_bars=draw(st.integers(1, 15)),
        equal_tolerance_atr=draw(st.sampled_from([0.0, 0.2, 1.0])),
        reclaim_bars=draw(st.integers(0, 6)),
        liquidity_max_age_bars=draw(st.integers(1, 30)),
        displacement_body_atr=draw(st.sampled_from([0.0, 0.75, 1.5])),
        displacement_volume_ratio=draw(st.sampled_from([0.0, 1.0, 1.5])),
        trend_ema_bars=draw(st.integers(2, 9)),
    )


def real_candles(name: str) -> pd.DataFrame | None:
    """Read a file of the reference data; None where it is not laid out beside the project."""
    path = REAL_DATA / f"{name}-futures.feather"
    return pd.read_feather(path) if path.exists() else None
