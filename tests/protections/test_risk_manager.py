"""Every rule of the portfolio at its limit, just beyond it, and across bots, midnight, restarts."""

import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from fractal_protections.portfolio.book import Fence, StateChange, TradingState
from fractal_protections.portfolio.correlation import CorrelationView
from fractal_protections.portfolio.decisions import Approved, DenialCode, Denied
from fractal_protections.portfolio.drift import ALL_PAIRS, DriftMark
from fractal_protections.portfolio.equity import AccountTrack
from fractal_protections.portfolio.money import UNIT
from tests.protections.books import (
    BTC,
    DAY,
    ETH,
    HOUR,
    MAX_AGE,
    NOW,
    SECOND,
    SOL,
    XRP,
    alone,
    frustrated,
    make_book,
    make_manager,
    make_position,
    make_request,
    make_reservation,
    make_status,
    make_track,
    together,
)

APART = alone(BTC, ETH, SOL, XRP)
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
WIDE = {"max_position_ratio": 1, "max_total_exposure_ratio": 1, "max_positions": 9}
"""Limits out of the way of the one that a test is about."""


def decide(book, request=None, view=APART, **limits):
    return make_manager(**limits).decide(book, request or make_request(), view)


def code_of(decision):
    return decision.code if isinstance(decision, Denied) else None


class TestAnEntry:
    def test_within_every_limit_is_approved_with_its_margin_and_what_the_portfolio_then_holds(self):
        book = make_book(make_position(ETH, margin="20", leverage=2))
        decision = decide(book, make_request(margin="49.5"), together(BTC, ETH))
        assert decision == Approved(
            Decimal("49.5"),
            {
                "equity": Decimal(1000),
                "total_margin": Decimal("69.5"),
                "correlated": Decimal("188.5"),  # 40 + 148.5
            },
        )

    def test_at_every_limit_at_once_is_approved(self):
        # 50 of margin, 10 of loss, third position, 200 of margin in all, 300 of one bet.
        book = make_book(
            make_position(ETH, margin="50"), make_position(SOL, bot="beta", margin="100")
        )
        request = make_request(BTC, margin="50", leverage=6, loss="10", confidence=40.0)

        assert isinstance(decide(book, request, alone(BTC, ETH)), Denied)  # SOL is unknown
        assert isinstance(decide(book, request), Approved)

    def test_is_denied_while_all_capital_is_in_positions(self):
        book = make_book(make_position(ETH, margin="1000", leverage=1))
        decision = decide(book, make_request(margin=UNIT), max_correlated_exposure_ratio=1)
        assert code_of(decision) is DenialCode.TOTAL_EXPOSURE


class TestTheSizeOfAPosition:
    def test_may_be_its_share_and_no_unit_more(self):
        assert isinstance(decide(make_book(), make_request(margin="50")), Approved)

        denied = decide(make_book(), make_request(margin=50 + UNIT))

        assert denied.code is DenialCode.POSITION_SIZE
        assert denied.message == (
            "the position would hold 50.00 of margin, the limit is 50.00 (5 % of the equity)"
        )
        assert denied.numbers == {"margin": 50 + UNIT, "limit": 50}

    def test_counts_what_it_holds_already_when_it_is_added_to(self):
        book = make_book(make_position(BTC, margin="30"))

        def add(margin):
            return decide(book, make_request(margin=margin, is_addition=True))

        assert isinstance(add("20"), Approved)
        assert add(20 + UNIT).code is DenialCode.POSITION_SIZE

    def test_does_not_count_what_another_bot_holds_in_the_pair(self):
        book = make_book(make_position(BTC, bot="beta", margin="30"))
        request = make_request(margin="50")
        assert isinstance(
            decide(book, request, max_positions_per_symbol=2, max_correlated_exposure_ratio=1),
            Approved,
        )


