"""The size of a position by the loss that it may cost."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from fractal_protections.portfolio.limits import RiskLimits
from fractal_protections.portfolio.money import UNIT
from fractal_protections.portfolio.sizing import (
    EntryTerms,
    round_down,
    streak_factor,
    target_margin,
    volatility_factor,
)
from tests.protections.books import make_closed

LIMITS = RiskLimits()
NAN, INF = math.nan, math.inf


def make_terms(side=1, entry=100.0, stop=None, confidence=100.0, atr=1.0, baseline=1.0, fee=0.0):
    stop = entry - 2.0 * side if stop is None else stop
    return EntryTerms(side, entry, stop, confidence, atr, baseline, fee)


def margin_of(terms, equity="1000", leverage="3", closed=(), limits=LIMITS):
    return target_margin(Decimal(equity), terms, Decimal(leverage), closed, limits)


def results(*profits):
    """Finished trades, newest first."""
    return [make_closed(profit, number) for number, profit in enumerate(profits)]


class TestTheLossAtTheStop:
    @pytest.mark.parametrize(
        ("side", "stop", "fee", "ratio"),
        [
            (1, 98.0, 0.0, "0.02"),
            (-1, 102.0, 0.0, "0.02"),
            (1, 98.0, 0.001, "0.02198"),  # 0.1 % of 100 and of 98
            (-1, 102.0, 0.001, "0.02202"),
            (1, 50.0, 0.0005, "0.50075"),
            (-1, 250.0, 0.0, "1.5"),
        ],
    )
    def test_counts_the_distance_and_the_fees_of_both_ways(self, side, stop, fee, ratio):
        assert make_terms(side, stop=stop, fee=fee).loss_ratio() == Decimal(ratio)

    @pytest.mark.parametrize(
        ("side", "entry", "stop"),
        [
            (1, 100.0, 100.0),
            (1, 100.0, 100.1),
            (-1, 100.0, 100.0),
            (-1, 100.0, 99.9),
            (1, 100.0, 0.0),
            (1, 100.0, -5.0),
            (1, 0.0, 98.0),
            (1, -100.0, 98.0),
            (-1, 0.0, 98.0),
            (1, NAN, 98.0),
            (1, 100.0, NAN),
            (-1, 100.0, NAN),
            (-1, 100.0, INF),
            (1, INF, 98.0),
        ],
    )
    def test_has_no_answer_without_a_stop_on_the_losing_side(self, side, entry, stop):
        direction = "long" if side > 0 else "short"
        with pytest.raises(ValueError, match=f"not on the losing side .*{direction}.*no size"):
            margin_of(make_terms(side, entry, stop))

    @pytest.mark.parametrize("side", [0, 2, -3])
    def test_has_no_answer_without_a_side(self, side):
        with pytest.raises(ValueError, match="1 is long, -1 is short"):
            make_terms(side, stop=98.0).loss_ratio()

    @pytest.mark.parametrize("fee", [-0.0001, 1.0, 5.0, NAN, INF])
    def test_has_no_answer_with_a_fee_that_is_no_ratio(self, fee):
        with pytest.raises(ValueError, match=r"fee .* is not a ratio from 0 to 1"):
            make_terms(fee=fee).loss_ratio()


class TestTheMargin:
    # 1 % of 1000 is 10 at risk; over the loss ratio it is the notional, over leverage the margin.
    @pytest.mark.parametrize(
        ("terms", "options", "margin"),
        [
            (make_terms(), {"leverage": "1"}, "500"),  # 10 / 0.02
            (make_terms(), {}, "166.66666666"),  # / 3, cut
            (make_terms(), {"leverage": "10"}, "50"),
            (make_terms(-1), {"leverage": "10"}, "50"),
            (make_terms(confidence=40.0), {"leverage": "10"}, "20"),
            (make_terms(confidence=0.0), {}, "0"),
            (make_terms(confidence=-10.0), {}, "0"),
            (make_terms(atr=2.0), {"leverage": "10"}, "25"),  # twice as wild, half as large
            (make_terms(atr=9.0), {"leverage": "10"}, "25"),  # and no less than half
            (make_terms(confidence=50.0, atr=0.8), {"leverage": "10"}, "31.25"),  # 0.5 x 1.25
            (make_terms(confidence=50.0, atr=0.1), {"leverage": "10"}, "37.5"),  # 0.5 x 1.5
            (make_terms(confidence=80.0, atr=0.1), {"leverage": "10"}, "50"),  # 1.2 is capped at 1
            (make_terms(), {"leverage": "10", "closed": results(-1, -1)}, "35"),
            (make_terms(), {"leverage": "10", "closed": results(1, 1, 1)}, "40"),
            (make_terms(fee=0.001), {"leverage": "10"}, "45.49590536"),  # 10 / 0.02198 / 10
            (make_terms(), {"equity": "0"}, "0"),
            (make_terms(), {"equity": "-1000"}, "0"),
        ],
    )
    def test_is_what_a_hand_computes(self, terms, options, margin):
        assert margin_of(terms, **options) == Decimal(margin)

    @pytest.mark.parametrize("confidence", [NAN, INF, -INF])
    def test_has_no_answer_without_a_confidence(self, confidence):
        with pytest.raises(ValueError, match=r"confidence .* is not a score"):
            margin_of(make_terms(confidence=confidence))

    @pytest.mark.parametrize(
        ("equity", "leverage"),
        [("NaN", "3"), ("Infinity", "3"), ("1000", "NaN"), ("1000", "0"), ("1000", "-3")],
    )
    def test_has_no_answer_without_equity_and_leverage(self, equity, leverage):
        with pytest.raises(ValueError, match=r"equity .* and leverage .* can not be"):
            margin_of(make_terms(), equity=equity, leverage=leverage)


class TestTheVolatilityFactor:
    @pytest.mark.parametrize(
        ("atr", "baseline", "factor"),
        [
            (1.0, 1.0, "1"),
            (2.0, 1.0, "0.5"),
            (2.1, 1.0, "0.5"),
            (1.0, 1.5, "1.5"),
            (1.0, 1.6, "1.5"),
            (4.0, 5.0, "1.25"),
            (1e-300, 1e300, "1.5"),
            (NAN, 1.0, "0.5"),
            (1.0, NAN, "0.5"),
            (0.0, 1.0, "0.5"),
            (1.0, 0.0, "0.5"),
            (0.0, 0.0, "0.5"),
            (-1.0, 1.0, "0.5"),
            (1.0, -1.0, "0.5"),
            (INF, 1.0, "0.5"),
            (1.0, INF, "0.5"),
            (INF, INF, "0.5"),
        ],
    )
    def test_is_the_usual_range_over_the_present_one(self, atr, baseline, factor):
        assert volatility_factor(atr, baseline) == Decimal(factor)

    @settings(max_examples=200, deadline=None)
    @given(atr=st.floats(), baseline=st.floats())
    def test_is_half_to_one_and_a_half_whatever_comes(self, atr, baseline):
        assert Decimal("0.5") <= volatility_factor(atr, baseline) <= Decimal("1.5")


class TestTheStreakFactor:
    @pytest.mark.parametrize(
        ("profits", "factor"),
        [
            ([], "1"),
            ([-1], "1"),
            ([-1, -1], "0.7"),
            ([-1, -1, -1, -1], "0.7"),
            ([1, 1], "1"),
            ([1, 1, 1], "0.8"),
            ([1, 1, 1, 1], "0.8"),
            # newest first: only what ended last is a streak
            ([1, -1, -1], "1"),
            ([-1, 1, 1, 1], "1"),
            ([-1, -1, 1, 1, 1], "0.7"),
            ([1, 1, 1, -1, -1], "0.8"),
            # breakeven ends a streak, and is none
            ([0, -1, -1], "1"),
            ([-1, 0, -1], "1"),
            ([1, 1, 0, 1], "1"),
            ([0, 0, 0], "1"),
            ([-1, -1, 0], "0.7"),
        ],
    )
    def test_goes_by_the_latest_trades(self, profits, factor):
        assert streak_factor(results(*profits), LIMITS) == Decimal(factor)

    def test_goes_by_the_limits(self):
        limits = RiskLimits(
            loss_streak=1, loss_streak_factor=0.25, win_streak=4, win_streak_factor=0.5
        )
        assert streak_factor(results(-1), limits) == Decimal("0.25")
        assert streak_factor(results(1, 1, 1), limits) == 1
        assert streak_factor(results(1, 1, 1, 1), limits) == Decimal("0.5")


@pytest.mark.parametrize(
    ("amount", "cut"),
    [("1.999999999", "1.99999999"), ("5", "5"), ("-0.000000001", "0"), ("-7", "0"), ("0", "0")],
)
def test_an_amount_is_cut_to_what_can_be_booked_and_never_below_nothing(amount, cut):
    assert round_down(Decimal(amount)) == Decimal(cut)


prices = st.floats(1e-6, 1e6)
closed_trades = st.lists(st.integers(-2, 2), max_size=5).map(lambda profits: results(*profits))


@st.composite
def all_terms(draw):
    side = draw(st.sampled_from([1, -1]))
    entry, stop = draw(prices), draw(prices)
    assume(side * (entry - stop) > 0)
    return EntryTerms(
        side,
        entry,
        stop,
        draw(st.floats(-10.0, 1000.0)),
        draw(st.floats()),
        draw(st.floats()),
        draw(st.floats(0.0, 0.01)),
    )


def exact_loss(terms: EntryTerms, notional: Fraction) -> Fraction:
    """What the trade loses at its stop, told as it happens: contracts, prices, two fees."""
    entry, stop, fee = (
        Fraction(str(value)) for value in (terms.entry, terms.stop, terms.fee_ratio)
    )
    contracts = notional / entry
    return contracts * abs(entry - stop) + fee * contracts * entry + fee * contracts * stop


DUST = Fraction(1, 10**15)
"""Rounding of 28 digits: far below what can be booked."""


@settings(max_examples=300, deadline=None)
@given(
    terms=all_terms(),
    equity=st.integers(0, 10**15).map(lambda units: units * UNIT),
    leverage=st.integers(1, 50).map(Decimal),
    closed=closed_trades,
    ratio=st.sampled_from(["0.001", "0.01", "0.03"]),
)
def test_the_loss_at_the_stop_never_exceeds_the_risk_per_trade(
    terms, equity, leverage, closed, ratio
):
    limits = RiskLimits(risk_per_trade_ratio=Decimal(ratio))

    margin = target_margin(equity, terms, leverage, closed, limits)

    loss = exact_loss(terms, Fraction(margin) * Fraction(leverage))
    assert margin >= 0
    assert loss <= Fraction(equity) * Fraction(ratio) + DUST


@settings(max_examples=200, deadline=None)
@given(terms=all_terms(), leverage=st.integers(1, 50).map(Decimal), closed=closed_trades)
def test_margin_times_leverage_times_loss_is_the_risk_of_the_trade(terms, leverage, closed):
    equity = Decimal(1_000_000)
    confidence = Fraction(str(terms.confidence)) / 100
    volatility = Fraction(volatility_factor(terms.atr, terms.atr_baseline))
    factor = confidence * volatility * Fraction(streak_factor(closed, LIMITS))
    risk = Fraction(equity) / 100 * max(min(factor, Fraction(1)), Fraction(0))

    margin = target_margin(equity, terms, leverage, closed, LIMITS)

    loss = exact_loss(terms, Fraction(margin) * Fraction(leverage))
    one_unit = exact_loss(terms, Fraction(UNIT) * Fraction(leverage))
    assert loss <= risk + DUST
    assert loss > risk - one_unit - DUST * (1 + one_unit)


@settings(max_examples=200, deadline=None)
@given(terms=all_terms(), more=st.floats(0.0, 100.0), leverage=st.integers(1, 20).map(Decimal))
@example(terms=make_terms(confidence=99.99999999), more=1e-8, leverage=Decimal(1))
def test_more_confidence_never_makes_a_position_smaller(terms, more, leverage):
    surer = EntryTerms(
        terms.side,
        terms.entry,
        terms.stop,
        terms.confidence + more,
        terms.atr,
        terms.atr_baseline,
        terms.fee_ratio,
    )
    equity = Decimal(1000)
    less, more_margin = (
        target_margin(equity, given_terms, leverage, (), LIMITS) for given_terms in (terms, surer)
    )
    assert more_margin >= less
