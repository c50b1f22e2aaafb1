"""The snapshot that a decision looks at, and what can be asked of it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from fractal_protections.portfolio.book import Book, TradingState
from fractal_protections.portfolio.positions import EntryRequest, Position
from tests.protections.books import (
    BTC,
    DAY,
    ETH,
    MAX_AGE,
    NOW,
    SECOND,
    SOL,
    make_book,
    make_position,
    make_request,
    make_reservation,
    make_status,
    make_track,
)


class TestExposures:
    def test_of_an_empty_book_are_none(self):
        assert Book(at=NOW).exposures() == ()

    def test_are_positions_and_reservations_as_if_filled(self):
        held = make_position(BTC)
        pending = make_reservation(ETH, side=-1, margin="20", leverage=2)

        exposures = make_book(held, reservations=(pending,)).exposures()

        as_filled = Position("alpha", ETH, -1, Decimal(20), Decimal(40), NOW)
        assert exposures == (held, as_filled)

    def test_keep_an_ambiguous_reservation_while_it_holds_capital(self):
        doubts = [
            make_reservation(pair, name=pair, ambiguous=ambiguous, capital_until=until)
            for pair, ambiguous, until in (
                (BTC, True, NOW + SECOND),
                (ETH, True, NOW),
                (SOL, False, NOW - DAY),  # pending ones are not on a timer
            )
        ]
        exposures = make_book(reservations=tuple(doubts)).exposures()
        assert [position.pair for position in exposures] == [BTC, SOL]


class TestEquity:
    def test_is_that_of_all_accounts(self):
        tracks = (make_track("1000"), make_track("250.5", account="paper"))
        assert make_book(tracks=tracks).equity(MAX_AGE) == Decimal("1250.5")

    @pytest.mark.parametrize(
        ("age", "equity"),
        [(MAX_AGE, 1000), (MAX_AGE + SECOND, 0), (-MAX_AGE, 1000), (-MAX_AGE - SECOND, 0)],
    )
    def test_leaves_out_accounts_not_heard_of_or_heard_of_from_the_future(self, age, equity):
        assert make_book(tracks=(make_track(updated_at=NOW - age),)).equity(MAX_AGE) == equity


class TestSilentBots:
    @pytest.mark.parametrize(
        ("age", "is_silent"),
        [
            (timedelta(0), False),
            (MAX_AGE, False),
            (MAX_AGE + SECOND, True),
            (-MAX_AGE - SECOND, True),  # its clock is wrong: nobody knows how old the report is
        ],
    )
    def test_are_those_that_hold_something_and_have_not_reported(self, age, is_silent):
        bots = {"alpha": make_status(reported_at=NOW - age)}
        book = make_book(make_position(), bots=bots)
        assert book.silent_bots(MAX_AGE) == (("alpha",) if is_silent else ())

    def test_are_not_those_that_hold_nothing(self):
        bots = {"alpha": make_status(), "gone": make_status("gone", reported_at=NOW - DAY)}
        assert make_book(make_position(), bots=bots).silent_bots(MAX_AGE) == ()

    def test_are_those_that_nobody_knows(self):
        book = make_book(make_position(bot="zeta"), make_position(bot="beta"), bots={})
        assert book.silent_bots(MAX_AGE) == ("beta", "zeta")


class TestAnEntryRequest:
    @pytest.mark.parametrize("side", [0, 2, -2])
    def test_of_no_side_is_refused(self, side):
        with pytest.raises(ValueError, match=r"side .* of BTC.*: \+1 is long, -1 is short"):
            make_request(side=side)

    @pytest.mark.parametrize(
        ("margin", "notional", "loss"),
        [
            ("0", "0", "1"),
            ("-5", "5", "1"),
            ("10", "9.99999999", "1"),
            ("10", "30", "-0.00000001"),
            ("NaN", "30", "1"),
            ("10", "NaN", "1"),
            ("10", "30", "NaN"),
            ("10", "Infinity", "1"),
            ("10", "30", "Infinity"),
        ],
    )
    def test_of_impossible_amounts_is_refused(self, margin, notional, loss):
        amounts = (Decimal(margin), Decimal(notional), Decimal(loss))
        with pytest.raises(ValueError, match=r"BTC.*margin .* notional .* can not be"):
            EntryRequest("alpha", BTC, 1, *amounts, 80.0, NOW)

    def test_without_leverage_and_without_loss_is_possible(self):
        request = make_request(margin="10", leverage=1, loss="0")
        assert request.notional == request.margin


def test_a_fresh_book_is_active():
    assert Book(at=NOW).state.state is TradingState.ACTIVE
