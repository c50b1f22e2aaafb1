"""Books that the venue's own rules would accept."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fractal_testnet.market.book import LEVELS, coarsen, make_book
from fractal_testnet.market.universe import UNIVERSE, AssetSpec
from fractal_testnet.wire import format as fmt

NOW_MS = 1_795_433_417_123


@given(
    spec=st.sampled_from(UNIVERSE),
    shift=st.floats(0.2, 5.0),
    now=st.integers(NOW_MS, NOW_MS + 10**9),
)
def test_book_is_ordered_uncrossed_and_around_the_mid(
    spec: AssetSpec, shift: float, now: int
) -> None:
    mid = spec.base_price * shift

    book = make_book(mid, spec, 1, now)

    bids, asks = ([level.px for level in side] for side in (book.bids, book.asks))
    assert len(bids) == len(asks) == LEVELS
    assert all(a > b for a, b in pairwise(bids))
    assert all(a < b for a, b in pairwise(asks))
    assert bids[0] <= mid <= asks[0]
    assert bids[0] < asks[0]
    assert (asks[0] - bids[0]) / mid < 0.002
    for level in (*book.bids, *book.asks):
        assert level.sz > 0
        assert level.n >= 1
        assert float(fmt.price(level.px, spec)) == pytest.approx(level.px)


def test_same_moment_has_the_same_book() -> None:
    assert make_book(100.0, UNIVERSE[2], 1, NOW_MS) == make_book(100.0, UNIVERSE[2], 1, NOW_MS)


@pytest.mark.parametrize(("figures", "mantissa", "step"), [(5, 5, 5), (4, 1, 10), (2, 1, 1_000)])
def test_coarse_book_merges_levels_and_keeps_all_size(
    figures: int, mantissa: int, step: int
) -> None:
    book = make_book(67_123.0, UNIVERSE[0], 1, NOW_MS)

    merged = coarsen(book, figures, mantissa)

    for full, coarse in ((book.bids, merged.bids), (book.asks, merged.asks)):
        assert len(coarse) < len(full)
        assert sum(x.sz for x in coarse) == pytest.approx(sum(x.sz for x in full))
        assert all(level.px % step == 0 for level in coarse)
    assert merged.bids[0].px <= book.bids[0].px
    assert merged.asks[0].px >= book.asks[0].px
