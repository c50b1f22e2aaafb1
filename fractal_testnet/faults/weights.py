"""The venue's rate limit: requests have weights, and an address 1,200 of them a minute.

Source: Hyperliquid docs, "Rate limits and user limits".
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable

from fractal_testnet.faults.tags import Path

WINDOW_MS = 60_000

_INFO_WEIGHTS = {
    "l2Book": 2,
    "allMids": 2,
    "clearinghouseState": 2,
    "orderStatus": 2,
    "spotClearinghouseState": 2,
    "exchangeStatus": 2,
    "userRole": 60,
}
_OTHER_INFO = 20
_BATCH = 40
_BATCHES = ("orders", "cancels", "modifies")
_ROWS_PER_WEIGHT = {
    "candleSnapshot": 60,
    "recentTrades": 20,
    "historicalOrders": 20,
    "userFills": 20,
    "userFillsByTime": 20,
    "fundingHistory": 20,
    "userFunding": 20,
}


def request_weight(path: Path, body: object) -> int:
    """Return what a request weighs before it is answered; any body has a weight.

    Parameters
    ----------
    path : {"info", "exchange"}
        Where it was sent.
    body : object
        The decoded body.
    """
    fields = body if isinstance(body, dict) else {}
    if path == "info":
        kind = fields.get("type")
        return _INFO_WEIGHTS.get(kind, _OTHER_INFO) if isinstance(kind, str) else _OTHER_INFO
    action = fields.get("action")
    batches = [action.get(key) for key in _BATCHES] if isinstance(action, dict) else []
    longest = max((len(batch) for batch in batches if isinstance(batch, list)), default=0)
    return 1 + longest // _BATCH


def answer_weight(kind: str | None, answer: bytes) -> int:
    """Return what the rows of an answer weigh on top.

    Parameters
    ----------
    kind : str or None
        Type of the info request.
    answer : bytes
        Body of the answer.
    """
    rows_per_weight = _ROWS_PER_WEIGHT.get(kind or "")
    if rows_per_weight is None:
        return 0
    try:
        rows = json.loads(answer)
    except ValueError:
        return 0
    return len(rows) // rows_per_weight if isinstance(rows, list) else 0


class WeightMeter:
    """Weigh the requests of the last minute.

    Parameters
    ----------
    per_minute : int
        Allowed weight.
    now_ms : callable
        The exchange's clock, ms.
    """

    def __init__(self, per_minute: int, now_ms: Callable[[], int]) -> None:
        self._per_minute = per_minute
        self._now_ms = now_ms
        self._charges: deque[tuple[int, int]] = deque()
        self._spent = 0

    @property
    def spent(self) -> int:
        """Weight of the last minute."""
        oldest = self._now_ms() - WINDOW_MS
        while self._charges and self._charges[0][0] <= oldest:
            self._spent -= self._charges.popleft()[1]
        return self._spent

    def has_room(self, weight: int) -> bool:
        """Tell whether a request of that weight is still allowed."""
        return self.spent + weight <= self._per_minute

    def charge(self, weight: int) -> None:
        """Count a weight; what the rows of an answer weigh may pass the limit."""
        if weight:
            self._charges.append((self._now_ms(), weight))
            self._spent += weight
