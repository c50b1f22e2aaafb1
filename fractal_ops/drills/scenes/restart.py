"""The bot comes back, and the venue is not as it left it."""

from __future__ import annotations

from decimal import Decimal

from fractal_ops.drills.drill import Drill
from fractal_ops.drills.errors import DrillFailedError
from fractal_ops.drills.stage import Stage
from fractal_ops.drills.waiting import until

BY_HAND = Decimal("0.02")
"""Contracts of BTC that a person trades."""


def _wait_denied(stage: Stage) -> None:
    until(lambda: "POSITION_DRIFT" in stage.denials(), "denial while the pair is in doubt")


def _unknown_position(stage: Stage) -> None:
    stage.hand().trade(stage.pair, BY_HAND)
    stage.enter()
    stage.switch_on()
    _wait_denied(stage)
    stage.wait_protected(90)
    stage.hold()
    stage.wait_aligned()
    if stage.reconciler is None or not stage.reconciler.says("UNKNOWN_POSITION"):
        raise DrillFailedError("nobody said that the position was unknown")


def _foreign_order(stage: Stage) -> None:
    stage.hand().rest(stage.pair, BY_HAND, stage.venue.price(stage.pair) * 0.95)
    stage.enter()
    stage.switch_on()
    _wait_denied(stage)
    stage.wait_protected(90)
    stage.hold()
    stage.wait_aligned()
    if stage.reconciler is None or not stage.reconciler.says("ORPHAN_ORDER"):
        raise DrillFailedError("nobody said that the order was an orphan")


def _stop_reconciler(stage: Stage) -> None:
    """Keep the pair closed: without a look nothing opens it, however fast it is mended."""
    if stage.reconciler is None:
        raise DrillFailedError("there is no reconciler")
    stage.reconciler.stop()


def _closed_then_open(stage: Stage) -> None:
    """See the pair closed after the trade's end, and open once the reconciler has looked."""
    until(lambda: not stage.open_trades(), "end of the trade in the database", 60)
    stage.enter()

    def denied() -> bool:
        # freqtrade locks a pair after its exit, and again when the exit is found twice.
        stage.unlock()
        return "POSITION_DRIFT" in stage.denials()

    until(denied, "denial while the pair is in doubt")
    stage.start_reconciler()
    stage.wait_protected(90)
    stage.hold()
    stage.wait_aligned()


def _reload(stage: Stage) -> None:
    if stage.open_trades():  # the bot may have found out by itself
        stage.rest("POST", "/trades/1/reload")


def _reload_or_delete(stage: Stage) -> None:
    _reload(stage)
    if stage.open_trades():
        stage.rest("DELETE", "/trades/1")


def _missing_position(stage: Stage) -> None:
    stage.open_position()
    stage.switch_off()
    stage.hand().close(stage.pair)
    stage.start_reconciler()
    stage.wait_drift("MISSING_POSITION")
    stage.wait_advice("/reload_trade 1")
    until(stage.venue.is_flat, "stop that is left over to be withdrawn")
    _stop_reconciler(stage)
    stage.start_bot()
    _closed_then_open(stage)


def _wrong_side(stage: Stage) -> None:
    size = stage.open_position()
    stage.switch_off()
    stage.hand().trade(stage.pair, -2 * size)
    stage.switch_on()
    until(lambda: stage.venue.position(stage.pair) == 0, "wrong position to be closed", 60)
    stage.wait_drift("MISSING_POSITION")
    stage.wait_advice("/delete 1")
    _stop_reconciler(stage)
    _reload_or_delete(stage)
    _closed_then_open(stage)


def _wrong_size(stage: Stage, ratio: str) -> None:
    size = stage.open_position()
    stage.switch_off()
    change = (size * Decimal(ratio)).quantize(size)
    stage.hand().trade(stage.pair, change, reduce_only=change < 0)
    stage.switch_on()
    stage.wait_drift("WRONG_SIZE")
    stage.wait_advice("/reload_trade 1")
    stage.rest("POST", "/trades/1/reload")
    until(lambda: not stage.disagreements(), "reloaded trade with the venue's size")
    stage.wait_aligned()
    stage.wait_protected()
    # freqtrade takes the reconciler's stop over as well: two may be there, never too few.
    covered = [Decimal(stop["sz"]) for stop in stage.venue.stops(stage.pair)]
    if size + change not in covered:
        raise DrillFailedError(f"no stop covers {size + change}, they are {covered}")


def _smaller(stage: Stage) -> None:
    _wrong_size(stage, "-0.5")


