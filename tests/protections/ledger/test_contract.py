"""What every kind of ledger does, whether it writes or not."""

import json
from dataclasses import replace
from datetime import timedelta, timezone
from decimal import Decimal

import pytest

from fractal_protections.portfolio.book import Book, Fence, StateChange, TradingState
from fractal_protections.portfolio.decisions import Approved, Decision, DenialCode, Denied
from fractal_protections.portfolio.ledger import Ledger, Patience
from tests.protections.ledger.specimens import (
    BTC,
    DAY,
    ETH,
    NOW,
    SECOND,
    WAITS,
    approve,
    closed,
    position,
    report,
    request,
    slots,
)

UNTIL = NOW + DAY
KATHMANDU = timezone(timedelta(hours=5, minutes=45))


def kinds(ledger: Ledger) -> list[str]:
    return [event.kind for event in ledger.events()]


def test_a_new_ledger_is_empty(ledger: Ledger) -> None:
    assert ledger.book(NOW) == Book(at=NOW)
    assert ledger.events() == ()
    assert ledger.closed_trades(5) == ()
    assert ledger.denials(5) == ()


# reservations


def test_an_approved_entry_is_reserved(ledger: Ledger) -> None:
    decision, reservation = ledger.reserve(request(), approve, UNTIL)

    assert decision == Approved(Decimal(10))
    assert reservation is not None
    assert (reservation.request, reservation.ambiguous) == (request(), False)
    assert reservation.capital_until == UNTIL
    assert ledger.book(NOW).reservations == (reservation,)
    (event,) = ledger.events()
    assert (event.kind, event.bot, event.pair, event.at) == ("reserved", "alpha", BTC, NOW)
    assert json.loads(event.detail)["margin"] == "10.00000001"


def test_a_denied_entry_leaves_nothing(ledger: Ledger) -> None:
    decision, reservation = ledger.reserve(request(), slots(0), UNTIL)

    assert isinstance(decision, Denied)
    assert reservation is None
    assert ledger.book(NOW) == Book(at=NOW)
    assert ledger.events() == ()


def test_the_judge_sees_the_book_at_the_requests_time(ledger: Ledger) -> None:
    ledger.report(report("beta", NOW, position("beta")), WAITS)
    ledger.reserve(request(pair=ETH), approve, UNTIL)
    seen: list[Book] = []

    def judge(book: Book) -> Decision:
        seen.append(book)
        return Denied(DenialCode.HALTED, "no")

    ledger.reserve(request(at=NOW + SECOND), judge, UNTIL)

    assert seen == [ledger.book(NOW + SECOND)]
    assert len(seen[0].exposures()) == 2


@pytest.mark.parametrize("error", [KeyError("judge"), OSError("judge"), KeyboardInterrupt()])
def test_an_error_of_the_judge_goes_out_and_leaves_nothing(
    ledger: Ledger, error: BaseException
) -> None:
    def judge(_book: Book) -> Decision:
        raise error

    with pytest.raises(type(error)) as raised:
        ledger.reserve(request(), judge, UNTIL)

    assert raised.value is error
    assert ledger.book(NOW) == Book(at=NOW)
    assert ledger.reserve(request(), approve, UNTIL)[1] is not None


def test_every_reservation_has_its_own_id(ledger: Ledger) -> None:
    ids = {ledger.reserve(request(), approve, UNTIL)[1] for _ in range(3)}

    assert len({reservation.id for reservation in ids if reservation}) == 3


def test_a_position_entered_after_the_reservation_matches_it(ledger: Ledger) -> None:
    ledger.reserve(request(), approve, UNTIL)

    book = ledger.report(report("alpha", NOW + SECOND, position(entered_at=NOW)), WAITS)

    assert book.reservations == ()
    assert book.positions == (position(entered_at=NOW),)
    assert book == ledger.book(NOW + SECOND)
    assert kinds(ledger) == ["reserved", "matched", "positions"]


@pytest.mark.parametrize(
    "other",
    [
        position(entered_at=NOW - SECOND),
        position(pair=ETH),
        position(bot="alpha", pair="BTC/USDT:USDT"),
    ],
)
def test_another_position_does_not_match_the_reservation(ledger: Ledger, other) -> None:
    _, reservation = ledger.reserve(request(), approve, UNTIL)

    book = ledger.report(report("alpha", NOW + SECOND, other), WAITS)

    assert book.reservations == (reservation,)
    assert book == ledger.book(NOW + SECOND)


def test_another_bots_report_does_not_touch_the_reservation(ledger: Ledger) -> None:
    _, reservation = ledger.reserve(request(), approve, UNTIL)
    impatient = Patience(NOW + DAY, orders_are_local=True)

    book = ledger.report(report("beta", NOW + SECOND, position("beta")), impatient)

    assert book.reservations == (reservation,)


