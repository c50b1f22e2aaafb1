"""The way inside a candle: in its range, through its extremes, without its future."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fractal_testnet.market.candles import Bar
from fractal_testnet.market.path import grown, knots_of, price_on, walked


@st.composite
def bars(draw: st.DrawFn) -> Bar:
    values = sorted(draw(st.lists(st.floats(1.0, 1000.0), min_size=4, max_size=4)))
    inner = draw(st.permutations(values[1:3]))
    length = draw(st.sampled_from([60_000, 900_000, 7_200_000]))
    opened = draw(st.integers(0, 10_000)) * length
    return Bar(opened, length, inner[0], values[3], values[0], inner[1], draw(st.floats(0, 1e6)))


@given(bar=bars(), share=st.floats(0, 1))
def test_price_never_leaves_the_candle(bar: Bar, share: float) -> None:
    price = price_on(knots_of(bar, 1, "BTC"), bar.open_ms + int(share * bar.length_ms))

    assert bar.low - 1e-9 <= price <= bar.high + 1e-9


@given(bar=bars())
def test_path_starts_at_open_ends_at_close_and_touches_both_extremes(bar: Bar) -> None:
    knots = knots_of(bar, 1, "BTC")

    assert (knots.p[0], knots.p[-1]) == (bar.open, bar.close)
    assert (max(knots.p), min(knots.p)) == (bar.high, bar.low)
    assert all(a < b for a, b in pairwise(knots.t))


@given(bar=bars(), shares=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_growing_candle_only_ever_widens(bar: Bar, shares: tuple[float, float]) -> None:
    first, second = (bar.open_ms + int(share * bar.length_ms) for share in sorted(shares))
    knots = knots_of(bar, 1, "BTC")

    early, late = grown(bar, knots, first), grown(bar, knots, second)

    assert early.open == late.open == bar.open
    assert early.high <= late.high <= bar.high
    assert early.low >= late.low >= bar.low
    assert early.volume <= late.volume <= bar.volume


@given(bar=bars())
def test_candle_is_whole_at_its_close(bar: Bar) -> None:
    end = bar.open_ms + bar.length_ms

    assert grown(bar, knots_of(bar, 1, "BTC"), end) == bar


def test_order_of_extremes_tells_nothing_about_the_close() -> None:
    """A path that goes low-first in candles that rise would be an edge by itself."""
    rising = [Bar(i * 60_000, 60_000, 10, 12, 9, 11, 1) for i in range(2_000)]

    low_first = [knots_of(bar, 1, "BTC").p[1] == bar.low for bar in rising]

    assert 0.45 < sum(low_first) / len(low_first) < 0.55


def test_walked_part_holds_only_what_lies_between() -> None:
    bar = Bar(0, 60_000, 10.0, 12.0, 9.0, 11.0, 1.0)
    knots = knots_of(bar, 1, "BTC")
    middle = (knots.t[1] + knots.t[2]) // 2

    part = walked(knots, 0, middle)

    assert part.t == (0, knots.t[1], middle)
    assert part.p[-1] == pytest.approx((bar.high + bar.low) / 2, abs=1e-3)
