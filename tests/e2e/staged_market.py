"""A recorded market, written for one scene: structure breaks now, the target comes in minutes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

CANDLE = timedelta(minutes=15)
QUIET_PRICE = 60_000.0
COIN = "BTC"


@dataclass(frozen=True)
class Scene:
    """When what happens."""

    signal_close: datetime
    """The breaking candle closes."""
    takeoff: datetime
    """Price leaves for the target."""


def plan(now: datetime) -> Scene:
    """Put the breaking candle just before now, or, if its entry window is nearly over, next."""
    boundary = datetime.fromtimestamp(
        now.timestamp() // CANDLE.total_seconds() * CANDLE.total_seconds(), tz=UTC
    )
    if now - boundary > timedelta(minutes=11):
        boundary += CANDLE
    start = max(now, boundary)
    takeoff = start.replace(second=0, microsecond=0) + timedelta(minutes=3)
    return Scene(boundary, takeoff)


def write(folder: Path, scene: Scene, days: int = 40) -> None:
    """Write minute candles of a quiet market, the break, and the flight to the target."""
    last = scene.takeoff + timedelta(hours=6)
    first = (scene.signal_close - timedelta(days=days)).replace(hour=0, minute=0)
    dates = pd.date_range(first, last, freq="1min", inclusive="left")
    minutes = np.arange(len(dates))
    rng = np.random.default_rng(11)
    noise = np.convolve(rng.normal(0.0, 6.0, len(dates)), np.ones(30) / 5.0, "same")
    close = QUIET_PRICE + 60.0 * np.sin(minutes / 45.0) + noise
    volume = rng.uniform(1.0, 2.0, len(dates))
    signal = int((scene.signal_close - CANDLE - first) / timedelta(minutes=1))
    takeoff = int((scene.takeoff - first) / timedelta(minutes=1))
    # A climb sets the trend, a pullback makes the swing high and the order block, and one
    # candle breaks that high with force.
    base = close[signal - 391]
    close[signal - 390 : signal - 90] = base * np.linspace(1.0, 1.015, 300)
    top = close[signal - 91]
    close[signal - 90 : signal] = top * np.linspace(1.0, 0.994, 90)
    close[signal : signal + 15] = top * np.linspace(0.995, 1.008, 15)
    volume[signal : signal + 15] *= 12.0
    high_ground = close[signal + 14]
    close[signal + 15 : takeoff] = high_ground
    climb = np.linspace(high_ground, high_ground * 1.12, 3)
    close[takeoff : takeoff + 3] = climb
    close[takeoff + 3 :] = climb[-1]
    opens = np.concatenate([[close[0]], close[:-1]])
    frame = pd.DataFrame(
        {
            "date": dates,
            "open": opens,
            "high": np.maximum(opens, close) + 1.0,
            "low": np.minimum(opens, close) - 1.0,
            "close": close,
            "volume": volume,
        }
    )
    target = folder / "futures"
    target.mkdir(parents=True)
    frame.to_feather(target / f"{COIN}_USDC_USDC-1m-futures.feather")
