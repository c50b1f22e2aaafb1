"""One day of one asset by the minute, inside the skeleton's frame."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fractal_testnet.market import noise
from fractal_testnet.market.candles import Bars
from fractal_testnet.market.intervals import DAY_MS, MINUTE_MS
from fractal_testnet.market.synthetic.rhythm import MINUTES, VARIANCE, VOLUME, Floats
from fractal_testnet.market.synthetic.skeleton import MARKET, Impulse, Skeleton
from fractal_testnet.market.universe import AssetSpec


class Walk(NamedTuple):
    """A day's log path at 1,441 minute borders, and each minute's standard deviation."""

    path: Floats
    sigma: Floats


def _bridge(z: Floats, variance: Floats, total: float) -> Floats:
    """Return a Brownian path over the day that ends at `total`.

    The day's total was drawn with the day's variance, so a bridge to it is a Brownian
    motion again: minutes and days obey one law.
    """
    steps = np.sqrt(variance) * z
    walk = np.concatenate(([0.0], np.cumsum(steps)))
    clock = np.concatenate(([0.0], np.cumsum(variance)))
    path: Floats = walk + (clock / clock[-1]) * (total - walk[-1])
    return path


def _ramp(impulse: Impulse | None) -> Floats | float:
    """Return the path an impulse adds: 0 before, a straight climb, its size after."""
    if impulse is None:
        return 0.0
    share = (np.arange(MINUTES + 1) - impulse.start) / impulse.minutes
    ramp: Floats = impulse.size * np.clip(share, 0.0, 1.0)
    return ramp


def walk_of(skeleton: Skeleton, seed: int, day: int, number: int, daily_vol: float) -> Walk:
    """Return the walk of one component: the factor, or one asset's own part.

    Parameters
    ----------
    skeleton : Skeleton
        The frame.
    seed : int
        The market's seed.
    day : int
        Days since the epoch.
    number : int
        `MARKET`, or the asset's place.
    daily_vol : float
        The component's daily volatility in the long run (ratio).
    """
    era, row = skeleton.era_of(day)
    column = number - MARKET
    hours = era.variance[row * 24 : row * 24 + 24, column]
    variance = np.repeat(hours, 60) * VARIANCE * (daily_vol**2 / MINUTES)
    rng = noise.generator(seed, "day", day, number)
    path = _bridge(rng.standard_normal(MINUTES), variance, float(era.diffusion[row, column]))
    return Walk(path + _ramp(era.impulses[row][column]), np.sqrt(variance))


def minutes_of(
    skeleton: Skeleton, seed: int, day: int, number: int, spec: AssetSpec, factor: Walk
) -> tuple[Floats, ...]:
    """Return one asset's minute candles of a day: open, high, low, close, volume.

    Parameters
    ----------
    skeleton : Skeleton
        The frame.
    seed : int
        The market's seed.
    day : int
        Days since the epoch.
    number : int
        The asset's place.
    spec : AssetSpec
        The asset.
    factor : Walk
        The factor's walk of the same day.
    """
    era, row = skeleton.era_of(day)
    own = walk_of(skeleton, seed, day, number, skeleton.own_daily_vol(number))
    drift = float(era.drift[row, number]) * np.linspace(0.0, 1.0, MINUTES + 1)
    path = float(era.opens[row, number]) + spec.beta * factor.path + own.path + drift
    path[-1] = era.opens[row + 1, number]  # exact, where sums of floats are not
    variance = (spec.beta * factor.sigma) ** 2 + own.sigma**2
    rng = noise.generator(seed, "inside", day, number)
    start, end = path[:-1], path[1:]
    # The law of a Brownian bridge's maximum, and of its minimum.
    reach = -2.0 * variance * np.log(rng.random((2, MINUTES)) + 1e-300)
    span = np.sqrt((end - start) ** 2 + reach)
    high = np.exp((start + end + span[0]) / 2)
    low = np.exp((start + end - span[1]) / 2)
    close = np.exp(end)
    # Volume follows the move against what the hour of the day lets expect, and the
    # day's own level of volatility.
    usual = np.sqrt(VARIANCE * skeleton.total_daily_vol(number) ** 2 / MINUTES)
    energy = 0.35 + 0.9 * np.abs(end - start) / usual + 0.5 * variance / usual**2
    usdc = spec.turnover_usdc * VOLUME * energy * rng.lognormal(-0.3, 0.75, MINUTES)
    scale = 10.0**spec.sz_decimals
    volume = np.floor(usdc / close * scale) / scale
    return np.exp(start), high, low, close, volume


def as_bars(day_open_ms: int, values: tuple[Floats, ...]) -> Bars:
    """Return a day's minutes as candles."""
    t = np.arange(day_open_ms, day_open_ms + DAY_MS, MINUTE_MS, dtype=np.int64)
    return Bars(t, *values)
