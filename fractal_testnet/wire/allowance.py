"""How many actions an account may send: a start allowance, and one more for each USDC traded."""

from __future__ import annotations

from decimal import Decimal

from fractal_testnet.account.trader import Trader

INITIAL = 10_000
CANCEL_EXTRA = 100_000
THROTTLED_MS = 10_000
CANCELS = frozenset({"cancel", "cancelByCloid"})


class Allowance:
    """The venue's limit of actions for each address.

    Notes
    -----
    Beyond the allowance an account may send one action every ten seconds. Cancellations have an
    allowance of their own, so that open orders can always be taken back.
    """

    def __init__(self) -> None:
        self._last_ms: dict[str, int] = {}

    @staticmethod
    def cap(traded: Decimal) -> int:
        """Return how many actions an account with that volume (USDC) may have sent."""
        return INITIAL + int(traded)

    def charge(self, trader: Trader, kind: str, count: int, now_ms: int) -> str | None:
        """Count an action.

        Parameters
        ----------
        trader : Trader
            Whose it is.
        kind : str
            The action's type.
        count : int
            Orders or cancellations in it; others count as one.
        now_ms : int
            The moment.

        Returns
        -------
        str or None
            The venue's refusal, or None.
        """
        cap = self.cap(trader.traded)
        limit = min(cap + CANCEL_EXTRA, cap * 2) if kind in CANCELS else cap
        used = trader.actions + max(count, 1)
        if used > limit:
            if now_ms - self._last_ms.get(trader.address, 0) < THROTTLED_MS:
                return (
                    f"Too many cumulative requests sent ({used} > {limit}) for cumulative volume "
                    f"traded ${trader.traded:.2f}. Place taker orders to free up 1 request per "
                    "USDC traded."
                )
            self._last_ms[trader.address] = now_ms
        trader.actions = used
        return None
