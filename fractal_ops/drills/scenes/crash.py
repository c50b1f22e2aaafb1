"""The bot dies at the worst moment."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from fractal_ops.drills.drill import Drill
from fractal_ops.drills.errors import DrillFailedError
from fractal_ops.drills.stage import Stage
from fractal_ops.drills.waiting import until

HELD_SECONDS = 2.5
"""How long an answer is held back: long enough to die in, and shorter than the bot's timeout."""
SEED = 20261123
KILLS = 20
MOST_REQUESTS = 60
"""The bot is killed at one of so many requests after its start: about two trades' worth."""


def _kill_bot(stage: Stage) -> None:
    if stage.bot is None or stage.bot.has_ended():
        raise DrillFailedError("there is no bot to be killed")
    stage.bot.kill()


def _between_accept_and_commit(stage: Stage) -> None:
    fault = stage.venue.fault(
        "latency",
        match={"path": "exchange", "type": "order", "role": "entry"},
        seconds=HELD_SECONDS,
        processed=True,
        count=1,
    )
    stage.enter()
    until(lambda: stage.venue.position(stage.pair), "filled entry")
    _kill_bot(stage)
    if stage.venue.hits(fault) != 1 or stage.trades():
        raise DrillFailedError("the bot had its answer before it was killed")
    # The signal is still there: it would be sent again.
    stage.restart_bot()
    until(
        lambda: stage.denials() & {"AMBIGUOUS_ORDER", "POSITION_DRIFT"},
        "denial while the order's outcome is unknown",
    )
    until(stage.venue.is_flat, "position that nobody knows to be flattened", 60)
    stage.wait_protected(90)  # and open again
    stage.hold()


def _between_fill_and_stop(stage: Stage) -> None:
    fault = stage.venue.fault("drop_request", match={"path": "exchange", "role": "stop"})
    stage.enter()
    until(lambda: stage.venue.position(stage.pair), "filled entry")
    until(lambda: stage.venue.hits(fault) and stage.open_trades(), "stop that is lost")
    _kill_bot(stage)
    if stage.venue.stops(stage.pair):
        raise DrillFailedError("the stop was there before the bot was killed")
    stage.hold()
    stage.venue.heal()
    stage.restart_bot()
    stage.wait_protected()
    stage.wait_aligned()
    until(lambda: len(stage.venue.stops(stage.pair)) == 1, "single stop")


def _during_exit(stage: Stage) -> None:
    stage.open_position()
    fault = stage.venue.fault(
        "latency",
        match={"path": "exchange", "type": "order", "role": "exit"},
        seconds=HELD_SECONDS,
        processed=True,
        count=1,
    )
    stage.leave()
    until(lambda: stage.venue.position(stage.pair) == 0, "filled exit")
    _kill_bot(stage)
    if stage.venue.hits(fault) != 1 or not stage.open_trades():
        raise DrillFailedError("the bot had its answer before it was killed")
    # The exit's signal is still there: it is sent again and again.
    stage.restart_bot()
    stage.wait_advice("MISSING_POSITION")
    stage.heed_advice()  # or freqtrade finds out by itself, once its stop is withdrawn
    stage.wait_flat()
    stage.wait_aligned()
    turned = {row["dir"] for row in stage.venue.rows() if row["event"] == "fill"}
    if turned != {"Open Long", "Close Long"}:
        raise DrillFailedError(f"the second exit did more than nothing: {sorted(turned)}")


def _reconciler(stage: Stage) -> None:
    if stage.reconciler is None:
        raise DrillFailedError("there is no reconciler to be killed")
    stage.reconciler.wait_for(" UTC aligned")
    stage.hand().rest(stage.pair, Decimal("0.02"), stage.venue.price(stage.pair) * 0.95)
    stage.wait_drift("ORPHAN_ORDER")
    stage.reconciler.kill()
    stage.enter()
    until(lambda: "POSITION_DRIFT" in stage.denials(), "denial of the pair in doubt")
    stage.hold()
    stage.settle()  # the bot goes on
    # Another pair is not in doubt.
    other = stage.config["exchange"]["pair_whitelist"][1]
    stage.enter(other)
    stage.wait_protected(pair=other)
    stage.hold()
    if stage.drifts() != {stage.pair: "ORPHAN_ORDER"}:
        raise DrillFailedError(f"the doubt did not outlive the reconciler: {stage.drifts()}")
    stage.start_reconciler()
    stage.wait_aligned()
    stage.leave(other)
    stage.wait_flat()


