"""The market's clock: injected everywhere, so that time is an argument.

Nothing below `fractal_testnet` reads the machine's clock except through an object that
satisfies `Clock`. Times are integer milliseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

DAY_MS = 86_400_000


class Clock(Protocol):
    """Anything that knows the market's time."""

    @property
    def speed(self) -> float:
        """Market seconds that pass in one second of the machine."""
        ...

    def now_ms(self) -> int:
        """Return the market's time in milliseconds since 1970-01-01 UTC."""
        ...


def wall_ms() -> int:
    """Return the machine's time in milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class MarketClock:
    """A clock that starts at a moment and runs at a speed.

    Parameters
    ----------
    start_ms : int, optional
        Market time at the start, in ms UTC; default: the machine's time.
    speed : float, default 1.0
        Market seconds per second of the machine.
    source : callable, optional
        Where the machine's time comes from (ms); tests put their own here.

    Raises
    ------
    ValueError
        If `speed` is not a positive finite number.

    Notes
    -----
    At speed 1 without `start_ms` it follows the machine's clock exactly, also when that
    clock is stepped: freqtrade and the exchange then agree on the time.
    """

    start_ms: int | None = None
    speed: float = 1.0
    source: Callable[[], int] = wall_ms
    _origin_ms: int = field(init=False, repr=False, default=0)

    def __post_init__(self) -> None:
        if not 0 < self.speed < float("inf"):
            msg = f"speed is {self.speed}: give a number above 0, such as 1 or 60"
            raise ValueError(msg)
        object.__setattr__(self, "_origin_ms", self.source())

    def now_ms(self) -> int:
        """Return the market's time in milliseconds since 1970-01-01 UTC."""
        now = self.source()
        if self.start_ms is None and self.speed == 1.0:
            return now
        start = self._origin_ms if self.start_ms is None else self.start_ms
        return start + int((now - self._origin_ms) * self.speed)


@dataclass
class ManualClock:
    """A clock that stands still until it is moved: for tests and drills.

    Parameters
    ----------
    current_ms : int
        Market time in ms UTC.
    """

    current_ms: int
    speed: float = 0.0

    def now_ms(self) -> int:
        """Return the market's time in milliseconds since 1970-01-01 UTC."""
        return self.current_ms

    def advance(self, ms: int) -> None:
        """Move the time forward.

        Parameters
        ----------
        ms : int
            Milliseconds to add; must not be negative.
        """
        if ms < 0:
            msg = f"a market's time does not run back (asked for {ms} ms)"
            raise ValueError(msg)
        self.current_ms += ms