class TestTheTotalExposure:
    BOOK = make_book(make_position(ETH, margin="100"), make_position(SOL, margin="60"))

    def test_may_be_its_share_and_no_unit_more(self):
        assert isinstance(decide(self.BOOK, make_request(margin="40")), Approved)

        denied = decide(self.BOOK, make_request(margin=40 + UNIT))

        assert denied.code is DenialCode.TOTAL_EXPOSURE
        assert denied.message == (
            "all positions would hold 200.00 of margin, the limit is 200.00 (20 % of the equity)"
        )
        assert denied.numbers == {"margin": 200 + UNIT, "limit": 200}

    @pytest.mark.parametrize(
        ("ambiguous", "until", "is_free"),
        [
            (False, NOW - DAY, False),
            (True, NOW + SECOND, False),
            (True, NOW, True),  # expired: the capital is free again, the pair is not
        ],
    )
    def test_counts_reservations_that_hold_capital(self, ambiguous, until, is_free):
        doubt = make_reservation(
            SOL, bot="beta", margin="60", ambiguous=ambiguous, capital_until=until
        )
        book = make_book(make_position(ETH, margin="100"), reservations=(doubt,))
        decision = decide(book, make_request(margin=40 + UNIT))
        assert code_of(decision) is (None if is_free else DenialCode.TOTAL_EXPOSURE)

    def test_is_measured_against_fresh_accounts_only(self):
        stale = make_track("5000", account="old", updated_at=NOW - MAX_AGE - SECOND)
        book = make_book(tracks=(make_track("1000"), stale))
        assert code_of(decide(book, make_request(margin=50 + UNIT))) is DenialCode.POSITION_SIZE


class TestTheNumberOfPositions:
    def held(self, count):
        bots = ("alpha", "beta", "gamma", "delta")
        pairs = (ETH, SOL, XRP, BTC)
        return [
            make_position(pair, bot=bot, margin="10")
            for pair, bot in list(zip(pairs, bots, strict=True))[:count]
        ]

    def test_may_be_three(self):
        assert isinstance(decide(make_book(*self.held(2))), Approved)

    def test_may_not_be_four_whoever_holds_them(self):
        denied = decide(make_book(*self.held(3)))

        assert denied.code is DenialCode.POSITION_COUNT
        assert denied.message == "3 positions are open, the limit is 3"
        assert denied.numbers == {"open": 3, "limit": 3}

    def test_counts_reservations(self):
        pending = make_reservation(XRP, bot="gamma")
        book = make_book(*self.held(2), reservations=(pending,))
        assert code_of(decide(book)) is DenialCode.POSITION_COUNT

    def test_counts_a_position_and_the_reservation_to_add_to_it_once(self):
        pending = make_reservation(SOL, bot="beta", margin="5", is_addition=True)
        book = make_book(*self.held(2), reservations=(pending,))
        assert isinstance(decide(book), Approved)

    def test_leaves_room_to_add_to_a_position(self):
        book = make_book(*self.held(3))
        addition = make_request(ETH, margin="5", is_addition=True)
        assert isinstance(decide(book, addition), Approved)

    def test_leaves_no_room_to_add_to_a_position_that_has_closed(self):
        book = make_book(*self.held(3))
        addition = make_request(BTC, margin="5", is_addition=True)
        assert code_of(decide(book, addition)) is DenialCode.POSITION_COUNT


