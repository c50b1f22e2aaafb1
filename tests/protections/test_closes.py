"""The book of closes: what is kept, and that no reading sees past its moment."""

import math
import pickle
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fractal_protections.portfolio.closes import KEPT_DAYS, CloseBook

BTC = "BTC/USDC:USDC"
ETH = "ETH/USDC:USDC"
START = datetime(2024, 1, 1, tzinfo=UTC)
TWO_HOURS = timedelta(hours=2)


def opens(count: int, first: int = 0, freq: str = "2h", unit: str = "ns") -> pd.Series:
    """`count` open times from candle number `first` on."""
    start = pd.Timestamp(START) + first * pd.Timedelta(freq)
    return pd.Series(pd.date_range(start, periods=count, freq=freq).as_unit(unit))


def moment(candles: float) -> datetime:
    """The moment at which candle number `candles` opens."""
    return START + candles * TWO_HOURS


def book_of(closes: list[float], first: int = 0, pair: str = BTC) -> CloseBook:
    book = CloseBook(120)
    book.remember(pair, opens(len(closes), first), np.array(closes))
    return book


def known_closes(book: CloseBook, pair: str = BTC, until: int = 40) -> dict[int, float]:
    """Closes by candle number, read the way the gate reads them."""
    found = {}
    for candle in range(until):
        last = book.last_close(pair, moment(candle + 1))
        if last is not None and last[1] == moment(candle + 1):
            found[candle] = last[0]
    return found


class TestLastClose:
    def test_is_of_the_candle_that_is_closed(self):
        book = book_of([10.0, 11.0, 12.0])
        assert book.last_close(BTC, moment(2)) == (11.0, moment(2))

    @pytest.mark.parametrize(
        ("now", "close"),
        [
            (moment(0), None),
            (moment(1) - timedelta(milliseconds=1), None),
            (moment(1), 10.0),
            (moment(2) - timedelta(milliseconds=1), 10.0),
            (moment(2), 11.0),
            (moment(500), 12.0),
        ],
    )
    def test_changes_in_the_millisecond_in_which_a_candle_closes(self, now, close):
        last = book_of([10.0, 11.0, 12.0]).last_close(BTC, now)
        assert (last and last[0]) == close

    def test_of_an_unknown_pair_is_none(self):
        assert book_of([10.0]).last_close(ETH, moment(9)) is None

    def test_takes_a_moment_of_any_time_zone(self):
        tokyo = moment(2).astimezone(timezone(timedelta(hours=9)))
        assert book_of([10.0, 11.0, 12.0]).last_close(BTC, tokyo) == (11.0, moment(2))

    def test_takes_a_pandas_timestamp(self):
        assert book_of([10.0, 11.0]).last_close(BTC, pd.Timestamp(moment(1))) == (10.0, moment(1))

    def test_refuses_a_moment_without_time_zone(self):
        with pytest.raises(ValueError, match="2024-01-01 00:00:00 has no time zone"):
            book_of([10.0]).last_close(BTC, START.replace(tzinfo=None))

    def test_gives_plain_numbers(self):
        last = book_of([10.0]).last_close(BTC, moment(1))
        assert last is not None
        assert (type(last[0]), type(last[1])) == (float, datetime)


