"""The market's skeleton: volatility by the hour, returns and impulses by the day.

It is made in eras of a fixed number of days from the epoch on, each from its own seed
and from the state that the era before left, so it never depends on when it is asked
for. All that is finer than a day is drawn later, day by day, inside this frame
(`intraday`), which makes any day cheap to reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fractal_testnet.market import noise
from fractal_testnet.market.synthetic.rhythm import HOUR_VARIANCE
from fractal_testnet.market.universe import AssetSpec

ERA_DAYS = 256
MARKET = -1  # the factor's place where assets are numbered from 0

_FACTOR_VOL = 0.41  # annual, without impulses
_OWN_SHARE = 0.94  # of an asset's own volatility that is not impulses
_REVERSION = 0.0015  # per day: half-life 460 days
_IMPULSE_RATE = 0.16  # factor impulses a day; an asset's own come half as often
_IMPULSE_SIZE = 0.024  # standard deviation of the log jump of a factor impulse

# log-volatility = slow + fast: persistence over an hour, and standard deviation.
_SLOW = (np.exp(-1 / (24 * 18)), 0.34)
_FAST = (np.exp(-1 / 9), 0.40)
_OWN_SLOW = (np.exp(-1 / (24 * 12)), 0.26)
_OWN_FAST = (np.exp(-1 / 7), 0.28)
_CONTAGION = 0.7  # how far an asset's own volatility follows the factor's

Floats = npt.NDArray[np.float64]


class Impulse(NamedTuple):
    """A burst: `size` (log) walked within `minutes` from minute `start` of the day."""

    start: int
    minutes: int
    size: float


@dataclass(frozen=True, slots=True)
class Era:
    """`ERA_DAYS` days of skeleton; columns of the 2-D arrays are the assets.

    `variance` holds hourly variance multipliers (column 0 is the factor, column 1 + i
    asset i), `diffusion` daily log returns without impulses (same columns), `opens` the
    log price at each day's start and, in one more row, at the end of the last.
    """

    variance: Floats
    diffusion: Floats
    impulses: tuple[tuple[Impulse | None, ...], ...]
    drift: Floats
    opens: Floats
    slow: Floats
    fast: Floats


def _recur(x0: Floats, shocks: Floats, phi: Floats) -> Floats:
    """Return x_t = phi x_{t-1} + shock_t for every column."""
    out = np.empty_like(shocks)
    x = x0
    for i in range(len(shocks)):
        x = phi * x + shocks[i]
        out[i] = x
    return out


def _impulse(draws: Floats, rate: float, size: float) -> Impulse | None:
    """Turn four uniforms into an impulse, mostly into none."""
    if draws[0] >= rate:
        return None
    # A sign and a magnitude bounded away from zero: an impulse that shows.
    magnitude = size * (0.5 + 1.2 * draws[1] ** 2)
    sign = 1.0 if draws[0] < rate / 2 else -1.0
    minutes = 3 + int(draws[2] ** 2 * 87)
    return Impulse(int(draws[3] * (1440 - minutes)), minutes, sign * magnitude)


class Skeleton:
    """Grow the skeleton from the epoch as far as it is asked for.

    Parameters
    ----------
    seed : int
        The market's seed.
    assets : tuple of AssetSpec
        The assets; their order is part of what the seed means.
    """

    def __init__(self, seed: int, assets: tuple[AssetSpec, ...]) -> None:
        self._seed = seed
        self._assets = assets
        self._eras: list[Era] = []
        columns = len(assets) + 1
        self._base = np.log([spec.base_price for spec in assets])
        self._beta = np.array([spec.beta for spec in assets])
        own = np.array([spec.own_vol for spec in assets])
        self._daily = np.concatenate(([_FACTOR_VOL], own * _OWN_SHARE)) / np.sqrt(365.0)
        self._phi_slow = np.full(columns, _OWN_SLOW[0])
        self._phi_fast = np.full(columns, _OWN_FAST[0])
        self._sd_slow = np.full(columns, _OWN_SLOW[1])
        self._sd_fast = np.full(columns, _OWN_FAST[1])
        self._phi_slow[0], self._sd_slow[0] = _SLOW
        self._phi_fast[0], self._sd_fast[0] = _FAST

    @property
    def factor_daily_vol(self) -> float:
        """Daily volatility of the factor's diffusion (ratio)."""
        return float(self._daily[0])

    def own_daily_vol(self, number: int) -> float:
        """Return the daily volatility of an asset's own diffusion (ratio)."""
        return float(self._daily[number + 1])

    def total_daily_vol(self, number: int) -> float:
        """Return the daily volatility of an asset's diffusion, factor included (ratio)."""
        factor = self._daily[0] * self._beta[number]
        return float(np.hypot(factor, self._daily[number + 1]))

    def era_of(self, day: int) -> tuple[Era, int]:
        """Return the era that holds a day (0 is the epoch's) and its row there."""
        number, row = divmod(day, ERA_DAYS)
        while len(self._eras) <= number:
            self._eras.append(self._grow(len(self._eras)))
        return self._eras[number], row

    def _grow(self, number: int) -> Era:
        rng = noise.generator(self._seed, "era", number)
        columns = len(self._assets) + 1
        hours = ERA_DAYS * 24
        slow_shock = rng.standard_normal((hours, columns)) * self._sd_slow
        fast_shock = rng.standard_normal((hours, columns)) * self._sd_fast
        z = rng.standard_normal((ERA_DAYS, columns))
        chances = rng.random((ERA_DAYS, columns, 4))
        if number:
            slow0, fast0 = self._eras[-1].slow, self._eras[-1].fast
            opens0 = self._eras[-1].opens[-1]
        else:
            slow0, fast0 = np.zeros(columns), np.zeros(columns)
            opens0 = self._base
        slow = _recur(slow0, slow_shock * np.sqrt(1 - self._phi_slow**2), self._phi_slow)
        fast = _recur(fast0, fast_shock * np.sqrt(1 - self._phi_fast**2), self._phi_fast)
        # Divided by its mean, so that the long-run variance is what the assets say.
        level = slow + fast
        spread = self._sd_slow**2 + self._sd_fast**2
        level[:, 1:] += _CONTAGION * level[:, :1]
        spread[1:] += _CONTAGION**2 * spread[0]
        variance = np.exp(2 * level - 2 * spread)
        days = (variance.reshape(ERA_DAYS, 24, columns) * HOUR_VARIANCE[None, :, None]).mean(1)
        diffusion = self._daily * np.sqrt(days) * z
        impulses = tuple(
            tuple(self._impulse_of(chances[d, k], k) for k in range(columns))
            for d in range(ERA_DAYS)
        )
        jumps = np.array([[0.0 if i is None else i.size for i in row] for row in impulses])
        moves = self._beta * (diffusion[:, :1] + jumps[:, :1]) + diffusion[:, 1:] + jumps[:, 1:]
        opens = np.empty((ERA_DAYS + 1, columns - 1))
        drift = np.empty((ERA_DAYS, columns - 1))
        opens[0] = opens0
        for day in range(ERA_DAYS):
            drift[day] = -_REVERSION * (opens[day] - self._base)
            opens[day + 1] = opens[day] + moves[day] + drift[day]
        return Era(variance, diffusion, impulses, drift, opens, slow[-1], fast[-1])

    def _impulse_of(self, chances: Floats, column: int) -> Impulse | None:
        if column == 0:
            return _impulse(chances, _IMPULSE_RATE, _IMPULSE_SIZE)
        own_daily = float(self._daily[column])
        return _impulse(chances, _IMPULSE_RATE / 2, own_daily)
