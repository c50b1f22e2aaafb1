"""The way to the exchange breaks: before, while and after an order is sent."""

from __future__ import annotations

from typing import Any

from fractal_ops.drills.drill import Drill
from fractal_ops.drills.stage import Stage
from fractal_ops.drills.waiting import expect, until

ENTRY = {"path": "exchange", "type": "order", "role": "entry"}
STOP = {"path": "exchange", "type": "order", "role": "stop"}
EXIT = {"path": "exchange", "type": "order", "role": "exit"}
DOUBTS = {"AMBIGUOUS_ORDER", "POSITION_DRIFT"}
LOOPS_IN_DOUBT = 3
PATIENT_SECONDS = 100.0
"""Some of freqtrade's network errors make it rest for 30 s."""
OUTAGE_SECONDS = 15.0
"""Long enough for the reconciler to look into it twice."""


def _before_entry(stage: Stage) -> None:
    down = stage.venue.fault("down", for_seconds=OUTAGE_SECONDS)
    stage.enter()
    _wait_blind(stage, down)
    stage.wait_protected(PATIENT_SECONDS)
    stage.hold()
    _expect_one_entry(stage)


def _during_entry(stage: Stage) -> None:
    fault = stage.venue.fault("drop_request", match=ENTRY, count=1)
    stage.enter()
    until(lambda: stage.venue.hits(fault), "entry whose connection is cut")
    _wait_denial(stage)
    expect(not stage.venue.accepted("entry"), "an entry was sent again while the first was unknown")
    # Nothing is on the venue, so the doubt ends by itself and the signal still stands.
    stage.wait_protected(PATIENT_SECONDS)
    stage.hold()
    _expect_one_entry(stage)


def _with_position(stage: Stage) -> None:
    stage.open_position()
    down = stage.venue.fault("down", for_seconds=OUTAGE_SECONDS)
    stage.venue.move(stage.pair, -0.03, 5)
    _wait_blind(stage, down)
    stage.wait_flat(PATIENT_SECONDS)
    [trade] = stage.trades()
    reason = trade["exit_reason"]
    expect(reason == "stoploss_on_exchange", f"the trade ended by {reason}, not by its stop")


def _after_entry(stage: Stage) -> None:
    held_back = stage.venue.fault("drop_request", match=STOP)
    stage.enter()
    until(lambda: stage.venue.position(stage.pair), "position")
    down = stage.venue.fault("down", for_seconds=OUTAGE_SECONDS)
    stage.venue.lift(held_back)
    expect(not stage.venue.accepted("stop"), "the stop was faster than the breakdown")
    until(lambda: stage.venue.hits(down), "request that meets the breakdown")
    until(lambda: stage.venue.is_over(down), "end of the breakdown")
    stage.wait_protected()
    stage.hold()
    _expect_one_entry(stage)


def _lost_entry(stage: Stage) -> None:
    _unknown_entry(stage, "drop_response")


def _malformed_entry(stage: Stage) -> None:
    fault = stage.venue.fault("malformed", match=ENTRY, count=1)
    stage.enter()
    until(lambda: stage.venue.hits(fault), "entry whose answer is garbage")
    bot = stage.bot
    until(lambda: bot is None or bot.has_ended(), "end of the bot")
    # As a supervisor does; the signal stays, and the database knows nothing of the position.
    stage.restart_bot()
    _expect_flattened(stage)


def _late_error(stage: Stage) -> None:
    _unknown_entry(stage, "server_error", status=504, processed=True)


def _late_answer(stage: Stage) -> None:
    timeout = stage.config["exchange"]["ccxt_config"]["timeout"] / 1000
    _unknown_entry(stage, "latency", seconds=2 * timeout, processed=True)


def _unknown_entry(stage: Stage, kind: str, **spec: Any) -> None:
    """Let the venue fill an entry of which the bot hears nothing."""
    fault = stage.venue.fault(kind, match=ENTRY, count=1, **spec)
    stage.enter()
    until(lambda: stage.venue.hits(fault), "entry whose answer is lost")
    _expect_flattened(stage)


def _expect_flattened(stage: Stage) -> None:
    """Wait until an unknown position is closed, and no entry is sent meanwhile."""
    # The signal stays: freqtrade alone would send it again in every loop.
    _wait_denial(stage)
    stage.settle(LOOPS_IN_DOUBT)
    _expect_one_entry(stage)
    stage.hold()
    until(stage.venue.is_flat, "position that nobody knows to be flattened", 60)
    expect(stage.venue.accepted("exit"), "nothing closed the unknown position")
    log = stage.reconciler.output() if stage.reconciler else ""
    expect("UNKNOWN_POSITION" in log, "the reconciler did not say that the position is unknown")


