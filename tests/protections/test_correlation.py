"""Groups of pairs that move together: the numbers, the safe side, and causality."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fractal_protections.portfolio.closes import CloseBook
from fractal_protections.portfolio.correlation import (
    ClusterExposure,
    CorrelationView,
    correlate,
)

REAL_2H = Path(__file__).resolve().parents[3] / "shared/data/hyperliquid/futures"
START = datetime(2024, 1, 1, tzinfo=UTC)
CANDLE = timedelta(hours=2)
DAYS = 10
WINDOW = DAYS * 12
"""Returns in the window of these tests."""
ROWS = 200
NOW = START + ROWS * CANDLE
"""The moment at which the last candle of a market of `ROWS` candles closes."""

Market = dict[str, np.ndarray]


def prices(returns: np.ndarray) -> np.ndarray:
    return 100.0 * np.exp(np.cumsum(returns))


def noise(seed: int, rows: int = ROWS) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 0.01, rows)


def book_of(market: Market, candle: timedelta = CANDLE) -> CloseBook:
    """A book of markets that all begin at START; NaN closes are gaps."""
    book = CloseBook(int(candle.total_seconds()) // 60)
    for pair, closes in market.items():
        dates = pd.Series(pd.date_range(START, periods=len(closes), freq=candle))
        book.remember(pair, dates, closes)
    return book


def view_of(
    market: Market, now: datetime = NOW, threshold: float = 0.7, days: int = DAYS
) -> CorrelationView:
    return correlate(book_of(market), market, now, days=days, threshold=threshold)


def with_gaps(closes: np.ndarray, *gaps: slice) -> np.ndarray:
    closes = closes.copy()
    for gap in gaps:
        closes[gap] = math.nan
    return closes


def mixed(weights: list[list[float]], seed: int = 0) -> list[np.ndarray]:
    """Closes whose returns mix independent sources by `weights`, exactly orthogonal at NOW."""
    sources = np.random.default_rng(seed).normal(size=(len(weights[0]), ROWS))
    recent = sources[:, -WINDOW:]
    recent -= recent.mean(axis=1, keepdims=True)
    sources[:, -WINDOW:] = np.linalg.qr(recent.T)[0].T
    return [prices(0.05 * row) for row in np.array(weights) @ sources]


BASE = noise(1)
UP = prices(BASE)
LIKE_UP = prices(BASE + 0.2 * noise(2))
AGAINST_UP = prices(-BASE + 0.2 * noise(3))
ALONE = prices(noise(4))
OTHER = prices(noise(5))


class TestClusters:
    def test_pairs_that_move_together_are_one_group(self):
        assert view_of({"A": UP, "B": LIKE_UP}).clusters == ({"A": 1, "B": 1},)

    def test_a_pair_that_moves_against_has_the_other_sign(self):
        view = view_of({"A": UP, "B": AGAINST_UP, "C": LIKE_UP})
        assert view.clusters == ({"A": 1, "B": -1, "C": 1},)

    def test_the_first_pair_by_name_gives_the_direction(self):
        view = view_of({"B": UP, "A": AGAINST_UP, "C": LIKE_UP})
        assert view.clusters == ({"A": 1, "B": -1, "C": -1},)

    def test_pairs_that_move_on_their_own_are_groups_of_one(self):
        assert view_of({"A": UP, "B": ALONE, "C": LIKE_UP, "D": OTHER}).clusters == (
            {"A": 1, "C": 1},
            {"B": 1},
            {"D": 1},
        )

    def test_a_chain_is_one_group(self):
        # Neighbours correlate at 0.8, next ones at 0.64 - 0.36, which is below the threshold.
        a, b, c = mixed([[0.8, 0.6], [1.0, 0.0], [0.8, -0.6]])
        assert view_of({"A": a, "C": c}).clusters == ({"A": 1}, {"C": 1})
        assert view_of({"A": a, "B": b, "C": c}).clusters == ({"A": 1, "B": 1, "C": 1},)

    def test_a_chain_carries_the_signs_of_its_links(self):
        a, b, c = mixed([[0.8, 0.6], [-1.0, 0.0], [0.8, -0.6]])
        assert view_of({"A": a, "B": b, "C": c}).clusters == ({"A": 1, "B": -1, "C": 1},)

    def test_the_order_of_names_within_a_chain_does_not_matter(self):
        ends_first = mixed([[0.8, 0.6], [0.8, -0.6], [-1.0, 0.0]])
        assert view_of(dict(zip("ABC", ends_first, strict=True))).clusters == (
            {"A": 1, "B": 1, "C": -1},
        )

    def test_a_frustrated_triangle_is_undecided(self):
        # A~B and B~C at +0.5, A~C at -0.5: no directions agree with all three.
        half = math.sqrt(0.75)
        a, b, c = mixed([[0.5, half], [1.0, 0.0], [0.5, -half]])
        assert view_of({"A": a, "B": b, "C": c}, threshold=0.5).clusters == (
            {"A": 0, "B": 0, "C": 0},
        )
        assert view_of({"A": a, "B": b, "C": c}, threshold=0.51).clusters == (
            {"A": 1},
            {"B": 1},
            {"C": 1},
        )

    def test_a_frustrated_triangle_leaves_none_of_its_group_decided(self):
        half = math.sqrt(0.75)
        weights = [
            [0.5, half, 0],
            [1.0, 0.0, 0],
            [0.5, -half, 0],
            [0.6, 0.8 * half, 0.4],
            [0, 0, 1],
        ]
        closes = mixed(weights)
        view = view_of(dict(zip("ABCDE", closes, strict=True)), threshold=0.5)
        assert view.clusters == ({"A": 0, "B": 0, "C": 0, "D": 0}, {"E": 1})

    def test_the_threshold_itself_counts_in_spite_of_rounding(self):
        a, b = mixed([[1.0, 0.0], [0.8, 0.6]])
        assert len(view_of({"A": a, "B": b}, threshold=0.8).clusters) == 1
        assert len(view_of({"A": a, "B": b}, threshold=0.8 + 1e-9).clusters) == 2

    @pytest.mark.parametrize("factor", [1.0, 3.0, -1.0, -0.3])
    def test_perfect_correlation_reaches_a_threshold_of_one(self, factor):
        view = view_of({"A": UP, "B": 7.0 * prices(factor * BASE)}, threshold=1.0)
        assert view.clusters == ({"A": 1, "B": int(math.copysign(1, factor))},)

    def test_uses_the_window_and_nothing_before(self):
        parted = np.where(np.arange(ROWS) < ROWS - WINDOW, -BASE, BASE)
        assert view_of({"A": UP, "B": prices(parted)}, threshold=1.0).clusters == (
            {"A": 1, "B": 1},
        )
        longer = view_of({"A": UP, "B": prices(parted)}, threshold=1.0, days=DAYS + 1)
        assert len(longer.clusters) == 2

    @pytest.mark.parametrize("threshold", [0.0, -0.7, 1.1, math.nan])
    def test_refuses_a_threshold_that_is_no_correlation(self, threshold):
        with pytest.raises(ValueError, match="is not a correlation"):
            view_of({"A": UP}, threshold=threshold)

    def test_equals_the_correlation_that_pandas_rolls(self):
        frame = pd.DataFrame({"A": UP, "B": prices(0.6 * BASE + 0.6 * noise(9))})
        returns = np.log(frame).diff()
        rolled = returns["A"].rolling(WINDOW).corr(returns["B"])
        market = {name: frame[name].to_numpy() for name in frame}
        seen = []
        for row in range(WINDOW, ROWS):
            now = START + (row + 1) * CANDLE
            rho = rolled.iloc[row]
            assert len(view_of(market, now, threshold=rho - 1e-9).clusters) == 1
            assert len(view_of(market, now, threshold=rho + 1e-9).clusters) == 2
            seen.append(rho)
        assert max(seen) - min(seen) > 0.02

    def test_equals_pandas_where_there_are_gaps(self):
        frame = pd.DataFrame(
            {
                "A": with_gaps(UP, slice(100, 103), slice(150, 151)),
                "B": with_gaps(prices(0.6 * BASE + 0.6 * noise(9)), slice(120, 125)),
                "C": prices(0.5 * BASE + 0.6 * noise(10)),
            }
        )
        rho = np.log(frame).diff().tail(WINDOW).corr(min_periods=WINDOW // 2)
        for one, other in (("A", "B"), ("A", "C"), ("B", "C")):
            market = {name: frame[name].to_numpy() for name in (one, other)}
            assert len(view_of(market, threshold=rho.loc[one, other] - 1e-9).clusters) == 1
            assert len(view_of(market, threshold=rho.loc[one, other] + 1e-9).clusters) == 2
        # All three at once take another way through the code than two do.
        weakest = min(rho.loc["A", "B"], rho.loc["A", "C"], rho.loc["B", "C"])
        market = {name: frame[name].to_numpy() for name in frame}
        assert len(view_of(market, threshold=weakest - 1e-9).clusters) == 1


class TestUnknownPairs:
    def known(self, market: Market, now: datetime = NOW, days: int = DAYS) -> set[str]:
        view = view_of(market, now, days=days)
        return {pair for cluster in view.clusters for pair in cluster}

    def test_no_pair_is_known_to_an_empty_book(self):
        assert (
            correlate(CloseBook(120), ["A", "B"], NOW, days=DAYS, threshold=0.7)
            == CorrelationView.unknown()
        )

    def test_no_pair_gives_no_group(self):
        assert view_of({}) == CorrelationView.unknown()

    def test_a_missing_pair(self):
        book = book_of({"A": UP})
        view = correlate(book, ["A", "B"], NOW, days=DAYS, threshold=0.7)
        assert view.clusters == ({"A": 1},)

    @pytest.mark.parametrize(
        ("returns", "is_known"), [(WINDOW // 2, True), (WINDOW // 2 - 1, False), (0, False)]
    )
    def test_a_short_history(self, returns, is_known):
        young = with_gaps(LIKE_UP, slice(0, ROWS - returns - 1))
        assert self.known({"A": UP, "B": young}) == ({"A", "B"} if is_known else {"A"})

    def test_a_history_that_is_shorter_but_long_enough_is_compared_in_common(self):
        young = with_gaps(AGAINST_UP, slice(0, ROWS - WINDOW * 3 // 4))
        assert view_of({"A": UP, "B": young, "C": LIKE_UP}).clusters == ({"A": 1, "B": -1, "C": 1},)

    def test_warm_up_ends_with_half_of_the_window(self):
        market = {"A": UP, "B": LIKE_UP}
        half = START + (WINDOW // 2 + 1) * CANDLE
        assert self.known(market, half - timedelta(milliseconds=1)) == set()
        assert self.known(market, half) == {"A", "B"}

    @pytest.mark.parametrize("jump", [0.0, 1e-14])
    def test_a_constant_series(self, jump):
        still = np.full(ROWS, 100.0)
        still[-50:] *= 1.0 + jump
        assert self.known({"A": UP, "B": still}) == {"A"}

    def test_a_series_of_constant_growth(self):
        assert self.known({"A": UP, "B": prices(np.full(ROWS, 0.001))}) == {"A"}

    @pytest.mark.parametrize(
        ("late", "is_known"),
        [
            (2 * CANDLE, True),
            (2 * CANDLE + timedelta(milliseconds=1), False),
            (3 * CANDLE, False),
            (1000 * CANDLE, False),
        ],
    )
    def test_a_stale_pair(self, late, is_known):
        assert self.known({"A": UP}, NOW + late) == ({"A"} if is_known else set())

    def test_a_pair_that_went_stale_while_others_go_on(self):
        gone = with_gaps(LIKE_UP, slice(ROWS - 3, None))
        assert self.known({"A": UP, "B": gone}) == {"A"}

    def test_a_window_shorter_than_two_candles(self):
        closes = UP[:100]
        book = book_of({"A": closes}, timedelta(days=7))
        now = START + 100 * timedelta(days=7)
        for days in (6, 7, 13):
            view = correlate(book, ["A"], now, days=days, threshold=0.7)
            assert view == CorrelationView.unknown()
        assert correlate(book, ["A"], now, days=14, threshold=0.7).clusters == ({"A": 1},)


class TestGaps:
    def test_scattered_gaps_are_left_out_pair_by_pair(self):
        market = {
            "A": with_gaps(UP, slice(100, 110)),
            "B": with_gaps(AGAINST_UP, slice(130, 135), slice(160, 161)),
            "C": LIKE_UP,
            "D": ALONE,
        }
        assert view_of(market).clusters == ({"A": 1, "B": -1, "C": 1}, {"D": 1})

    def test_an_outage_of_the_venue_changes_no_group(self):
        gap = slice(140, 150)
        market = {"A": UP, "B": AGAINST_UP, "C": ALONE}
        gapped = {pair: with_gaps(closes, gap) for pair, closes in market.items()}
        assert view_of(gapped).clusters == view_of(market).clusters

    def test_too_little_in_common_links_without_a_direction(self):
        # Each has more than half of the window, together they have a quarter.
        first, last = slice(0, ROWS - WINDOW * 5 // 8), slice(ROWS - WINDOW * 5 // 8, ROWS - 2)
        early = with_gaps(ALONE, last)
        market = {"A": with_gaps(UP, first), "B": early, "C": OTHER}
        early[-WINDOW - 1 : ROWS - WINDOW * 3 // 8] = ALONE[-WINDOW - 1 : ROWS - WINDOW * 3 // 8]
        assert view_of(market).clusters == ({"A": 0, "B": 0}, {"C": 1})

    def test_standing_still_in_common_links_without_a_direction(self):
        # B moves only where A has a gap.
        still = np.full(ROWS, 100.0)
        still[-30:-20] = UP[-30:-20]
        market = {"A": with_gaps(UP, slice(ROWS - 31, ROWS - 19)), "B": still}
        assert view_of(market).clusters == ({"A": 0, "B": 0},)

    def test_a_link_in_doubt_leaves_none_of_its_group_decided(self):
        still = np.full(ROWS, 100.0)
        still[-30:-20] = UP[-30:-20]
        market = {"A": with_gaps(UP, slice(ROWS - 31, ROWS - 19)), "B": still, "C": LIKE_UP}
        assert view_of(market).clusters == ({"A": 0, "B": 0, "C": 0},)


def amounts() -> st.SearchStrategy[Decimal]:
    return st.decimals(-10_000, 10_000, allow_nan=False, places=8)


@st.composite
def views(draw: st.DrawFn, names: str = "ABCDEFGH") -> CorrelationView:
    """Draw groups over some of the names; the others are unknown."""
    groups = draw(st.lists(st.integers(-1, 3), min_size=len(names), max_size=len(names)))
    signs = draw(st.lists(st.sampled_from([-1, 1]), min_size=len(names), max_size=len(names)))
    undecided = draw(st.sets(st.integers(0, 3)))
    clusters = [
        {
            name: 0 if group in undecided else sign
            for name, of, sign in zip(names, groups, signs, strict=True)
            if of == group
        }
        for group in range(4)
    ]
    return CorrelationView(tuple(cluster for cluster in clusters if cluster))


def holdings() -> st.SearchStrategy[dict[str, Decimal]]:
    return st.dictionaries(st.sampled_from("ABCDEFGHXYZ"), amounts())


def values(view: CorrelationView, notional: dict[str, Decimal]) -> list[Decimal]:
    return [exposure.value for exposure in view.exposures(notional)]


D = Decimal


class TestExposures:
    VIEW = CorrelationView(({"A": 1, "B": 1, "C": -1}, {"F": 0, "G": 0}, {"S": 1}))

    @pytest.mark.parametrize(
        ("notional", "expected"),
        [
            ({}, []),
            ({"A": D(5)}, [ClusterExposure(("A",), D(5), D(0))]),
            ({"A": D(5), "B": D(3)}, [ClusterExposure(("A", "B"), D(8), D(0))]),
            ({"A": D(5), "B": D(-3)}, [ClusterExposure(("A", "B"), D(2), D(0))]),
            ({"A": D(5), "C": D(3)}, [ClusterExposure(("A", "C"), D(2), D(0))]),
            ({"A": D(5), "C": D(-3)}, [ClusterExposure(("A", "C"), D(8), D(0))]),
            ({"A": D(-5), "B": D(-3)}, [ClusterExposure(("A", "B"), D(-8), D(0))]),
            # Undecided: nothing offsets.
            ({"F": D(5), "G": D(-3)}, [ClusterExposure(("F", "G"), D(0), D(8))]),
            # Groups do not add up.
            (
                {"S": D(4), "A": D(5)},
                [ClusterExposure(("A",), D(5), D(0)), ClusterExposure(("S",), D(4), D(0))],
            ),
            # Unknown pairs count gross in every group that is held ...
            (
                {"X": D(-1), "A": D(5), "G": D(2), "Y": D(3)},
                [
                    ClusterExposure(("A", "X", "Y"), D(5), D(4)),
                    ClusterExposure(("G", "X", "Y"), D(0), D(6)),
                ],
            ),
            # ... and are a group of their own where none is.
            ({"Y": D(3), "X": D(-1)}, [ClusterExposure(("X", "Y"), D(0), D(4))]),
        ],
    )
    def test_by_hand(self, notional, expected):
        assert list(self.VIEW.exposures(notional)) == expected

    def test_value_is_what_moves_as_one_bet(self):
        assert ClusterExposure(("A", "X"), D(-5), D(3)).value == D(8)

    def test_who_knows_nothing_adds_everything_up(self):
        exposures = CorrelationView.unknown().exposures({"A": D(5), "B": D(-3), "C": D(1)})
        assert exposures == (ClusterExposure(("A", "B", "C"), D(0), D(9)),)

    def test_groups_and_signs_can_be_asked_for(self):
        assert self.VIEW.cluster_of("C") == {"A": 1, "B": 1, "C": -1}
        assert self.VIEW.cluster_of("X") is None
        assert [self.VIEW.sign(pair) for pair in "ACFX"] == [1, -1, 0, 0]

    def test_a_pair_belongs_to_one_group(self):
        with pytest.raises(ValueError, match="a pair stands in two groups"):
            CorrelationView(({"A": 1}, {"B": 1, "A": 1}))

    @pytest.mark.parametrize("cluster", [{"A": 1, "B": 0}, {"A": 2}])
    def test_a_group_is_decided_or_not(self, cluster):
        with pytest.raises(ValueError, match="signs are -1 and"):
            CorrelationView((cluster,))

    @settings(deadline=None)
    @given(view=views(), notional=holdings(), data=st.data())
    def test_are_the_same_in_every_order(self, view, notional, data):
        shuffled = dict(data.draw(st.permutations(list(notional.items()))))
        assert view.exposures(shuffled) == view.exposures(notional)

    @settings(deadline=None)
    @given(view=views(), notional=holdings())
    def test_are_worth_the_same_the_other_way_round(self, view, notional):
        turned = {pair: -amount for pair, amount in notional.items()}
        assert values(view, turned) == values(view, notional)

    @settings(deadline=None)
    @given(view=views(), notional=holdings(), amount=amounts())
    def test_never_fall_with_one_more_unknown_pair(self, view, notional, amount):
        before = values(view, notional)
        after = values(view, notional | {"new": amount})
        if before:
            assert after == [value + abs(amount) for value in before]
        else:
            assert after == [abs(amount)]

    @given(
        view=views("ABCDEF"), notional=holdings(), amount=amounts(), hedge=st.sampled_from([-1, 1])
    )
    def test_a_perfect_hedge_adds_nothing(self, view, notional, amount, hedge):
        view = CorrelationView((*view.clusters, {"one": 1, "two": hedge, "three": 1}))
        notional["three"] = Decimal(7)
        hedged = notional | {"one": amount, "two": -hedge * amount}
        assert values(view, hedged) == values(view, notional)

    @settings(deadline=None)
    @given(view=views(), notional=holdings())
    def test_are_never_above_what_knowing_nothing_says(self, view, notional):
        (most,) = values(CorrelationView.unknown(), notional) or [Decimal(0)]
        assert all(value <= most for value in values(view, notional))

    @settings(deadline=None)
    @given(view=views(), notional=holdings())
    def test_leave_out_no_held_pair(self, view, notional):
        assert {p for e in view.exposures(notional) for p in e.pairs} == set(notional)

    @settings(deadline=None)
    @given(view=views(), notional=holdings(), data=st.data())
    def test_less_knowledge_never_means_less_exposure(self, view, notional, data):
        if not view.clusters:
            return
        lost = data.draw(st.sampled_from(view.clusters))
        doubting = CorrelationView(
            tuple(dict.fromkeys(c, 0) if c is lost else c for c in view.clusters)
        )
        forgetting = CorrelationView(tuple(c for c in view.clusters if c is not lost))
        known = max(values(view, notional), default=Decimal(0))
        assert max(values(doubting, notional), default=Decimal(0)) >= known
        assert max(values(forgetting, notional), default=Decimal(0)) >= known


@st.composite
def markets(draw: st.DrawFn) -> Market:
    """Draw up to six pairs that share two sources, some with gaps, some young or ended."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sources = rng.normal(0.0, 0.01, (2, ROWS))
    market = {}
    for name in draw(st.permutations("ABCDEF"))[: draw(st.integers(1, 6))]:
        own = draw(st.sampled_from([0.0, 0.3, 1.0, 3.0])) * rng.normal(0.0, 0.01, ROWS)
        closes = prices(rng.choice([-1.0, 0.0, 1.0], 2) @ sources + own)
        closes[rng.random(ROWS) < draw(st.sampled_from([0.0, 0.0, 0.05, 0.2]))] = math.nan
        closes[: draw(st.sampled_from([0, 0, 90, 130, 160]))] = math.nan
        market[name] = closes
    return market


