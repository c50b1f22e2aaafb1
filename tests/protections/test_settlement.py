"""What a bot's report changes: reservations and equity."""

from decimal import Decimal

import pytest

from fractal_protections.portfolio.ledger import Patience
from fractal_protections.portfolio.settlement import settle, status_of, track_account
from tests.protections.books import (
    BTC,
    DAY,
    ETH,
    HOUR,
    NOW,
    SECOND,
    make_position,
    make_report,
    make_reservation,
    make_status,
    make_track,
)

VENUE = Patience(pending_before=NOW - 30 * SECOND, orders_are_local=False)
LOCAL = Patience(pending_before=NOW - 30 * SECOND, orders_are_local=True)
WAITED = NOW - 31 * SECOND


def outcome(reservation, *positions, patience=VENUE, bot="alpha"):
    settlement = settle([reservation], make_report(*positions, bot=bot), patience)
    groups = ("matched", "released", "ambiguous")
    found = {name: getattr(settlement, name) for name in groups}
    assert sum(len(group) for group in found.values()) <= 1
    return next((name for name, group in found.items() if group == (reservation,)), None)


@pytest.mark.parametrize("patience", [VENUE, LOCAL])
class TestAReservation:
    @pytest.mark.parametrize("sent_after", [0 * SECOND, SECOND, DAY])
    def test_is_matched_by_a_position_whose_order_is_not_older(self, patience, sent_after):
        held = make_position(BTC, entered_at=WAITED + sent_after)
        assert outcome(make_reservation(BTC, at=WAITED), held, patience=patience) == "matched"

    def test_is_matched_at_once(self, patience):
        held = make_position(BTC, entered_at=NOW)
        assert outcome(make_reservation(BTC, at=NOW), held, patience=patience) == "matched"

    def test_waits_while_it_is_young(self, patience):
        pending = make_reservation(BTC, at=patience.pending_before)
        assert outcome(pending, patience=patience) is None

    def test_of_another_bot_is_none_of_this_bot_s_business(self, patience):
        other = make_reservation(BTC, bot="beta", at=WAITED)
        held = make_position(BTC, entered_at=NOW)
        assert outcome(other, held, patience=patience) is None

    def test_is_matched_late_even_if_it_was_in_doubt(self, patience):
        doubtful = make_reservation(BTC, at=NOW - DAY, ambiguous=True)
        held = make_position(BTC, entered_at=NOW - DAY + SECOND)
        assert outcome(doubtful, held, patience=patience) == "matched"

    def test_stays_in_doubt_until_somebody_answers(self, patience):
        doubtful = make_reservation(BTC, at=NOW - DAY, ambiguous=True)
        assert outcome(doubtful, patience=patience) is None


@pytest.mark.parametrize(("patience", "end"), [(VENUE, "ambiguous"), (LOCAL, "released")])
class TestAReservationThatHasWaited:
    def test_ends_by_where_its_order_would_be(self, patience, end):
        assert outcome(make_reservation(BTC, at=WAITED), patience=patience) == end

    def test_is_not_matched_by_an_older_order(self, patience, end):
        # The position was there already; the addition that was reserved has not arrived.
        held = make_position(BTC, entered_at=WAITED - SECOND / 1_000_000)
        addition = make_reservation(BTC, at=WAITED, is_addition=True)
        assert outcome(addition, held, patience=patience) == end

    def test_is_not_matched_by_another_pair(self, patience, end):
        held = make_position(ETH, entered_at=NOW)
        assert outcome(make_reservation(BTC, at=WAITED), held, patience=patience) == end


def test_several_reservations_are_settled_each_on_its_own():
    filled = make_reservation(BTC, name="filled", at=WAITED)
    lost = make_reservation(ETH, name="lost", at=WAITED)
    other = make_reservation(ETH, name="other", bot="beta", at=WAITED)
    report = make_report(make_position(BTC, entered_at=NOW))

    settlement = settle([other, lost, filled], report, VENUE)

    assert settlement.matched == (filled,)
    assert settlement.ambiguous == (lost,)
    assert settlement.released == ()


def test_a_status_is_the_report_without_its_positions():
    clusters = ({BTC: 1, ETH: 1},)
    report = make_report(make_position(), balance="900", open_profit="7", clusters=clusters)

    status = status_of(report)

    assert (status.bot, status.account, status.reported_at) == ("alpha", "wallet", NOW)
    assert (status.balance, status.realised_profit, status.open_profit) == (900, 0, 7)
    assert status.clusters == clusters


class TestAnAccount:
    def test_begins_with_its_first_report(self):
        report = make_report(balance="1000", realised="10", open_profit="-4")

        track = track_account(None, {"alpha": status_of(report)}, report)

        assert (track.account, track.equity, track.profit) == ("wallet", 996, 6)
        assert (track.peak_equity, track.day_start_equity, track.day_start_profit) == (996, 996, 6)

    def test_of_two_bots_has_one_balance_and_both_open_profits(self):
        report = make_report(balance="1000", realised="10", open_profit="-4")
        bots = {
            "alpha": status_of(report),
            "beta": make_status("beta", balance="1111", realised="3", open_profit="20"),
            "elsewhere": make_status("elsewhere", account="paper", open_profit="500"),
        }

        track = track_account(make_track("1000", updated_at=NOW - HOUR), bots, report)

        assert track.equity == Decimal(1000 - 4 + 20)
        assert track.profit == Decimal(10 - 4 + 3 + 20)
        assert track.updated_at == NOW

    def test_goes_on_from_its_marks(self):
        before = make_track("1200", updated_at=NOW - HOUR)
        report = make_report(balance="1000")

        track = track_account(before, {"alpha": status_of(report)}, report)

        assert (track.peak_equity, track.day_start_equity) == (1200, 1200)
