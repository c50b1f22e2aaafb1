"""Hourly mark prices over the whole span, from the finest candles known at each hour.

freqtrade charges funding in a backtest only at hours that both the funding file and the
mark file hold, and for Hyperliquid it takes the 1h candles as marks. The exchange keeps
only 5,000 of those (208 days), though 416 days of 2h candles: over the older half,
positions would silently be free of funding. These marks close that gap.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

HOUR = pd.Timedelta(hours=1)


def hourly_marks(candles: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Build 1h mark candles.

    Parameters
    ----------
    candles : dict
        Interval (``15m``, ``2h``) -> candles of one pair, with the columns date, open,
        high, low, close, volume.

    Returns
    -------
    DataFrame
        One row per hour, from the first candle to the last close, with the columns of
        the candles. `open` is the last price known at the hour: an open at that moment
        (of the finest interval), else the latest open or close before it. high, low and
        close equal the 1h candle's where there is one, else `open`. volume is 0.

    Notes
    -----
    Causal: the open at an hour rests on nothing after that moment.
    """
    filled = {tf: frame for tf, frame in candles.items() if not frame.empty}
    if not filled:
        return pd.DataFrame(columns=["date", "open", "high", "low", "close", "volume"])
    by_fineness = sorted(filled, key=_length, reverse=True)
    events: list[pd.DataFrame] = []
    # Of events at one moment the last in this order wins: opens over closes, fine over coarse.
    for kind in ("close", "open"):
        for tf in by_fineness:
            frame = filled[tf]
            delay = _length(tf) if kind == "close" else pd.Timedelta(0)
            events.append(pd.DataFrame({"date": frame["date"] + delay, "price": frame[kind]}))
    known = pd.concat(events, ignore_index=True).sort_values("date", kind="stable")
    known = known.drop_duplicates("date", keep="last")
    first = min(frame["date"].iloc[0] for frame in filled.values()).ceil("h")
    last = max(frame["date"].iloc[-1] + _length(tf) for tf, frame in filled.items())
    hours = pd.date_range(first, last, freq="h", inclusive="left", unit="ms")
    marks = pd.merge_asof(
        pd.DataFrame({"date": hours}), known.assign(date=known["date"].dt.as_unit("ms")), on="date"
    ).rename(columns={"price": "open"})
    for column in ("high", "low", "close"):
        marks[column] = marks["open"]
    marks["volume"] = 0.0
    hourly = filled.get("1h")
    if hourly is not None:
        places = np.searchsorted(marks["date"].to_numpy(), hourly["date"].to_numpy())
        for column in ("high", "low", "close"):
            values = marks[column].to_numpy(copy=True)
            values[places] = hourly[column].to_numpy()
            marks[column] = values
    return marks


def _length(timeframe: str) -> pd.Timedelta:
    """Return the length of freqtrade's `15m`, `2h`, `1d`, `1w`."""
    minutes = {"m": 1, "h": 60, "d": 1_440, "w": 10_080}[timeframe[-1]]
    return pd.Timedelta(minutes=int(timeframe[:-1]) * minutes)