def test_a_local_order_that_never_came_is_released(ledger: Ledger) -> None:
    ledger.reserve(request(), approve, UNTIL)

    book = ledger.report(report(at=NOW + DAY), Patience(NOW + SECOND, orders_are_local=True))

    assert book.reservations == ()
    assert book == ledger.book(NOW + DAY)
    assert kinds(ledger) == ["reserved", "released"]


def test_a_venues_order_that_never_came_becomes_ambiguous_once(ledger: Ledger) -> None:
    _, reservation = ledger.reserve(request(), approve, UNTIL)
    assert reservation is not None
    ledger.reserve(request(pair=ETH, at=NOW + 2 * SECOND), approve, UNTIL)
    impatient = Patience(NOW + SECOND, orders_are_local=False)

    for _ in range(2):
        book = ledger.report(report(at=NOW + 2 * SECOND), impatient)

    assert [held.ambiguous for held in book.reservations] == [True, False]
    assert book.reservations[0] == replace(reservation, ambiguous=True)
    assert book == ledger.book(NOW + 2 * SECOND)
    assert kinds(ledger) == ["reserved", "reserved", "ambiguous"]


def test_an_ambiguous_reservation_holds_capital_until_its_time_and_the_pair_beyond(
    ledger: Ledger,
) -> None:
    ledger.reserve(request(), approve, UNTIL)
    ledger.report(report(at=NOW + SECOND), Patience(NOW + SECOND, orders_are_local=False))

    assert len(ledger.book(UNTIL - SECOND).exposures()) == 1
    assert ledger.book(UNTIL).exposures() == ()
    assert len(ledger.book(UNTIL).reservations) == 1


def test_a_released_reservation_is_gone_and_its_reason_noted(ledger: Ledger) -> None:
    _, reservation = ledger.reserve(request(), approve, UNTIL)
    assert reservation is not None

    for _ in range(2):
        ledger.release(reservation.id, "order rejected", NOW + SECOND)

    assert ledger.book(NOW).reservations == ()
    assert kinds(ledger) == ["reserved", "released"]
    assert json.loads(ledger.events()[-1].detail) == {"reason": "order rejected"}


# reports


def test_positions_stay_in_the_order_of_their_report(ledger: Ledger) -> None:
    held = (position(pair=ETH), position(pair=BTC))

    ledger.report(report("alpha", NOW, *held), WAITS)

    assert ledger.book(NOW).positions == held


def test_unchanged_positions_are_noted_once_and_changed_ones_again(ledger: Ledger) -> None:
    for at in (NOW, NOW + SECOND):
        ledger.report(report("alpha", at, position()), WAITS)
    assert kinds(ledger) == ["positions"]

    ledger.report(report("alpha", NOW + 2 * SECOND, position(margin="20")), WAITS)
    ledger.report(report("alpha", NOW + 3 * SECOND), WAITS)

    assert kinds(ledger) == ["positions"] * 3
    assert ledger.book(NOW).positions == ()


def test_a_bots_report_leaves_the_positions_of_others(ledger: Ledger) -> None:
    ledger.report(report("beta", NOW, position("beta")), WAITS)

    book = ledger.report(report("alpha", NOW, position("alpha", ETH)), WAITS)

    assert {held.bot for held in book.positions} == {"alpha", "beta"}
    assert set(ledger.book(NOW).positions) == set(book.positions)


def test_two_bots_of_one_account_share_its_balance_and_add_their_profit(ledger: Ledger) -> None:
    ledger.report(report("alpha", NOW, realised="5", open_profit="-20"), WAITS)
    book = ledger.report(
        report("beta", NOW + SECOND, balance="1001.5", realised="1", open_profit="7"), WAITS
    )

    (track,) = book.tracks
    assert track.equity == Decimal("988.5")
    assert track.profit == Decimal(-7)
    assert track.peak_equity == Decimal("988.5")
    assert track.day_start_equity == Decimal(980)
    assert book == ledger.book(NOW + SECOND)
    assert set(book.bots) == {"alpha", "beta"}
    assert book.bots["beta"].balance == Decimal("1001.5")


def test_each_account_has_its_own_track(ledger: Ledger) -> None:
    ledger.report(report("alpha", account="one"), WAITS)
    book = ledger.report(report("beta", account="two", balance="50"), WAITS)

    assert {track.account: track.equity for track in book.tracks} == {"one": 1000, "two": 50}


def test_the_days_marks_move_at_midnight(ledger: Ledger) -> None:
    ledger.report(report(at=NOW, balance="1000"), WAITS)
    book = ledger.report(report(at=NOW + DAY, balance="900"), WAITS)

    (track,) = book.tracks
    assert track.day == (NOW + DAY).date()
    assert (track.day_start_equity, track.peak_equity, track.equity) == (1000, 1000, 900)
    assert book == ledger.book(NOW + DAY)