class TestAPair:
    def test_is_held_once_across_bots(self):
        book = make_book(make_position(BTC, bot="beta", margin="10"))

        denied = decide(book)

        assert denied.code is DenialCode.SYMBOL_LIMIT
        assert denied.message == f"{BTC} is held by beta; the limit is 1 per symbol"
        assert denied.numbers == {"held": 1, "limit": 1}

    def test_is_held_once_by_one_bot(self):
        assert code_of(decide(make_book(make_position(BTC)))) is DenialCode.SYMBOL_LIMIT

    def test_may_be_added_to_by_its_holder_alone(self):
        book = make_book(make_position(BTC, margin="10"))
        mine, other = (
            make_request(bot=bot, margin="10", is_addition=True) for bot in ("alpha", "beta")
        )
        assert isinstance(decide(book, mine), Approved)
        assert code_of(decide(book, other)) is DenialCode.SYMBOL_LIMIT

    def test_may_be_held_as_often_as_the_limit_says(self):
        holders = [make_position(BTC, bot=bot, margin="10") for bot in ("beta", "gamma")]
        limits = {"max_positions_per_symbol": 2}
        assert isinstance(decide(make_book(holders[0]), **limits), Approved)
        assert code_of(decide(make_book(*holders), **limits)) is DenialCode.SYMBOL_LIMIT

    def test_that_another_bot_has_reserved_is_held(self):
        book = make_book(reservations=(make_reservation(BTC, bot="beta"),))
        assert code_of(decide(book)) is DenialCode.SYMBOL_LIMIT

    def test_that_this_bot_has_reserved_is_in_doubt(self):
        # Its own order has not become a trade: to send another might double it.
        book = make_book(reservations=(make_reservation(BTC, at=NOW - 5 * SECOND),))
        for is_addition in (False, True):
            denied = decide(book, make_request(is_addition=is_addition))
            assert denied.code is DenialCode.AMBIGUOUS_ORDER
            assert denied.message == (
                "the order that alpha sent at 11:59:55 UTC has no known outcome"
            )

    @pytest.mark.parametrize("bot", ["alpha", "beta"])
    @pytest.mark.parametrize("until", [NOW + DAY, NOW - DAY])
    def test_with_an_order_in_doubt_is_closed_for_all_even_when_the_capital_is_free(
        self, bot, until
    ):
        doubt = make_reservation(BTC, bot="beta", ambiguous=True, capital_until=until)
        book = make_book(reservations=(doubt,))
        assert code_of(decide(book, make_request(bot=bot))) is DenialCode.AMBIGUOUS_ORDER

    def test_beside_one_with_an_order_in_doubt_is_open(self):
        doubt = make_reservation(ETH, ambiguous=True)
        assert isinstance(decide(make_book(reservations=(doubt,))), Approved)

    @pytest.mark.parametrize("code", ["AMBIGUOUS_ORDER", "POSITION_DRIFT"])
    def test_that_is_fenced_is_closed(self, code):
        fence = Fence(BTC, code, "the venue holds 0.2", "beta", NOW - HOUR)

        denied = decide(make_book(fences={BTC: fence}))

        assert denied == Denied(DenialCode(code), "the venue holds 0.2")
        assert isinstance(decide(make_book(fences={BTC: fence}), make_request(ETH)), Approved)

    def test_that_drifts_in_any_account_is_closed(self):
        drift = DriftMark("other", BTC, "NO_STOP", "long 2, stop 0", NOW, NOW, confirmed=False)

        denied = decide(make_book(drifts=(drift,)))

        assert denied == Denied(DenialCode.POSITION_DRIFT, "NO_STOP: long 2, stop 0")
        assert isinstance(decide(make_book(drifts=(drift,)), make_request(ETH)), Approved)

    def test_is_closed_with_all_others_while_an_account_can_not_be_compared(self):
        mark = DriftMark("other", ALL_PAIRS, "EMPTY_ACCOUNT", "0", NOW, NOW, confirmed=True)

        for pair in (BTC, ETH):
            denied = decide(make_book(drifts=(mark,)), make_request(pair))
            assert denied == Denied(DenialCode.POSITION_DRIFT, "EMPTY_ACCOUNT: 0")


class TestASetup:
    @pytest.mark.parametrize(
        ("confidence", "is_enough"),
        [(40.0, True), (39.999, False), (float("nan"), False), (-1.0, False), (100.0, True)],
    )
    def test_needs_the_least_confidence(self, confidence, is_enough):
        decision = decide(make_book(), make_request(confidence=confidence))
        assert code_of(decision) is (None if is_enough else DenialCode.MIN_CONFIDENCE)

    def test_that_is_too_weak_says_the_numbers(self):
        denied = decide(make_book(), make_request(confidence=12.0))
        assert denied.message == "confidence 12 is below 40"
        assert denied.numbers == {"confidence": 12.0, "limit": 40.0}

    def test_may_lose_its_share_at_the_stop_and_no_unit_more(self):
        assert isinstance(decide(make_book(), make_request(loss="10")), Approved)

        denied = decide(make_book(), make_request(loss=10 + UNIT))

        assert denied.code is DenialCode.RISK_PER_TRADE
        assert denied.message == (
            "the stop would cost 10.00, the limit is 10.00 (1 % of the equity)"
        )
        assert denied.numbers == {"loss": 10 + UNIT, "limit": 10}


