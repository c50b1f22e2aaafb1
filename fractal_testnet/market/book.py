"""The order book around a mid price."""

from __future__ import annotations

import math
from typing import NamedTuple

from fractal_testnet.market import noise
from fractal_testnet.market.rounding import floor_size, price_decimals
from fractal_testnet.market.universe import SIGNIFICANT_FIGURES, AssetSpec

LEVELS = 20
REFRESH_MS = 500  # a book stands still for so long, unless the price leaves it
_HALF_SPREAD = 0.00004  # ratio; the liquid perps quote within a tick or two


class Level(NamedTuple):
    """One price level: price (USDC), size (base units), number of orders."""

    px: float
    sz: float
    n: int


class Book(NamedTuple):
    """Bids (highest first) and asks (lowest first) at `time_ms`."""

    time_ms: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


def _side(mid: float, sign: int, spec: AssetSpec, seed: int, moment: int) -> tuple[Level, ...]:
    decimals = price_decimals(mid, spec)
    # Distances are counted in ticks so that every level is a valid price.
    scale = 10.0**decimals
    edge = mid * scale * (1 + sign * _HALF_SPREAD)
    ticks = math.ceil(edge) if sign > 0 else math.floor(edge)
    step = max(1, round(mid * 0.00005 * scale))
    rng = noise.generator(seed, "book", spec.name, moment, sign)
    gaps = rng.integers(1, step + 2, LEVELS)
    usdc = spec.turnover_usdc / 8 * rng.lognormal(0.0, 0.6, LEVELS)
    levels = []
    for i in range(LEVELS):
        if i:
            ticks += sign * int(gaps[i])
        if ticks <= 0:
            break
        price = round(ticks / scale, decimals)
        size = floor_size(float(usdc[i]) * (1 + 0.15 * i) / price, spec)
        size = max(size, 10.0**-spec.sz_decimals)
        levels.append(Level(price, size, 1 + int(usdc[i] / spec.turnover_usdc * 24)))
    return tuple(levels)


def make_book(mid: float, spec: AssetSpec, seed: int, now_ms: int) -> Book:
    """Build the book at a moment.

    Parameters
    ----------
    mid : float
        The price the book stands around, USDC.
    spec : AssetSpec
        The asset.
    seed : int
        The market's seed.
    now_ms : int
        The moment, ms UTC.

    Returns
    -------
    Book
        Up to 20 valid levels a side, best bid < best ask, the mid price between them.
    """
    moment = now_ms // REFRESH_MS
    bids = _side(mid, -1, spec, seed, moment)
    asks = _side(mid, +1, spec, seed, moment)
    if bids and asks and bids[0].px >= asks[0].px:  # the mid lies on a tick of its own
        lift = 10.0 ** -price_decimals(mid, spec)
        asks = tuple(Level(a.px + lift, a.sz, a.n) for a in asks)
    return Book(now_ms, bids, asks)


def coarsen(book: Book, figures: int, mantissa: int = 1) -> Book:
    """Merge levels to fewer significant figures, as `nSigFigs` and `mantissa` ask.

    Parameters
    ----------
    book : Book
        A full book.
    figures : int
        Significant figures to keep, 2 to 5.
    mantissa : int
        With 5 figures: the last digit steps by 1, 2 or 5.
    """

    def merge(levels: tuple[Level, ...], sign: int) -> tuple[Level, ...]:
        merged: dict[float, list[float]] = {}
        for level in levels:
            magnitude = math.floor(math.log10(level.px) + 1e-12)
            unit = 10.0 ** (magnitude - figures + 1) * mantissa
            count = level.px / unit
            edge = math.ceil(count - 1e-9) if sign > 0 else math.floor(count + 1e-9)
            digits = max(0, SIGNIFICANT_FIGURES + 2 - magnitude)
            slot = merged.setdefault(round(edge * unit, digits), [0.0, 0])
            slot[0] += level.sz
            slot[1] += level.n
        return tuple(Level(px, sz, int(n)) for px, (sz, n) in merged.items())

    return Book(book.time_ms, merge(book.bids, -1), merge(book.asks, +1))
