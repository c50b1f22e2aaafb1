"""Nothing goes wrong: what all the others are compared with."""

from __future__ import annotations

from fractal_ops.drills.drill import Drill
from fractal_ops.drills.errors import DrillFailedError
from fractal_ops.drills.stage import Stage


def _stopped_out(stage: Stage) -> None:
    stage.open_position()
    stage.venue.move(stage.pair, -0.03, 5)
    stage.wait_flat()
    [trade] = stage.trades()
    if trade["exit_reason"] != "stoploss_on_exchange":
        raise DrillFailedError(f"the trade ended by {trade['exit_reason']}, not by its stop")


def _target(stage: Stage) -> None:
    stage.open_position(side="short")
    stage.venue.move(stage.pair, -0.08, 5)
    stage.wait_flat()
    [trade] = stage.trades()
    if trade["close_profit"] <= 0:
        raise DrillFailedError(f"the trade ended with {trade['close_profit']}, not at its target")


DRILLS = (
    Drill(
        "stopped-out",
        "signal, entry, stop on the exchange, price falls through it",
        "Enters, places the stop and books it when it fills.",
        "The same: the stop rests on the exchange and fills there.",
        _stopped_out,
        fast=True,
    ),
    Drill(
        "target-reached",
        "signal, short entry, price falls to the target",
        "Leaves by a limit order and withdraws the stop.",
        "The same.",
        _target,
    ),
)
