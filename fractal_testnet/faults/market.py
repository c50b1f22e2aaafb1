"""A market whose candles lag or lack one, while its prices go on."""

from __future__ import annotations

from fractal_testnet.faults.board import FaultBoard
from fractal_testnet.faults.fault import Fault
from fractal_testnet.market.base import Market
from fractal_testnet.market.book import Book
from fractal_testnet.market.candles import Bar, Bars
from fractal_testnet.market.funding import FundingRow
from fractal_testnet.market.intervals import open_ms
from fractal_testnet.market.path import Knots
from fractal_testnet.market.trades import Print
from fractal_testnet.market.universe import AssetSpec


class FaultedMarket:
    """A `Market` as clients are told it: only `candles` may differ from the truth.

    Parameters
    ----------
    market : Market
        The truth.
    board : FaultBoard
        The exchange's faults.
    """

    def __init__(self, market: Market, board: FaultBoard) -> None:
        self._market = market
        self._board = board

    def candles(self, coin: str, interval: str, start_ms: int, end_ms: int, now_ms: int) -> Bars:
        """Return candles, as they stood when a `stale_candles` began and without missing ones."""
        if not self._board.armed:
            return self._market.candles(coin, interval, start_ms, end_ms, now_ms)
        for fault in self._board.scheduled("stale_candles"):
            if _is_about(fault, coin, interval) and self._board.touches(
                fault, coin, {"coin": coin}
            ):
                now_ms = min(now_ms, fault.start_ms)
        bars = self._market.candles(coin, interval, start_ms, end_ms, now_ms)
        for fault in self._board.scheduled("missing_candle"):
            if not _is_about(fault, coin, interval):
                continue
            # The candle before the one that was open.
            lost_ms = open_ms(interval, open_ms(interval, fault.start_ms) - 1)
            stays = bars.t != lost_ms
            what = {"coin": coin, "interval": interval, "open_ms": lost_ms}
            # One that this answer does not hold anyway is no hit.
            if not stays.all() and self._board.touches(fault, f"{coin} {interval}", what):
                bars = bars[stays]
        return bars

    @property
    def kind(self) -> str:
        """``synthetic`` or ``replay``."""
        return self._market.kind

    @property
    def seed(self) -> int:
        """The seed of everything that is drawn."""
        return self._market.seed

    @property
    def assets(self) -> tuple[AssetSpec, ...]:
        """The assets in the order of their indices."""
        return self._market.assets

    def price(self, coin: str, now_ms: int) -> float:
        """Return the mid price, unrounded."""
        return self._market.price(coin, now_ms)

    def path(self, coin: str, start_ms: int, now_ms: int) -> Knots:
        """Return the corners of the price's way over [start_ms, now_ms]."""
        return self._market.path(coin, start_ms, now_ms)

    def mark(self, coin: str, now_ms: int) -> float:
        """Return the mark price, valid under the venue's price rule."""
        return self._market.mark(coin, now_ms)

    def book(self, coin: str, now_ms: int) -> Book:
        """Return the order book, 20 levels a side."""
        return self._market.book(coin, now_ms)

    def trades(self, coin: str, after_ms: int, now_ms: int, limit: int) -> list[Print]:
        """Return the newest prints of (after_ms, now_ms], newest first."""
        return self._market.trades(coin, after_ms, now_ms, limit)

    def funding(
        self, coin: str, start_ms: int, end_ms: int, now_ms: int, limit: int
    ) -> list[FundingRow]:
        """Return the first `limit` settlements of [start_ms, end_ms], oldest first."""
        return self._market.funding(coin, start_ms, end_ms, now_ms, limit)

    def funding_now(self, coin: str, now_ms: int) -> FundingRow:
        """Return the rate that the next settlement would have if nothing changed."""
        return self._market.funding_now(coin, now_ms)

    def day_before(self, coin: str, now_ms: int) -> Bar:
        """Return the 24 hours up to `now_ms` as one candle."""
        return self._market.day_before(coin, now_ms)


def _is_about(fault: Fault, coin: str, interval: str) -> bool:
    spec = fault.spec
    return (not spec.coins or coin in spec.coins) and spec.interval in (None, interval)