class TestABetOfPairsThatMoveTogether:
    HELD = make_book(make_position(ETH, margin="50", leverage=4))
    ONE = together(BTC, ETH, SOL)

    def ask(self, margin, book=HELD, view=ONE, side=1, **options):
        request = make_request(margin=margin, leverage=2, side=side, **options)
        return decide(book, request, view, **WIDE)

    def test_may_be_its_share_and_no_unit_more(self):
        assert isinstance(self.ask("50"), Approved)

        denied = self.ask(50 + UNIT)

        assert denied.code is DenialCode.CORRELATED_EXPOSURE
        assert denied.message == (
            f"{BTC}, {ETH} move together and would be a bet of 300.00, the limit is 300.00 "
            "(30 % of the equity)"
        )
        assert denied.numbers == {"notional": 300 + 2 * UNIT, "limit": 300}

    def test_of_pairs_apart_is_each_its_own(self):
        assert isinstance(self.ask("150", view=APART), Approved)
        assert self.ask(150 + UNIT, view=APART).code is DenialCode.CORRELATED_EXPOSURE

    def test_is_offset_by_a_hedge_until_it_is_as_large_the_other_way(self):
        assert isinstance(self.ask("250", side=-1), Approved)  # 200 - 500
        assert self.ask(250 + UNIT, side=-1).code is DenialCode.CORRELATED_EXPOSURE

    def test_is_offset_by_a_pair_that_moves_against_it(self):
        view = together(ETH, against=(BTC,))
        assert isinstance(self.ask("250", view=view), Approved)
        assert isinstance(self.ask("50", view=view, side=-1), Approved)
        assert self.ask(50 + UNIT, view=view, side=-1).code is DenialCode.CORRELATED_EXPOSURE

    @pytest.mark.parametrize("side", [1, -1])
    @pytest.mark.parametrize(
        "view",
        [frustrated(BTC, ETH), CorrelationView.unknown(), alone(BTC), alone(ETH)],
        ids=["undecided", "all unknown", "held unknown", "asked unknown"],
    )
    def test_is_gross_where_nobody_knows_the_directions(self, view, side):
        assert isinstance(self.ask("50", view=view, side=side), Approved)
        denied = self.ask(50 + UNIT, view=view, side=side)
        assert denied.code is DenialCode.CORRELATED_EXPOSURE

    def test_that_is_too_large_already_takes_no_hedge_of_any_size(self):
        book = make_book(make_position(ETH, margin="101", leverage=3))
        for margin in (UNIT, "1", "150"):
            denied = self.ask(margin, book=book, side=-1)
            assert denied.code is DenialCode.CORRELATED_EXPOSURE

    def test_that_is_too_large_elsewhere_takes_no_entry_of_another_pair(self):
        book = make_book(make_position(ETH, margin="101", leverage=3))
        assert self.ask("1", book=book, view=APART).code is DenialCode.CORRELATED_EXPOSURE

    def test_is_netted_across_bots_in_one_pair(self):
        book = make_book(
            make_position(BTC, bot="beta", margin="100", leverage=3),
            make_position(BTC, bot="gamma", side=-1, margin="50", leverage=3),
        )
        decision = make_manager(**WIDE).check_correlation_limits(
            book, make_request(margin="75", leverage=2), self.ONE
        )
        assert decision is None


class TestTheTradingState:
    @pytest.mark.parametrize("state", [TradingState.REDUCING, TradingState.HALTED])
    def test_other_than_active_denies_everything(self, state):
        change = StateChange(state, "news", "anna", NOW)
        denied = decide(make_book(state=change))
        assert denied == Denied(DenialCode(state.value), "set by anna: news")

    def test_without_a_reason_says_so(self):
        denied = decide(make_book(state=StateChange(TradingState.HALTED)))
        assert denied.message == "set by ?: no reason given"


