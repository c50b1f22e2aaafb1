"""A fault on the board: when it is active, and which opportunities it takes."""

from __future__ import annotations

import hashlib
from random import Random
from typing import Literal

from fractal_testnet.faults.spec import FaultSpec

State = Literal["waiting", "active", "spent", "over"]


class Fault:
    """A spec with a number, a schedule and a memory.

    Parameters
    ----------
    number : int
        From 1 on, in the order of addition.
    spec : FaultSpec
        What it does.
    seed : int
        The exchange's seed of faults.
    added_ms : int
        When it was added, ms of the exchange's clock.
    """

    def __init__(self, number: int, spec: FaultSpec, seed: int, added_ms: int) -> None:
        self.number = number
        self.spec = spec
        self.start_ms = added_ms + round(spec.after_seconds * 1000)
        self.end_ms: int | None = None
        if spec.for_seconds is not None:
            # Less than a millisecond would end before it begins.
            self.end_ms = self.start_ms + max(1, round(spec.for_seconds * 1000))
        self.seen = 0
        self.hits = 0
        self._root = f"{seed}/{number}" if spec.seed is None else f"own {spec.seed}"
        self._stream = _random(self._root)
        self._decided: dict[str, bool] = {}

    @property
    def is_spent(self) -> bool:
        """Whether its count is used up."""
        return self.spec.count is not None and self.hits >= self.spec.count

    def has_begun(self, now_ms: int) -> bool:
        """Tell whether its time has come, or is over already."""
        return now_ms >= self.start_ms

    def is_scheduled(self, now_ms: int) -> bool:
        """Tell whether its time is now, be its count used up or not."""
        return self.has_begun(now_ms) and (self.end_ms is None or now_ms < self.end_ms)

    def state(self, now_ms: int) -> State:
        """Return its state for people."""
        if self.is_spent:
            return "spent"
        if not self.has_begun(now_ms):
            return "waiting"
        return "active" if self.is_scheduled(now_ms) else "over"

    def takes_next(self) -> bool:
        """Decide the next opportunity, by skip, count and the fault's own random stream."""
        return self._takes(self._stream)

    def touches(self, subject: str) -> tuple[bool, bool]:
        """Decide about a lasting subject (an asset, a stream, a session), once for all.

        Parameters
        ----------
        subject : str
            Its name.

        Returns
        -------
        tuple of bool
            Whether it is touched, and whether that was decided just now.

        Notes
        -----
        How often and in which order others ask depends on polling, so the draw comes from the
        subject's name and not from the stream.
        """
        known = self._decided.get(subject)
        if known is not None:
            return known, False
        chosen = self._takes(_random(f"{self._root}/{subject}"))
        self._decided[subject] = chosen
        return chosen, True

    def _takes(self, random: Random) -> bool:
        if self.is_spent:
            return False
        self.seen += 1
        # Drawn also when skipped: so `skip` moves no later draw.
        drawn = random.random() < self.spec.probability
        if self.seen <= self.spec.skip or not drawn:
            return False
        self.hits += 1
        return True


def _random(root: str) -> Random:
    digest = hashlib.sha256(root.encode()).digest()
    return Random(int.from_bytes(digest[:8], "big"))  # noqa: S311 - reproducible by intent
