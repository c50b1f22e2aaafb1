"""No answer of the market holds anything later than its clock.

The proof: two worlds that are equal up to a moment and differ after it must give the
same answers at that moment. A market that peeks is caught by the same proof.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from fractal_testnet.market import PathMarket
from fractal_testnet.market.candles import Bar, Bars, aggregate
from fractal_testnet.market.clock import ManualClock
from fractal_testnet.market.funding import FundingRow
from fractal_testnet.market.intervals import INTERVALS_MS, MINUTE_MS, next_open_ms, open_ms
from fractal_testnet.market.synthetic import SyntheticSource
from fractal_testnet.wire import shapes
from fractal_testnet.wire.venue import Venue

NOW_MS = 1_795_433_417_123
COIN = "ETH"


class ForkedSource:
    """A source whose world turns out otherwise for every candle that closes later."""

    kind = "synthetic"

    def __init__(self, source: SyntheticSource, fork_ms: int) -> None:
        self._source = source
        self._fork_ms = fork_ms
        self.seed = source.seed
        self.assets = source.assets

    def _other(self, bars: Bars, ends: np.ndarray) -> Bars:
        factor = np.where(ends > self._fork_ms, 1.5, 1.0)
        return Bars(
            bars.t, bars.o * factor, bars.h * factor, bars.l * factor, bars.c * factor,
            bars.v * factor,
        )  # fmt: skip

    def bars(self, coin: str, interval: str, start_ms: int, end_ms: int) -> Bars:
        made = self._source.bars(coin, interval, start_ms, end_ms)
        ends = np.array([next_open_ms(interval, int(t)) for t in made.t])
        return self._other(made, ends)

    def base_bar(self, coin: str, t_ms: int) -> Bar | None:
        made = self._source.base_bar(coin, t_ms)
        if made is None or made.open_ms + made.length_ms <= self._fork_ms:
            return made
        return Bar(made.open_ms, made.length_ms, *(x * 1.5 for x in made[2:]))

    def base_bars(self, coin: str, start_ms: int, end_ms: int) -> list[Bar]:
        found = [self.base_bar(coin, bar.open_ms)
                 for bar in self._source.base_bars(coin, start_ms, end_ms)]  # fmt: skip
        return [bar for bar in found if bar is not None]

    def tail(self, coin: str, start_ms: int, now_ms: int) -> Bars:
        made = self._source.tail(coin, start_ms, now_ms)
        return self._other(made, made.t + MINUTE_MS)

    def last_close(self, coin: str, t_ms: int) -> float | None:
        return self._source.last_close(coin, t_ms)

    def funding(self, coin: str, start_ms: int, end_ms: int, limit: int) -> list[FundingRow]:
        made = self._source.funding(coin, start_ms, end_ms, limit)
        return [row if row.time_ms <= self._fork_ms else row._replace(rate=1.0) for row in made]

    def funding_at(self, coin: str, now_ms: int) -> FundingRow:
        return self._source.funding_at(coin, now_ms)


class PeekingMarket(PathMarket):
    """The guilty specimen: its open candle already knows how it will close."""

    def _open_candle(self, coin: str, interval: str, current_ms: int, now_ms: int) -> Bars:
        return self._source.bars(coin, interval, current_ms, now_ms + 1)


class LateMarket(PathMarket):
    """Another: its prints may be as late as the slot that has begun."""

    def trades(self, coin: str, after_ms: int, now_ms: int, limit: int) -> list:
        return super().trades(coin, after_ms, now_ms + 60_000, limit)


def answers(market: PathMarket, now_ms: int) -> list[object]:
    """Return everything a client can see at a moment."""
    venue = Venue(market, ManualClock(now_ms))
    spec = next(spec for spec in market.assets if spec.name == COIN)
    seen: list[object] = []
    for interval in INTERVALS_MS:
        start = now_ms - 20 * INTERVALS_MS[interval]
        bars = market.candles(COIN, interval, start, now_ms + 10**9, now_ms)
        seen.append(shapes.candles(bars, spec, interval))
    seen.append(shapes.asset_context(venue, spec, now_ms))
    seen.append(market.book(COIN, now_ms))
    seen.append(market.trades(COIN, 0, now_ms, 20))
    seen.append(market.funding(COIN, now_ms - 10**8, now_ms + 10**8, now_ms, 500))
    seen.append(market.path(COIN, now_ms - 10**6, now_ms))
    return seen


def depends_on_the_future(
    kind: Callable[..., PathMarket], source: SyntheticSource, moments: Sequence[int]
) -> bool:
    """Say whether any answer changes when only later candles do.

    The minute under way is part of both worlds: what it shows so far is the business of
    `test_candle_path`.
    """
    return any(
        answers(kind(source), now)
        != answers(kind(ForkedSource(source, next_open_ms("1m", open_ms("1m", now)))), now)
        for now in moments
    )


MOMENTS = [NOW_MS, NOW_MS - NOW_MS % 86_400_000, NOW_MS // 7_200_000 * 7_200_000 - 1,
           NOW_MS // 7_200_000 * 7_200_000, NOW_MS - 3_333_333]  # fmt: skip


def test_synthetic_market_shows_nothing_later_than_its_clock(source: SyntheticSource) -> None:
    assert not depends_on_the_future(PathMarket, source, MOMENTS)


@pytest.mark.parametrize("guilty", [PeekingMarket, LateMarket])
def test_market_that_peeks_is_caught(guilty: type[PathMarket], source: SyntheticSource) -> None:
    assert depends_on_the_future(guilty, source, MOMENTS[:1])


def test_open_candle_closes_as_it_was_growing(market: PathMarket) -> None:
    opened = open_ms("15m", NOW_MS)
    end = opened + INTERVALS_MS["15m"]
    final = market.candles("BTC", "15m", opened, opened, end)

    for now in range(opened, end, 47_003):
        seen = market.candles("BTC", "15m", opened, now, now)
        assert seen.t[-1] == opened
        assert seen.o[-1] == final.o[0]
        assert final.l[0] <= seen.l[-1] <= seen.c[-1] <= seen.h[-1] <= final.h[0]
        assert seen.v[-1] <= final.v[0]


def test_closed_candles_never_change_again(market: PathMarket) -> None:
    before = market.candles("SOL", "1h", NOW_MS - 10**8, NOW_MS, NOW_MS)
    after = market.candles("SOL", "1h", NOW_MS - 10**8, NOW_MS, NOW_MS + 10**8)

    closed = len(before) - 1
    for name in ("t", "o", "h", "l", "c", "v"):
        assert (getattr(before, name)[:closed] == getattr(after, name)[:closed]).all()


def test_aggregate_of_no_candles_is_none() -> None:
    assert len(aggregate(Bars.empty(), "1h")) == 0
