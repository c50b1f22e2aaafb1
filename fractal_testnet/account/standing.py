"""Live orders by contract, and the prices at which something happens to them."""

from __future__ import annotations

from collections.abc import Mapping

from fractal_testnet.market import AssetSpec

from .journal import Journal
from .levels import Levels, nearest
from .orders import Order
from .trader import Trader


class StandingOrders:
    """Every account, every live order, and the nearest levels of each contract.

    Parameters
    ----------
    specs : mapping
        The contracts by name.
    journal : Journal
        Is told every change of an order.
    """

    def __init__(self, specs: Mapping[str, AssetSpec], journal: Journal) -> None:
        self._specs = specs
        self._journal = journal
        self.traders: dict[str, Trader] = {}
        self._orders: dict[str, dict[int, Order]] = {name: {} for name in specs}
        self._levels: dict[str, Levels] = {}

    def levels(self, coin: str) -> Levels:
        """Return the nearest levels of a contract."""
        found = self._levels.get(coin)
        if found is None:
            highest = self._specs[coin].max_leverage
            found = nearest(coin, highest, self._orders[coin].values(), self.traders)
            self._levels[coin] = found
        return found

    def changed(self, coin: str) -> None:
        """Take in that positions or orders of a contract are no longer what they were."""
        self._levels.pop(coin, None)

    def note(self, trader: Trader, order: Order, status: str, at_ms: int) -> None:
        """Give an order a status, everywhere it is known."""
        trader.note(order, status, at_ms)
        request = order.request
        orders = self._orders[request.coin]
        if order.is_live:
            orders[order.oid] = order
        else:
            orders.pop(order.oid, None)
        self.changed(request.coin)
        self._journal.write(
            "order",
            at_ms,
            user=trader.address,
            oid=order.oid,
            status=status,
            coin=request.coin,
            side="B" if request.side > 0 else "A",
            limit_px=request.price,
            sz=order.remaining,
            orig_sz=request.size,
            tif=request.tif.value,
            reduce_only=request.reduce_only,
            trigger_px=None if request.trigger is None else request.trigger.price,
            type=order.kind,
            cloid=request.cloid,
        )
