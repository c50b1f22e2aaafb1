"""How many later candles a reading waits for before it is final."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from fractal_ops.walk_forward.prefix_compare import compare
from fractal_ops.walk_forward.prefix_replay import Columns

_REMEMBERED_RUNS = 16


class Sighting:
    """Where a column was seen to change: first of all, and longest after its own candle."""

    def __init__(self) -> None:
        self.row = -1
        self.length = 0
        self.then = self.now = ""
        self.times = 0
        self.late_row = -1
        self.lag = -1

    def note(self, row: int, length: int, then: str, now: str) -> None:
        """Take down the earliest row that differs in one prefix.

        Parameters
        ----------
        row, length : int
            The row, and how many candles were known.
        then, now : str
            Its reading then, and with all candles.
        """
        self.times += 1
        if self.row < 0 or row < self.row:
            self.row, self.length = row, length
            self.then, self.now = then, now
        if length - 1 - row > self.lag:
            self.late_row, self.lag = row, length - 1 - row


class Ruler:
    """Measures leaks by running more prefixes.

    Parameters
    ----------
    read : callable
        From a number of candles to the columns.
    whole : dict of str to array
        The columns from all candles.
    first : int
        First row that is no start-up row.
    most_runs : int
        After so many runs the answers are lower bounds.
    """

    def __init__(
        self, read: Callable[[int], Columns], whole: Columns, first: int, most_runs: int
    ) -> None:
        self._read = read
        self._whole = whole
        self._first = first
        self._rows = len(next(iter(whole.values())))
        self._left = most_runs
        self._runs: OrderedDict[int, Columns] = OrderedDict()

    def candles_needed(self, column: str, sighting: Sighting) -> tuple[int, bool]:
        """Return how many candles after its own a reading becomes final.

        Returns
        -------
        tuple of int and bool
            The number, and whether it is exact: a reading that changes with the very last candle
            may wait for more than there are.

        Notes
        -----
        Measured where the longest wait was seen, by doubling and halving: a reading that changes,
        settles for a while and changes again may wait longer.
        """
        row, low = sighting.late_row, sighting.lag
        last = self._rows - 1 - row
        high, stride = low + 1, 1
        while high < last:
            if self._left <= 0:
                return low + 1, False
            if self._agrees(column, row, high):
                break
            low, stride = high, 2 * stride
            high += stride
        high = min(high, last)
        while high - low > 1:
            if self._left <= 0:
                return low + 1, False
            middle = (low + high) // 2
            if self._agrees(column, row, middle):
                high = middle
            else:
                low = middle
        return high, high < last

    def _agrees(self, column: str, row: int, after: int) -> bool:
        length = row + 1 + after
        if length not in self._runs:
            self._left -= 1
            self._runs[length] = self._read(length)
            if len(self._runs) > _REMEMBERED_RUNS:
                self._runs.popitem(last=False)
        part = {name: values for name, values in self._runs[length].items() if name == column}
        whole = {name: values for name, values in self._whole.items() if name == column}
        changed = compare(part, whole, length, self._first).changed.get(column)
        return changed is None or row not in changed