Reader = Callable[[CloseBook, Market, datetime], CorrelationView]


def honest(book: CloseBook, market: Market, now: datetime) -> CorrelationView:
    return correlate(book, market, now, days=DAYS, threshold=0.7)


def one_candle_ahead(book: CloseBook, market: Market, now: datetime) -> CorrelationView:
    """The guilty twin: reads the candle that is still open at `now`."""
    return correlate(book, market, now + CANDLE, days=DAYS, threshold=0.7)


def at_the_end_of_the_book(book: CloseBook, market: Market, now: datetime) -> CorrelationView:
    """Another one: the correlation of the whole history, as a backtest could take it."""
    assert book.end is not None
    return correlate(book, market, book.end + CANDLE, days=DAYS, threshold=0.7)


def assert_no_future(read: Reader, market: Market, row: int, seed: int = 0) -> None:
    """Compare views at the close of candle `row` - 1 over futures that differ in everything."""
    now = START + row * CANDLE
    past = {pair: closes[:row] for pair, closes in market.items()}
    rng = np.random.default_rng(seed)
    garbage = {
        pair: np.concatenate([closes, rng.lognormal(0.0, 9.0, 60)]) for pair, closes in past.items()
    }
    together = np.exp(np.cumsum(rng.normal(0.0, 3.0, 60)))
    in_step = {
        pair: np.concatenate([closes, (100.0 + index) * together ** (-1) ** index])
        for index, (pair, closes) in enumerate(past.items())
    }
    for moment in (now, now + CANDLE - timedelta(milliseconds=1)):
        views = [read(book_of(known), known, moment) for known in (past, market, garbage, in_step)]
        assert all(one == other for one, other in pairwise(views)), "the view sees the future"


