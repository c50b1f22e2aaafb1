"""Looking again and again: the loop, with its waiting handed in."""

from collections.abc import Callable
from dataclasses import dataclass

from fractal_ops.recovery.look import Look
from fractal_ops.recovery.reconcile import Reconciler
from fractal_ops.recovery.repair import Repairer, Result

RECHECK_SECONDS = 5.0
"""Until the look that confirms what was just seen, or that judges a repair."""
LOOKS_TO_SETTLE = 3


@dataclass(frozen=True, slots=True)
class Watch:
    """How a watch goes on.

    Parameters
    ----------
    reconciler
        Looks.
    wait
        Waits for that many seconds; true if the watch is to end.
    show
        Takes every look with what was repaired after it.
    interval_seconds
        Between two looks at an account that is aligned, or waits for a person.
    repairer
        Repairs what is confirmed; None only looks.
    """

    reconciler: Reconciler
    wait: Callable[[float], bool]
    show: Callable[[Look, tuple[Result, ...]], None]
    interval_seconds: float
    repairer: Repairer | None = None

    def run(self) -> Look:
        """Look until the end, and return the last look."""
        while True:
            look = self.reconciler.look()
            results: tuple[Result, ...] = ()
            if self.repairer is not None and look.steps:
                results = self.reconciler.repair(look, self.repairer)
            self.show(look, results)
            pause = self.interval_seconds
            if results or not look.is_settled:
                pause = min(pause, RECHECK_SECONDS)
            if self.wait(pause):
                self.reconciler.end()
                return look


def look_until_settled(reconciler: Reconciler, wait: Callable[[float], bool]) -> Look:
    """Look until all that is seen is confirmed or gone; a busy pair may keep it open."""
    look = reconciler.look()
    for _ in range(LOOKS_TO_SETTLE - 1):
        if look.is_settled or wait(RECHECK_SECONDS):
            break
        look = reconciler.look()
    return look
