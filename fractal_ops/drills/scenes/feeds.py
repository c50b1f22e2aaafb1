"""Candles stand still, streams fall silent, the clock is wrong."""

from __future__ import annotations

import shutil

from fractal_ops.drills.drill import Drill
from fractal_ops.drills.errors import DrillSkippedError
from fractal_ops.drills.processes import DrillProcess
from fractal_ops.drills.stage import Stage
from fractal_ops.drills.waiting import expect, until

SHORT = "1m"
SHORT_MS = 60_000
"""The shortest candle: what happens to a longer one happens to it while somebody waits."""
EVERY_PAIR = "*"


# Candles -----------------------------------------------------------------------------------------


def _set_short(stage: Stage) -> None:
    stage.config["timeframe"] = SHORT
    stage.write_config()


def _start_short(stage: Stage) -> None:
    """Start reconciler and bot on the shortest candles."""
    _set_short(stage)
    stage.switch_on()


def _minute(stage: Stage) -> int:
    """Return when the exchange's present minute began, ms UTC."""
    now = stage.venue.now_ms()
    return now - now % SHORT_MS


def _wait_second(stage: Stage, first: int, last: int) -> None:
    """Wait for these seconds of the exchange's minute."""
    until(
        lambda: first * 1000 <= stage.venue.now_ms() % SHORT_MS < last * 1000,
        f"second {first} of a minute",
        75,
    )


def _wait_candle(stage: Stage, pair: str, opened_ms: int) -> None:
    """Wait until the bot takes a candle for the last closed one."""
    until(lambda: opened_ms in stage.candles(pair), f"candle of {opened_ms} in the bot", 90)


def _expect_true_candle(stage: Stage, pair: str, opened_ms: int) -> None:
    """Check a closed candle as the bot has known it, from the first moment on."""
    truth = stage.venue.candles(pair, SHORT, 5)[opened_ms]
    for known in stage.candles(pair)[opened_ms]:
        expect(known == truth, f"the bot took {known} for the closed candle, which is {truth}")


def _bot(stage: Stage) -> DrillProcess:
    expect(stage.bot is not None and not stage.bot.has_ended(), "the bot has ended")
    assert stage.bot is not None  # noqa: S101  # for mypy
    return stage.bot


def _ws_silent(stage: Stage) -> None:
    _start_short(stage)
    stage.open_position()
    # In the second half of a candle: freqtrade takes what it has heard by then for the whole.
    _wait_second(stage, 34, 40)
    fault = stage.venue.fault("ws_silent")
    if stage.config["exchange"].get("enable_ws", True):
        until(lambda: stage.venue.hits(fault), "silent stream")
    opened = _minute(stage)
    for candle in (opened, opened + SHORT_MS):
        _wait_candle(stage, stage.pair, candle)
        _expect_true_candle(stage, stage.pair, candle)
    other = stage.second_pair
    stage.enter(other)
    stage.wait_open(other)
    stage.hold()
    stage.venue.move(stage.pair, -0.03, 5)
    until(lambda: not stage.venue.position(stage.pair), "end of the position by its stop")


def _ws_closed(stage: Stage) -> None:
    _start_short(stage)
    stage.open_position()
    fault = stage.venue.fault("ws_close", for_seconds=20)
    if stage.config["exchange"].get("enable_ws", True):
        until(lambda: stage.venue.hits(fault), "closed stream")
    opened = _minute(stage)
    _wait_candle(stage, stage.pair, opened)
    _expect_true_candle(stage, stage.pair, opened)
    other = stage.second_pair
    stage.enter(other)
    stage.wait_open(other)
    stage.hold()
    _bot(stage)


