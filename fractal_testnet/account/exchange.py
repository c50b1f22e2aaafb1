"""The matching engine: orders meet the market's path, one event after the other.

Nothing happens between requests; every request first lets the time pass up to its own moment
(`Exchange.advance`), and what falls into that time happens at its own millisecond: triggers fire,
resting orders fill, funding is paid, positions are liquidated. What comes out depends on the
market and on the requests, not on how often anybody looks.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import NamedTuple

from fractal_testnet.market import Knots, Market
from fractal_testnet.market.intervals import HOUR_MS

from .admission import Admission
from .agents import AgentBook
from .bank import Bank, Booking, free_account, usdc
from .clearing import Clearing
from .crossing import first_touch
from .funding import settle
from .journal import Journal
from .levels import Level
from .liquidity import Liquidity
from .matching import Matching
from .orders import Order, OrderRequest, Tif
from .refusal import RefusedError, refusal
from .rules import exact, size_unit
from .schedule import CancelSchedule
from .standing import StandingOrders
from .trader import Trader, Transfer

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
        self.specs = {spec.name: spec for spec in market.assets}
        self.highest = {spec.name: spec.max_leverage for spec in market.assets}
        self._index = {spec.name: number for number, spec in enumerate(market.assets)}
        self._standing = StandingOrders(self.specs, self.journal)
        self.traders = self._standing.traders
        liquidity = Liquidity(market)
        clearing = Clearing(self.journal)
        self._matching = Matching(liquidity, clearing, self._standing, self.highest)
        self._admission = Admission(market, liquidity)
        self._now_ms = now_ms
        self._oid = FIRST_OID - 1
        self._funded_ms = 0

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
        self._admission.check(trader, request, now_ms)
        self._oid += 1
        order = Order(self._oid, address, request, now_ms)
        if meddling.fill_ratio is not None:
            unit = size_unit(self.specs[request.coin])
            wanted = request.size * meddling.fill_ratio
            order.fill_cap = wanted.quantize(unit, rounding=ROUND_FLOOR)
        if request.cloid is not None:
            trader.cloids[request.cloid.lower()] = order.oid
        if order.waits or request.tif is Tif.ALO:
            self._standing.note(trader, order, "open", now_ms)
            return order
        self._standing.note(trader, order, "open", now_ms)
        self._matching.take(trader, order, now_ms)
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
        self._standing.note(self.traders[address], order, "canceled", now_ms)

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
            It is not live, or the new one is refused. A refused new order leaves none. The new
            one may keep the client order id of the old one.
        """
        self.advance(now_ms)
        if order is None or not order.is_live or order.request.coin != request.coin:
            raise RefusedError("Cannot modify canceled or filled order")
        trader = self.traders[address]
        self._standing.note(trader, order, "canceled", now_ms)
        if request.cloid is not None and order.request.cloid == request.cloid:
            del trader.cloids[request.cloid]
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
        self._standing.changed(coin)

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
        return self._admission.available(trader)

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
        for coin in self.specs:
            levels = self._standing.levels(coin)
            has_positions |= levels.has_position
            again = levels.again
            if again is not None and max(again.at_ms, start) < best[0]:
                best = max(again.at_ms, start), coin, Level(0.0, again.order, again.trader)
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
        hour = -(-start // HOUR_MS) * HOUR_MS
        if hour == self._funded_ms:
            hour += HOUR_MS
        if has_positions and hour < best[0]:
            best = hour, None, None
        planned = self.schedule.next_ms()
        if planned is not None and planned < best[0]:
            best = max(planned, start), None, None
        return best

    def _reached(self, coin: str, level: Level, at_ms: int) -> None:
        trader, order = level.trader, level.order
        if order is None:
            mark = exact(self.market.mark(coin, at_ms))
            self._matching.liquidate(trader, coin, mark, at_ms)
        elif order.waits:
            self._matching.wake(trader, order, at_ms)
        elif order.again_ms is not None:
            self._matching.take(trader, order, at_ms)
        else:
            self._matching.traded_through(trader, order, at_ms)

    def _pay_funding(self, at_ms: int) -> None:
        self._funded_ms = at_ms
        for coin, spec in self.specs.items():
            if settle(self.market, spec, self.traders.values(), self.journal, at_ms):
                self._standing.changed(coin)

    def _cancel_all(self, address: str, at_ms: int) -> None:
        trader = self.trader(address)
        for order in list(trader.live.values()):
            self._standing.note(trader, order, "scheduledCancel", at_ms)

    # Bookkeeping -----------------------------------------------------------------------------

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
