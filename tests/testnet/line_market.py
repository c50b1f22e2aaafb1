"""A market whose price is drawn by the test: corners, and straight lines between them."""

from __future__ import annotations

from bisect import bisect_right

from fractal_testnet.market import Knots, NoPriceError
from fractal_testnet.market.book import Book, make_book
from fractal_testnet.market.funding import FundingRow, hourly_rate
from fractal_testnet.market.intervals import HOUR_MS
from fractal_testnet.market.path import price_on
from fractal_testnet.market.rounding import round_price
from fractal_testnet.market.universe import UNIVERSE, AssetSpec

T0 = 1_790_000_000_000 // HOUR_MS * HOUR_MS
"""A full hour, where the lines begin."""


class LineMarket:
    """Prices on lines; a step is two corners at one moment, and the later one counts.

    Parameters
    ----------
    corners : dict
        For each coin a list of (seconds after T0, price).
    premium : float
        Of every contract at every hour.
    """

    kind = "lines"
    seed = 3

    def __init__(self, corners: dict[str, list[tuple[float, float]]], premium: float = 0.0) -> None:
        self._knots = {
            coin: Knots(tuple(T0 + round(t * 1000) for t, _ in line), tuple(p for _, p in line))
            for coin, line in corners.items()
        }
        self._premium = premium

    @property
    def assets(self) -> tuple[AssetSpec, ...]:
        return UNIVERSE

    def price(self, coin: str, now_ms: int) -> float:
        knots = self._knots.get(coin)
        if knots is None:
            spec = next(s for s in UNIVERSE if s.name == coin)
            return spec.base_price
        if now_ms < knots.t[0]:
            raise NoPriceError(coin)
        i = bisect_right(knots.t, now_ms) - 1
        rest = Knots(knots.t[i:], knots.p[i:])
        return price_on(rest, now_ms) if i + 1 < len(knots.t) else knots.p[-1]

    def path(self, coin: str, start_ms: int, now_ms: int) -> Knots:
        knots = self._knots.get(coin)
        if knots is None:
            price = self.price(coin, start_ms)
            return Knots((start_ms, now_ms), (price, price))
        inner = [(t, p) for t, p in zip(knots.t, knots.p, strict=True) if start_ms < t <= now_ms]
        corners = [
            (start_ms, self.price(coin, start_ms)),
            *inner,
            (now_ms, self.price(coin, now_ms)),
        ]
        return Knots(tuple(t for t, _ in corners), tuple(p for _, p in corners))

    def mark(self, coin: str, now_ms: int) -> float:
        spec = next(s for s in UNIVERSE if s.name == coin)
        return round_price(self.price(coin, now_ms), spec)

    def book(self, coin: str, now_ms: int) -> Book:
        spec = next(s for s in UNIVERSE if s.name == coin)
        return make_book(self.price(coin, now_ms), spec, self.seed, now_ms)

    def funding(
        self, coin: str, start_ms: int, end_ms: int, now_ms: int, limit: int
    ) -> list[FundingRow]:
        first = -(-start_ms // HOUR_MS) * HOUR_MS
        rate = hourly_rate(self._premium)
        hours = range(first, min(end_ms, now_ms) + 1, HOUR_MS)[:limit]
        return [FundingRow(t, rate, self._premium) for t in hours]
