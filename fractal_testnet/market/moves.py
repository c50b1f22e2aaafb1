"""A market whose prices an operator can push: for drills, and for tests of what a fall sets off."""

from __future__ import annotations

from dataclasses import dataclass

from fractal_testnet.market.base import Market
from fractal_testnet.market.book import Book, make_book
from fractal_testnet.market.candles import Bar, Bars
from fractal_testnet.market.funding import FundingRow
from fractal_testnet.market.intervals import MINUTE_MS
from fractal_testnet.market.move import MAX_OVER_MS, Move, MoveError, check
from fractal_testnet.market.moved_candles import MovedCandles
from fractal_testnet.market.moved_line import BareLine, MovedLine
from fractal_testnet.market.path import Knots
from fractal_testnet.market.rounding import round_price
from fractal_testnet.market.trades import Print
from fractal_testnet.market.universe import AssetSpec

__all__ = ["MAX_OVER_MS", "Move", "MoveError", "MovedMarket"]

_PRICES = ("open", "high", "low", "close")


@dataclass(slots=True)
class _Pushed:
    """What is known of one pushed asset."""

    bare: BareLine
    line: MovedLine
    candles: MovedCandles
    day_start_ms: int = -1
    day_extremes: tuple[float, float] = (0.0, 0.0)


class MovedMarket:
    """Implement `Market` over another one, with pushed prices.

    Parameters
    ----------
    market : Market
        What is pushed. An asset that never was answers with its own words.

    Notes
    -----
    A push multiplies the price from a moment on by ``1 + ratio``, reached in a straight line;
    pushes accumulate. Volumes, the sizes of prints and the funding rates stay the market's own:
    the last are what the market made of its own prices.

    The past does not change: a push can not begin before the latest moment that was asked about.
    """

    def __init__(self, market: Market) -> None:
        self._market = market
        self._specs = {spec.name: spec for spec in market.assets}
        self._pushed: dict[str, _Pushed] = {}
        self._moves: list[Move] = []
        self._shown_ms = 0

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

    @property
    def moves(self) -> tuple[Move, ...]:
        """All pushes in the order of their arrival."""
        return tuple(self._moves)

    @property
    def shown_ms(self) -> int:
        """The latest moment that was asked about, ms UTC."""
        return self._shown_ms

    def move(self, coin: str, ratio: float, at_ms: int, over_ms: int = 0) -> Move:
        """Push a price.

        Parameters
        ----------
        coin : str
            Name of one of the assets.
        ratio : float
            What is added, as a share of the price: -0.05 is 5 % down.
        at_ms : int
            When the push begins, ms UTC; not before `shown_ms`.
        over_ms : int, default 0
            How long it takes; 0 is a gap.

        Raises
        ------
        MoveError
            There is no such asset, or a number is out of its range.
        NoPriceError
            The asset has no price at that moment.
        """
        if coin not in self._specs:
            raise MoveError(f"coin is {coin!r}: choose one of {', '.join(self._specs)}")
        made = Move(coin, float(ratio), at_ms, over_ms)
        known = self._pushed.get(coin)
        check(made, self._shown_ms, 1.0 if known is None else known.line.factor)
        self._market.price(coin, at_ms)  # there must be one
        if known is None:
            bare = BareLine(self._market, coin)
            candles = MovedCandles(self._market, self._specs[coin])
            self._pushed[coin] = _Pushed(bare, MovedLine(bare, bare, made), candles)
        else:
            known.line = MovedLine(known.bare, known.line, made)
            known.day_start_ms = -1
        self._moves.append(made)
        return made

    def price(self, coin: str, now_ms: int) -> float:
        """Return the mid price, unrounded.

        Raises
        ------
        NoPriceError
            Before the first candle of the asset.
        """
        pushed = self._at(coin, now_ms)
        return self._market.price(coin, now_ms) if pushed is None else pushed.line.price(now_ms)

    def path(self, coin: str, start_ms: int, now_ms: int) -> Knots:
        """Return the corners of the price's way over [start_ms, now_ms].

        A gap has two corners at its moment; one at `start_ms` has happened already.
        """
        pushed = self._at(coin, now_ms)
        if pushed is None:
            return self._market.path(coin, start_ms, now_ms)
        knots = pushed.line.path(start_ms, now_ms)
        # A moment alone is a path of two corners, as everywhere.
        return knots if len(knots.t) > 1 else Knots(knots.t * 2, knots.p * 2)

    def mark(self, coin: str, now_ms: int) -> float:
        """Return the mark price, valid under the venue's price rule."""
        pushed = self._at(coin, now_ms)
        if pushed is None:
            return self._market.mark(coin, now_ms)
        return round_price(pushed.line.price(now_ms), self._specs[coin])

    def book(self, coin: str, now_ms: int) -> Book:
        """Return the order book, 20 levels a side."""
        pushed = self._at(coin, now_ms)
        if pushed is None:
            return self._market.book(coin, now_ms)
        return make_book(pushed.line.price(now_ms), self._specs[coin], self.seed, now_ms)

    def candles(self, coin: str, interval: str, start_ms: int, end_ms: int, now_ms: int) -> Bars:
        """Return candles that overlap [start_ms, end_ms], the last one maybe open."""
        pushed = self._at(coin, now_ms)
        bars = self._market.candles(coin, interval, start_ms, end_ms, now_ms)
        if pushed is None:
            return bars
        return pushed.candles.redraw(bars, interval, pushed.line, now_ms)

    def trades(self, coin: str, after_ms: int, now_ms: int, limit: int) -> list[Print]:
        """Return the newest prints of (after_ms, now_ms], newest first."""
        pushed = self._at(coin, now_ms)
        made = self._market.trades(coin, after_ms, now_ms, limit)
        if pushed is None:
            return made
        line, spec = pushed.line, self._specs[coin]
        return [
            one
            if one.time_ms < line.first_ms
            else one._replace(px=round_price(line.price(one.time_ms), spec))
            for one in made
        ]

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
        pushed = self._at(coin, now_ms)
        day = self._market.day_before(coin, now_ms)
        if pushed is None:
            return day
        line = pushed.line
        if day.open_ms >= line.settled_ms:
            scaled = {name: getattr(day, name) * line.factor for name in _PRICES}
            return day._replace(**scaled)
        return self._mixed_day(pushed, day, now_ms)

    def _mixed_day(self, pushed: _Pushed, day: Bar, now_ms: int) -> Bar:
        """Return a day that holds a push: the market's prices before it, the moved ones after."""
        line, start = pushed.line, pushed.candles.start_ms(pushed.line)
        minutes = pushed.candles.minutes(line, day.open_ms, now_ms + MINUTE_MS, now_ms)
        low, high = float(minutes.l.min()), float(minutes.h.max())
        if day.open_ms < start:
            if pushed.day_start_ms != day.open_ms:
                earlier = pushed.bare.path(day.open_ms, start).p
                pushed.day_start_ms = day.open_ms
                pushed.day_extremes = min(earlier), max(earlier)
            low, high = min(low, pushed.day_extremes[0]), max(high, pushed.day_extremes[1])
        opened = day.open if day.open_ms < line.first_ms else float(minutes.o[0])
        close = line.price(now_ms)
        return Bar(day.open_ms, day.length_ms, opened, high, low, close, day.volume)

    def _at(self, coin: str, now_ms: int) -> _Pushed | None:
        """Note that a moment is shown; return the asset's pushes if one has begun by then."""
        if now_ms > self._shown_ms:
            self._shown_ms = now_ms
        pushed = self._pushed.get(coin)
        return None if pushed is None or now_ms < pushed.line.first_ms else pushed