def _stale_candles(stage: Stage) -> None:
    _start_short(stage)
    stage.open_position()
    other = stage.second_pair
    fault = stage.venue.fault("stale_candles")
    still_ms = _minute(stage)
    # The candle that stood still half-done would have closed, and the next one too.
    late_ms = still_ms + 2 * SHORT_MS + 5_000
    until(lambda: stage.venue.now_ms() > late_ms, "lost candle", 150)
    expect(stage.venue.hits(fault), "nobody asked for candles")
    stage.enter(other)
    until(lambda: "STALE_DATA" in stage.denials(), "denial for stale candles", 90)
    _bot(stage).wait_for(f"candles of {other} are stale")
    expect(not stage.venue.position(other), f"an entry in {other} on stale candles")
    # The position in place lives by prices, not by candles.
    stage.venue.move(stage.pair, 0.08, 5)
    until(lambda: not stage.venue.position(stage.pair), "exit at the target")
    expect(not stage.venue.position(other), f"an entry in {other} on stale candles")
    stage.venue.heal()
    stage.wait_open(other)
    stage.hold()


def _missing_candle(stage: Stage) -> None:
    _set_short(stage)
    stage.enter()
    # A start takes a part of a minute; all of it must see the gap.
    _wait_second(stage, 0, 4)
    fault = stage.venue.fault("missing_candle", interval=SHORT)
    lost = _minute(stage) - SHORT_MS
    stage.switch_on()
    until(lambda: stage.venue.hits(fault), "missing candle")
    _wait_candle(stage, stage.pair, lost - SHORT_MS)
    until(
        lambda: (
            stage.denials() & {"NO_SETUP", "STALE_DATA"}
            or stage.venue.now_ms() > lost + 2 * SHORT_MS
        ),
        "denial without the last closed candle",
        60,
    )
    expect(
        stage.denials() & {"NO_SETUP", "STALE_DATA"}, "the entry was not denied for the last candle"
    )
    entries = [row["at_ms"] for row in stage.venue.accepted("entry")]
    expect(
        not any(at_ms < lost + 2 * SHORT_MS for at_ms in entries),
        "an entry without the last closed candle",
    )
    _wait_candle(stage, stage.pair, lost + SHORT_MS)
    stage.wait_protected(90)
    stage.hold()


# Clocks ------------------------------------------------------------------------------------------


def _faketime(seconds: int) -> tuple[str, ...]:
    """Return the command before a program that gives it a wrong clock."""
    program = shutil.which("faketime")
    if program is None:
        raise DrillSkippedError(
            "there is no `faketime` to set a wrong clock with: install Debian's faketime"
        )
    return (program, "-f", f"{seconds:+d}s")


def _wrong_clock(stage: Stage, seconds: int) -> None:
    wrapper = _faketime(seconds)
    stage.switch_on()
    stage.open_position()
    other = stage.second_pair
    stage.switch_off()
    stage.switch_on(wrapper=wrapper)
    until(lambda: stage.drifts().get(EVERY_PAIR) == "CLOCK_OFFSET", "CLOCK_OFFSET", 90)
    stage.enter(other)
    until(lambda: "POSITION_DRIFT" in stage.denials(), "denial while the clock is wrong")
    expect(len(stage.venue.accepted("entry")) == 1, "an entry by a wrong clock")
    reconciler = stage.reconciler
    assert reconciler is not None  # noqa: S101  # for mypy
    where = "ahead of" if seconds > 0 else "behind"
    reconciler.wait_for(f"this machine's clock is {abs(seconds)} s {where} the venue's")
    # Exits go on.
    stage.leave()
    until(lambda: not stage.venue.position(stage.pair), "exit by a wrong clock")
    stage.switch_off()
    stage.switch_on()
    stage.wait_aligned()
    stage.enter(other)
    stage.wait_open(other)
    stage.hold()


