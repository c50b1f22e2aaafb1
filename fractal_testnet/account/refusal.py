"""Why the venue says no, in its own words."""

from __future__ import annotations


class RefusedError(Exception):
    """An order, a cancellation or another action is refused; nothing has changed.

    Parameters
    ----------
    text : str
        The venue's own text: clients look for it.
    status : str
        What an order's status becomes, ``…Rejected``.
    """

    def __init__(self, text: str, status: str = "rejected") -> None:
        super().__init__(text)
        self.text = text
        self.status = status


_TEXTS = {
    "tick": ("Price must be divisible by tick size.", "tickRejected"),
    "size": ("Order has invalid size.", "rejected"),
    "zero": ("Order has zero size.", "rejected"),
    "minimum": ("Order must have minimum value of $10.", "minTradeNtlRejected"),
    "margin": ("Insufficient margin to place order.", "perpMarginRejected"),
    "reduce_only": ("Reduce only order would increase position.", "reduceOnlyRejected"),
    "ioc": (
        "Order could not immediately match against any resting orders.",
        "iocCancelRejected",
    ),
    "trigger": ("Invalid TP/SL price.", "badTriggerPxRejected"),
    "liquidity": ("No liquidity available for market order.", "marketOrderNoLiquidityRejected"),
    "far": (
        "Order price cannot be more than 80% away from the reference price",
        "oracleRejected",
    ),
    "post_only": (
        "Post only order would have immediately matched, bbo was unknown.",
        "badAloPxRejected",
    ),
    "upgrade": (
        "Only post-only orders allowed immediately after network upgrade",
        "rejected",
    ),
}


def refusal(reason: str, asset: int) -> RefusedError:
    """Return the refusal of an order.

    Parameters
    ----------
    reason : str
        A key of the table above: ``tick``, ``margin``, …
    asset : int
        The contract's index, which the venue adds to the text.

    Raises
    ------
    KeyError
        There is no such reason.
    """
    text, status = _TEXTS[reason]
    return RefusedError(f"{text} asset={asset}", status)


def would_match(asset: int, bid: str, ask: str) -> RefusedError:
    """Return the refusal of a post-only order that would take."""
    text = f"Post only order would have immediately matched, bbo was {bid}@{ask}. asset={asset}"
    return RefusedError(text, "badAloPxRejected")
