"""What the faults of the board mean to the matching engine."""

from __future__ import annotations

from decimal import Decimal

from fractal_testnet.account.exchange import Meddling
from fractal_testnet.account.orders import OrderRequest, Tif
from fractal_testnet.faults import FaultBoard, OrderTag, RequestTag, Role


def role_of(request: OrderRequest) -> Role:
    """Return what an order is for: a trigger makes it a stop, reduce-only an exit."""
    if request.trigger is not None:
        return "stop"
    return "exit" if request.reduce_only else "entry"


class BoardDisturbance:
    """Ask a fault board about actions.

    Parameters
    ----------
    board : FaultBoard
        The exchange's faults.
    """

    def __init__(self, board: FaultBoard) -> None:
        self._board = board

    def clock_offset_ms(self) -> int:
        """Return how far the venue claims to be ahead, ms."""
        return self._board.clock_offset_ms()

    def meddle(self, user: str, kind: str, request: OrderRequest) -> Meddling | None:
        """Return what becomes of one order; asked once, when it is placed."""
        if not self._board.armed:
            return None
        post_only = request.tif is Tif.ALO and request.trigger is None
        order = OrderTag(request.coin, role_of(request), post_only)
        tag = RequestTag("exchange", kind, (order,), (request.coin,), user)
        spec = self._board.outcome(tag)
        if spec is None:
            return None
        if spec.kind == "post_only":
            return Meddling(reject="upgrade")
        if spec.kind == "reject":
            return Meddling(reject=spec.reason)
        ratio = Decimal(0) if spec.kind == "no_fill" else Decimal(repr(spec.ratio))
        return Meddling(fill_ratio=ratio)
