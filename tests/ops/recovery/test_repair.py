"""Plans and their execution: reduce-only, verified, and never sent twice on a guess."""

from dataclasses import replace
from decimal import Decimal

import pytest

from fractal_ops.recovery.compare import compare
from fractal_ops.recovery.facts import Snapshot
from fractal_ops.recovery.orders import CLOID_PREFIX
from fractal_ops.recovery.plan import LONGEST_UNPROTECTED, Action, Step, plan
from fractal_ops.recovery.repair import Outcome, Repairer, Result
from fractal_ops.recovery.tracker import Sighting
from fractal_ops.recovery.venue import Venue
from tests.ops.recovery.specimens import (
    BTC,
    SECOND,
    aligned,
    d,
    entry,
    flat,
    held,
    trade,
    venue_order,
    venue_stop,
)
from tests.ops.recovery.stub_exchange import StubExchange


def planned(snapshot: Snapshot, *, confirmed: bool = True, age: float = 10) -> tuple[Step, ...]:
    since = snapshot.at - age * SECOND
    return plan([Sighting(drift, since, confirmed) for drift in compare(snapshot)], snapshot)


NAKED = aligned(orders=(), trades=(trade(entry()),))


# plans


def test_nothing_is_planned_on_what_is_not_confirmed() -> None:
    assert planned(NAKED, confirmed=False) == ()
    assert planned(aligned()) == ()


def test_a_missing_stop_is_placed_where_the_database_wants_it() -> None:
    (step,) = planned(NAKED)

    assert (step.action, step.side, step.size) == (Action.STOP, -1, d(2))
    assert (step.trigger_price, step.limit_price) == (d(95), d("92.15"))


def test_a_shorts_stop_has_its_limit_above() -> None:
    short = trade(entry(), side=-1, stop_price=d(105))
    (step,) = planned(aligned(orders=(), trades=(short,), positions=held("-2")))

    assert (step.side, step.trigger_price, step.limit_price) == (1, d(105), d("108.15"))


def test_a_small_stop_is_filled_up() -> None:
    (step,) = planned(aligned(orders=(venue_stop(size="0.5"),)))

    assert (step.action, step.size) == (Action.STOP, d("1.5"))


def test_a_position_that_gets_no_stop_for_long_is_closed() -> None:
    late = LONGEST_UNPROTECTED.total_seconds()

    assert [step.action for step in planned(NAKED, age=late - 1)] == [Action.STOP]
    assert [step.action for step in planned(NAKED, age=late)] == [Action.CLOSE]


def test_an_entry_that_fills_no_further_is_cancelled_before_its_part_gets_a_stop() -> None:
    resting = trade(entry(is_open=True, filled="0"), amount=d(0))
    orders = (venue_order("1", size="1.9", filled=d("0.1")),)

    steps = planned(aligned(orders=orders, trades=(resting,), positions=held("0.1")))

    assert [(step.action, step.order_id, step.size) for step in steps] == [
        (Action.CANCEL, "1", d(0)),
        (Action.STOP, "", d("0.1")),
    ]


def test_an_entry_that_has_not_filled_may_wait_beside_a_position_without_stop() -> None:
    adding = trade(entry(), entry("3", is_open=True, filled="0"))

    steps = planned(aligned(orders=(venue_order("3"),), trades=(adding,)))

    assert [step.action for step in steps] == [Action.STOP]


def test_what_could_open_goes_first_and_what_protects_goes_last() -> None:
    orders = (venue_stop("8"), venue_order("9"))

    steps = planned(flat(positions=held("2"), orders=orders))

    assert [(step.action, step.order_id) for step in steps] == [
        (Action.CANCEL, "9"),
        (Action.CLOSE, ""),
        (Action.CANCEL, "8"),
    ]


def test_what_is_for_a_person_is_not_planned() -> None:
    assert planned(aligned(positions={}, orders=(), trades=(trade(entry()),))) == ()


# execution


class Bench:
    def __init__(self) -> None:
        self.stub = StubExchange()
        self.waited: list[float] = []
        self.venue = Venue(self.stub.client())
        self.repairer = Repairer(self.venue, Decimal("0.03"), self.waited.append)

    def run(self, *steps: Step) -> list[Result]:
        return list(self.repairer.run(steps))

    def sent(self) -> list[dict[str, object]]:
        return [order for action in self.stub.requests for order in action.get("orders", [])]


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.stub.hold("BTC", "2")
    return made


CLOSE = Step(Action.CLOSE, BTC, "test", d(2), side=-1, size=d(2))
STOP = Step(Action.STOP, BTC, "test", d(2), -1, d(2), trigger_price=d(95), limit_price=d("92.15"))


def test_a_close_is_reduce_only_within_its_slippage_and_seen_to_be_done(bench: Bench) -> None:
    (result,) = bench.run(CLOSE)

    assert result.outcome is Outcome.DONE
    assert bench.stub.positions["BTC"] == 0
    (order,) = bench.sent()
    assert (order["r"], order["b"], order["s"], order["p"]) == (True, False, "2", "97")
    assert str(order["c"]).startswith(CLOID_PREFIX)
    assert len(str(order["c"])) == 34


def test_a_short_is_bought_back(bench: Bench) -> None:
    bench.stub.hold("BTC", "-2")

    (result,) = bench.run(replace(CLOSE, position=d(-2), side=1))

    assert result.outcome is Outcome.DONE
    assert (bench.sent()[0]["b"], bench.sent()[0]["p"]) == (True, "103")