class TestRemember:
    @pytest.mark.parametrize("unit", ["ms", "us", "ns"])
    @pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
    def test_takes_dates_of_every_unit_and_zone(self, unit, zone):
        book = CloseBook(120)
        book.remember(BTC, opens(3, unit=unit).dt.tz_convert(zone), pd.Series([1.0, 2.0, 3.0]))
        assert known_closes(book) == {0: 1.0, 1: 2.0, 2: 3.0}

    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
    def test_takes_dates_of_numpy_as_utc(self, unit):
        dates = opens(3).dt.tz_localize(None).to_numpy().astype(f"datetime64[{unit}]")
        book = CloseBook(120)
        book.remember(BTC, dates, [1, 2, 3])
        assert known_closes(book) == {0: 1.0, 1: 2.0, 2: 3.0}

    @pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 0.0, -1.0])
    def test_leaves_out_a_close_that_is_no_price(self, bad):
        assert known_closes(book_of([1.0, bad, 3.0])) == {0: 1.0, 2: 3.0}

    def test_keeps_nothing_of_the_callers_frame(self):
        closes = np.array([1.0, 2.0])
        book = CloseBook(120)
        book.remember(BTC, opens(2), closes)
        closes[:] = 9.0
        assert known_closes(book) == {0: 1.0, 1: 2.0}

    def test_keeps_pairs_apart(self):
        book = book_of([1.0, 2.0])
        book.remember(ETH, opens(2), np.array([3.0, 4.0]))
        assert (known_closes(book), known_closes(book, ETH)) == ({0: 1, 1: 2}, {0: 3, 1: 4})
        assert book.pairs == (BTC, ETH)

    def test_survives_the_way_to_a_worker_process(self):
        book = pickle.loads(pickle.dumps(book_of([1.0, 2.0])))  # noqa: S301  # our own bytes
        assert known_closes(book) == {0: 1.0, 1: 2.0}

    @pytest.mark.parametrize(
        ("dates", "closes"),
        [
            (opens(3), np.ones(2)),
            (opens(2), np.ones(3)),
            (opens(2), np.ones((2, 2))),
            (opens(2).to_frame(), np.ones((2, 1))),
        ],
    )
    def test_refuses_columns_that_do_not_belong_together(self, dates, closes):
        with pytest.raises(ValueError, match=f"^{BTC}: .* do not belong together"):
            CloseBook(120).remember(BTC, dates, closes)

    @pytest.mark.parametrize(
        "dates",
        [
            opens(3)[::-1],
            opens(3).iloc[[0, 2, 1]],
            opens(3).iloc[[0, 1, 1]],
            opens(3).where([False, True, True]),
            opens(3).where([True, False, True]),
            opens(3).where([True, True, False]),
        ],
        ids=["backwards", "swapped", "double", "first missing", "middle missing", "last missing"],
    )
    def test_refuses_dates_that_do_not_ascend(self, dates):
        with pytest.raises(ValueError, match=f"^{BTC}: the dates are not strictly ascending"):
            CloseBook(120).remember(BTC, dates, np.ones(3))

    def test_refuses_candles_of_another_timeframe(self):
        with pytest.raises(ValueError, match=f"^{BTC}: the dates are not 120 minutes"):
            CloseBook(120).remember(BTC, opens(3, freq="1h"), np.ones(3))

    def test_keeps_what_was_known_when_it_refuses(self):
        book = book_of([1.0, 2.0])
        with pytest.raises(ValueError, match="ascending"):
            book.remember(BTC, opens(2)[::-1], np.ones(2))
        assert known_closes(book) == {0: 1.0, 1: 2.0}

    @pytest.mark.parametrize("minutes", [0, -5])
    def test_needs_a_timeframe(self, minutes):
        with pytest.raises(ValueError, match=f"a candle of {minutes} minutes"):
            CloseBook(minutes)


class TestRememberAgain:
    @pytest.mark.parametrize(
        ("first", "closes", "known"),
        [
            # Known before: candles 2..5 with closes 2, 3, 4, 5.
            (2, [9, 9, 9, 9], {2: 9, 3: 9, 4: 9, 5: 9}),  # the same candles: replaced
            (0, [9, 9, 9], {0: 9, 1: 9, 2: 9}),  # begins before: nothing is in front
            (4, [9, 9, 9], {2: 2, 3: 3, 4: 9, 5: 9, 6: 9}),  # a tail: older ones stay
            (5, [9], {2: 2, 3: 3, 4: 4, 5: 9}),
            (3, [9], {2: 2, 3: 9}),  # ends before: what the frame does not hold is gone
            (4, [math.nan, 9], {2: 2, 3: 3, 5: 9}),  # the new gap wins, too
            (4, [math.nan], {2: 2, 3: 3}),
            (6, [9], {6: 9}),  # no overlap
            (8, [9], {8: 9}),
            (0, [], {}),
        ],
    )
    def test_puts_the_frame_behind_older_rows_it_overlaps(self, first, closes, known):
        book = book_of([2.0, 3.0, 4.0, 5.0], first=2)
        book.remember(BTC, opens(len(closes), first), np.array(closes, dtype=float))
        assert known_closes(book) == known

    def test_starts_anew_on_another_grid(self):
        book = book_of([1.0, 2.0, 3.0])
        book.remember(BTC, opens(2, 1) + pd.Timedelta("1h"), np.array([8.0, 9.0]))
        assert book.last_close(BTC, moment(2)) is None
        assert book.last_close(BTC, moment(2.5)) == (8.0, moment(2.5))

    def test_fills_a_pair_that_had_no_good_close(self):
        book = book_of([math.nan])
        book.remember(BTC, opens(2), np.array([1.0, 2.0]))
        assert known_closes(book) == {0: 1.0, 1: 2.0}

    def test_of_a_trimmed_frame_changes_nothing(self):
        closes = np.arange(1.0, 31.0)
        book = book_of(list(closes))
        for first in (10, 20, 20, 29):
            book.remember(BTC, opens(30 - first, first), closes[first:])
            assert known_closes(book) == dict(enumerate(closes))

    def test_forgets_what_no_window_can_reach(self):
        count = 12 * (KEPT_DAYS + 20)
        book = CloseBook(120)
        book.remember(BTC, opens(count), np.arange(1.0, count + 1.0))
        book.remember(BTC, opens(1, count - 1), np.array([5.0]))
        oldest = count - 1 - 12 * KEPT_DAYS
        assert book.last_close(BTC, moment(oldest)) is None
        assert book.last_close(BTC, moment(oldest + 1)) == (oldest + 1.0, moment(oldest + 1))


