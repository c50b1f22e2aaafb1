"""Refusals in the shape the real venue gives them."""

from __future__ import annotations

DESERIALIZE = "Failed to deserialize the JSON body into the target type"


class WireError(Exception):
    """A request that is answered with an error.

    Parameters
    ----------
    status : int
        HTTP status.
    body : str
        Text of the answer.
    reason : str
        What was wrong, for the log only.
    """

    def __init__(self, status: int, body: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.body = body
        self.reason = reason


def malformed(reason: str) -> WireError:
    """Return the refusal of a body that does not fit any request: 422."""
    return WireError(422, DESERIALIZE, reason)


def unknown_coin(coin: object) -> WireError:
    """Return the refusal of an asset that does not exist: 500 and `null`."""
    return WireError(500, "null", f"unknown coin {coin!r}")