class TestTheDailyLoss:
    def lost(self, amount, at=NOW, **fields):
        track = make_track(1000 - Decimal(amount), day_start_equity="1000", updated_at=at)
        return make_book(tracks=(track,), at=at, **fields)

    def test_denies_at_its_limit(self):
        assert isinstance(decide(self.lost(30 - UNIT), make_request(margin="10")), Approved)

        denied = decide(self.lost(30))

        assert denied.code is DenialCode.DAILY_LOSS
        assert denied.message == "today's loss is 3.00 % of 1000.00, the limit is 3 %"
        assert denied.numbers == {"loss": 30, "base": 1000}

    def test_is_over_at_midnight_utc(self):
        before = self.lost(30, at=MIDNIGHT - SECOND, daily_loss_on=date(2026, 11, 23))
        after = make_book(
            tracks=before.tracks, at=MIDNIGHT, daily_loss_on=date(2026, 11, 23), equity="970"
        )
        request = make_request(margin="10")
        assert code_of(decide(before, request)) is DenialCode.DAILY_LOSS
        assert isinstance(decide(after, request), Approved)

    def test_once_reached_holds_all_day_even_if_the_market_comes_back(self):
        for at, code in (
            (MIDNIGHT - SECOND, DenialCode.DAILY_LOSS),
            (MIDNIGHT, None),
        ):
            book = make_book(at=at, daily_loss_on=date(2026, 11, 23))
            assert code_of(decide(book)) is code

    def test_that_was_reached_earlier_says_so(self):
        denied = decide(make_book(daily_loss_on=NOW.date()))
        assert denied.message == "the limit of 3 % was reached earlier today"

    @pytest.mark.parametrize("hours", [-11, 9, 14])
    def test_goes_by_utc_whatever_zone_the_clock_is_in(self, hours):
        zone = timezone(timedelta(hours=hours))
        for at, code in ((MIDNIGHT - SECOND, DenialCode.DAILY_LOSS), (MIDNIGHT, None)):
            book = make_book(at=at.astimezone(zone), daily_loss_on=date(2026, 11, 23))
            assert code_of(decide(book)) is code

    def test_is_hidden_neither_by_a_deposit_nor_by_a_lost_database(self):
        deposit = make_track("1970", day_start_equity="1000", profit="-30", day_start_profit="0")
        database = make_track("970", day_start_equity="1000", profit="0", day_start_profit="0")
        for track in (deposit, database):
            assert code_of(decide(make_book(tracks=(track,)))) is DenialCode.DAILY_LOSS

    def test_is_known_after_a_restart(self):
        track = AccountTrack.start("wallet", Decimal(1000), Decimal(0), NOW - 2 * HOUR)
        track = track.update(Decimal(985), Decimal(-15), NOW - HOUR)

        # A new process has only what was stored, and goes on from there.
        stored = pickle.loads(pickle.dumps(track))  # noqa: S301  # our own bytes
        track = stored.update(Decimal(970), Decimal(-30), NOW)

        assert code_of(decide(make_book(tracks=(track,)))) is DenialCode.DAILY_LOSS

    def test_of_a_day_that_began_without_money_denies_after_any_loss(self):
        # A deposit came during the day: there is no share of nothing.
        track = make_track("900", day_start_equity="0", profit="-100", day_start_profit="0")
        denied = decide(make_book(tracks=(track,)))
        assert denied.code is DenialCode.DAILY_LOSS
        assert denied.message == "today's loss is 100.00 of 0.00, the limit is 3 %"


