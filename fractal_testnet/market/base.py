"""What the wire, and later the matching engine, may ask of a market."""

from __future__ import annotations

from typing import Protocol

from fractal_testnet.market.book import Book
from fractal_testnet.market.candles import Bar, Bars
from fractal_testnet.market.funding import FundingRow
from fractal_testnet.market.path import Knots
from fractal_testnet.market.trades import Print
from fractal_testnet.market.universe import AssetSpec


class NoPriceError(LookupError):
    """The market has no price for that asset at that moment."""


class Market(Protocol):
    """A market whose every answer is a function of the asked-for moment.

    Every method that could see time takes `now_ms` and answers with nothing later than
    it. Two calls with the same arguments have the same answer.
    """

    @property
    def kind(self) -> str:
        """``synthetic`` or ``replay``."""
        ...

    @property
    def seed(self) -> int:
        """The seed of everything that is drawn."""
        ...

    @property
    def assets(self) -> tuple[AssetSpec, ...]:
        """The assets in the order of their indices."""
        ...

    def candles(self, coin: str, interval: str, start_ms: int, end_ms: int, now_ms: int) -> Bars:
        """Return candles that overlap [start_ms, end_ms], the last one maybe open."""
        ...

    def price(self, coin: str, now_ms: int) -> float:
        """Return the mid price, unrounded."""
        ...

    def path(self, coin: str, start_ms: int, now_ms: int) -> Knots:
        """Return the corners of the price's way over [start_ms, now_ms]."""
        ...

    def mark(self, coin: str, now_ms: int) -> float:
        """Return the mark price, valid under the venue's price rule."""
        ...

    def book(self, coin: str, now_ms: int) -> Book:
        """Return the order book, 20 levels a side."""
        ...

    def trades(self, coin: str, after_ms: int, now_ms: int, limit: int) -> list[Print]:
        """Return the newest prints of (after_ms, now_ms], newest first."""
        ...

    def funding(
        self, coin: str, start_ms: int, end_ms: int, now_ms: int, limit: int
    ) -> list[FundingRow]:
        """Return the first `limit` settlements of [start_ms, end_ms], oldest first."""
        ...

    def funding_now(self, coin: str, now_ms: int) -> FundingRow:
        """Return the rate that the next settlement would have if nothing changed."""
        ...

    def day_before(self, coin: str, now_ms: int) -> Bar:
        """Return the 24 hours up to `now_ms` as one candle."""
        ...