def _lost_stop(stage: Stage) -> None:
    fault = stage.venue.fault("drop_response", match=STOP, count=1)
    stage.enter()
    until(lambda: stage.venue.hits(fault), "stop whose answer is lost")
    first = stage.venue.accepted("stop")[0]

    def settled() -> bool:
        stops = [str(order["oid"]) for order in stage.venue.stops(stage.pair)]
        known = [o["order_id"] for o in stage.orders() if o["ft_order_side"] == "stoploss"]
        return len(stops) == 1 and stops[0] in known

    until(settled, "single stop that the bot knows", PATIENT_SECONDS)
    stage.hold()
    stage.settle()
    expect(settled(), "the stop did not stay the only one")
    bare = stage.venue.history().bare_after(first["at_ms"])
    expect(not bare, f"after the first stop the position was without one for {bare:g} s")
    stage.leave()
    stage.wait_flat()


def _lost_exit(stage: Stage) -> None:
    stage.open_position()
    fault = stage.venue.fault("drop_response", match=EXIT, count=1)
    stage.leave()
    until(lambda: stage.venue.hits(fault), "exit whose answer is lost")
    until(lambda: not stage.venue.position(stage.pair), "position that is gone")
    stage.wait_flat(PATIENT_SECONDS)
    stage.hold()
    [trade] = stage.trades()
    expect(trade["close_rate"], "the closed trade has no price")


def _storm_during_exit(stage: Stage) -> None:
    stage.open_position()
    start_ms = stage.venue.now_ms()
    storm = stage.venue.fault("rate_limit", weight_per_minute=0, for_seconds=OUTAGE_SECONDS)
    stage.leave()
    until(lambda: stage.venue.hits(storm), "request that the storm meets")
    until(lambda: stage.venue.is_over(storm), "end of the storm")
    expect(stage.venue.position(stage.pair), "the position is gone, so the storm missed the exit")
    expect(stage.venue.stops(stage.pair), "the storm took the stop away")
    stage.wait_flat(PATIENT_SECONDS)
    stage.hold()
    bare = stage.venue.history().bare_after(start_ms)
    expect(not bare, f"the position was without a stop for {bare:g} s")
    [trade] = stage.trades()
    expect(trade["exit_reason"] == "exit_signal", f"it ended by {trade['exit_reason']}")


def _malformed_for_a_while(stage: Stage) -> None:
    stage.open_position()
    start_ms = stage.venue.now_ms()
    other = stage.config["exchange"]["pair_whitelist"][1]
    garbage = stage.venue.fault("malformed", for_seconds=OUTAGE_SECONDS)
    stage.enter(other)
    _wait_blind(stage, garbage)
    stage.hold()
    sent = [row for row in stage.venue.accepted("entry") if row["at_ms"] >= start_ms]
    expect(not sent, "an entry went out although no answer could be read")
    expect(stage.venue.stops(stage.pair), "the garbage took the stop away")
    _supervise(stage)
    stage.leave()
    stage.wait_flat(PATIENT_SECONDS)
    bare = stage.venue.history().bare_after(start_ms)
    expect(not bare, f"the position was without a stop for {bare:g} s")
    lost = {"DRAWDOWN", "DAILY_LOSS", "HALTED"} & stage.denials()
    expect(not lost, f"a balance that could not be read was taken for a loss: {sorted(lost)}")
    # The portfolio is as it was: it takes the next entry.
    stage.enter(other)
    until(lambda: stage.venue.stops(other), f"position and stop in {other}", PATIENT_SECONDS)
    stage.hold()


def _wait_blind(stage: Stage, fault: int) -> None:
    """Wait until an outage has met bot and reconciler, and is over."""
    until(lambda: stage.venue.hits(fault), "request that meets the outage")
    reconciler = stage.reconciler
    if reconciler is not None:
        reconciler.wait_for("VENUE_UNREACHABLE")
    until(lambda: stage.venue.is_over(fault), "end of the outage")


def _supervise(stage: Stage) -> None:
    """Start the bot again if the outage has ended it, as a supervisor does."""
    bot, wanted = stage.bot, stage.loops + LOOPS_IN_DOUBT
    if bot is not None:
        until(lambda: bot.has_ended() or stage.loops >= wanted, "loop or end of the bot", 60)
        if bot.has_ended():
            stage.restart_bot()


