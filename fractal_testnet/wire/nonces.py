"""Each nonce counts once: what keeps a recorded request from being sent again."""

from __future__ import annotations

import heapq

KEPT = 100
DAY_MS = 86_400_000


class NonceBook:
    """Nonces that each signer has used.

    Notes
    -----
    The venue keeps the 100 highest nonces of a signer. A new one must be above the lowest of
    them, must not be among them, and must lie between two days before and one day after the
    venue's time; a clock that is some seconds wrong does no harm, one that is a day wrong does.
    """

    def __init__(self) -> None:
        self._used: dict[str, list[int]] = {}

    def take(self, signer: str, nonce: int, now_ms: int) -> str | None:
        """Use a nonce.

        Parameters
        ----------
        signer : str
            Address.
        nonce : int
            Milliseconds, chosen by the signer.
        now_ms : int
            The venue's time, ms UTC.

        Returns
        -------
        str or None
            Why it is refused; None where it is accepted and from now on used.
        """
        if not now_ms - 2 * DAY_MS < nonce < now_ms + DAY_MS:
            return (
                f"Invalid nonce: {nonce} is not within two days before and one day after {now_ms}"
            )
        used = self._used.setdefault(signer, [])
        if nonce in used:
            return f"Invalid nonce: duplicate nonce {nonce}"
        if len(used) >= KEPT:
            if nonce < used[0]:
                return f"Invalid nonce: {nonce} is below the {KEPT} highest"
            heapq.heapreplace(used, nonce)
        else:
            heapq.heappush(used, nonce)
        return None