class TestCausality:
    @settings(max_examples=60, deadline=None)
    @given(market=markets(), row=st.integers(1, ROWS), seed=st.integers(0, 100))
    def test_no_future_changes_a_view(self, market, row, seed):
        assert_no_future(honest, market, row, seed)

    def test_at_every_candle_of_one_market(self):
        market = {"A": UP, "B": prices(0.6 * BASE + 0.6 * noise(9)), "C": ALONE, "D": AGAINST_UP}
        for row in range(1, ROWS + 1):
            assert_no_future(honest, market, row)

    @pytest.mark.parametrize("guilty", [one_candle_ahead, at_the_end_of_the_book])
    def test_the_proof_catches_a_reader_that_peeks(self, guilty):
        market = {"A": UP, "B": LIKE_UP, "C": ALONE}
        with pytest.raises(AssertionError, match="sees the future"):
            assert_no_future(guilty, market, 150)
        assert_no_future(honest, market, 150)

    def test_a_second_look_with_more_candles_known_changes_nothing(self):
        market = {"A": UP, "B": AGAINST_UP}
        book = book_of({pair: closes[:150] for pair, closes in market.items()})
        now = START + 150 * CANDLE
        before = honest(book, market, now)
        for pair, closes in market.items():  # a live frame moves on: it lost its oldest candles
            dates = pd.Series(pd.date_range(START + 60 * CANDLE, periods=140, freq=CANDLE))
            book.remember(pair, dates, closes[60:])
        assert honest(book, market, now) == before != CorrelationView.unknown()


