"""What today and the way down from the peak have cost."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fractal_protections.portfolio.equity import AccountTrack, daily_loss, drawdown
from tests.protections.books import DAY, HOUR, NOW, SECOND, make_track

MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
TODAY, TOMORROW = date(2026, 11, 23), date(2026, 11, 24)


def start(equity="1000", profit="0", now=NOW):
    return AccountTrack.start("wallet", Decimal(equity), Decimal(profit), now)


def update(track, equity, profit, now):
    return track.update(Decimal(equity), Decimal(profit), now)


class TestTheDay:
    def test_of_a_new_account_begins_with_its_first_report(self):
        track = start("1000", "7")

        assert (track.day, track.day_start_equity, track.day_start_profit) == (TODAY, 1000, 7)
        assert daily_loss((track,), NOW) == (0, 1000)

    def test_ends_at_midnight_utc(self):
        track = update(start(), "970", "-30", MIDNIGHT - SECOND)
        assert daily_loss((track,), MIDNIGHT - SECOND) == (30, 1000)

        track = update(track, "970", "-30", MIDNIGHT)

        assert track.day == TOMORROW
        assert daily_loss((track,), MIDNIGHT) == (0, 970)

    def test_that_is_over_counts_no_loss_before_the_first_report_of_the_new_one(self):
        track = update(start(), "970", "-30", MIDNIGHT - SECOND)
        assert daily_loss((track,), MIDNIGHT) == (0, 970)

    @pytest.mark.parametrize(
        ("equity", "profit", "loss"),
        [
            ("950", "-50", "40"),  # from 990 before midnight: lost while nobody looked, so today
            ("1010", "10", "0"),  # won while nobody looked: the new day begins up there
        ],
    )
    def test_begins_at_the_better_mark_when_the_bot_was_off_over_midnight(
        self, equity, profit, loss
    ):
        track = update(start(), "990", "-10", NOW)

        track = update(track, equity, profit, MIDNIGHT + 9 * HOUR)

        assert daily_loss((track,), MIDNIGHT + 9 * HOUR)[0] == Decimal(loss)

    @pytest.mark.parametrize("hours", [-11, -5, 0, 1, 9, 14])
    def test_is_that_of_utc_whatever_zone_the_clock_is_in(self, hours):
        zone = timezone(timedelta(hours=hours))
        late, midnight = (t.astimezone(zone) for t in (MIDNIGHT - SECOND, MIDNIGHT))

        track = update(start(now=late), "900", "-100", late)

        assert track.day == TODAY
        assert daily_loss((track,), late)[0] == 100
        assert daily_loss((track,), midnight)[0] == 0
        assert update(track, "900", "-100", midnight).day == TOMORROW

    def test_does_not_begin_again_when_a_clock_goes_back_over_midnight(self):
        track = update(start(), "1000", "0", MIDNIGHT)
        track = update(track, "980", "-20", MIDNIGHT - SECOND)
        assert track.day == TOMORROW

        track = update(track, "980", "-20", MIDNIGHT + SECOND)

        assert track.day_start_equity == 1000
        assert daily_loss((track,), MIDNIGHT + SECOND) == (20, 1000)

    def test_can_be_measured_from_here_on(self):
        track = update(start(), "500", "-1", NOW).rebase_day()  # 499 were withdrawn
        assert daily_loss((track,), NOW) == (0, 500)


class TestTheDailyLoss:
    @pytest.mark.parametrize(
        ("equity", "profit", "loss"),
        [
            ("970", "-30", "30"),
            ("1470", "-30", "30"),  # a deposit of 500 hides it from the equity
            ("970", "0", "30"),  # a lost trade database hides it from the profit
            ("970", "400", "30"),
            ("900", "-30", "100"),  # a withdrawal of 70 counts: the safe side
            ("1030", "30", "0"),
        ],
    )
    def test_is_the_worse_of_both_readings(self, equity, profit, loss):
        track = update(start(), equity, profit, NOW)
        assert daily_loss((track,), NOW) == (Decimal(loss), 1000)

    def test_of_two_accounts_adds_up_and_wins_offset(self):
        loser = make_track("960", day_start_equity="1000", profit="-40", day_start_profit="0")
        winner = make_track("515", day_start_equity="500", profit="15", day_start_profit="0")
        assert daily_loss((loser, winner), NOW) == (25, 1500)

    def test_of_one_account_is_not_hidden_by_what_hides_another_s(self):
        # One account lost 100 and had a deposit; the other lost 100 and its database.
        deposit = make_track("1900", day_start_equity="1000", profit="-100", day_start_profit="0")
        database = make_track("900", day_start_equity="1000", profit="0", day_start_profit="0")
        assert daily_loss((deposit, database), NOW)[0] == 200

    def test_of_nobody_is_nothing(self):
        assert daily_loss((), NOW) == (0, 0)


class TestTheDrawdown:
    def test_is_measured_from_the_highest_equity_with_open_profit(self):
        track = update(start(), "1200", "200", NOW)
        track = update(track, "1000", "0", NOW + DAY)
        assert drawdown((track,)) == (200, 1200)

    def test_of_two_accounts_counts_from_the_sum_of_their_peaks(self):
        assert drawdown((make_track("900", peak="1000"), make_track("50", peak="100"))) == (
            150,
            1100,
        )

    def test_is_forgotten_when_a_person_goes_on(self):
        track = update(start(), "700", "-300", NOW).rebase_peak()
        assert drawdown((track,)) == (0, 700)

    def test_of_nobody_is_nothing(self):
        assert drawdown(()) == (0, 0)


amounts = st.integers(0, 2000).map(Decimal)
reports = st.lists(st.tuples(amounts, amounts, st.integers(-90, 60 * 30)), min_size=1, max_size=30)


@settings(max_examples=200, deadline=None)
@given(reports=reports)
def test_marks_only_ever_err_to_the_safe_side(reports):
    now, track = NOW, start()
    highest, newest_day = track.equity, track.day
    for equity, profit, minutes in reports:
        before, now = track, now + timedelta(minutes=minutes)

        track = update(track, equity, profit, now)

        highest, newest_day = max(highest, equity), max(newest_day, now.date())
        assert (track.peak_equity, track.day) == (highest, newest_day)
        assert (track.equity, track.profit, track.updated_at) == (equity, profit, now)
        if track.day == before.day:
            assert track.day_start_equity == before.day_start_equity
        else:  # what was lost since the last report before midnight is today's
            assert daily_loss((track,), now)[0] >= before.equity - equity
        loss, base = daily_loss((track,), now)
        assert loss >= 0
        assert base >= 0
        assert drawdown((track,))[0] >= 0
