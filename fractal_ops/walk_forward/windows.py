"""The plan of a walk-forward: which months are trained on, and which are scored.

Spans are half-open (the end is the first moment that is not in), in UTC. Nothing here reads data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from fractal_ops.walk_forward.errors import WalkForwardError
from fractal_ops.walk_forward.periods import (
    day_text,
    length_text,
    months_before,
    timerange,
)


@dataclass(frozen=True)
class Window:
    """One training span and the span it is scored on.

    Parameters
    ----------
    number : int
        From 1, oldest first.
    train_start, train_end, test_start, test_end : datetime
        UTC; half-open spans. Between `train_end` and `test_start` lies the purge.
    """

    number: int
    train_start: datetime
    train_end: datetime
    test_start: datetime
    test_end: datetime

    @property
    def train_timerange(self) -> str:
        """The ``--timerange`` of the training span."""
        return timerange(self.train_start, self.train_end)

    @property
    def test_timerange(self) -> str:
        """The ``--timerange`` of the test span."""
        return timerange(self.test_start, self.test_end)


def plan_windows(
    start: datetime,
    end: datetime,
    *,
    windows: int = 6,
    test_months: int = 2,
    train_months: int = 4,
    anchored: bool = False,
    purge: timedelta,
    warm_up: timedelta,
    source: str = "the data",
) -> tuple[Window, ...]:
    """Plan consecutive windows whose last test span ends at `end`.

    Parameters
    ----------
    start, end : datetime
        What every pair has candles for; UTC, half-open.
    windows : int
        How many.
    test_months, train_months : int
        Calendar months of a test span, and of a training span with its purge.
    anchored : bool
        Let every training span begin where the first does, so that they grow.
    purge : timedelta
        Left out between training and test: the longest time that a trade is held.
    warm_up : timedelta
        Candles that the indicators need before a span; taken from the data, never scored.
    source : str
        What begins at `start`, for the error: ``2h candles of SOL/USDC:USDC``.

    Returns
    -------
    tuple of Window
        Oldest first. Their test spans follow each other without a gap.

    Raises
    ------
    WalkForwardError
        A number is below 1, the dates are inverted or not in UTC, the purge leaves nothing to
        train on, or the data begin too late.
    """
    _check(start, end, windows, test_months, train_months, purge, warm_up)
    ends = [months_before(end, test_months * left) for left in range(windows, -1, -1)]
    anchor = months_before(end, test_months * windows + train_months)
    planned = []
    for number, (test_start, test_end) in enumerate(pairwise(ends), start=1):
        rolling = months_before(end, test_months * (windows - number + 1) + train_months)
        train_start, train_end = anchor if anchored else rolling, test_start - purge
        if train_start >= train_end:
            raise WalkForwardError(
                f"window {number} would train from {day_text(train_start)} to "
                f"{day_text(train_end)}: the purge of {length_text(purge)} leaves nothing of "
                f"{train_months} months; use a longer training span, or a shorter time stop"
            )
        planned.append(Window(number, train_start, train_end, test_start, test_end))
    needed = planned[0].train_start - warm_up
    if needed < start:
        raise WalkForwardError(
            f"{source} begin at {day_text(start)}, the first of {windows} training windows needs "
            f"them from {day_text(needed)} ({day_text(planned[0].train_start)} and "
            f"{length_text(warm_up)} to warm up): use fewer "
            f"windows{_that_fit(start + warm_up, end, test_months, train_months)}, "
            "a shorter training span (--train-months), or get older candles with `fractal data`, "
            "`freqtrade download-data` or a longer archive"
        )
    return tuple(planned)


def _check(
    start: datetime,
    end: datetime,
    windows: int,
    test_months: int,
    train_months: int,
    purge: timedelta,
    warm_up: timedelta,
) -> None:
    for name, count in (
        ("--windows", windows),
        ("--test-months", test_months),
        ("--train-months", train_months),
    ):
        if count < 1:
            raise WalkForwardError(f"{name} is {count}: give 1 or more")
    for name, span in (("purge", purge), ("warm-up", warm_up)):
        if span < timedelta(0):
            raise WalkForwardError(f"the {name} is {length_text(span)}: give 0 or more")
    for moment in (start, end):
        if moment.utcoffset() != timedelta(0):
            raise WalkForwardError(f"{moment} is not in UTC: give dates with the time zone UTC")
    if start >= end:
        raise WalkForwardError(
            f"the data begin at {day_text(start)} and end at {day_text(end)}: give a start before "
            "the end"
        )
    months = windows * test_months + train_months
    if months >= (end.year - 1) * 12 + end.month:
        raise WalkForwardError(f"{months} months before {day_text(end)}: use fewer windows")


def _that_fit(start: datetime, end: datetime, test_months: int, train_months: int) -> str:
    count = 0
    while months_before(end, test_months * (count + 1) + train_months) >= start:
        count += 1
    return f" ({count} would fit)" if count else ""
