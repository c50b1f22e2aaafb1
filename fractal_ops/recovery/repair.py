"""Carry out a plan: each step on a fresh position, and each verified by asking again."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from fractal_ops.recovery.facts import ZERO, VenuePosition
from fractal_ops.recovery.orders import Fate, Sender, Sent, is_open
from fractal_ops.recovery.plan import Action, Step
from fractal_ops.recovery.venue import Venue, VenueUnreachableError

logger = logging.getLogger(__name__)

VERIFY_TRIES = 3
VERIFY_PAUSE_SECONDS = 1.0


class Outcome(StrEnum):
    """How a step ended. Only DONE was seen on the venue; the next look judges the others."""

    DONE = "done"
    NOT_DONE = "not done"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Result:
    """A step, how it ended, and why."""

    step: Step
    outcome: Outcome
    text: str


class Repairer:
    """Repairs one account.

    Parameters
    ----------
    venue
        The account; its client needs the key.
    max_slippage_ratio
        How far from the mark price a position may be closed.
    sleep
        Waits between two questions.
    """

    def __init__(
        self, venue: Venue, max_slippage_ratio: Decimal, sleep: Callable[[float], object]
    ) -> None:
        self._venue = venue
        self._slippage = max_slippage_ratio
        self._sleep = sleep
        self._sender = Sender(venue, sleep)

    def run(self, steps: Iterable[Step]) -> Iterator[Result]:
        """Carry out steps one after the other; a failed one does not keep the next back."""
        for step in steps:
            logger.warning("%s: repair: %s (%s)", step.pair, step, step.reason)
            try:
                result = self._run(step)
            except VenueUnreachableError as error:
                result = Result(step, Outcome.UNKNOWN, str(error))
            except Exception as error:  # the next position must not wait for its stop
                logger.exception("%s: the step failed", step.pair)
                result = Result(step, Outcome.UNKNOWN, f"{type(error).__name__}: {error}")
            logger.warning("%s: %s: %s", step.pair, result.outcome, result.text)
            yield result

    def _run(self, step: Step) -> Result:
        if step.action is Action.CANCEL:
            return _told(step, self._sender.cancel(step.order_id, step.pair))
        position = self._venue.positions().get(step.pair)
        if position is None:
            return Result(step, Outcome.DONE, "the position is gone already")
        if position.size != step.position:
            return Result(
                step,
                Outcome.NOT_DONE,
                f"the position is {position.size:f} by now, planned on {step.position:f}",
            )
        if step.action is Action.CLOSE:
            return self._close(step, position)
        return self._stop(step, position)

    def _close(self, step: Step, position: VenuePosition) -> Result:
        limit = self._worst_price(position)
        sent = self._sender.close(step.pair, -position.side, abs(position.size), limit)
        left = self._left(step.pair)
        if not left:
            return Result(step, Outcome.DONE, f"the position is closed {sent.text}".strip())
        if left != position.size:
            return Result(step, Outcome.NOT_DONE, f"{left:f} is left within {limit:f}")
        return _failed(step, sent, f"{left:f} is still there; limit {limit:f}")

    def _stop(self, step: Step, position: VenuePosition) -> Result:
        if step.trigger_price is None or step.limit_price is None:
            raise ValueError(f"a stop without prices was planned: {step}")
        sent = self._sender.stop(
            step.pair, step.side, step.size, step.trigger_price, step.limit_price
        )
        if sent.is_invalid:
            # As freqtrade does: a position that can not have its stop is not kept.
            logger.error("%s: the stop was refused (%s); closing", step.pair, sent.text)
            closed = self._close(step, position)
            text = f"the stop was refused ({sent.text}); {closed.text}"
            return Result(step, closed.outcome, text)
        if self._is_live(sent.order_id, step.pair):
            return Result(step, Outcome.DONE, f"the stop is live {sent.text}".strip())
        return _failed(step, sent, "the stop is not among the open orders")

    def _worst_price(self, position: VenuePosition) -> Decimal:
        # From the mark price and not from the book: a hollow book must not set the price.
        return position.mark_price * (1 - position.side * self._slippage)

    def _left(self, pair: str) -> Decimal:
        """Ask for the position until it is gone, a few times."""
        left = ZERO
        for attempt in range(1, VERIFY_TRIES + 1):
            position = self._venue.positions().get(pair)
            left = ZERO if position is None else position.size
            if not left:
                break
            if attempt < VERIFY_TRIES:
                self._sleep(VERIFY_PAUSE_SECONDS)
        return left

    def _is_live(self, order_id: str, pair: str) -> bool:
        for attempt in range(1, VERIFY_TRIES + 1):
            if is_open(self._venue.answer(order_id, pair)):
                return True
            if attempt < VERIFY_TRIES:
                self._sleep(VERIFY_PAUSE_SECONDS)
        return False


def _told(step: Step, sent: Sent) -> Result:
    if sent.fate is Fate.ACCEPTED:
        return Result(step, Outcome.DONE, sent.text)
    return _failed(step, sent, "")


def _failed(step: Step, sent: Sent, seen: str) -> Result:
    outcome = Outcome.UNKNOWN if sent.fate is Fate.UNKNOWN else Outcome.NOT_DONE
    return Result(step, outcome, "; ".join(part for part in (seen, sent.text) if part))
