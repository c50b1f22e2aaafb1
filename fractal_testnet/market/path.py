"""The way a price takes inside one candle.

A candle is walked in three straight lines: open, one extreme, the other extreme, close.
Which extreme comes first, and when, is drawn from the candle's place alone (market seed,
asset, open time), not from its shape, so the order tells nothing about the close. The
walk touches every extreme exactly and never leaves the candle; at any moment only the
part already walked is known.
"""

from __future__ import annotations

from dataclasses import dataclass

from fractal_testnet.market import noise
from fractal_testnet.market.candles import Bar


@dataclass(frozen=True, slots=True)
class Knots:
    """Corners of a price path: between two of them the price is a straight line.

    Parameters
    ----------
    t : tuple of int
        Moments, ms UTC, increasing (a step has two corners at one moment).
    p : tuple of float
        Prices in USDC at those moments, unrounded.
    """

    t: tuple[int, ...]
    p: tuple[float, ...]


def knots_of(bar: Bar, seed: int, coin: str) -> Knots:
    """Return the corners of the way through a candle.

    Parameters
    ----------
    bar : Bar
        A complete candle.
    seed : int
        The market's seed.
    coin : str
        The asset's name.
    """
    state = noise.key(seed, "path", coin, bar.open_ms, bar.length_ms)
    # Two moments apart from each other and from the borders, from bits of one draw.
    first = 0.10 + 0.35 * ((state & 0xFFFF) / 0x10000)
    second = 0.55 + 0.35 * ((state >> 16 & 0xFFFF) / 0x10000)
    high_first = bool(state >> 40 & 1)
    extremes = (bar.high, bar.low) if high_first else (bar.low, bar.high)
    start = bar.open_ms
    return Knots(
        (
            start,
            start + int(first * bar.length_ms),
            start + int(second * bar.length_ms),
            start + bar.length_ms,
        ),
        (bar.open, *extremes, bar.close),
    )


def price_on(knots: Knots, t_ms: int) -> float:
    """Return the price at a moment; before the first corner it is the first price."""
    times, prices = knots.t, knots.p
    if t_ms <= times[0]:
        return prices[0]
    for i in range(1, len(times)):
        if t_ms < times[i]:
            share = (t_ms - times[i - 1]) / (times[i] - times[i - 1])
            return prices[i - 1] + share * (prices[i] - prices[i - 1])
    return prices[-1]


def walked(knots: Knots, start_ms: int, end_ms: int) -> Knots:
    """Return the part of the path from `start_ms` to `end_ms`, both included."""
    inner = [(t, p) for t, p in zip(knots.t, knots.p, strict=True) if start_ms < t < end_ms]
    corners = [(start_ms, price_on(knots, start_ms)), *inner, (end_ms, price_on(knots, end_ms))]
    return Knots(tuple(t for t, _ in corners), tuple(p for _, p in corners))


def grown(bar: Bar, knots: Knots, now_ms: int) -> Bar:
    """Return the candle as it stands at `now_ms`, while it is still open.

    Parameters
    ----------
    bar : Bar
        The candle as it will close.
    knots : Knots
        Its way, from `knots_of`.
    now_ms : int
        A moment, ``bar.open_ms <= now_ms``.

    Returns
    -------
    Bar
        Open, extremes and price so far; volume in proportion to the time gone.
    """
    if now_ms >= bar.open_ms + bar.length_ms:
        return bar
    seen = walked(knots, bar.open_ms, now_ms).p
    share = (now_ms - bar.open_ms) / bar.length_ms
    return Bar(
        bar.open_ms, bar.length_ms, seen[0], max(seen), min(seen), seen[-1], bar.volume * share
    )
