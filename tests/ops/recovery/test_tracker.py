"""One look is a suspicion; what confirms it, and what begins it anew."""

from dataclasses import replace

from fractal_ops.recovery.compare import compare
from fractal_ops.recovery.facts import Snapshot
from fractal_ops.recovery.tracker import Tracker
from tests.ops.recovery.specimens import (
    BTC,
    aligned,
    at,
    d,
    entry,
    flat,
    held,
    trade,
)

FOREIGN = flat(positions=held("3"))
NAKED = aligned(orders=(), trades=(trade(entry()),))


def confirmed(tracker: Tracker, snapshot: Snapshot) -> bool:
    (sighting,) = tracker.look(compare(snapshot), snapshot)
    return sighting.confirmed


def test_a_drift_is_confirmed_by_a_second_look_some_seconds_later() -> None:
    tracker = Tracker()

    assert [confirmed(tracker, at(FOREIGN, s)) for s in (0, 1, 3.9, 4, 5)] == [
        False,
        False,
        False,
        True,
        True,
    ]


def test_a_drift_that_was_gone_in_between_begins_anew() -> None:
    tracker = Tracker()
    confirmed(tracker, at(FOREIGN, 0))
    tracker.look((), at(flat(), 5))

    assert not confirmed(tracker, at(FOREIGN, 10))


def test_a_pair_that_was_touched_in_between_begins_anew() -> None:
    tracker = Tracker()
    grown = replace(FOREIGN, positions=held("3.5"))

    assert not confirmed(tracker, at(FOREIGN, 0))
    assert not confirmed(tracker, at(grown, 5))
    assert confirmed(tracker, at(grown, 10))


def test_a_price_that_moves_is_no_touch() -> None:
    tracker = Tracker()
    confirmed(tracker, at(FOREIGN, 0))

    assert confirmed(tracker, at(replace(FOREIGN, positions=held("3", mark="120")), 5))


def test_a_pair_in_motion_is_not_confirmed() -> None:
    tracker = Tracker()
    moving = replace(FOREIGN, in_motion=frozenset({BTC}))

    assert [confirmed(tracker, at(moving, s)) for s in (0, 5, 30, 60)] == [False] * 4
    assert not confirmed(tracker, at(FOREIGN, 62))
    assert confirmed(tracker, at(FOREIGN, 66))


def test_a_naked_position_can_not_be_put_off_by_a_busy_bot() -> None:
    tracker = Tracker()

    def busy(seconds: float) -> Snapshot:
        tries = tuple(entry(str(n)) for n in range(int(seconds) + 1))
        amended = replace(NAKED, trades=(trade(entry(), *tries, amount=d(2)),))
        return at(amended, seconds, in_motion=frozenset({BTC}))

    assert [confirmed(tracker, busy(s)) for s in (0, 5, 10, 19, 20)] == [
        False,
        False,
        False,
        False,
        True,
    ]


def test_after_a_repair_the_confirmation_begins_anew_but_not_the_time() -> None:
    tracker = Tracker()
    confirmed(tracker, at(NAKED, 0))
    assert confirmed(tracker, at(NAKED, 5))

    tracker.forget(BTC)

    (sighting,) = tracker.look(compare(NAKED), at(NAKED, 10))
    assert not sighting.confirmed
    assert sighting.since == NAKED.at
    assert confirmed(tracker, at(NAKED, 15))