def _days_behind(stage: Stage) -> None:
    wrapper = _faketime(-3 * 86_400)
    stage.switch_on()
    stage.open_position()
    other = stage.second_pair
    stage.switch_off()
    # Without the reconciler first, whose word would keep the entry back before all others.
    stage.start_bot(wrapper=wrapper)
    stage.enter(other)
    stage.settle(5)
    expect(len(stage.venue.accepted("entry")) == 1, "an entry with a nonce of another day")
    stage.leave()
    _bot(stage).wait_for("Invalid nonce", 60)
    stage.settle()
    expect(not stage.venue.accepted("exit"), "an exit with a nonce of another day")
    expect(stage.venue.stops(stage.pair), "the stop is gone")
    stage.start_reconciler(wrapper=wrapper)
    until(lambda: stage.drifts().get(EVERY_PAIR) == "CLOCK_OFFSET", "CLOCK_OFFSET", 90)
    expect(stage.venue.stops(stage.pair), "the stop is gone")
    stage.hold()
    stage.switch_off()
    stage.switch_on()
    stage.wait_aligned()
    stage.venue.move(stage.pair, -0.03, 5)
    stage.wait_flat()


def _venue_clock(stage: Stage) -> None:
    stage.open_position()
    other = stage.second_pair
    fault = stage.venue.fault("clock_offset", offset_seconds=120)
    until(lambda: stage.drifts().get(EVERY_PAIR) == "CLOCK_OFFSET", "CLOCK_OFFSET", 90)
    expect(stage.venue.hits(fault), "nobody asked for the time")
    stage.enter(other)
    until(lambda: "POSITION_DRIFT" in stage.denials(), "denial while the clocks differ")
    expect(not stage.venue.position(other), f"an entry in {other} while the clocks differ")
    stage.venue.heal()
    stage.wait_open(other)
    stage.hold()


DRILLS: tuple[Drill, ...] = (
    Drill(
        "ws-silent",
        "the stream answers pings and pushes nothing more, from the middle of a candle on",
        "Takes the half-told candle for the closed one if it went silent in its second half, and "
        "trades on it; asks by REST from the next candle on.",
        "exchange.enable_ws is false in our configs: candles come by REST, whole.",
        _ws_silent,
        uses_bot=False,
    ),
    Drill(
        "ws-closed",
        "the stream is cut, and again for 20 s",
        "Connects again and asks by REST until then.",
        "The same; without the stream there is nothing to be cut.",
        _ws_closed,
        uses_bot=False,
    ),
    Drill(
        "stale-candles",
        "candles stand still for minutes while prices go on",
        "Enters on old candles until they are 2 candles and 5 minutes old.",
        "Entries are denied with STALE_DATA as soon as a whole candle is missing; the position in "
        "place lives by prices and leaves at its target.",
        _stale_candles,
        uses_bot=False,
    ),
    Drill(
        "missing-candle",
        "the last closed candle is not there when the bot starts",
        "Takes the one before for the last one and enters on it; later fills the gap with a flat "
        "candle without volume.",
        "No entry without the last closed candle; the filled gap does not count for correlation.",
        _missing_candle,
        uses_bot=False,
    ),
    Drill(
        "clock-ahead",
        "the machine's clock is 2 minutes ahead",
        "Takes candles that still form for closed ones and enters on them.",
        "The reconciler says CLOCK_OFFSET and closes entries until the clock is right; exits go "
        "on.",
        lambda stage: _wrong_clock(stage, 120),
        uses_bot=False,
    ),
    Drill(
        "clock-behind",
        "the machine's clock is 2 minutes behind",
        "Enters 2 minutes late on prices that are not those of its candles.",
        "The reconciler says CLOCK_OFFSET and closes entries until the clock is right; exits go "
        "on.",
        lambda stage: _wrong_clock(stage, -120),
        uses_bot=False,
    ),
    Drill(
        "clock-3-days-behind",
        "the machine's clock is 3 days behind, so that the venue refuses every nonce",
        "Takes the candles of 3 days ago for fresh ones and signals on them; every order and every "
        "cancel is refused.",
        "No entry: the price is not where its setup was. The stop rests on the venue, and the "
        "reconciler says CLOCK_OFFSET and closes entries until the clock is right.",
        _days_behind,
        uses_bot=False,
    ),
    Drill(
        "exchange-clock-offset",
        "the exchange's clock is 2 minutes ahead of everybody's",
        "Does not look.",
        "The reconciler says CLOCK_OFFSET and closes entries until the clocks agree.",
        _venue_clock,
        fast=True,
    ),
)