def test_a_bots_clusters_are_kept_with_it(ledger: Ledger) -> None:
    clusters = ({BTC: 1, ETH: -1}, {"SOL/USDC:USDC": 1})

    book = ledger.report(replace(report(), clusters=clusters), WAITS)

    assert book.bots["alpha"].clusters == clusters
    assert ledger.book(NOW).bots["alpha"].clusters == clusters


# closed trades


def test_closed_trades_are_remembered_once_and_told_newest_first(ledger: Ledger) -> None:
    old, new = closed(1), closed(2, at=NOW + SECOND, profit="-0.00000001")
    twin = closed(1, bot="beta", at=NOW + 2 * SECOND)

    ledger.record_closed([old, new, new])
    ledger.record_closed([closed(1, profit="99"), twin])
    ledger.record_closed([])

    assert ledger.closed_trades(10) == (twin, new, old)
    assert ledger.closed_trades(1) == (twin,)
    assert [json.loads(event.detail)["trade_id"] for event in ledger.events()] == [1, 2, 1]
    assert json.loads(ledger.events()[1].detail)["profit"] == str(Decimal("-0.00000001"))


def test_many_closed_trades_are_recorded_at_once(ledger: Ledger) -> None:
    trades = [closed(number, at=NOW + number * SECOND) for number in range(1200)]

    ledger.record_closed(trades)
    ledger.record_closed(trades)

    assert ledger.closed_trades(2000) == tuple(reversed(trades))
    assert len(ledger.events()) == 1200


# denials


def test_repeats_of_a_denial_are_counted_per_candle(ledger: Ledger) -> None:
    candle = NOW - SECOND
    first, again = Denied(DenialCode.DRAWDOWN, "21 %"), Denied(DenialCode.DRAWDOWN, "22 %")

    news = [
        ledger.deny("alpha", BTC, 1, first, candle, NOW),
        ledger.deny("alpha", BTC, 1, again, candle, NOW + SECOND),
        ledger.deny("alpha", BTC, 1, first, None, NOW + 2 * SECOND),
        ledger.deny("alpha", BTC, 1, first, None, NOW + 3 * SECOND),
    ]

    without, with_candle = ledger.denials(10)
    assert news == [True, False, True, False]
    assert (with_candle.count, with_candle.message, with_candle.candle) == (2, "21 %", candle)
    assert (with_candle.first_at, with_candle.last_at) == (NOW, NOW + SECOND)
    assert (without.count, without.candle, without.code) == (2, None, DenialCode.DRAWDOWN)


@pytest.mark.parametrize(
    "change",
    [{"bot": "beta"}, {"pair": ETH}, {"side": -1}, {"code": DenialCode.HALTED}, {"candle": NOW}],
)
def test_a_denial_of_another_kind_is_counted_apart(ledger: Ledger, change) -> None:
    def deny(bot="alpha", pair=BTC, side=1, code=DenialCode.DRAWDOWN, candle=None):
        return ledger.deny(bot, pair, side, Denied(code, "no"), candle, NOW)

    assert deny()
    assert deny(**change)
    assert not deny(**change)
    assert len(ledger.denials(10)) == 2


def test_the_denial_that_was_met_last_comes_first(ledger: Ledger) -> None:
    no = Denied(DenialCode.HALTED, "no")
    for seconds, pair in enumerate([BTC, ETH, BTC]):
        ledger.deny("alpha", pair, 1, no, None, NOW + seconds * SECOND)

    assert [denial.pair for denial in ledger.denials(10)] == [BTC, ETH]
    assert [denial.pair for denial in ledger.denials(1)] == [BTC]


# state, losses, peaks


def test_the_state_changes_and_tells_the_one_before(ledger: Ledger) -> None:
    reduced = StateChange(TradingState.REDUCING, "storm", "operator", NOW)

    assert ledger.set_state(TradingState.REDUCING, "storm", "operator", NOW) == StateChange()
    assert ledger.book(NOW).state == reduced
    assert ledger.set_state(TradingState.HALTED, "worse", "guard", NOW + SECOND) == reduced
    assert json.loads(ledger.events()[-1].detail) == {"state": "HALTED", "reason": "worse"}
    assert kinds(ledger) == ["state", "state"]


def test_the_daily_loss_is_marked_once_a_utc_day(ledger: Ledger) -> None:
    assert ledger.mark_daily_loss(NOW)
    assert not ledger.mark_daily_loss(NOW + SECOND)
    assert ledger.book(NOW).daily_loss_on == NOW.date()

    assert ledger.mark_daily_loss(NOW + DAY)
    assert ledger.book(NOW).daily_loss_on == (NOW + DAY).date()