class TestTheDrawdown:
    def below(self, amount, peak=1000, **fields):
        equity = peak - Decimal(amount)
        return make_book(tracks=(make_track(equity, peak=peak),), **fields)

    def test_denies_at_its_limit(self):
        assert isinstance(decide(self.below(200 - UNIT), make_request(margin="10")), Approved)

        denied = decide(self.below(200))

        assert denied.code is DenialCode.DRAWDOWN
        assert denied.message == ("equity is 20.00 % below its peak of 1000.00, the limit is 20 %")
        assert denied.numbers == {"drawdown": 200, "peak": 1000}

    def test_counts_open_profit_that_has_melted(self):
        track = AccountTrack.start("wallet", Decimal(1000), Decimal(0), NOW - 3 * DAY)
        track = track.update(Decimal(1300), Decimal(300), NOW - 2 * DAY)  # nothing was closed
        track = track.update(Decimal(1040), Decimal(40), NOW - DAY).update(
            Decimal(1040), Decimal(40), NOW
        )
        assert code_of(decide(make_book(tracks=(track,)))) is DenialCode.DRAWDOWN

    def test_counts_accounts_that_nobody_reports_any_more(self):
        gone = make_track("0", peak="1000", account="gone", updated_at=NOW - DAY)
        book = make_book(tracks=(make_track("1000"), gone))
        assert code_of(decide(book)) is DenialCode.DRAWDOWN

    def test_is_over_when_a_person_has_looked(self):
        (track,) = self.below(200).tracks
        book = make_book(tracks=(track.rebase_peak(),))
        assert isinstance(decide(book, make_request(margin="10")), Approved)

    def test_of_an_account_that_never_had_money_is_total(self):
        track = make_track("-5", peak="0", day_start_equity="-5")
        denied = decide(make_book(tracks=(track,)))
        assert denied.code is DenialCode.DRAWDOWN
        assert "equity is 5.00 below its peak of 0.00" in denied.message


class TestReports:
    def test_of_a_bot_with_positions_must_be_fresh(self):
        bots = {"beta": make_status("beta", reported_at=NOW - MAX_AGE - SECOND)}
        book = make_book(make_position(ETH, bot="beta", margin="10"), bots=bots)

        denied = decide(book)

        assert denied.code is DenialCode.STALE_DATA
        assert denied.message == (
            "beta holds positions and has not reported for 120 s: start it, or "
            "`fractal risk forget beta`"
        )

    def test_of_a_bot_without_positions_may_be_missing(self):
        bots = {"beta": make_status("beta", reported_at=NOW - DAY)}
        assert isinstance(decide(make_book(bots=bots)), Approved)

    @pytest.mark.parametrize(
        "tracks",
        [
            (),
            (make_track("0"),),
            (make_track("1000", updated_at=NOW - MAX_AGE - SECOND),),
        ],
        ids=["none", "no money", "stale"],
    )
    def test_of_money_must_be_there(self, tracks):
        denied = decide(make_book(tracks=tracks))
        assert denied.code is DenialCode.STALE_DATA
        assert denied.message == "no account has reported any money within 120 s"


def test_the_first_reason_that_applies_is_given():
    # Everything is wrong at once; mended one by one, the next reason shows.
    lost = make_track("700", peak="1000", day_start_equity="1000")
    lost_today = make_track("960", peak="1000", day_start_equity="1000")
    silent = {"beta": make_status("beta", reported_at=NOW - DAY)}
    fence = {BTC: Fence(BTC, "POSITION_DRIFT", "0.2 too much", "beta", NOW)}
    held = [make_position(pair, bot="beta", margin="100") for pair in (BTC, ETH, SOL)]
    request = make_request(BTC, confidence=1.0, loss="20", margin="60")
    halted = StateChange(TradingState.HALTED, "why", "anna", NOW)
    everything = {"tracks": (lost,), "state": halted, "bots": silent, "fences": fence}
    steps = [
        ("DRAWDOWN", {}),
        ("HALTED", {"tracks": (lost_today,)}),
        ("DAILY_LOSS", {"state": StateChange()}),
        ("STALE_DATA", {"tracks": (make_track("1000"),)}),
        ("POSITION_DRIFT", {"bots": {"beta": make_status("beta")}}),
        ("SYMBOL_LIMIT", {"fences": {}}),
    ]
    found, fields = [], dict(everything)
    for _, mended in steps:
        fields |= mended
        found.append(code_of(decide(make_book(*held, **fields), request)))
    assert found == [code for code, _ in steps]

    fields["bots"] = fields["bots"] | {"alpha": make_status()}
    others = [*held[1:], make_position(XRP, bot="beta", margin="100")]
    for code, positions, changes in (
        ("MIN_CONFIDENCE", others, {}),
        ("RISK_PER_TRADE", others, {"confidence": 80.0}),
        ("POSITION_COUNT", others, {"confidence": 80.0, "loss": "5"}),
        ("POSITION_SIZE", others[:2], {"confidence": 80.0, "loss": "5"}),
        ("TOTAL_EXPOSURE", others[:2], {"confidence": 80.0, "loss": "5", "margin": "50"}),
    ):
        request = make_request(BTC, **({"confidence": 1.0, "loss": "20", "margin": "60"} | changes))
        assert code_of(decide(make_book(*positions, **fields), request)) == code
    book = make_book(others[0], **fields)
    request = make_request(BTC, margin="50", leverage=7)
    assert code_of(decide(book, request)) is DenialCode.CORRELATED_EXPOSURE