class TestOrder:
    @settings(max_examples=60, deadline=None)
    @given(market=markets(), data=st.data())
    def test_of_the_pairs_does_not_matter(self, market, data):
        view = view_of(market)
        order = data.draw(st.permutations(sorted(market)))
        shuffled = {pair: market[pair] for pair in order}
        assert view_of(shuffled) == view
        twice = correlate(book_of(market), order + order, NOW, days=DAYS, threshold=0.7)
        assert twice == view
        assert [list(c) for c in view.clusters] == sorted(sorted(c) for c in view.clusters)

    @settings(max_examples=40, deadline=None)
    @given(market=markets())
    def test_turning_a_market_upside_down_turns_its_sign_only(self, market):
        last = max(market)
        turned = market | {last: 1e4 / market[last]}
        view, other = view_of(market), view_of(turned)
        for pair in market:
            one, two = view.cluster_of(pair), other.cluster_of(pair)
            assert (one and set(one)) == (two and set(two))
            assert abs(view.sign(pair)) == abs(other.sign(pair))
            if one and last in one:
                # In relation to the pair that was turned, every other one turns.
                flip = 1 if pair == last else -1
                assert view.sign(pair) * view.sign(last) == flip * other.sign(pair) * other.sign(
                    last
                )


LARGE_THREE = ("BTC", "ETH", "SOL")


