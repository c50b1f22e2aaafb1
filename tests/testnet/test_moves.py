"""A pushed price: everything that shows it agrees, nothing before it changes."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fractal_testnet.market import Bars, NoPriceError, PathMarket
from fractal_testnet.market.candles import aggregate
from fractal_testnet.market.intervals import (
    DAY_MS,
    HOUR_MS,
    INTERVALS_MS,
    MINUTE_MS,
    next_open_ms,
    open_ms,
)
from fractal_testnet.market.move import MAX_OVER_MS
from fractal_testnet.market.moves import Move, MovedMarket, MoveError
from fractal_testnet.market.recording import Recording
from fractal_testnet.market.replay import ReplaySource
from fractal_testnet.market.rounding import round_price, round_prices
from fractal_testnet.market.synthetic import EPOCH_MS, SyntheticSource
from fractal_testnet.market.universe import spec_of
from tests.testnet.test_no_future import ForkedSource, answers

NOW_MS = 1_795_433_417_123
COIN = "ETH"
SPEC = spec_of(COIN)
COLUMNS = ("t", "o", "h", "l", "c", "v")
AT_MS = NOW_MS - 40 * MINUTE_MS
# A gap, a slow fall, a rise that begins while it falls, and a gap inside both.
CROWD = (
    (-0.02, 0, 0),
    (-0.05, 60_000, 900_000),
    (0.03, 400_000, 1_000_000),
    (-0.01, 700_000, 0),
)


def same(a: Bars, b: Bars) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in COLUMNS)


def moved(market: PathMarket, moves: Sequence[tuple[float, int, int]] = CROWD) -> MovedMarket:
    made = MovedMarket(market)
    for ratio, after_ms, over_ms in moves:
        made.move(COIN, ratio, AT_MS + after_ms, over_ms)
    return made


def drawn(market: MovedMarket, start_ms: int, end_ms: int) -> list[float]:
    """The oracle of a candle: its path, looked at from just after a step at its open."""
    assert SPEC is not None
    return [round_price(p, SPEC) for p in market.path(COIN, start_ms, end_ms).p]


moves_strategy = st.lists(
    st.tuples(
        st.floats(-0.3, 0.4).filter(lambda ratio: abs(ratio) > 1e-4),
        st.integers(0, 30 * MINUTE_MS)
        | st.integers(0, 30).map(lambda n: -AT_MS % MINUTE_MS + n * MINUTE_MS),
        st.just(0) | st.integers(1, 20 * MINUTE_MS),
    ),
    min_size=1,
    max_size=5,
)


def test_market_without_moves_answers_as_the_one_below(market: PathMarket) -> None:
    assert answers(MovedMarket(market), NOW_MS) == answers(market, NOW_MS)


def test_other_assets_and_earlier_moments_are_untouched(market: PathMarket) -> None:
    pushed = moved(market)

    assert answers(pushed, AT_MS - 1) == answers(market, AT_MS - 1)
    assert pushed.price("BTC", NOW_MS) == market.price("BTC", NOW_MS)
    assert pushed.path("BTC", AT_MS, NOW_MS) == market.path("BTC", AT_MS, NOW_MS)


def test_gap_multiplies_at_once_and_has_two_corners(market: PathMarket) -> None:
    pushed = moved(market, [(-0.05, 0, 0)])

    knots = pushed.path(COIN, AT_MS - 5_000, AT_MS + 5_000)

    assert pushed.price(COIN, AT_MS - 1) == market.price(COIN, AT_MS - 1)
    assert pushed.price(COIN, AT_MS) == pytest.approx(0.95 * market.price(COIN, AT_MS))
    assert [p for t, p in zip(knots.t, knots.p, strict=True) if t == AT_MS] == pytest.approx(
        [market.price(COIN, AT_MS), 0.95 * market.price(COIN, AT_MS)]
    )


def test_path_up_to_a_gap_shows_both_its_sides_and_the_next_begins_after_it(
    market: PathMarket,
) -> None:
    pushed = moved(market, [(-0.05, 0, 0)])

    until, since = (pushed.path(COIN, *span) for span in ((AT_MS - 99, AT_MS), (AT_MS, NOW_MS)))

    assert until.t.count(AT_MS) == 2
    assert since.t.count(AT_MS) == 1
    assert until.p[-1] == since.p[0] == pushed.price(COIN, AT_MS)
    assert until.p[-2] == pytest.approx(market.price(COIN, AT_MS))


def test_path_of_one_moment_has_two_corners_as_everywhere(market: PathMarket) -> None:
    assert len(moved(market, [(0.1, 0, 0)]).path(COIN, AT_MS, AT_MS).p) == 2


def test_path_up_to_a_gap_inside_a_ramp_shows_both_its_sides(market: PathMarket) -> None:
    pushed = moved(market, [(-0.05, 30_000, 0), (0.10, 0, 60_000)])

    knots = pushed.path(COIN, AT_MS - 99, AT_MS + 30_000)

    assert knots.t.count(AT_MS) == 1
    assert knots.t.count(AT_MS + 30_000) == 2
    assert knots.p[-1] / knots.p[-2] == pytest.approx(0.95)
    assert knots.p[-1] == pushed.price(COIN, AT_MS + 30_000)


def test_ramp_reaches_its_ratio_in_a_straight_line(market: PathMarket) -> None:
    pushed = moved(market, [(0.10, 0, 60_000)])

    for share in (0.0, 0.25, 0.5, 0.9, 1.0):
        t = AT_MS + int(60_000 * share)
        assert pushed.price(COIN, t) / market.price(COIN, t) == pytest.approx(
            1 + 0.10 * share, rel=2e-5
        )
    assert pushed.price(COIN, NOW_MS) == pytest.approx(1.10 * market.price(COIN, NOW_MS))


def test_moves_accumulate(market: PathMarket) -> None:
    pushed = moved(market, [(-0.10, 0, 0), (0.05, 30_000, 10_000), (-0.02, 35_000, 60_000)])

    ratio = pushed.price(COIN, NOW_MS) / market.price(COIN, NOW_MS)

    assert ratio == pytest.approx(0.90 * 1.05 * 0.98)
    assert [m.ratio for m in pushed.moves] == [-0.10, 0.05, -0.02]
    assert pushed.moves[1] == Move(COIN, 0.05, AT_MS + 30_000, 10_000)


@settings(max_examples=40, deadline=None)
@given(moves=moves_strategy, cuts=st.lists(st.integers(0, 40 * MINUTE_MS), max_size=6))
def test_path_is_the_price_whole_or_in_parts(
    market: PathMarket, moves: list[tuple[float, int, int]], cuts: list[int]
) -> None:
    pushed = moved(market, moves)
    whole = pushed.path(COIN, AT_MS - 60_000, NOW_MS)

    assert all(a <= b for a, b in pairwise(whole.t))
    for (t, p), following in zip(
        zip(whole.t, whole.p, strict=True), (*whole.t[1:], 0), strict=True
    ):
        if t != following:  # the last of the corners at a moment
            assert pushed.price(COIN, t) == pytest.approx(p, rel=1e-9)
    for a, b in pairwise(range(len(whole.t))):
        if whole.t[b] > whole.t[a] + 1:
            middle = (whole.t[a] + whole.t[b]) // 2
            share = (middle - whole.t[a]) / (whole.t[b] - whole.t[a])
            line = whole.p[a] + share * (whole.p[b] - whole.p[a])
            assert pushed.price(COIN, middle) == pytest.approx(line, rel=1e-9)
    borders = [AT_MS - 60_000, *sorted(AT_MS + cut for cut in cuts), NOW_MS]
    parts = [pushed.path(COIN, a, b) for a, b in pairwise(borders)]
    prices = {p for part in parts for p in part.p}
    assert max(prices) == pytest.approx(max(whole.p), rel=1e-9)
    assert min(prices) == pytest.approx(min(whole.p), rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(moves=moves_strategy, seconds=st.integers(0, 2400))
def test_candles_of_every_interval_are_what_the_path_drew(
    market: PathMarket, moves: list[tuple[float, int, int]], seconds: int
) -> None:
    pushed = moved(market, moves)
    now = AT_MS + seconds * 1_000 + 17
    first = min(move.at_ms for move in pushed.moves)
    minutes = pushed.candles(COIN, "1m", AT_MS - 3 * HOUR_MS, now, now)

    for t, o, h, low, c in zip(minutes.t, minutes.o, minutes.h, minutes.l, minutes.c, strict=True):
        end = int(min(t + MINUTE_MS, now))
        if end <= first:
            continue
        seen = drawn(pushed, int(t), end)
        at_end = pushed.path(COIN, int(t), end)
        close = at_end.p[at_end.t.index(end)] if end == t + MINUTE_MS else at_end.p[-1]
        inner = [p for k, p in zip(at_end.t, seen, strict=True) if k < end or end == now]
        assert SPEC is not None
        assert (o, c) == (seen[0], round_price(close, SPEC))
        assert (h, low) == (max(*inner, c), min(*inner, c))
    for interval in ("3m", "5m", "15m", "30m", "1h", "2h"):
        start = open_ms(interval, AT_MS - INTERVALS_MS[interval] + 1)
        longer = pushed.candles(COIN, interval, start, now, now)
        built = aggregate(minutes.between(start, now + 1), interval)
        for name in ("t", "o", "h", "l", "c"):
            assert np.array_equal(getattr(longer, name), getattr(built, name)), (interval, name)
        np.testing.assert_allclose(longer.v, built.v, rtol=1e-6)


@pytest.mark.parametrize("interval", ["4h", "12h", "1d", "3d", "1w", "1M"])
def test_long_candles_hold_what_was_before_the_push_too(interval: str, market: PathMarket) -> None:
    pushed = moved(market, [(-0.9, 0, 0)])
    plain = market.candles(COIN, interval, AT_MS, NOW_MS, NOW_MS)
    bars = pushed.candles(COIN, interval, AT_MS, NOW_MS, NOW_MS)
    assert SPEC is not None

    assert len(bars) == 1
    assert (bars.o[0], bars.v[0]) == (plain.o[0], plain.v[0])
    assert bars.h[0] == market.candles(COIN, interval, AT_MS, AT_MS, AT_MS).h[0]
    assert bars.l[0] == min(drawn(pushed, AT_MS, NOW_MS))
    assert bars.c[0] == pushed.mark(COIN, NOW_MS)


@pytest.mark.parametrize("interval", list(INTERVALS_MS))
def test_candles_closed_before_the_first_move_are_the_same_bit_for_bit(
    interval: str, market: PathMarket
) -> None:
    pushed = moved(market)
    before = open_ms(interval, AT_MS)

    plain = market.candles(COIN, interval, 0, NOW_MS, NOW_MS)
    bars = pushed.candles(COIN, interval, 0, NOW_MS, NOW_MS)

    assert same(bars[bars.t < before], plain[plain.t < before])
    assert np.array_equal(bars.t, plain.t)
    assert np.array_equal(bars.v, plain.v)


def test_gap_at_the_open_of_a_candle_leaves_the_one_before_alone(market: PathMarket) -> None:
    opened = open_ms("15m", AT_MS)
    pushed = MovedMarket(market)
    pushed.move(COIN, -0.5, opened)

    for interval in ("1m", "15m"):
        start = opened - INTERVALS_MS[interval]
        plain = market.candles(COIN, interval, start, NOW_MS, NOW_MS)
        bars = pushed.candles(COIN, interval, start, NOW_MS, NOW_MS)
        assert same(bars[:1], plain[:1])
        assert bars.h[1] == pytest.approx(plain.h[1] / 2, rel=1e-3)
        assert bars.o[1] == pushed.mark(COIN, opened)


def test_candles_long_after_the_move_are_scaled(market: PathMarket) -> None:
    pushed = moved(market, [(0.25, 0, 5_000)])
    later = NOW_MS + 3 * DAY_MS

    plain = market.candles(COIN, "1h", NOW_MS, later, later)[1:]
    bars = pushed.candles(COIN, "1h", NOW_MS, later, later)[1:]

    for name in ("o", "h", "l", "c"):
        np.testing.assert_allclose(
            getattr(bars, name), 1.25 * getattr(plain, name), rtol=0, atol=0.12, err_msg=name
        )


def test_open_candle_only_widens_and_closes_as_it_grew(market: PathMarket) -> None:
    pushed = moved(market)
    opened = open_ms("15m", AT_MS + 60_000)
    end = opened + INTERVALS_MS["15m"]
    final = pushed.candles(COIN, "15m", opened, opened, end)
    high, low = 0.0, float("inf")

    for now in range(opened, end, 7_001):
        seen = pushed.candles(COIN, "15m", opened, now, now)
        assert (seen.t[-1], seen.o[-1]) == (opened, final.o[0])
        assert seen.h[-1] >= high
        assert seen.l[-1] <= low
        assert seen.c[-1] == pushed.mark(COIN, now)
        high, low = seen.h[-1], seen.l[-1]
        assert final.l[0] <= low <= high <= final.h[0]


def test_later_push_changes_nothing_that_was_shown(market: PathMarket) -> None:
    pushed = moved(market)
    moments = [AT_MS + step for step in (-1, 0, 500_000, 700_000, 1_100_000)]
    before = [answers(pushed, now) for now in moments]

    pushed.move(COIN, -0.3, moments[-1] + 1, 600_000)  # while others are under way
    pushed.move(COIN, 0.2, moments[-1] + 100_000)

    assert [answers(pushed, now) for now in moments] == before


class PeekingMarket(MovedMarket):
    """The guilty specimen: its candles know the minute that has not been."""

    def candles(self, coin, interval, start_ms, end_ms, now_ms):
        return super().candles(coin, interval, start_ms, end_ms, now_ms + MINUTE_MS)


class SettledMarket(MovedMarket):
    """Another: it draws the line to where the ramp will end."""

    def path(self, coin, start_ms, now_ms):
        return super().path(coin, start_ms, now_ms + 10 * MINUTE_MS)


def depends_on_the_future(kind: type[MovedMarket], source: SyntheticSource, now: int) -> bool:
    fork = next_open_ms("1m", open_ms("1m", now))
    seen = []
    for world in (source, ForkedSource(source, fork)):
        pushed = kind(PathMarket(world))
        for ratio, after_ms, over_ms in CROWD:
            pushed.move(COIN, ratio, AT_MS + after_ms, over_ms)
        seen.append(answers(pushed, now))
    return seen[0] != seen[1]


@pytest.mark.parametrize("after_ms", [-1, 0, 100_000, 420_000, 700_000, 1_200_000, 2_400_000])
def test_pushed_market_shows_nothing_later_than_its_clock(
    after_ms: int, source: SyntheticSource
) -> None:
    assert not depends_on_the_future(MovedMarket, source, AT_MS + after_ms)


@pytest.mark.parametrize("guilty", [PeekingMarket, SettledMarket])
def test_pushed_market_that_peeks_is_caught(
    guilty: type[MovedMarket], source: SyntheticSource
) -> None:
    assert depends_on_the_future(guilty, source, AT_MS + 420_000)


def test_book_mark_and_prints_stand_at_the_moved_price(market: PathMarket) -> None:
    pushed = moved(market)
    assert SPEC is not None

    for now in (AT_MS, AT_MS + 300_000, NOW_MS):
        book, mid = pushed.book(COIN, now), pushed.price(COIN, now)
        assert book.bids[0].px <= mid <= book.asks[0].px
        assert pushed.mark(COIN, now) == round_price(mid, SPEC)
    prints = pushed.trades(COIN, 0, NOW_MS, 1_300)
    assert [one.time_ms for one in prints] == [
        one.time_ms for one in market.trades(COIN, 0, NOW_MS, 1_300)
    ]
    minutes = pushed.candles(COIN, "1m", NOW_MS - HOUR_MS, NOW_MS, NOW_MS)
    for one in prints:
        row = int(np.searchsorted(minutes.t, one.time_ms, side="right")) - 1
        assert minutes.l[row] <= one.px <= minutes.h[row]


def test_last_day_is_that_of_its_minutes(market: PathMarket) -> None:
    pushed = moved(market)
    assert SPEC is not None

    for now in (NOW_MS, NOW_MS + DAY_MS - 2_000_000, NOW_MS + 2 * DAY_MS):
        day = pushed.day_before(COIN, now)
        minutes = pushed.candles(COIN, "1m", day.open_ms, now, now)
        values = np.array([day.open, day.high, day.low, day.close])
        expected = [minutes.o[0], minutes.h.max(), minutes.l.min(), minutes.c[-1]]
        assert round_prices(values, SPEC).tolist() == expected
        assert day.volume == market.day_before(COIN, now).volume


def test_last_day_without_a_push_in_it_is_the_markets_times_the_factor(
    market: PathMarket,
) -> None:
    pushed = moved(market, [(-0.5, 0, 0)])
    later = NOW_MS + 3 * DAY_MS

    assert pushed.day_before(COIN, later)[2:6] == tuple(
        x * 0.5 for x in market.day_before(COIN, later)[2:6]
    )


class TestRefusals:
    def test_push_into_the_shown_past_is_refused(self, market: PathMarket) -> None:
        pushed = MovedMarket(market)
        pushed.price("BTC", NOW_MS)

        with pytest.raises(MoveError, match="were shown already: begin then or later"):
            pushed.move(COIN, 0.1, NOW_MS - 1)
        pushed.move(COIN, 0.1, NOW_MS)
        assert pushed.shown_ms == NOW_MS

    @pytest.mark.parametrize("ratio", [0.0, -1.0, -2.0, float("nan"), float("inf"), 1e9, -0.9999])
    def test_absurd_ratio_is_refused_and_changes_nothing(
        self, ratio: float, market: PathMarket
    ) -> None:
        pushed = MovedMarket(market)

        with pytest.raises(MoveError, match="ratio is"):
            pushed.move(COIN, ratio, NOW_MS)
        assert pushed.moves == ()
        assert pushed.price(COIN, NOW_MS) == market.price(COIN, NOW_MS)

    @pytest.mark.parametrize("over_ms", [-1, MAX_OVER_MS + 1])
    def test_absurd_duration_is_refused(self, over_ms: int, market: PathMarket) -> None:
        with pytest.raises(MoveError, match="over_ms is"):
            MovedMarket(market).move(COIN, 0.1, NOW_MS, over_ms)

    def test_unknown_coin_is_refused_with_the_known_ones(self, market: PathMarket) -> None:
        with pytest.raises(MoveError, match="'eth': choose one of BTC, ETH"):
            MovedMarket(market).move("eth", 0.1, NOW_MS)

    def test_time_before_the_first_price_is_refused(self, market: PathMarket) -> None:
        with pytest.raises(NoPriceError):
            MovedMarket(market).move(COIN, 0.1, EPOCH_MS - HOUR_MS)


class TestRecordedWithAGap:
    """Nothing was recorded from 00:20 to 00:40; the price stands still there, then jumps."""

    START = 1_750_032_000_000

    @pytest.fixture
    def replayed(self) -> PathMarket:
        assert SPEC is not None
        t = self.START + MINUTE_MS * np.array([*range(20), *range(40, 120)], np.int64)
        o = 3000.0 + np.arange(len(t)) + np.where(np.arange(len(t)) >= 20, 500.0, 0.0)
        bars = Bars(t, o, o + 2, o - 2, o + 1, np.full(len(t), 50.0))
        return PathMarket(ReplaySource([Recording(SPEC, {"1m": bars})]))

    def test_price_and_path_stand_still_in_the_gap(self, replayed: PathMarket) -> None:
        pushed = MovedMarket(replayed)
        pushed.move(COIN, 0.10, self.START + 15 * MINUTE_MS, 60 * MINUTE_MS)
        halfway = self.START + 30 * MINUTE_MS
        knots = pushed.path(COIN, self.START + 25 * MINUTE_MS, self.START + 45 * MINUTE_MS)

        assert pushed.price(COIN, halfway) == pytest.approx(3020.0 * 1.025, rel=1e-4)
        jump = self.START + 40 * MINUTE_MS
        sides = [p for t, p in zip(knots.t, knots.p, strict=True) if t == jump]
        assert sides == pytest.approx([3020.0 * (1 + 0.1 * 25 / 60), 3520.0 * (1 + 0.1 * 25 / 60)])

    @pytest.mark.parametrize("interval", ["1m", "5m", "15m", "30m", "1h"])
    def test_candles_after_the_push_open_where_recording_goes_on(
        self, interval: str, replayed: PathMarket
    ) -> None:
        pushed = MovedMarket(replayed)
        pushed.move(COIN, 1.0, self.START + 10 * MINUTE_MS)
        now = self.START + 100 * MINUTE_MS

        bars = pushed.candles(COIN, interval, self.START, now, now)
        plain = replayed.candles(COIN, interval, self.START, now, now)

        assert np.array_equal(bars.t, plain.t)
        after = bars.t >= self.START + 10 * MINUTE_MS
        for name in ("o", "h", "l", "c"):
            assert np.array_equal(getattr(bars, name)[after], 2 * getattr(plain, name)[after])
        before = bars.t + INTERVALS_MS[interval] <= self.START + 10 * MINUTE_MS
        assert same(bars[before], plain[before])

    def test_unpushed_open_at_the_moment_of_a_gap_is_shown_nowhere(self) -> None:
        assert SPEC is not None
        t = self.START + MINUTE_MS * np.arange(60, dtype=np.int64)
        o = np.where(np.arange(60) == 10, 3300.0, 3000.0)  # opens high above the last close
        bars = Bars(t, o, o + 2, o - 2, o, np.full(60, 50.0))
        pushed = MovedMarket(PathMarket(ReplaySource([Recording(SPEC, {"1m": bars})])))
        pushed.move(COIN, -0.5, self.START + 10 * MINUTE_MS)
        now = self.START + 50 * MINUTE_MS

        bar = pushed.candles(COIN, "15m", self.START, self.START, now)

        assert (bar.h[0], bar.l[0]) == (3002.0, 1499.0)

    def test_candles_without_any_movement_keep_their_opens(self) -> None:
        assert SPEC is not None
        quarter = INTERVALS_MS["15m"]
        t = self.START + quarter * np.arange(400, dtype=np.int64)
        o = 3000.0 + 10.0 * (np.arange(400) % 7)
        flat = Bars(t, o, o, o, o, np.zeros(400))
        replayed = PathMarket(ReplaySource([Recording(SPEC, {"15m": flat})]))
        pushed = MovedMarket(replayed)
        pushed.move(COIN, 1.0, self.START + 4 * quarter + MINUTE_MS)
        now = self.START + 399 * quarter

        for interval in ("15m", "1h", "4h"):
            bars = pushed.candles(COIN, interval, self.START + 16 * quarter, now, now)
            plain = replayed.candles(COIN, interval, self.START + 16 * quarter, now, now)
            for name in ("o", "h", "l", "c"):
                assert np.array_equal(getattr(bars, name), 2 * getattr(plain, name)), interval

    def test_price_after_the_recording_stands_still_at_the_moved_close(
        self, replayed: PathMarket
    ) -> None:
        pushed = MovedMarket(replayed)
        pushed.move(COIN, -0.5, self.START + 119 * MINUTE_MS, 5 * MINUTE_MS)
        late = self.START + 300 * MINUTE_MS

        assert pushed.price(COIN, late) == pytest.approx(replayed.price(COIN, late) / 2)
        assert pushed.path(COIN, late, late + 5_000).p == pytest.approx(
            [pushed.price(COIN, late)] * 2
        )