class _Busy:
    """Gives a bot something to do: enters where it is flat, leaves where it has a stop."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._pairs = stage.config["exchange"]["pair_whitelist"]
        self._ends = 0
        self._wanted = ""

    def push(self) -> None:
        """Say what comes next, if it is not said already."""
        stage = self._stage
        trades = stage.open_trades()
        ended = sum(not trade["is_open"] for trade in stage.trades())
        if ended != self._ends:
            self._ends, self._wanted = ended, ""
        pair = self._pairs[self._ends % len(self._pairs)]
        protected = [trade["pair"] for trade in trades if stage.venue.stops(trade["pair"])]
        wanted = f"leave {protected[0]}" if protected else f"enter {pair}"
        if wanted != self._wanted:
            self._wanted = wanted
            if protected:
                stage.leave(protected[0])
            else:
                stage.unlock(pair)
                stage.enter(pair, side="short" if self._ends % 2 else "long")


def _at_random(stage: Stage) -> None:
    moments = Random(SEED)  # noqa: S311  # the same moments in every run
    busy = _Busy(stage)
    for _ in range(KILLS):
        moment = stage.venue.requests() + moments.randint(1, MOST_REQUESTS)

        def reached(moment: int = moment) -> bool:
            busy.push()
            return stage.venue.requests() >= moment

        until(reached, f"request {moment} to the exchange", 60)
        _kill_bot(stage)
        stage.restart_bot()
    if len([row for row in stage.venue.rows() if row["event"] == "fill"]) < KILLS // 2:
        raise DrillFailedError("the bot was not busy: it has hardly traded")
    stage.hold()
    stage.heed_advice()
    for trade in stage.open_trades():
        stage.leave(trade["pair"])
    stage.wait_flat(90)
    stage.wait_aligned()


DRILLS: tuple[Drill, ...] = (
    Drill(
        "killed-between-accept-and-commit",
        "the exchange has filled an entry, the bot is killed before it hears of it",
        "Has no trade after the restart, leaves the position without a stop, and enters again.",
        "The reservation outlives the bot and keeps the pair closed; the reconciler finds a "
        "position that no database knows and flattens it; then the pair is open again.",
        _between_accept_and_commit,
    ),
    Drill(
        "killed-between-fill-and-stop",
        "an entry is filled and booked, the bot is killed before its stop is placed",
        "Places the stop when it is started again; until then there is none.",
        "The reconciler places the stop while the bot is away, and withdraws what is too much.",
        _between_fill_and_stop,
        fast=True,
    ),
    Drill(
        "killed-during-exit",
        "the exchange has filled an exit, the bot is killed before it hears of it",
        "Keeps the trade open for ever and sends an exit in every loop; each is refused, since it "
        "is reduce-only.",
        "The reconciler tells that the position is missing, withdraws the stop that is left over, "
        "and names the command; by it, or by itself, freqtrade closes the trade at its real price.",
        _during_exit,
    ),
    Drill(
        "killed-reconciler",
        "the reconciler is killed while it keeps a pair closed",
        "Has none.",
        "The pair stays closed, the bot goes on in the others, and the reconciler goes on where "
        "it was once it is started again.",
        _reconciler,
    ),
    Drill(
        "killed-at-random",
        f"a busy bot is killed {KILLS} times at random requests, and started again each time",
        "Each kill may leave one of the three kinds of mess above.",
        "No double position, a stop within 60 s or a flat pair, and an account that is aligned at "
        "the end; the moments are the same in every run.",
        _at_random,
    ),
)
