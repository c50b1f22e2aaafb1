"""An order does not do what it should."""

from __future__ import annotations

from decimal import Decimal

from fractal_ops.drills.drill import Drill
from fractal_ops.drills.scenes.network import DOUBTS, ENTRY, EXIT, PATIENT_SECONDS
from fractal_ops.drills.stage import MONEY, Stage
from fractal_ops.drills.waiting import expect, until

GONE = int(MONEY) - 20
UNFILLED_SECONDS = 5
LATE_SECONDS = 2.5
"""How late an order or its cancel reaches the exchange: less than the bot's own time limit."""


def _partial_fill(stage: Stage) -> None:
    fault = stage.venue.fault("partial_fill", match=ENTRY, count=1, ratio=0.4)
    stage.enter()
    until(lambda: stage.venue.hits(fault), "entry that fills in part")
    stage.wait_protected()
    stage.hold()
    [entry] = stage.venue.accepted("entry")
    position = stage.venue.position(stage.pair)
    expect(0 < position < Decimal(entry["orig_sz"]), f"it is no part that filled: {position}")
    [stop] = stage.venue.stops(stage.pair)
    expect(Decimal(stop["sz"]) == position, f"the stop is for {stop['sz']} of {position}")
    expect(_ends_as(stage, entry["oid"]) == "canceled", "the rest of the entry still waits")
    stage.leave()
    stage.wait_flat()


def _speck_fills(stage: Stage) -> None:
    fault = stage.venue.fault("partial_fill", match=ENTRY, count=1, ratio=0.005)
    stage.enter()
    until(lambda: stage.venue.hits(fault), "entry of which a speck fills")
    stage.wait_protected(PATIENT_SECONDS)
    stage.hold()
    _wait_said(stage, "would result in an unexitable trade")
    [entry] = stage.venue.accepted("entry")
    expect(_ends_as(stage, entry["oid"]) == "canceled", "the rest of the entry still waits")


def _margin_refused(stage: Stage) -> None:
    fault = stage.venue.fault("reject", match=ENTRY, reason="margin", count=1)
    stage.enter()
    until(lambda: stage.venue.hits(fault), "entry that is refused")
    _wait_said(stage, "Insufficient margin")
    stage.wait_protected(PATIENT_SECONDS)
    stage.hold()
    entries = len(stage.venue.accepted("entry"))
    expect(entries == 1, f"the venue took {entries} entries instead of one")


def _money_gone_on_the_way(stage: Stage) -> None:
    late = stage.venue.fault("latency", match=ENTRY, seconds=LATE_SECONDS, count=1)
    stage.enter()
    until(lambda: stage.venue.hits(late), "entry on its way")
    stage.hold()  # the bot does not look at its balance until it is back
    stage.venue.fund(-GONE)
    _wait_said(stage, "Insufficient margin")
    expect(not stage.venue.accepted("entry"), "an entry was taken without money")
    stage.venue.fund(GONE)
    stage.enter()
    until(lambda: DOUBTS & stage.denials(), "denial after the refused entry")
    stage.wait_protected(PATIENT_SECONDS)
    stage.hold()
    entries = len(stage.venue.accepted("entry"))
    expect(entries == 1, f"the venue took {entries} entries instead of one")


def _account_emptied(stage: Stage) -> None:
    stage.venue.fund(-GONE)
    stage.enter()
    until(lambda: "DRAWDOWN" in stage.denials(), "denial for the loss of nearly everything")
    _wait_said(stage, "portfolio HALTED")
    stage.settle()
    expect(not stage.venue.accepted("entry"), "an entry went out after the money was gone")


def _cancel_loses(stage: Stage) -> None:
    stage.config["unfilledtimeout"] = {"entry": UNFILLED_SECONDS, "exit": 600, "unit": "seconds"}
    stage.write_config()
    stage.start_bot()
    stage.start_reconciler()
    # The entry arrives late, when the price has gone up: it rests.
    late = stage.venue.fault("latency", match=ENTRY, seconds=LATE_SECONDS, count=1)
    cancel = {"path": "exchange", "type": "cancel"}
    race = stage.venue.fault("latency", match=cancel, seconds=LATE_SECONDS, count=1)
    stage.enter()
    until(lambda: stage.venue.hits(late), "entry on its way")
    stage.venue.move(stage.pair, 0.01)
    until(lambda: stage.venue.accepted("entry"), "resting entry")
    expect(not stage.venue.position(stage.pair), "the entry has filled at once")
    stage.hold()
    until(lambda: stage.venue.hits(race), "cancel on its way")
    stage.venue.move(stage.pair, -0.015)
    stage.wait_protected()
    [entry] = stage.venue.accepted("entry")
    expect(_ends_as(stage, entry["oid"]) == "filled", "the cancel came before the fill")
    refused = [
        row
        for row in stage.venue.rows()
        if row["event"] == "action"
        and row["action"]["type"] == "cancel"
        and "never placed" in str(row["answer"])
    ]
    expect(refused, "the cancel was not refused")


def _stop_missed(stage: Stage) -> None:
    stage.open_position()
    [stop] = stage.venue.accepted("stop")
    stage.venue.move(stage.pair, -0.10)
    until(lambda: _ends_as(stage, stop["oid"]) != "open", "stop that is triggered")
    stage.wait_flat()
    course = [row["status"] for row in stage.venue.rows() if row.get("oid") == stop["oid"]]
    expect("triggered" in course, f"the stop was not triggered: {course}")
    expect("filled" not in course, "the stop filled, so it did not miss")


