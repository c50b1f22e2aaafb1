"""What a taker finds in the market's book."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from fractal_testnet.market import Market
from fractal_testnet.market.book import REFRESH_MS, Book

from .bank import ZERO
from .orders import Side
from .rules import exact


class Slice(NamedTuple):
    """Part of an order that fills at one price."""

    price: Decimal
    size: Decimal


def next_book_ms(now_ms: int) -> int:
    """Return when books are drawn anew."""
    return (now_ms // REFRESH_MS + 1) * REFRESH_MS


class Liquidity:
    """The market's book, less what has been taken from it.

    Parameters
    ----------
    market : Market
        Where the books come from.

    Notes
    -----
    The market's book is a function of time and knows no orders, so what was taken is remembered
    until the book is drawn anew, twice a second: the same depth is never sold twice.
    """

    def __init__(self, market: Market) -> None:
        self._market = market
        self._taken: dict[tuple[str, Side, Decimal], Decimal] = {}
        self._moment: dict[str, int] = {}
        self._books: dict[str, Book] = {}

    def take(
        self, coin: str, side: Side, size: Decimal, limit: Decimal, now_ms: int
    ) -> list[Slice]:
        """Take from the book.

        Parameters
        ----------
        coin : str
            The contract.
        side : int
            +1 takes from the asks, -1 from the bids.
        size : Decimal
            Contracts wanted.
        limit : Decimal
            Worst price.
        now_ms : int
            The moment.

        Returns
        -------
        list of Slice
            Best price first; together no more than `size`.
        """
        slices = []
        for price, there in self._levels(coin, side, now_ms):
            if size <= 0 or (price - limit) * side > 0:
                break
            taken = min(size, there)
            slices.append(Slice(price, taken))
            key = coin, side, price
            self._taken[key] = self._taken.get(key, ZERO) + taken
            size -= taken
        return slices

    def best(self, coin: str, side: Side, now_ms: int) -> Decimal | None:
        """Return the best price that a taker of this side finds; None in an empty book."""
        return next((price for price, _ in self._levels(coin, side, now_ms)), None)

    def quoted(self, coin: str, side: Side, now_ms: int) -> Decimal | None:
        """Return the best price of the market's book, whatever has been taken from it."""
        book = self._book(coin, now_ms)
        levels = book.asks if side > 0 else book.bids
        return exact(levels[0].px) if levels else None

    def _book(self, coin: str, now_ms: int) -> Book:
        """Return the market's book; one order asks for the same several times."""
        known = self._books.get(coin)
        if known is None or known.time_ms != now_ms:
            known = self._market.book(coin, now_ms)
            self._books[coin] = known
        return known

    def _levels(self, coin: str, side: Side, now_ms: int) -> Iterator[tuple[Decimal, Decimal]]:
        """Yield price and what is left there, best first; few orders need more than one."""
        if self._moment.get(coin) != now_ms // REFRESH_MS:
            self._moment[coin] = now_ms // REFRESH_MS
            self._taken = {key: size for key, size in self._taken.items() if key[0] != coin}
        book = self._book(coin, now_ms)
        for level in book.asks if side > 0 else book.bids:
            price = exact(level.px)
            there = exact(level.sz) - self._taken.get((coin, side, price), ZERO)
            if there > 0:
                yield price, there
