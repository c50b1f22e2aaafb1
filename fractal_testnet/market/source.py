"""Where a market's complete candles come from.

A source knows the whole path, future included: only `PathMarket` may ask it, and it
cuts every answer at the clock.
"""

from __future__ import annotations

from typing import Protocol

from fractal_testnet.market.candles import Bar, Bars
from fractal_testnet.market.funding import FundingRow
from fractal_testnet.market.universe import AssetSpec


class BarSource(Protocol):
    """Complete candles of every interval, and the finest one at any moment."""

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

    def bars(self, coin: str, interval: str, start_ms: int, end_ms: int) -> Bars:
        """Return the complete candles of `interval` that open in [start_ms, end_ms)."""
        ...

    def base_bar(self, coin: str, t_ms: int) -> Bar | None:
        """Return the finest candle that holds `t_ms`, or None in a gap."""
        ...

    def base_bars(self, coin: str, start_ms: int, end_ms: int) -> list[Bar]:
        """Return the finest candles that overlap [start_ms, end_ms), oldest first."""
        ...

    def tail(self, coin: str, start_ms: int, now_ms: int) -> Bars:
        """Return closed candles, of any lengths, from `start_ms` to the open base candle."""
        ...

    def last_close(self, coin: str, t_ms: int) -> float | None:
        """Return the close of the last candle that closed at or before `t_ms`."""
        ...

    def funding(self, coin: str, start_ms: int, end_ms: int, limit: int) -> list[FundingRow]:
        """Return the first `limit` settlements of [start_ms, end_ms], oldest first."""
        ...

    def funding_at(self, coin: str, now_ms: int) -> FundingRow:
        """Return the rate as it stands at `now_ms`, from nothing later than it."""
        ...
