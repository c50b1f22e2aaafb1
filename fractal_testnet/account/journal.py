"""What happened, in the order it happened: the truth that everything else is checked against."""

from __future__ import annotations

import json
from collections import deque
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

KEPT = 20_000
"""Rows that stay in memory for whoever asks over the admin endpoint."""


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    msg = f"a journal row can not hold {type(value).__name__}"
    raise TypeError(msg)


class Journal:
    """Append-only record of requests, orders, fills, bookings and faults.

    Parameters
    ----------
    path : Path, optional
        JSON lines file; without one only the newest rows are kept, in memory.

    Notes
    -----
    Every row has ``seq`` (1, 2, 3 …), ``at_ms`` (market time, ms UTC) and ``event``. Amounts are
    decimal strings. A row is in the file before the request that it belongs to is answered.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._rows: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._seq = 0
        self._file: TextIO | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Line buffered: each row is with the system when `write` returns.
            self._file = path.open("a", buffering=1, encoding="utf-8")

    def write(self, event: str, at_ms: int, **fields: Any) -> None:
        """Append one row."""
        self._seq += 1
        row = {"seq": self._seq, "at_ms": at_ms, "event": event, **fields}
        text = json.dumps(row, separators=(",", ":"), default=_plain)
        if self._file is not None:
            self._file.write(text + "\n")
        self._rows.append(json.loads(text))

    def rows(self, after: int = 0, limit: int = KEPT) -> list[dict[str, Any]]:
        """Return rows that are still in memory, oldest first.

        Parameters
        ----------
        after : int, default 0
            Only rows with a higher ``seq``.
        limit : int
            At most so many, the oldest.
        """
        return [row for row in self._rows if row["seq"] > after][:limit]

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