class TestEnd:
    def test_of_an_empty_book_is_none(self):
        book = CloseBook(120)
        assert (book.end, book.pairs) == (None, ())
        book.remember(BTC, opens(0), np.array([]))
        assert (book.end, book.pairs) == (None, (BTC,))

    def test_is_the_last_open_time_over_all_pairs(self):
        book = book_of([1.0, 2.0, 3.0])
        book.remember(ETH, opens(2), np.array([1.0, 2.0]))
        assert book.end == moment(2)
        assert book.timeframe == TWO_HOURS


class TestReturns:
    def test_are_the_logarithms_of_close_over_close(self):
        closes = np.exp(np.arange(40.0) ** 1.5 / 100.0)
        returns = book_of(list(closes)).returns([BTC], moment(40), 1)
        assert returns.shape == (1, 12)
        np.testing.assert_allclose(returns[0], np.log(closes[28:] / closes[27:-1]), rtol=1e-12)

    def test_end_with_the_newest_candle_that_can_be_closed(self):
        book = book_of([1.0] * 19 + [math.e])
        for now, column in ((20, 11), (20.99, 11), (21, 10), (31, 0)):
            returns = book.returns([BTC], moment(now), 1)
            assert np.flatnonzero(returns[0] == 1.0).tolist() == [column]
        assert not (book.returns([BTC], moment(32), 1) == 1.0).any()

    def test_span_no_gap(self):
        returns = book_of([1.0] * 5 + [math.nan] + [1.0] * 8).returns([BTC], moment(14), 1)
        assert np.flatnonzero(np.isnan(returns[0])).tolist() == [3, 4]

    def test_of_unknown_pairs_are_missing_row_by_row(self):
        returns = book_of([1.0] * 20).returns([ETH, BTC], moment(20), 1)
        assert (np.isnan(returns[0]).all(), np.isnan(returns[1]).any()) == (True, False)
        assert book_of([1.0]).returns([], moment(20), 1).shape == (0, 12)

    def test_of_candles_longer_than_the_window_are_none(self):
        book = CloseBook(60 * 24 * 7)
        mondays = opens(9, freq="7D")
        book.remember(BTC, mondays, np.arange(1.0, 10.0))
        assert book.returns([BTC], START + timedelta(weeks=9), 5).shape == (1, 0)
        assert book.returns([BTC], START + timedelta(weeks=9), 15).shape == (1, 2)

    def test_of_extreme_prices_stay_finite(self):
        returns = book_of([1e-300, 1e300] * 10).returns([BTC], moment(20), 1)
        assert np.isfinite(returns).all()

    def test_refuse_a_window_of_no_day(self):
        with pytest.raises(ValueError, match="a window of 0 days"):
            book_of([1.0]).returns([BTC], moment(2), 0)

    @settings(max_examples=60, deadline=None)
    @given(
        closes=st.lists(
            st.one_of(st.floats(0.5, 2.0), st.just(math.nan)), min_size=40, max_size=40
        ),
        milliseconds=st.integers(0, 40 * 7_200_000),
        days=st.integers(1, 3),
        data=st.data(),
    )
    def test_and_last_close_see_nothing_that_lies_ahead(self, closes, milliseconds, days, data):
        now = START + timedelta(milliseconds=milliseconds)
        closed = milliseconds // 7_200_000
        future = data.draw(st.lists(st.floats(0.5, 2.0), max_size=20))
        whole = book_of(closes)
        for book in (book_of(closes[:closed]), book_of(closes[:closed] + future)):
            np.testing.assert_array_equal(
                book.returns([BTC], now, days), whole.returns([BTC], now, days)
            )
            assert book.last_close(BTC, now) == whole.last_close(BTC, now)
