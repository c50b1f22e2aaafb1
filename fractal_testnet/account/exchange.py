"""The matching engine: orders meet the market's path, one event after the other.

Nothing happens between requests; every request first lets the time pass up to its own moment
(`Exchange.advance`), and what falls into that time happens at its own millisecond: triggers fire,
resting orders fill, funding is paid, positions are liquidated. What comes out depends on the
market and on the requests, not on how often anybody looks.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import NamedTuple

from fractal_testnet.market import AssetSpec, Knots, Market
from fractal_testnet.market.intervals import HOUR_MS

from .agents import AgentBook
from .bank import ZERO, Bank, Booking, free_account, usdc
from .clearing import MAKER, TAKER, Clearing
from .crossing import first_touch
from .funding import settle
from .isolated import InsufficientMarginError
from .journal import Journal
from .levels import Level, Levels, nearest
from .liquidity import Liquidity, Slice
from .orders import Order, OrderRequest, Tif, fires_below
from .refusal import RefusedError, refusal, would_match
from .rules import MAX_DEVIATION, MIN_NOTIONAL, exact, is_valid_price, is_valid_size, size_unit
from .schedule import CancelSchedule
from .trader import Trader, Transfer

MAX_OPEN_ORDERS = 1_000
FIRST_OID = 1_000_000_001


class Meddling(NamedTuple):
    """What a fault does to one order.

    Parameters
    ----------
    reject : str or None
        A reason as in `refusal`.
    fill_ratio : Decimal or None
        Share of the order that may ever fill; 0 lets it rest for ever.
    """

    reject: str | None = None
    fill_ratio: Decimal | None = None


class Exchange:
    """Accounts, orders and positions on a market.

    Parameters
    ----------
    market : Market
        What trades.
    now_ms : int
        Where time begins, ms UTC.
    journal : Journal, optional
        Is told everything that happens.
    """

    def __init__(self, market: Market, now_ms: int, journal: Journal | None = None) -> None:
        self.market = market
        self.journal = journal if journal is not None else Journal()
        self.bank = Bank(self._record)
        self.agents = AgentBook()
        self.schedule = CancelSchedule()
        self.traders: dict[str, Trader] = {}
        self.specs = {spec.name: spec for spec in market.assets}
        self.highest = {spec.name: spec.max_leverage for spec in market.assets}
        self._index = {spec.name: number for number, spec in enumerate(market.assets)}
        self._liquidity = Liquidity(market)
        self._clearing = Clearing(self.journal)
        self._orders: dict[str, dict[int, Order]] = {spec.name: {} for spec in market.assets}
        self._levels: dict[str, Levels] = {}
        self._now_ms = now_ms
        self._oid = FIRST_OID - 1

    # What an account may do ------------------------------------------------------------------

    def trader(self, address: str) -> Trader:
        """Return an account; one that was never seen is empty."""
        if address not in self.traders:
            self.traders[address] = Trader.open(address, self.bank)
        return self.traders[address]

    def find(self, address: str) -> Trader | None:
        """Return an account, or None where nothing has ever happened on that address."""
        return self.traders.get(address)

    def deposit(self, address: str, amount: Decimal, now_ms: int) -> None:
        """Bring mock USDC in; below 0 takes it out.

        Raises
        ------
        OverdraftError
            There is not so much to take out.
        """
        self.advance(now_ms)
        trader = self.trader(address)
        trader.account.deposit(now_ms, amount)
        trader.transfers.append(Transfer(now_ms, usdc(amount)))

    def place(
        self,
        address: str,
        request: OrderRequest,
        now_ms: int,
        meddling: Meddling | None = None,
    ) -> Order:
        """Accept an order, and match it as far as it goes.

        Parameters
        ----------
        address : str
            Account.
        request : OrderRequest
            What is asked for.
        now_ms : int
            The moment.
        meddling : Meddling, optional
            A fault.

        Returns
        -------
        Order
            Live, or finished at once.

        Raises
        ------
        RefusedError
            Nothing has changed.
        """
        self.advance(now_ms)
        trader = self.trader(address)
        meddling = meddling or Meddling()
        if meddling.reject is not None:
            raise refusal(meddling.reject, self._index[request.coin])
        self._check(trader, request, now_ms)
        self._oid += 1
        order = Order(self._oid, address, request, now_ms)
        if meddling.fill_ratio is not None:
            unit = size_unit(self.specs[request.coin])
            wanted = request.size * meddling.fill_ratio
            order.fill_cap = wanted.quantize(unit, rounding=ROUND_FLOOR)
        if request.cloid is not None:
            trader.cloids[request.cloid.lower()] = order.oid
        if order.waits or request.tif is Tif.ALO:
            self._note(trader, order, "open", now_ms)
            return order
        if request.tif is Tif.IOC and self._would_not_match(order, now_ms):
            trader.cloids.pop((request.cloid or "").lower(), None)
            raise refusal("ioc", self._index[request.coin])
        self._note(trader, order, "open", now_ms)
        self._match(trader, order, now_ms)
        return order

    def cancel(self, address: str, order: Order | None, asset: int, now_ms: int) -> None:
        """Cancel an order.

        Parameters
        ----------
        order : Order or None
            None where there is no such order.

        Raises
        ------
        RefusedError
            It is not live, or not in that contract.
        """
        self.advance(now_ms)
        if order is None or not order.is_live or self._index[order.request.coin] != asset:
            text = "Order was never placed, already canceled, or filled."
            raise RefusedError(f"{text} asset={asset}")
        self._note(self.traders[address], order, "canceled", now_ms)

    def modify(
        self,
        address: str,
        order: Order | None,
        request: OrderRequest,
        now_ms: int,
        meddling: Meddling | None = None,
    ) -> Order:
        """Replace a live order by another one in the same contract.

        Raises
        ------
        RefusedError
            It is not live, or the new one is refused. A refused new order leaves none.
        """
        self.advance(now_ms)
        if order is None or not order.is_live or order.request.coin != request.coin:
            raise RefusedError("Cannot modify canceled or filled order")
        self._note(self.traders[address], order, "canceled", now_ms)
        return self.place(address, request, now_ms, meddling)

    def set_leverage(
        self, address: str, coin: str, leverage: int, now_ms: int, *, is_cross: bool
    ) -> None:
        """Choose the leverage of a contract.

        Raises
        ------
        RefusedError
            It is out of range, or cross, which this exchange does not offer, or an open position
            has too little margin for less leverage.
        """
        self.advance(now_ms)
        trader = self.trader(address)
        if not 1 <= leverage <= self.highest[coin]:
            raise RefusedError("Invalid leverage value")
        if is_cross:
            raise RefusedError("Cross margin is not allowed for this asset.")
        position = trader.account.positions.get(coin)
        if position is not None and leverage < position.leverage:
            mark = self.mark(coin)
            held = trader.account.margin(coin) + position.unrealised(mark)
            if held < abs(position.size) * mark / leverage:
                raise RefusedError(
                    "Isolated position does not have sufficient margin available to decrease "
                    "leverage. To decrease leverage, add margin to the position."
                )
        if position is not None:
            trader.account.positions[coin] = position.with_leverage(leverage)
        trader.leverage[coin] = leverage

    def move_margin(self, address: str, coin: str, amount: Decimal, now_ms: int) -> None:
        """Add to the margin of a position; below 0 takes from it.

        Raises
        ------
        RefusedError
            There is no position, or the money is not there, or would be needed.
        """
        self.advance(now_ms)
        trader = self.trader(address)
        account = trader.account
        position = account.positions.get(coin)
        if position is None:
            raise RefusedError("Cannot update margin for empty position.")
        if amount == 0:
            raise RefusedError("Update to isolated margin cannot be zero.")
        if amount > self.available(trader):
            raise RefusedError("Account does not have sufficient margin available for increase.")
        if amount < 0:
            mark = self.mark(coin)
            left = account.margin(coin) + amount + position.unrealised(mark)
            if left < abs(position.size) * mark / position.leverage:
                raise RefusedError(
                    "Position does not have sufficient margin available for decrease."
                )
        account.add_margin(now_ms, coin, amount)
        self._levels.pop(coin, None)

    # What can be known -----------------------------------------------------------------------

    @property
    def now_ms(self) -> int:
        """The moment up to which everything has happened."""
        return self._now_ms

    def mark(self, coin: str) -> Decimal:
        """Return the mark price."""
        return exact(self.market.mark(coin, self._now_ms))

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

    # Time ------------------------------------------------------------------------------------

    def advance(self, now_ms: int) -> None:
        """Let everything happen that falls into the time up to a moment."""
        if now_ms <= self._now_ms:
            return
        ways: dict[str, Knots] = {}
        while True:
            at_ms, coin, level = self._next(now_ms, ways)
            if at_ms > now_ms:
                break
            self._now_ms = at_ms
            if coin is not None and level is not None:
                self._reached(coin, level, at_ms)
            elif (due := self.schedule.due(at_ms)) is not None:
                self._cancel_all(due, at_ms)
            else:
                self._pay_funding(at_ms)
        self._now_ms = now_ms

    def _next(self, end_ms: int, ways: dict[str, Knots]) -> tuple[int, str | None, Level | None]:
        """Return the next event: a contract's level, or a moment at which something is due."""
        start = self._now_ms
        best: tuple[int, str | None, Level | None] = (end_ms + 1, None, None)
        has_positions = False
        for coin, orders in self._orders.items():
            levels = self._levels.get(coin)
            if levels is None:
                levels = nearest(coin, self.highest[coin], orders.values(), self.traders)
                self._levels[coin] = levels
            has_positions |= levels.has_position
            if levels.low is None and levels.high is None:
                continue
            if coin not in ways:
                ways[coin] = self.market.path(coin, start, end_ms)
            low, high = levels.low, levels.high
            touch = first_touch(
                ways[coin],
                start,
                None if low is None else low.price,
                None if high is None else high.price,
            )
            if touch is not None and touch.at_ms < best[0]:
                best = touch.at_ms, coin, low if touch.is_low else high
        hour = start // HOUR_MS * HOUR_MS + HOUR_MS
        if has_positions and hour < best[0]:
            best = hour, None, None
        planned = self.schedule.next_ms()
        if planned is not None and planned < best[0]:
            best = max(planned, start), None, None
        return best

    def _reached(self, coin: str, level: Level, at_ms: int) -> None:
        trader, order = level.trader, level.order
        if order is None:
            self._liquidate(trader, coin, at_ms)
            return
        if order.waits:
            order.is_triggered = True
            position = trader.account.positions.get(coin)
            if order.request.reduce_only and (
                position is None or position.side == order.request.side
            ):
                self._note(trader, order, "reduceOnlyCanceled", at_ms)
                return
            self._note(trader, order, "triggered", at_ms)
            self._match(trader, order, at_ms)
            return
        self._fill(
            trader, order, [Slice(order.request.price, order.fillable)], at_ms, is_taker=False
        )
        if order.is_live and order.remaining == 0:
            self._note(trader, order, "filled", at_ms)

    def _pay_funding(self, at_ms: int) -> None:
        for coin, spec in self.specs.items():
            if settle(self.market, spec, self.traders.values(), self.journal, at_ms):
                self._levels.pop(coin, None)

    def _liquidate(self, trader: Trader, coin: str, at_ms: int) -> None:
        mark = exact(self.market.mark(coin, at_ms))
        self._clearing.liquidate(trader, coin, mark, at_ms)
        self._levels.pop(coin, None)
        for order in list(trader.live.values()):
            if order.request.coin == coin:
                self._note(trader, order, "liquidatedCanceled", at_ms)

    def _cancel_all(self, address: str, at_ms: int) -> None:
        trader = self.trader(address)
        for order in list(trader.live.values()):
            self._note(trader, order, "scheduledCancel", at_ms)

    # Matching --------------------------------------------------------------------------------

    def _match(self, trader: Trader, order: Order, at_ms: int) -> None:
        """Take from the book what an order may take; what is left rests, or ends."""
        request = order.request
        wanted = self._closable(trader, request, order.fillable)
        slices = self._liquidity.take(request.coin, request.side, wanted, request.price, at_ms)
        self._fill(trader, order, slices, at_ms, is_taker=True)
        if not order.is_live:
            return
        if order.remaining == 0:
            self._note(trader, order, "filled", at_ms)
        elif request.tif is Tif.IOC or (request.trigger is not None and request.trigger.is_market):
            self._note(trader, order, "canceled", at_ms)

    def _fill(
        self, trader: Trader, order: Order, slices: list[Slice], at_ms: int, *, is_taker: bool
    ) -> None:
        request = order.request
        for part in slices:
            size = self._closable(trader, request, part.size)
            if size <= 0:
                break
            leverage = trader.leverage_of(request.coin, self.highest[request.coin])
            try:
                self._clearing.execute(
                    trader,
                    order,
                    Slice(part.price, size),
                    at_ms,
                    is_taker=is_taker,
                    leverage=leverage,
                )
            except InsufficientMarginError:
                self._note(trader, order, "marginCanceled", at_ms)
                break
        self._levels.pop(request.coin, None)
        self._drop_reduce_only(trader, request.coin, at_ms)

    def _drop_reduce_only(self, trader: Trader, coin: str, at_ms: int) -> None:
        """Cancel resting orders that have nothing left to reduce; triggers keep waiting."""
        for order in list(trader.live.values()):
            request = order.request
            if request.coin != coin or not request.reduce_only or order.waits:
                continue
            if order.remaining > 0 and self._closable(trader, request, order.remaining) <= 0:
                self._note(trader, order, "reduceOnlyCanceled", at_ms)

    def _closable(self, trader: Trader, request: OrderRequest, size: Decimal) -> Decimal:
        """Return how much of a size may fill: all, or what a reduce-only order may reduce."""
        if not request.reduce_only:
            return size
        position = trader.account.positions.get(request.coin)
        if position is None or position.side == request.side:
            return ZERO
        return min(size, abs(position.size))

    def _would_not_match(self, order: Order, at_ms: int) -> bool:
        request = order.request
        best = self._liquidity.best(request.coin, request.side, at_ms)
        cannot = best is None or (best - request.price) * request.side > 0
        return cannot or order.fillable <= 0

    # Checks ----------------------------------------------------------------------------------

    def _check(self, trader: Trader, request: OrderRequest, now_ms: int) -> None:
        spec, asset = self.specs[request.coin], self._index[request.coin]
        if request.size <= 0:
            raise refusal("zero", asset)
        if not is_valid_size(request.size, spec):
            raise refusal("size", asset)
        if not is_valid_price(request.price, spec):
            raise refusal("tick", asset)
        if not request.reduce_only and request.size * request.price < MIN_NOTIONAL:
            raise refusal("minimum", asset)
        mark = exact(self.market.mark(request.coin, now_ms))
        if request.trigger is None and abs(request.price / mark - 1) > MAX_DEVIATION:
            raise refusal("far", asset)
        if request.reduce_only and self._closable(trader, request, request.size) <= 0:
            raise refusal("reduce_only", asset)
        if len(trader.live) >= MAX_OPEN_ORDERS:
            raise RefusedError(f"Too many open orders: {MAX_OPEN_ORDERS}. asset={asset}")
        if request.cloid is not None and trader.by_cloid(request.cloid) is not None:
            raise RefusedError(f"Order with cloid {request.cloid} already exists. asset={asset}")
        self._check_trigger(request, spec, asset, mark)
        self._check_post_only(request, asset, now_ms)
        needed = self._margin_of(trader, request, request.size)
        if needed > 0:
            fee = MAKER if request.tif is Tif.ALO else TAKER
            needed += request.size * request.price * (fee + request.builder_ratio)
        if needed > self.available(trader):
            raise refusal("margin", asset)

    def _check_trigger(
        self, request: OrderRequest, spec: AssetSpec, asset: int, mark: Decimal
    ) -> None:
        trigger = request.trigger
        if trigger is None:
            return
        if not is_valid_price(trigger.price, spec):
            raise refusal("tick", asset)
        has_fired = mark <= trigger.price if fires_below(request) else mark >= trigger.price
        if has_fired:
            raise refusal("trigger", asset)

    def _check_post_only(self, request: OrderRequest, asset: int, now_ms: int) -> None:
        if request.tif is not Tif.ALO or request.trigger is not None:
            return
        bid = self._liquidity.best(request.coin, -1, now_ms)
        ask = self._liquidity.best(request.coin, 1, now_ms)
        best = ask if request.side > 0 else bid
        if best is not None and (request.price - best) * request.side >= 0:
            raise would_match(asset, str(bid), str(ask))

    def _margin_of(self, trader: Trader, request: OrderRequest, size: Decimal) -> Decimal:
        """Return the margin that filling a size would need, USDC."""
        if request.reduce_only:
            return ZERO
        position = trader.account.positions.get(request.coin)
        if position is not None and position.side != request.side:
            size = max(size - abs(position.size), ZERO)
        leverage = trader.leverage_of(request.coin, self.highest[request.coin])
        return size * request.price / leverage

    # Bookkeeping -----------------------------------------------------------------------------

    def _note(self, trader: Trader, order: Order, status: str, at_ms: int) -> None:
        """Give an order a status, everywhere it is known."""
        trader.note(order, status, at_ms)
        orders = self._orders[order.request.coin]
        if order.is_live:
            orders[order.oid] = order
        else:
            orders.pop(order.oid, None)
        self._levels.pop(order.request.coin, None)
        request = order.request
        self.journal.write(
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

    def _record(self, booking: Booking) -> None:
        self.journal.write(
            "booking",
            booking.at_ms,
            source=booking.source,
            target=booking.target,
            usdc=booking.amount,
            kind=booking.kind,
            reference=booking.reference,
        )

    def total_of(self, address: str) -> Decimal:
        """Return an account's free money, USDC."""
        return self.bank.balance(free_account(address))