def _bigger(stage: Stage) -> None:
    _wrong_size(stage, "0.5")


def _stop_gone(stage: Stage) -> None:
    stage.open_position()
    stage.switch_off()
    stage.hand().cancel_stops(stage.pair)
    if stage.venue.stops(stage.pair):
        raise DrillFailedError("the stop could not be cancelled by hand")
    stage.switch_on()
    stage.wait_protected()
    stage.wait_aligned()
    until(lambda: len(stage.venue.stops(stage.pair)) == 1, "single stop")


def _order_not_found(stage: Stage) -> None:
    unfilled = stage.venue.fault("no_fill", match={"role": "entry"}, count=1)
    stage.enter()
    until(lambda: stage.venue.hits(unfilled), "resting entry")
    # One that it never asked about (filled: null) would end the bot's process at its start.
    until(
        lambda: [order["filled"] for order in stage.orders()] == [0.0],
        "answer about the resting entry",
    )
    stage.hold()
    stage.switch_off()
    hidden = stage.venue.fault("unknown_order")
    stage.enter()
    stage.switch_on()
    if not stage.venue.hits(hidden) or not (
        stage.bot and stage.bot.says("Assuming order was fully")
    ):
        raise DrillFailedError("the bot did not take its order for cancelled")
    stage.venue.heal()
    _wait_denied(stage)
    stage.wait_protected(90)
    stage.hold()
    stage.wait_aligned()


def _liquidated(stage: Stage) -> None:
    stage.open_position()
    stage.switch_off()
    stage.hand().cancel_stops(stage.pair)
    stage.venue.move(stage.pair, -0.4)
    until(stage.venue.is_flat, "liquidation")
    stage.switch_on()
    stage.wait_drift("MISSING_POSITION")
    stage.wait_advice("/delete 1")
    _reload_or_delete(stage)
    stage.wait_flat()
    stage.wait_aligned()


DRILLS: tuple[Drill, ...] = (
    Drill(
        "restart-unknown-position",
        "while the bot is off, a position is opened by hand",
        "Does not look: it trades beside it, and the position never gets a stop.",
        "The pair is closed before the bot enters; the reconciler flattens the position, then the "
        "pair is open again.",
        _unknown_position,
        fast=True,
        uses_bot=False,
    ),
    Drill(
        "restart-foreign-order",
        "while the bot is off, an order is left on the book by hand",
        "Does not look: the order fills whenever the price comes by, into a position without stop.",
        "The pair is closed; the reconciler withdraws the order, then the pair is open again.",
        _foreign_order,
        uses_bot=False,
    ),
    Drill(
        "restart-missing-position",
        "while the bot is off, its position is closed by hand",
        "Keeps the trade open as long as the stop order waits, and waits with it.",
        "The pair is closed; the reconciler withdraws the stop that has nothing to protect, and "
        "then freqtrade finds the closing order by itself; the pair is open again after a look.",
        _missing_position,
    ),
    Drill(
        "restart-wrong-side",
        "while the bot is off, its long is turned into a short by hand",
        "Sees no difference between long and short, and exits the wrong way.",
        "The pair is closed; the reconciler closes the short and names the command for the trade.",
        _wrong_side,
    ),
    Drill(
        "restart-smaller-position",
        "while the bot is off, half of its position is closed by hand",
        "Keeps the old size.",
        "The pair is closed; the reconciler names the command after which the sizes are the same.",
        _smaller,
    ),
    Drill(
        "restart-bigger-position",
        "while the bot is off, its position is enlarged by hand",
        "Keeps the old size: the stop covers only a part.",
        "The pair is closed; the reconciler covers the rest and names the command after which the "
        "sizes are the same.",
        _bigger,
    ),
    Drill(
        "restart-stop-gone",
        "while the bot is off, its stop is cancelled by hand",
        "Places a new one in its first loop; until it is started there is none.",
        "The same, or the reconciler does, whoever is first; one of two is withdrawn.",
        _stop_gone,
    ),
    Drill(
        "restart-order-not-found",
        "while the bot starts, the venue does not find its resting entry for a while",
        "Takes the order for cancelled after a minute as after five days, deletes the trade and "
        "enters again, while the first order still rests.",
        "The pair is closed while an order rests that no database knows; the reconciler withdraws "
        "it, then the pair is open again.",
        _order_not_found,
    ),
    Drill(
        "liquidated-while-off",
        "while the bot is off, its stop is gone and its position is liquidated",
        "Keeps a ghost trade and tries to leave it.",
        "The pair is closed; the reconciler names the commands that end the trade.",
        _liquidated,
    ),
)