@pytest.fixture(scope="module")
def real_book() -> CloseBook:
    book = CloseBook(120)
    for pair in LARGE_THREE:
        path = REAL_2H / f"{pair}_USDC_USDC-2h-futures.feather"
        if not path.exists():
            pytest.skip("the reference candles of ../shared/data are not here")
        frame = pd.read_feather(path)
        book.remember(pair, frame["date"], frame["close"])
    return book


class TestRealCandles:
    def test_the_large_three_are_mostly_one_bet(self, real_book):
        # By the defaults of the limits, at the first of every month whose window is full. In the
        # three other months the strongest link that is missing stands at 0.66 to 0.68.
        starts = pd.date_range("2024-04-01", "2025-06-01", freq="MS", tz="UTC")
        views = [
            correlate(real_book, LARGE_THREE, start.to_pydatetime(), days=30, threshold=0.7)
            for start in starts
        ]
        together = [view.clusters == (dict.fromkeys(LARGE_THREE, 1),) for view in views]
        assert (len(together), sum(together)) == (15, 12)
        assert {sign for v in views for c in v.clusters for sign in c.values()} == {1}

    def test_on_the_first_of_june_2025_they_are_one_bet(self, real_book):
        now = datetime(2025, 6, 1, tzinfo=UTC)
        view = correlate(real_book, LARGE_THREE, now, days=30, threshold=0.7)
        assert view.clusters == ({"BTC": 1, "ETH": 1, "SOL": 1},)
        held = {"BTC": Decimal(100), "ETH": Decimal(50), "SOL": Decimal(-30)}
        assert [e.value for e in view.exposures(held)] == [Decimal(120)]

    def test_before_there_is_half_a_window_all_count_as_one(self, real_book):
        now = datetime(2024, 2, 20, tzinfo=UTC)
        view = correlate(real_book, LARGE_THREE, now, days=30, threshold=0.7)
        assert view == CorrelationView.unknown()
