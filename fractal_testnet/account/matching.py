"""Fill orders: from the book, or when the price has gone through them."""

from __future__ import annotations

from decimal import Decimal

from .bank import ZERO
from .clearing import Clearing
from .isolated import InsufficientMarginError
from .liquidity import Liquidity, Slice, next_book_ms
from .orders import Order, OrderRequest, Tif
from .standing import StandingOrders
from .trader import Trader


def closable(trader: Trader, request: OrderRequest, size: Decimal) -> Decimal:
    """Return how much of a size may fill: all, or what a reduce-only order may reduce."""
    if not request.reduce_only:
        return size
    position = trader.account.positions.get(request.coin)
    if position is None or position.side == request.side:
        return ZERO
    return min(size, abs(position.size))


class Matching:
    """Let orders trade.

    Parameters
    ----------
    liquidity : Liquidity
        What takers find.
    clearing : Clearing
        Books executions.
    standing : StandingOrders
        Knows live orders.
    highest : dict
        Highest leverage of each contract.
    """

    def __init__(
        self,
        liquidity: Liquidity,
        clearing: Clearing,
        standing: StandingOrders,
        highest: dict[str, int],
    ) -> None:
        self._liquidity = liquidity
        self._clearing = clearing
        self._standing = standing
        self._highest = highest

    def take(self, trader: Trader, order: Order, at_ms: int) -> None:
        """Take from the book what an order may take; what is left rests, or ends.

        One that has taken all there was at its limit takes again when the book is drawn anew.
        """
        request = order.request
        order.again_ms = None
        wanted = closable(trader, request, order.fillable)
        slices = self._liquidity.take(request.coin, request.side, wanted, request.price, at_ms)
        self._fill(trader, order, slices, at_ms, is_taker=True)
        if not order.is_live:
            return
        if order.remaining == 0:
            self._standing.note(trader, order, "filled", at_ms)
        elif request.tif is Tif.IOC or (request.trigger is not None and request.trigger.is_market):
            self._standing.note(trader, order, "canceled", at_ms)
        elif order.fillable > 0 and self._is_marketable(request, at_ms):
            order.again_ms = next_book_ms(at_ms)

    def _is_marketable(self, request: OrderRequest, at_ms: int) -> bool:
        """Tell whether a full book would have something at an order's limit or better."""
        best = self._liquidity.quoted(request.coin, request.side, at_ms)
        return best is not None and (request.price - best) * request.side >= 0

    def traded_through(self, trader: Trader, order: Order, at_ms: int) -> None:
        """Fill a resting order whole, at its own price."""
        whole = Slice(order.request.price, order.fillable)
        self._fill(trader, order, [whole], at_ms, is_taker=False)
        if order.is_live and order.remaining == 0:
            self._standing.note(trader, order, "filled", at_ms)

    def wake(self, trader: Trader, order: Order, at_ms: int) -> None:
        """Make an order of one whose trigger was reached; without a position it is for nothing."""
        request = order.request
        order.is_triggered = True
        if request.reduce_only and closable(trader, request, order.remaining) <= 0:
            self._standing.note(trader, order, "reduceOnlyCanceled", at_ms)
            return
        self._standing.note(trader, order, "triggered", at_ms)
        self.take(trader, order, at_ms)

    def liquidate(self, trader: Trader, coin: str, mark: Decimal, at_ms: int) -> None:
        """Take a position away, and the orders of its contract with it."""
        self._clearing.liquidate(trader, coin, mark, at_ms)
        self._standing.changed(coin)
        for order in list(trader.live.values()):
            if order.request.coin == coin:
                self._standing.note(trader, order, "liquidatedCanceled", at_ms)

    def _fill(
        self, trader: Trader, order: Order, slices: list[Slice], at_ms: int, *, is_taker: bool
    ) -> None:
        request = order.request
        leverage = trader.leverage_of(request.coin, self._highest[request.coin])
        for part in slices:
            size = closable(trader, request, part.size)
            if size <= 0:
                break
            exact = Slice(part.price, size)
            try:
                self._clearing.execute(
                    trader, order, exact, at_ms, is_taker=is_taker, leverage=leverage
                )
            except InsufficientMarginError:
                self._standing.note(trader, order, "marginCanceled", at_ms)
                break
        self._standing.changed(request.coin)
        self._drop_reduce_only(trader, request.coin, at_ms)

    def _drop_reduce_only(self, trader: Trader, coin: str, at_ms: int) -> None:
        """Cancel resting orders that have nothing left to reduce; triggers keep waiting."""
        for order in list(trader.live.values()):
            request = order.request
            if request.coin != coin or not request.reduce_only or order.waits:
                continue
            if order.remaining > 0 and closable(trader, request, order.remaining) <= 0:
                self._standing.note(trader, order, "reduceOnlyCanceled", at_ms)
