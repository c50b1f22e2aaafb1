"""The day's rhythm: when crypto moves and trades much, by the minute (UTC)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MINUTES = 1_440

# Relative size of moves and of volume by hour, shaped after the real market's: quiet in
# the European morning, busiest when New York opens, a bump at 00:00.
_MOVE = (1.04, 1.08, 0.94, 0.80, 0.75, 0.72, 0.78, 0.82, 0.84, 0.80, 0.79, 0.80,
         0.95, 1.24, 1.56, 1.38, 1.24, 1.23, 1.12, 1.09, 1.08, 1.03, 1.02, 0.89)  # fmt: skip
_VOLUME = (0.89, 0.90, 0.80, 0.68, 0.63, 0.60, 0.66, 0.79, 0.83, 0.79, 0.78, 0.81,
           1.10, 1.51, 2.05, 1.80, 1.48, 1.31, 1.16, 1.09, 1.05, 0.78, 0.76, 0.73)  # fmt: skip

Floats = npt.NDArray[np.float64]


def _by_minute(hours: tuple[float, ...]) -> Floats:
    """Interpolate hourly means (at half past) around the clock; the mean is 1."""
    at = np.arange(-1, 25) * 60.0 + 30.0
    values = np.array([hours[-1], *hours, hours[0]])
    minutes = np.interp(np.arange(MINUTES) + 0.5, at, values)
    result: Floats = minutes / minutes.mean()
    return result


VARIANCE: Floats = _by_minute(_MOVE) ** 2 / float((_by_minute(_MOVE) ** 2).mean())
"""Share of variance of each minute of a day; mean 1."""

VOLUME: Floats = _by_minute(_VOLUME)
"""Share of volume of each minute of a day; mean 1."""

HOUR_VARIANCE: Floats = VARIANCE.reshape(24, 60).mean(axis=1)
"""Mean of `VARIANCE` in each hour."""