@pytest.mark.parametrize(
    ("peak", "day", "marks"),
    [
        (True, False, (800, 1000, 0)),
        (False, True, (1000, 800, -200)),
        (True, True, (800, 800, -200)),
        (False, False, (1000, 1000, 0)),
    ],
)
def test_rebasing_measures_from_the_present_equity(ledger: Ledger, peak, day, marks) -> None:
    ledger.report(report(), WAITS)
    ledger.report(report(at=NOW + SECOND, balance="800", realised="-200"), WAITS)
    ledger.mark_daily_loss(NOW)

    ledger.rebase(peak=peak, day=day, by="operator:kim", now=NOW + SECOND)

    book = ledger.book(NOW)
    (track,) = book.tracks
    assert (track.peak_equity, track.day_start_equity, track.day_start_profit) == marks
    assert book.daily_loss_on == (None if day else NOW.date())
    assert json.loads(ledger.events()[-1].detail) == {"peak": peak, "day": day}


# fences


def test_a_fence_closes_a_pair_until_it_is_cleared(ledger: Ledger) -> None:
    fence = Fence(BTC, "POSITION_DRIFT", "venue has 2, we have 1", "alpha", NOW)

    assert ledger.fence(fence)
    assert not ledger.fence(replace(fence, reason="again"))
    assert ledger.book(NOW).fences == {BTC: fence}

    assert ledger.clear(BTC, "operator", NOW)
    assert not ledger.clear(BTC, "operator", NOW)
    assert ledger.book(NOW).fences == {}
    assert kinds(ledger) == ["fenced", "cleared"]


def test_clearing_drops_ambiguous_reservations_of_that_pair_only(ledger: Ledger) -> None:
    ledger.reserve(request(), approve, UNTIL)
    ledger.reserve(request(pair=ETH), approve, UNTIL)
    ledger.report(report(at=NOW + SECOND), Patience(NOW + SECOND, orders_are_local=False))
    ledger.reserve(request("beta", at=NOW + SECOND), approve, UNTIL)

    assert ledger.clear(BTC, "operator", NOW)

    assert [(held.request.pair, held.ambiguous) for held in ledger.book(NOW).reservations] == [
        (ETH, True),
        (BTC, False),
    ]


# bots that are gone


def test_a_forgotten_bot_takes_all_its_own_along(ledger: Ledger) -> None:
    ledger.report(report("alpha", NOW, position()), WAITS)
    ledger.reserve(request(pair=ETH), approve, UNTIL)
    ledger.reserve(request("beta", pair=ETH), approve, UNTIL)

    assert ledger.forget("alpha", "operator", NOW)
    assert not ledger.forget("alpha", "operator", NOW)

    book = ledger.book(NOW)
    assert (book.positions, book.tracks, dict(book.bots)) == ((), (), {})
    assert [held.request.bot for held in book.reservations] == ["beta"]
    assert kinds(ledger)[-1] == "forgotten"


def test_a_forgotten_bots_account_stays_while_another_bot_has_it(ledger: Ledger) -> None:
    ledger.report(report("alpha"), WAITS)
    ledger.report(report("beta"), WAITS)

    ledger.forget("alpha", "operator", NOW)
    assert len(ledger.book(NOW).tracks) == 1

    ledger.forget("beta", "operator", NOW)
    assert ledger.book(NOW).tracks == ()


def test_a_forgotten_bot_may_come_back(ledger: Ledger) -> None:
    ledger.report(report("alpha", NOW, position()), WAITS)
    ledger.forget("alpha", "operator", NOW)

    book = ledger.report(report("alpha", NOW, position(), balance="5"), WAITS)

    assert book == ledger.book(NOW)
    assert book.tracks[0].peak_equity == 5


# the journal


def test_the_journal_runs_in_order_and_is_read_from_any_number(ledger: Ledger) -> None:
    for seconds in range(3):
        ledger.set_state(TradingState.ACTIVE, str(seconds), "me", NOW + seconds * SECOND)

    everything = ledger.events()
    assert [json.loads(event.detail)["reason"] for event in everything] == ["0", "1", "2"]
    assert [event.id for event in everything] == sorted({event.id for event in everything})
    for number, event in enumerate(everything, 1):
        assert ledger.events(after=event.id) == everything[number:]
    assert ledger.events(after=-1) == everything


def test_moments_of_other_zones_come_back_in_utc(ledger: Ledger) -> None:
    there = NOW.astimezone(KATHMANDU)
    ledger.fence(Fence(BTC, "POSITION_DRIFT", "", "alpha", there))
    ledger.report(report(at=there), WAITS)

    book = ledger.book(there)
    assert book.fences[BTC].since == NOW
    assert book.tracks[0].updated_at == NOW
    assert book.tracks[0].day == NOW.date()
