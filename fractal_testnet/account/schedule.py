"""scheduleCancel, the venue's dead man's switch."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from .refusal import RefusedError

LEAST_AHEAD_MS = 5_000
TRIGGERS_A_DAY = 10
DAY_MS = 86_400_000
NEEDED_VOLUME = Decimal(1_000_000)
"""USDC that an account must have traded before the venue offers it."""


@dataclass
class CancelSchedule:
    """When all orders of an account are cancelled, protective stops among them.

    Parameters
    ----------
    needed_volume : Decimal
        USDC traded, below which it is refused.
    """

    needed_volume: Decimal = NEEDED_VOLUME
    _planned: dict[str, int] = field(default_factory=dict)
    _fired: dict[str, tuple[int, int]] = field(default_factory=dict)

    def set(self, address: str, time_ms: int | None, now_ms: int, traded: Decimal) -> None:
        """Plan the cancellation of all orders; None takes the plan back.

        Raises
        ------
        RefusedError
            Too little traded, too soon, or too often today.
        """
        if time_ms is None:
            self._planned.pop(address, None)
            return
        if traded < self.needed_volume:
            raise RefusedError(
                "Cannot set scheduled cancel time until enough volume traded. "
                f"Required: ${self.needed_volume}. Traded: ${traded:.5f}."
            )
        if time_ms < now_ms + LEAST_AHEAD_MS:
            raise RefusedError(
                "Scheduled cancel time too early, must be at least 5 seconds from now."
            )
        day, count = self._fired.get(address, (0, 0))
        if day == now_ms // DAY_MS and count >= TRIGGERS_A_DAY:
            raise RefusedError("Too many scheduled cancels triggered today.")
        self._planned[address] = time_ms

    def next_ms(self) -> int | None:
        """Return the next planned moment."""
        return min(self._planned.values(), default=None)

    def due(self, now_ms: int) -> str | None:
        """Return an account whose moment has come, and take its plan away."""
        for address, time_ms in self._planned.items():
            if time_ms <= now_ms:
                del self._planned[address]
                day, count = self._fired.get(address, (0, 0))
                today = now_ms // DAY_MS
                self._fired[address] = (today, count + 1 if day == today else 1)
                return address
        return None
