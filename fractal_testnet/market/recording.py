"""Read recorded candles and funding from freqtrade's data layout.

Files are ``DIR/futures/COIN_USDC_USDC-TF-futures.feather`` and
``…-1h-funding_rate.feather``; a set named ``COIN_USDT_USDT`` (Binance's) stands in for
the pairs quoted in USDC where those are absent.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fractal_testnet.market.candles import Bars
from fractal_testnet.market.intervals import DAY_MS, INTERVALS_MS
from fractal_testnet.market.universe import UNIVERSE, AssetSpec, spec_of

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

_CANDLE_COLUMNS = ("date", "open", "high", "low", "close", "volume")


class RecordingError(ValueError):
    """The recorded data cannot be used; the text names what, and the remedy."""


@dataclass(frozen=True)
class Recording:
    """What is recorded of one asset.

    `candles` maps an interval to its candles; `funding_t` (ms UTC) and `funding_rate`
    (ratio) are parallel, and empty where no funding was recorded.
    """

    spec: AssetSpec
    candles: dict[str, Bars] = field(default_factory=dict)
    funding_t: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    funding_rate: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    @property
    def span_ms(self) -> tuple[int, int]:
        """Open of the first candle and close of the last, ms UTC."""
        first = min(int(bars.t[0]) for bars in self.candles.values())
        last = max(int(bars.t[-1]) + INTERVALS_MS[tf] for tf, bars in self.candles.items())
        return first, last


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    try:
        frame: pd.DataFrame = pd.read_feather(path)
    except (OSError, ValueError) as error:
        msg = f"{path} is not a readable feather file ({error}): download or copy it again"
        raise RecordingError(msg) from error
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        msg = (
            f"{path} lacks the column {missing[0]!r} (it has {', '.join(map(str, frame.columns))})"
            ": use files in freqtrade's layout"
        )
        raise RecordingError(msg)
    if frame.empty:
        msg = f"{path} holds no rows: remove it or download it again"
        raise RecordingError(msg)
    return frame


def _times(frame: pd.DataFrame, path: Path) -> npt.NDArray[np.int64]:
    dates = frame["date"]
    try:
        t = dates.dt.tz_convert("UTC").dt.as_unit("ms").astype("int64").to_numpy()
    except (AttributeError, TypeError) as error:
        msg = f"{path}: column 'date' is {dates.dtype}, not dates in UTC: use freqtrade's layout"
        raise RecordingError(msg) from error
    steps = np.flatnonzero(np.diff(t) <= 0)
    if len(steps):
        row = int(steps[0]) + 1
        msg = (
            f"{path}: row {row} ({dates.iloc[row]}) is not later than the row before it: "
            "sort the file by date and drop duplicates"
        )
        raise RecordingError(msg)
    return np.asarray(t, np.int64)


def _candles(path: Path, interval: str) -> Bars:
    frame = _read(path, _CANDLE_COLUMNS)
    t = _times(frame, path)
    off = np.flatnonzero(t % INTERVALS_MS[interval])
    if len(off):
        row = int(off[0])
        msg = (
            f"{path}: row {row} ({frame['date'].iloc[row]}) does not open on a border of "
            f"{interval}: the file's name does not fit its candles"
        )
        raise RecordingError(msg)
    o, h, low, c, v = (frame[name].to_numpy(np.float64) for name in _CANDLE_COLUMNS[1:])
    good = (low > 0) & (low <= np.minimum(o, c)) & (h >= np.maximum(o, c)) & (v >= 0)
    bad = np.flatnonzero(~(good & np.isfinite(h) & np.isfinite(v)))
    if len(bad):
        row = int(bad[0])
        msg = (
            f"{path}: row {row} ({frame['date'].iloc[row]}) is no candle (open {o[row]}, high "
            f"{h[row]}, low {low[row]}, close {c[row]}, volume {v[row]}): repair or remove it"
        )
        raise RecordingError(msg)
    return Bars(t, o, h, low, c, v)


def _funding(path: Path) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    frame = _read(path, ("date",))
    column = "funding_rate" if "funding_rate" in frame.columns else "open"
    if column not in frame.columns:
        msg = f"{path} has neither 'funding_rate' nor 'open': use files in freqtrade's layout"
        raise RecordingError(msg)
    # Some venues stamp settlements a few milliseconds late.
    t = (_times(frame, path) + 30_000) // 60_000 * 60_000
    rates = frame[column].to_numpy(np.float64)
    bad = np.flatnonzero(~np.isfinite(rates))
    if len(bad):
        msg = f"{path}: row {int(bad[0])} has no funding rate: repair or remove it"
        raise RecordingError(msg)
    return t, rates


def _guess_spec(coin: str, price: float) -> AssetSpec:
    """Make up the contract of an asset that the universe does not know."""
    decimals = int(np.clip(np.floor(np.log10(price)) + 1, 0, 5))
    return AssetSpec(coin, decimals, 5, price, 1.0, 0.6, 2_000.0)


def _read_coin(folder: Path, coin: str, quote: str) -> Recording:
    stem = f"{coin}_{quote}_{quote}"
    candles = {
        interval: _candles(path, interval)
        for interval, length in INTERVALS_MS.items()
        if length <= DAY_MS and (path := folder / f"{stem}-{interval}-futures.feather").exists()
    }
    price = float(next(iter(candles.values())).c[-1])
    spec = spec_of(coin) or _guess_spec(coin, price)
    path = folder / f"{stem}-1h-funding_rate.feather"
    if not path.exists():
        logger.warning("%s has no recorded funding: the venue's base rate is paid instead", coin)
        return Recording(spec, candles)
    return Recording(spec, candles, *_funding(path))


def read_recordings(directory: Path) -> list[Recording]:
    """Read every asset recorded in a folder.

    Parameters
    ----------
    directory : Path
        The folder that holds ``futures/``.

    Returns
    -------
    list of Recording
        Assets of the universe in its order, then others by name.

    Raises
    ------
    RecordingError
        If the folder or the files are missing, or a file is not sorted, lacks a column,
        or holds what is no candle.
    """
    folder = directory / "futures"
    if not folder.is_dir():
        msg = (
            f"{folder} is not a folder: --replay takes the folder above 'futures', such as "
            "user_data/data/hyperliquid"
        )
        raise RecordingError(msg)
    coins: dict[str, str] = {}
    for path in sorted(folder.glob("*-futures.feather")):
        name, interval = path.name.removesuffix("-futures.feather").rsplit("-", 1)
        parts = name.split("_")
        known = INTERVALS_MS.get(interval, DAY_MS + 1) <= DAY_MS
        if not known or len(parts) != 3 or parts[1] != parts[2] or parts[1] not in {"USDC", "USDT"}:
            logger.warning("%s is not replayed: not COIN_USDC_USDC-INTERVAL-futures", path.name)
            continue
        if coins.get(parts[0]) != "USDC":
            coins[parts[0]] = parts[1]
    if not coins:
        msg = f"{folder} holds no candles: it needs files such as BTC_USDC_USDC-1h-futures.feather"
        raise RecordingError(msg)
    order = {spec.name.upper(): i for i, spec in enumerate(UNIVERSE)}
    names = sorted(coins, key=lambda coin: (order.get(coin.upper(), len(order)), coin))
    return [_read_coin(folder, coin, coins[coin]) for coin in names]