def _wait_denial(stage: Stage) -> None:
    until(lambda: DOUBTS & stage.denials(), "denial while the order's outcome is unknown")


def _expect_one_entry(stage: Stage) -> None:
    entries = len(stage.venue.accepted("entry"))
    expect(entries == 1, f"the venue took {entries} entries instead of one")


DRILLS = (
    Drill(
        "disconnect-before-order",
        "the exchange is gone when a signal comes, and back 15 s later",
        "Fails to read its balance in every loop, and enters when the exchange is back.",
        "The reconciler closes every pair until it has seen the account again; then the bot "
        "enters once.",
        _before_entry,
    ),
    Drill(
        "disconnect-during-order",
        "the connection of an entry is cut before the exchange has read it",
        "Logs an error and sends the entry again in the next loop: right here, and ruinous where "
        "the order had arrived.",
        "The pair is closed until the exchange has been asked; it has no trace of the order, so "
        "the entry goes out once more, and once only.",
        _during_entry,
    ),
    Drill(
        "disconnect-with-position",
        "the exchange can not be reached while the price falls through a stop",
        "The stop rests on the exchange, fills there, and is booked after the outage.",
        "The same; the reconciler closes every pair meanwhile.",
        _with_position,
    ),
    Drill(
        "disconnect-after-order",
        "the exchange is gone between the fill of an entry and its stop",
        "Tries in every loop, and places the stop when the exchange is back.",
        "The same; if the bot needs too long, the reconciler places the stop or closes the "
        "position.",
        _after_entry,
    ),
    Drill(
        "response-lost-entry",
        "the exchange accepts and fills an entry, but its answer is lost",
        "Logs an error, keeps no trade, and sends the entry again in every loop: three loops, "
        "three positions' worth.",
        "The reservation turns ambiguous and closes the pair; the reconciler finds a position that "
        "no database knows and flattens it.",
        _lost_entry,
        fast=True,
    ),
    Drill(
        "response-lost-stop",
        "the exchange accepts a stop, but its answer is lost",
        "Places a second stop; the first stays on the exchange when the trade is over.",
        "The reconciler cancels the stop that no database knows, once another one protects the "
        "position.",
        _lost_stop,
        fast=True,
    ),
    Drill(
        "response-lost-exit",
        "the exchange accepts and fills an exit, but its answer is lost",
        "Sends the exit again in every loop and is refused, for it can only reduce; never looks "
        "for what closed the position while its stop still waits on the exchange.",
        "The pair is closed, and the reconciler cancels the stop that has nothing left to reduce: "
        "then freqtrade finds the exit and books it.",
        _lost_exit,
    ),
    Drill(
        "rate-limit-storm-during-exit",
        "every request is refused with 429 for 15 s while an exit is due",
        "Tries again in every loop, and leaves after the storm.",
        "The same; the stop rests on the exchange all the time, and the reconciler, refused as "
        "well, closes every pair.",
        _storm_during_exit,
    ),
    Drill(
        "malformed-answer",
        "the exchange fills an entry, and its answer is cut in the middle",
        "Ends with a fatal exception. Started again it knows nothing of the position and sends the "
        "entry once more.",
        "The reservation outlives the bot, so the pair is closed when it is back; the reconciler "
        "flattens the position that no database knows.",
        _malformed_entry,
    ),
    Drill(
        "malformed-storm",
        "no answer of the exchange can be read for 15 s while a position is open",
        "Takes its balance for 0 and every position for gone; may end with a fatal exception.",
        "What can not be read is never taken for an empty account or a loss: every pair is closed, "
        "nothing is repaired, and the stop stays.",
        _malformed_for_a_while,
    ),
    Drill(
        "server-error-after-order",
        "the exchange fills an entry, and the proxy before it answers 504",
        "As with a lost answer: no trade is kept, and the entry is sent again in every loop.",
        "As with a lost answer: the pair is closed and the unknown position flattened.",
        _late_error,
    ),
    Drill(
        "latency-beyond-timeout",
        "the exchange fills an entry, and answers when the bot has hung up",
        "As with a lost answer: no trade is kept, and the entry is sent again in every loop.",
        "As with a lost answer: the pair is closed and the unknown position flattened.",
        _late_answer,
    ),
)
