"""Every case from the issue: found, pairs closed, repaired or left to a person, opened again."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from fractal_ops.recovery import reconcile
from fractal_ops.recovery.look import Look, Verdict
from fractal_ops.recovery.repair import Repairer, Result
from fractal_ops.recovery.watch import RECHECK_SECONDS, Watch, look_until_settled
from fractal_protections.portfolio.drift import ALL_PAIRS
from fractal_protections.portfolio.ledger import LedgerError
from tests.ops.recovery.conftest import Account
from tests.ops.recovery.specimens import BTC, NOW, d


def settle(account: Account) -> Look:
    return look_until_settled(account.reconciler, account.clock.wait)


def watch(account: Account, looks: int, *, repairs: bool = True) -> list[tuple[Look, float]]:
    """Watch for so many looks; returns them with the seconds since the beginning."""
    seen: list[tuple[Look, float]] = []

    def show(look: Look, _results: tuple[Result, ...]) -> None:
        seen.append((look, (look.at - NOW).total_seconds()))

    def wait(seconds: float) -> bool:
        account.clock.wait(seconds)
        return len(seen) >= looks

    repairer = Repairer(account.venue, d("0.03"), account.clock.sleep) if repairs else None
    Watch(account.reconciler, wait, show, 15.0, repairer).run()
    return seen


def test_an_aligned_account_is_open_and_nobody_is_told(account: Account) -> None:
    account.align()

    look = settle(account)

    assert (look.verdict, look.steps, look.in_ledger) == (Verdict.ALIGNED, (), True)
    assert account.marks() == {}
    assert account.told.lines == []
    (status,) = account.ledger.looks()
    assert (status.result, status.interval_seconds) == ("aligned", 15.0)


def test_entries_are_closed_from_the_first_look_and_people_told_at_the_second(
    account: Account,
) -> None:
    account.stub.hold("BTC", "3")

    look = account.reconciler.look()
    assert (look.verdict, look.steps) == (Verdict.DRIFT, ())
    assert account.marks() == {BTC: ("UNKNOWN_POSITION", False)}
    assert account.told.urgent == []

    account.clock.wait(5)
    look = account.reconciler.look()
    assert len(look.steps) == 1
    assert account.marks() == {BTC: ("UNKNOWN_POSITION", True)}
    (text,) = account.told.urgent
    assert "the venue holds long 3, the databases nothing" in text
    assert "fractal reconcile --repair" in text

    account.stub.hold("BTC", "0")
    account.clock.wait(5)
    account.reconciler.look()
    assert account.marks() == {}
    assert "aligned again" in account.told.lines[-1]


# the cases, each watched until the end


def is_safe(account: Account) -> bool:
    """No position, or one whose live reduce-only stops cover it."""
    size = account.stub.positions.get("BTC", d(0))
    cover = sum(order.size for order in account.stub.live() if order.trigger is not None)
    return not size or cover >= abs(size)


def unknown_position(account: Account) -> None:
    account.stub.hold("BTC", "-3")


def unknown_position_with_orphans(account: Account) -> None:
    account.stub.hold("BTC", "3")
    account.stub.add("BTC", "B", "1", "90")
    account.stub.add("BTC", "A", "3", "92.15", reduce_only=True, trigger=d(95))


def stop_is_gone(account: Account) -> None:
    account.align()
    for order in account.stub.live():
        order.status = "canceled"


def stop_is_booked_as_gone(account: Account) -> None:
    account.stub.hold("BTC", "2")
    account.books.add(orders=(("buy", "1", False, 2.0),))


def stop_is_gone_and_price_is_through(account: Account) -> None:
    stop_is_gone(account)
    account.stub.marks["BTC"] = d(94)


def stop_missed(account: Account) -> None:
    account.align()
    account.stub.marks["BTC"] = d(90)


def half_a_stop(account: Account) -> None:
    account.align()
    account.stub.hold("BTC", "3")


def wrong_side(account: Account) -> None:
    account.align()
    account.stub.hold("BTC", "-2")


def orphan_of_a_deleted_trade(account: Account) -> None:
    account.align()
    order = account.stub.add("BTC", "B", "1", "90")
    number = account.books.add(amount=0.0, orders=(("buy", str(order.oid), True, 0.0),))
    account.books.delete(number)


def order_booked_as_cancelled(account: Account) -> None:
    order = account.stub.add("BTC", "B", "1", "90")
    account.books.add(amount=0.0, is_open=False, orders=(("buy", str(order.oid), True, 0.0),))
    account.books.close_order(str(order.oid), "canceled")


# What remains after the repair, for a person: None where everything is aligned.
CASES = [
    (unknown_position, None),
    (unknown_position_with_orphans, None),
    (stop_is_booked_as_gone, None),
    (stop_is_gone, "LOST_ORDER"),
    (stop_is_gone_and_price_is_through, "MISSING_POSITION"),
    (stop_missed, "MISSING_POSITION"),
    (half_a_stop, "WRONG_SIZE"),
    (wrong_side, "MISSING_POSITION"),
    (orphan_of_a_deleted_trade, None),
    (order_booked_as_cancelled, None),
]


@pytest.mark.parametrize(("break_it", "rest"), CASES)
def test_a_watch_makes_every_case_safe_within_a_minute(
    account: Account, break_it: Any, rest: str | None
) -> None:
    break_it(account)

    looks = watch(account, 6)

    assert is_safe(account)
    repaired_at = max(seconds for look, seconds in looks if look.steps)
    assert repaired_at < 60
    assert account.marks().get(BTC, (None,))[0] == rest
    assert looks[-1][0].verdict is (Verdict.DRIFT if rest else Verdict.ALIGNED)
    left = {order.oid for order in account.stub.live() if order.trigger is None}
    assert left == set()


@pytest.mark.parametrize(("break_it", "_rest"), CASES)
def test_without_repair_nothing_is_sent_and_the_pair_stays_closed(
    account: Account, break_it: Any, _rest: str | None
) -> None:
    break_it(account)

    watch(account, 4, repairs=False)

    assert account.stub.requests == []
    assert account.marks()[BTC][1] is True


def test_a_liquidation_is_told_and_left_to_a_person(account: Account) -> None:
    account.align()
    account.stub.hold("BTC", "0")
    for order in account.stub.live():
        order.status = "reduceOnlyCanceled"

    watch(account, 3)

    assert account.marks()[BTC] == ("MISSING_POSITION", True)
    assert account.stub.requests == []
    (text,) = account.told.urgent
    assert "/reload_trade 1" in text
    assert "/delete 1" in text


def test_a_stop_that_has_filled_while_the_bot_was_off_is_no_missing_position(
    account: Account,
) -> None:
    account.align()
    account.stub.hold("BTC", "0")
    for order in account.stub.live():
        order.status, order.filled = "filled", order.size

    look = settle(account)

    (seen,) = look.sightings
    assert seen.drift.kind == "LOST_ORDER"
    assert "filled with 2 filled" in seen.drift.message


# lost answers during a repair


@pytest.mark.parametrize("break_it", [stop_is_booked_as_gone, unknown_position])
@pytest.mark.parametrize("fault", ["lose_requests", "lose_answers"])
def test_a_lost_request_or_answer_ends_in_one_order_and_no_position_without_a_stop(
    account: Account, fault: str, break_it: Any
) -> None:
    break_it(account)
    setattr(account.stub, fault, 1)

    looks = watch(account, 8)

    assert is_safe(account)
    assert looks[-1][0].verdict is Verdict.ALIGNED
    assert len(account.stub.live()) == (1 if break_it is stop_is_booked_as_gone else 0)
    assert max(seconds for look, seconds in looks if look.steps) < 60


def test_a_stop_that_can_not_be_placed_for_long_ends_in_a_close(account: Account) -> None:
    stop_is_booked_as_gone(account)
    real = account.stub._order

    def only_closes(action: dict[str, Any]) -> list[Any]:
        if "trigger" in action["orders"][0]["t"]:
            return [{"error": "Only post-only orders allowed immediately after a network upgrade"}]
        return real(action)

    account.stub._order = only_closes  # type: ignore[method-assign]

    looks = watch(account, 12)

    assert account.stub.positions["BTC"] == 0
    assert max(seconds for look, seconds in looks if look.steps) < 60


# not knowing


def test_a_silent_venue_closes_everything_and_opens_nothing(account: Account) -> None:
    account.stub.hold("BTC", "3")
    settle(account)
    account.stub.is_down = True

    look = account.reconciler.look()

    assert look.verdict is Verdict.UNKNOWN
    assert look.verdict.exit_status == 2
    assert set(account.marks()) == {ALL_PAIRS, BTC}
    assert look.steps == ()

    account.stub.is_down = False
    account.clock.wait(5)
    assert account.reconciler.look().verdict is Verdict.DRIFT
    assert set(account.marks()) == {BTC}


def test_a_wrong_address_is_not_taken_for_flat(account: Account) -> None:
    account.align()
    account.stub.hold("BTC", "3")
    settle(account)
    account.stub.equity = "0.0"
    account.stub.positions.clear()
    account.stub.orders.clear()

    look = settle(account)

    assert look.verdict is Verdict.UNKNOWN
    assert account.marks()[ALL_PAIRS] == ("EMPTY_ACCOUNT", True)
    assert BTC in account.marks()


def test_a_database_that_is_gone_closes_everything(account: Account) -> None:
    account.align()
    settle(account)
    account.books.path.rename(account.books.path.with_suffix(".away"))

    look = account.reconciler.look()

    assert look.verdict is Verdict.UNKNOWN
    assert account.marks()[ALL_PAIRS][0] == "DATABASE_UNREADABLE"


def test_a_ledger_that_does_not_answer_is_told(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.align()

    def locked(_look: Any) -> None:
        raise LedgerError("the ledger is locked")

    monkeypatch.setattr(account.ledger, "take_look", locked)

    look = account.reconciler.look()

    assert not look.in_ledger
    assert "the ledger is locked" in account.told.urgent[0]
    account.reconciler.end()


def test_the_position_of_a_bot_whose_database_was_not_named_is_not_touched(
    account: Account,
) -> None:
    account.stub.hold("BTC", "3")
    account.report(BTC, bot="other/B")

    watch(account, 4)

    assert account.marks()[BTC] == ("MISSING_DATABASE", True)
    assert account.stub.requests == []


def test_an_entry_on_its_way_is_not_closed(account: Account) -> None:
    account.report()
    account.reserve(BTC, NOW)
    account.stub.hold("BTC", "3")

    looks = watch(account, 4)

    assert all(not look.steps for look, seconds in looks if seconds < 25)
    assert account.marks() != {}


def test_an_entry_that_never_became_a_trade_is_closed_within_a_minute(account: Account) -> None:
    account.report()
    account.reserve(BTC, NOW)
    account.stub.hold("BTC", "3")

    looks = watch(account, 12)

    assert account.stub.positions["BTC"] == 0
    assert max(seconds for look, seconds in looks if look.steps) < 60


def test_a_trade_that_is_written_while_the_venue_is_read_is_no_drift_to_act_on(
    account: Account,
) -> None:
    """A fill arrives between the two readings, in every look: nothing is ever confirmed."""
    real = account.stub.info

    def busy(request: dict[str, Any]) -> Any:
        if request["type"] == "frontendOpenOrders":
            account.books.add(amount=0.001)
        return real(request)

    account.stub.info = busy  # type: ignore[method-assign]

    watch(account, 4)

    assert account.marks()[BTC][1] is False
    assert account.stub.requests == []


# the watch itself


def test_a_watch_looks_sooner_until_what_it_saw_is_settled(account: Account) -> None:
    account.stub.hold("BTC", "3")

    times = [seconds for _, seconds in watch(account, 4, repairs=False)]

    assert times == [0, RECHECK_SECONDS, RECHECK_SECONDS + 15, RECHECK_SECONDS + 30]


def test_the_end_of_a_watch_is_known_and_its_marks_stay(account: Account) -> None:
    account.stub.hold("BTC", "3")

    watch(account, 2, repairs=False)

    (status,) = account.ledger.looks()
    assert status.interval_seconds is None
    assert status.result == "drift"
    assert account.marks() == {BTC: ("UNKNOWN_POSITION", True)}


def test_a_watch_that_begins_again_knows_the_marks_of_the_last(account: Account) -> None:
    account.stub.hold("BTC", "3")
    settle(account)
    first = account.ledger.book(account.clock.now).drifts[0].since
    account.reconciler._marks = None
    account.clock.wait(3600)

    account.reconciler.look()

    assert account.ledger.book(account.clock.now).drifts[0].since == first
    assert first == NOW


def test_no_error_of_the_storage_leaks(account: Account, tmp_path: Path) -> None:
    account.align()
    for path in tmp_path.glob("ledger.sqlite*"):
        path.rename(path.with_name(f"away-{path.name}"))

    look = account.reconciler.look()

    assert look.verdict is Verdict.UNKNOWN
    assert not look.in_ledger
    assert OperationalError.__name__ not in "".join(account.told.urgent)


def test_a_comparison_that_fails_closes_everything_and_the_watch_goes_on(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.align()
    monkeypatch.setattr(reconcile, "compare", lambda _snapshot: 1 / 0)

    look = account.reconciler.look()

    assert look.verdict is Verdict.UNKNOWN
    assert account.marks() == {ALL_PAIRS: ("INTERNAL_ERROR", False)}

    monkeypatch.undo()
    account.clock.wait(5)
    assert account.reconciler.look().verdict is Verdict.ALIGNED
    assert account.marks() == {}


def test_a_partly_filled_entry_ends_and_gets_its_stop_until_the_bot_has_its_own(
    account: Account,
) -> None:
    """freqtrade places no stop before the entry order is finished, and may never finish it."""
    rest = account.stub.add("BTC", "B", "2", "98")
    rest.filled = d("0.5")
    account.stub.hold("BTC", "0.5")
    account.books.add(amount=0.0, orders=(("buy", str(rest.oid), True, 0.0),))

    looks = watch(account, 3)

    # Until the bot has read that its order has ended.
    assert [seen.drift.kind for seen in looks[-1][0].sightings] == ["LOST_ORDER"]
    (ours,) = [order for order in account.stub.live() if order.trigger is not None]
    assert (ours.size, ours.trigger) == (d("0.5"), d(95))
    assert rest.status == "canceled"

    account.books.close_order(str(rest.oid), "canceled")
    account.books.add(amount=0.5, orders=(("stoploss", "77", True, 0.0),))
    bots = account.stub.add("BTC", "A", "0.5", "92.15", reduce_only=True, trigger=d(95))
    account.stub.orders[77] = bots
    bots.oid = 77

    watch(account, 4)

    assert ours.status == "canceled"
    assert bots.status == "open"


def test_a_wrong_clock_closes_every_pair_and_stops_are_placed_all_the_same(
    account: Account,
) -> None:
    account.stub.now = lambda: account.clock.now - timedelta(minutes=2)
    account.stub.hold("BTC", "2")
    account.books.add()

    looks = watch(account, 3)

    assert account.marks() == {ALL_PAIRS: ("CLOCK_OFFSET", True)}
    assert any("120 s ahead of the venue's" in line for line in account.told.urgent)
    assert [order.trigger for order in account.stub.live()] == [d(95)]
    assert looks[-1][0].verdict is Verdict.DRIFT

    account.stub.now = account.clock
    account.clock.wait(5)
    account.reconciler.look()

    assert account.marks() == {}


def test_a_slow_answer_is_no_wrong_clock(account: Account) -> None:
    def answer_slowly() -> datetime:
        account.clock.wait(40)
        return account.clock.now - timedelta(seconds=20)

    account.stub.now = answer_slowly

    assert account.reconciler.look().verdict is Verdict.ALIGNED
