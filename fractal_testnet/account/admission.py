"""What an order has to fulfil before it is accepted."""

from __future__ import annotations

from decimal import Decimal

from fractal_testnet.market import AssetSpec, Market

from .bank import ZERO
from .clearing import MAKER, TAKER
from .liquidity import Liquidity
from .matching import closable
from .orders import OrderRequest, Tif, fires_below
from .refusal import RefusedError, refusal, would_match
from .rules import MAX_DEVIATION, MIN_NOTIONAL, exact, is_valid_price, is_valid_size
from .trader import Trader

MAX_OPEN_ORDERS = 1_000


class Admission:
    """Check orders against the venue's rules and an account's money.

    Parameters
    ----------
    market : Market
        Knows the mark price.
    liquidity : Liquidity
        Knows the best prices.
    """

    def __init__(self, market: Market, liquidity: Liquidity) -> None:
        self._market = market
        self._liquidity = liquidity
        self._specs = {spec.name: spec for spec in market.assets}
        self._index = {spec.name: number for number, spec in enumerate(market.assets)}

    def available(self, trader: Trader) -> Decimal:
        """Return the money that neither positions nor resting orders need, USDC."""
        return max(trader.account.free - self.held(trader), ZERO)

    def held(self, trader: Trader) -> Decimal:
        """Return the margin that resting orders would need, USDC."""
        total = ZERO
        for order in trader.live.values():
            if not order.waits:
                total += self._margin_of(trader, order.request, order.remaining)
        return total

    def check(self, trader: Trader, request: OrderRequest, now_ms: int) -> None:
        """Check an order.

        Raises
        ------
        RefusedError
            In the venue's words.
        """
        spec, asset = self._specs[request.coin], self._index[request.coin]
        mark = exact(self._market.mark(request.coin, now_ms))
        self._check_grid(request, spec, asset, mark)
        if request.reduce_only and closable(trader, request, request.size) <= 0:
            raise refusal("reduce_only", asset)
        if len(trader.live) >= MAX_OPEN_ORDERS:
            raise RefusedError(f"Too many open orders: {MAX_OPEN_ORDERS}. asset={asset}")
        if request.cloid is not None and trader.by_cloid(request.cloid) is not None:
            raise RefusedError(f"Order with cloid {request.cloid} already exists. asset={asset}")
        self._check_trigger(request, spec, asset, mark)
        self._check_time_in_force(request, asset, now_ms)
        needed = self._margin_of(trader, request, request.size)
        if needed > 0:
            fee = MAKER if request.tif is Tif.ALO else TAKER
            needed += request.size * request.price * (fee + request.builder_ratio)
        if needed > self.available(trader):
            raise refusal("margin", asset)

    @staticmethod
    def _check_grid(request: OrderRequest, spec: AssetSpec, asset: int, mark: Decimal) -> None:
        if request.size <= 0:
            raise refusal("zero", asset)
        if not is_valid_size(request.size, spec):
            raise refusal("size", asset)
        if not is_valid_price(request.price, spec):
            raise refusal("tick", asset)
        if not request.reduce_only and request.size * request.price < MIN_NOTIONAL:
            raise refusal("minimum", asset)
        if request.trigger is None and abs(request.price / mark - 1) > MAX_DEVIATION:
            raise refusal("far", asset)

    @staticmethod
    def _check_trigger(request: OrderRequest, spec: AssetSpec, asset: int, mark: Decimal) -> None:
        trigger = request.trigger
        if trigger is None:
            return
        if not is_valid_price(trigger.price, spec):
            raise refusal("tick", asset)
        has_fired = mark <= trigger.price if fires_below(request) else mark >= trigger.price
        if has_fired:
            raise refusal("trigger", asset)

    def _check_time_in_force(self, request: OrderRequest, asset: int, now_ms: int) -> None:
        if request.trigger is not None or request.tif is Tif.GTC:
            return
        bid = self._liquidity.best(request.coin, -1, now_ms)
        ask = self._liquidity.best(request.coin, 1, now_ms)
        best = ask if request.side > 0 else bid
        would_take = best is not None and (request.price - best) * request.side >= 0
        if request.tif is Tif.ALO and would_take:
            raise would_match(asset, str(bid), str(ask))
        if request.tif is Tif.IOC and not would_take:
            raise refusal("ioc", asset)

    def _margin_of(self, trader: Trader, request: OrderRequest, size: Decimal) -> Decimal:
        """Return the margin that filling a size would need, USDC."""
        if request.reduce_only:
            return ZERO
        position = trader.account.positions.get(request.coin)
        if position is not None and position.side != request.side:
            size = max(size - abs(position.size), ZERO)
        leverage = trader.leverage_of(request.coin, self._specs[request.coin].max_leverage)
        return size * request.price / leverage