def _exit_missed_too(stage: Stage) -> None:
    stage.open_position()
    fault = stage.venue.fault("no_fill", match=EXIT, count=1)
    stage.venue.move(stage.pair, -0.10)
    until(lambda: stage.venue.hits(fault), "exit of the bot, which rests unfilled")
    stage.wait_flat(PATIENT_SECONDS)
    if stage.reconciler is not None:
        stage.reconciler.wait_for("STOP_MISSED")
    exits = len(stage.venue.accepted("exit"))
    expect(exits == 2, f"{exits} exits were taken: the bot's and the reconciler's should be")


def _post_only(stage: Stage) -> None:
    stage.open_position()
    start_ms = stage.venue.now_ms()
    period = stage.venue.fault("post_only", for_seconds=20.0)
    stage.leave()
    until(lambda: stage.venue.hits(period), "exit that is refused")
    _wait_said(stage, "Only post-only orders allowed")
    until(lambda: stage.venue.is_over(period), "end of the post-only period")
    expect(stage.venue.position(stage.pair), "the position is gone, so nothing was refused")
    stage.wait_flat()
    _expect_stopped_since(stage, start_ms)


def _exit_refused(stage: Stage) -> None:
    stage.open_position()
    start_ms = stage.venue.now_ms()
    fault = stage.venue.fault("reject", match=EXIT, reason="tick", count=3)
    stage.leave()
    until(lambda: stage.venue.is_over(fault), "three refused exits")
    stage.wait_flat()
    _expect_stopped_since(stage, start_ms)
    [trade] = stage.trades()
    expect(trade["exit_reason"] == "exit_signal", f"it ended by {trade['exit_reason']}")


def _ends_as(stage: Stage, oid: int) -> str:
    """Return the latest status of an order."""
    stage.venue.history()  # lets the exchange reach the present
    return next(
        str(row["status"])
        for row in reversed(stage.venue.rows())
        if row["event"] == "order" and row["oid"] == oid
    )


def _expect_stopped_since(stage: Stage, start_ms: int) -> None:
    bare = stage.venue.history().bare_after(start_ms)
    expect(not bare, f"the position was without a stop for {bare:g} s")


def _wait_said(stage: Stage, text: str) -> None:
    if stage.bot is not None:
        stage.bot.wait_for(text, PATIENT_SECONDS)


DRILLS = (
    Drill(
        "partial-fill-then-silence",
        "two fifths of an entry fill, and nothing more comes",
        "Holds no stop for what has filled until the order is finished: up to its time limit.",
        "A partial fill ends the waiting at once: the rest is cancelled and the part gets its "
        "stop.",
        _partial_fill,
        fast=True,
    ),
    Drill(
        "partial-fill-too-small",
        "less of an entry fills than the exchange takes as an order, and nothing more comes",
        "Refuses to cancel the rest, since what has filled could not be sold by an order of its "
        "own; holds no stop, and counts no position, for as long as it takes.",
        "The reconciler cancels the rest and places a stop; then freqtrade books what has filled "
        "and places its own.",
        _speck_fills,
    ),
    Drill(
        "margin-rejection",
        "the exchange refuses an entry for want of margin",
        "Logs it and sends the entry again in the next loop.",
        "The pair stays closed until the exchange was asked and has no trace of the order.",
        _margin_refused,
    ),
    Drill(
        "money-gone-on-the-way",
        "the money is gone when an entry reaches the exchange, and back when it was refused",
        "Logs it and sends the entry again in the next loop.",
        "The pair stays closed until the exchange was asked and has no trace of the order.",
        _money_gone_on_the_way,
    ),
    Drill(
        "account-emptied",
        "the account is emptied while the bot waits for a signal",
        "Enters with what is left: it asks for its balance right before an entry.",
        "The portfolio hears of that balance before the entry does, takes it for a loss and halts.",
        _account_emptied,
        fast=True,
    ),
    Drill(
        "cancel-loses-race",
        "a resting entry fills while its cancel is on the way",
        "Asks for the order after the refusal, finds it filled, and places the stop.",
        "The same.",
        _cancel_loses,
        uses_bot=False,
        fast=True,
    ),
    Drill(
        "stop-limit-missed",
        "the price jumps through a stop and its limit at once",
        "The triggered stop rests unfilled and nothing else closes the position: its own stop is "
        "off while one is on the exchange.",
        "The strategy leaves by itself beyond the stop; the reconciler closes what is still there.",
        _stop_missed,
        fast=True,
    ),
    Drill(
        "stop-and-exit-missed",
        "the price jumps through a stop and its limit, and the bot's own exit does not fill",
        "Waits for its exit for the 10 minutes of its time limit.",
        "The reconciler sees that the price is through the stop's limit and closes the position.",
        _exit_missed_too,
    ),
    Drill(
        "post-only-period",
        "the exchange takes only post-only orders for 20 s while an exit is due",
        "Logs the refusal in every loop and leaves afterwards.",
        "The same; the stop rests on the exchange all the time.",
        _post_only,
    ),
    Drill(
        "exit-rejected",
        "the exchange refuses an exit three times",
        "Tries again in the next loop.",
        "The same; the stop rests on the exchange all the time.",
        _exit_refused,
        fast=True,
    ),
)