def test_a_position_that_moved_since_the_plan_is_left_alone(bench: Bench) -> None:
    bench.stub.hold("BTC", "1")

    results = bench.run(CLOSE, STOP)

    assert [result.outcome for result in results] == [Outcome.NOT_DONE] * 2
    assert "is 1 by now, planned on 2" in results[0].text
    assert bench.stub.requests == []


def test_a_position_that_is_gone_already_needs_nothing(bench: Bench) -> None:
    bench.stub.hold("BTC", "0")

    assert [result.outcome for result in bench.run(CLOSE, STOP)] == [Outcome.DONE] * 2
    assert bench.stub.requests == []


def test_a_rest_is_not_done(bench: Bench) -> None:
    bench.stub.fill_share = d("0.25")

    (result,) = bench.run(CLOSE)

    assert result.outcome is Outcome.NOT_DONE
    assert "1.50 is left" in result.text


def test_a_market_beyond_the_slippage_is_not_sold_into(bench: Bench) -> None:
    bench.stub.refusal = "Order could not immediately match against any resting orders."

    (result,) = bench.run(CLOSE)

    assert result.outcome is Outcome.NOT_DONE
    assert bench.stub.positions["BTC"] == 2
    assert "immediately match" in result.text


def test_an_order_whose_answer_is_lost_is_found_by_our_id_and_not_repeated(bench: Bench) -> None:
    bench.stub.lose_answers = 1

    (result,) = bench.run(STOP)

    assert result.outcome is Outcome.DONE
    assert "found by its id" in result.text
    assert len(bench.sent()) == 1
    assert len(bench.stub.live()) == 1


def test_an_order_that_never_arrived_stays_unknown_and_is_not_repeated(bench: Bench) -> None:
    bench.stub.lose_requests = 1

    (result,) = bench.run(STOP)

    assert result.outcome is Outcome.UNKNOWN
    assert len(bench.sent()) == 1
    assert bench.waited
    assert bench.stub.live() == []


def test_a_close_whose_answer_is_lost_is_done_when_the_position_is_gone(bench: Bench) -> None:
    bench.stub.lose_answers = 1

    (result,) = bench.run(CLOSE)

    assert result.outcome is Outcome.DONE
    assert len(bench.sent()) == 1


def test_a_stop_is_live_at_its_prices(bench: Bench) -> None:
    (result,) = bench.run(STOP)

    assert result.outcome is Outcome.DONE
    (order,) = bench.stub.live()
    assert (order.trigger, order.price, order.size) == (d(95), d("92.15"), d(2))
    assert order.reduce_only


def test_a_stop_that_the_venue_will_never_take_closes_the_position(bench: Bench) -> None:
    sent: list[object] = []
    real = bench.stub._order

    def refuse_stops(action: dict[str, object]) -> object:
        sent.append(action)
        if "trigger" in action["orders"][0]["t"]:  # type: ignore[index]
            return [{"error": "Invalid TP/SL price. asset=0"}]
        return real(action)  # type: ignore[arg-type]

    bench.stub._order = refuse_stops  # type: ignore[method-assign,assignment]

    (result,) = bench.run(STOP)

    assert result.outcome is Outcome.DONE
    assert "the stop was refused" in result.text
    assert bench.stub.positions["BTC"] == 0
    assert len(sent) == 2


def test_a_throttled_stop_does_not_close_the_position(bench: Bench) -> None:
    bench.stub.refusal = "Too many cumulative requests sent (9 > 1)"

    (result,) = bench.run(STOP)

    assert result.outcome is not Outcome.DONE
    assert bench.stub.positions["BTC"] == 2


def cancel(oid: int) -> Step:
    return Step(Action.CANCEL, BTC, "test", d(2), order_id=str(oid))


def test_a_cancelled_order_is_asked_for_again(bench: Bench) -> None:
    order = bench.stub.add("BTC", "B", "1", "90")

    (result,) = bench.run(cancel(order.oid))

    assert (result.outcome, result.text) == (Outcome.DONE, "canceled")


@pytest.mark.parametrize("what", ["lose_answers", "lose_requests"])
def test_a_lost_cancel_is_judged_by_the_order(bench: Bench, what: str) -> None:
    order = bench.stub.add("BTC", "B", "1", "90")
    setattr(bench.stub, what, 1)

    (result,) = bench.run(cancel(order.oid))

    is_gone = order.status == "canceled"
    assert is_gone is (what == "lose_answers")
    assert (result.outcome is Outcome.DONE) is is_gone


def test_a_refused_cancel_of_a_living_order_is_not_done(bench: Bench) -> None:
    order = bench.stub.add("BTC", "B", "1", "90")
    bench.stub.cancel_refusal = "not now"

    (result,) = bench.run(cancel(order.oid))

    assert result.outcome is Outcome.NOT_DONE
    assert "not now" in result.text


def test_an_order_that_filled_before_its_cancel_is_gone(bench: Bench) -> None:
    order = bench.stub.add("BTC", "B", "1", "90")
    order.status = "filled"

    (result,) = bench.run(cancel(order.oid))

    assert (result.outcome, result.text) == (Outcome.DONE, "filled")


def test_a_venue_that_falls_silent_leaves_every_step_unknown(bench: Bench) -> None:
    bench.stub.is_down = True

    results = bench.run(CLOSE, STOP, cancel(5))

    assert [result.outcome for result in results] == [Outcome.UNKNOWN] * 3
    assert bench.sent() == []


def test_a_step_that_fails_by_itself_does_not_keep_the_next_one_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = bench.stub.add("BTC", "B", "1", "90")
    monkeypatch.setattr(bench.venue.client, "price_to_precision", lambda *_: 1 / 0)

    results = bench.run(STOP, cancel(order.oid))

    assert [result.outcome for result in results] == [Outcome.UNKNOWN, Outcome.DONE]