class TestAvailableRisk:
    def test_of_an_empty_book_is_every_limit_in_full(self):
        available = make_manager().get_available_risk(make_book())
        assert (available.margin, available.positions, available.risk) == (200, 3, 10)
        assert available.blocked_by is None

    def test_is_what_positions_and_reservations_leave(self):
        pending = make_reservation(ETH, bot="beta", margin="30")
        book = make_book(make_position(BTC, margin="50"), reservations=(pending,))
        available = make_manager().get_available_risk(book)
        assert (available.margin, available.positions, available.risk) == (120, 1, 10)

    def test_is_never_below_nothing(self):
        held = [make_position(pair, margin="100") for pair in (BTC, ETH, SOL, XRP)]
        available = make_manager().get_available_risk(make_book(*held))
        assert (available.margin, available.positions) == (0, 0)

    def test_is_nothing_while_entries_are_blocked(self):
        book = make_book(state=StateChange(TradingState.REDUCING, "news", "anna", NOW))
        available = make_manager().get_available_risk(book)
        assert (available.margin, available.positions, available.risk) == (0, 0, 0)
        assert available.blocked_by.code is DenialCode.REDUCING


class TestTheLargestMargin:
    @pytest.mark.parametrize(
        ("book", "leverage", "margin", "code"),
        [
            (make_book(), 3, "50", DenialCode.POSITION_SIZE),
            (make_book(), 10, "30", DenialCode.CORRELATED_EXPOSURE),  # 300 of notional
            (
                make_book(make_position(ETH, margin="160", leverage=1)),
                3,
                "40",
                DenialCode.TOTAL_EXPOSURE,
            ),
            (
                make_book(make_position(ETH, margin="300", leverage=1)),
                3,
                "0",
                DenialCode.TOTAL_EXPOSURE,
            ),
        ],
    )
    def test_is_what_the_tightest_limit_leaves(self, book, leverage, margin, code):
        request = make_request(margin=UNIT, leverage=leverage)
        assert make_manager().largest_margin(book, request, APART) == (Decimal(margin), code)

    @pytest.mark.parametrize(
        ("view", "side", "room"),
        [
            (APART, 1, 300),
            (together(BTC, ETH), 1, 240),
            (together(BTC, ETH), -1, 360),
            (together(BTC, against=(ETH,)), 1, 360),
            (frustrated(BTC, ETH), 1, 240),
            (frustrated(BTC, ETH), -1, 240),
            (alone(ETH), 1, 240),  # the pair itself is unknown
            (alone(BTC), 1, 240),  # the other one is
            (CorrelationView.unknown(), -1, 240),
        ],
    )
    def test_goes_by_the_room_beside_pairs_that_move_together(self, view, side, room):
        book = make_book(make_position(ETH, margin="20", leverage=3))
        request = make_request(side=side)
        assert make_manager().correlated_room(book, request, view) == room

    @pytest.mark.parametrize("view", [APART, frustrated(BTC, ETH), CorrelationView.unknown()])
    @pytest.mark.parametrize(("side", "room"), [(1, 210), (-1, 390)])
    def test_lets_a_pair_offset_itself_whatever_is_known_of_it(self, view, side, room):
        book = make_book(make_position(BTC, bot="beta", margin="30", leverage=3))
        request = make_request(side=side)
        assert make_manager().correlated_room(book, request, view) == room

    def test_is_nothing_where_a_bet_is_too_large_already(self):
        book = make_book(make_position(ETH, margin="101", leverage=3))
        request = make_request(side=-1)
        assert make_manager().correlated_room(book, request, together(BTC, ETH)) == 0
