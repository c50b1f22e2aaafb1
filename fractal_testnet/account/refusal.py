"""Why the venue says no, in its own words."""

from __future__ import annotations


class RefusedError(Exception):
    """An order, a cancellation or another action is refused; nothing has changed.

    Parameters
    ----------
    text : str
        The venue's own text: clients look for it.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


_TEXTS = {
    "tick": "Price must be divisible by tick size.",
    "size": "Order has invalid size.",
    "zero": "Order has zero size.",
    "minimum": "Order must have minimum value of $10.",
    "margin": "Insufficient margin to place order.",
    "reduce_only": "Reduce only order would increase position.",
    "ioc": "Order could not immediately match against any resting orders.",
    "trigger": "Invalid TP/SL price.",
    "far": "Order price cannot be more than 80% away from the reference price",
    "post_only": "Post only order would have immediately matched, bbo was unknown.",
    "upgrade": "Only post-only orders allowed immediately after network upgrade",
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
    return RefusedError(f"{_TEXTS[reason]} asset={asset}")


def would_match(asset: int, bid: str, ask: str) -> RefusedError:
    """Return the refusal of a post-only order that would take."""
    text = f"Post only order would have immediately matched, bbo was {bid}@{ask}. asset={asset}"
    return RefusedError(text)
