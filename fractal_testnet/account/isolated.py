"""Isolated margin: every position has its own money, and can lose no more than that."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from .bank import (
    COUNTERPARTY,
    FEES,
    FUNDING,
    INSURANCE,
    OUTSIDE,
    ZERO,
    Bank,
    free_account,
    margin_account,
    usdc,
)
from .position import FillEffect, Position, fill


class InsufficientMarginError(Exception):
    """The free balance does not cover the margin and the fee of a fill."""


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution, as the account books it.

    Parameters
    ----------
    at_ms : int
        When, ms UTC.
    coin : str
        The contract.
    size : Decimal
        Contracts, above zero bought, below sold.
    price : Decimal
        Price.
    fee_ratio : Decimal
        Fee over notional; below zero is a rebate.
    reference : str
        The fill's own id.
    """

    at_ms: int
    coin: str
    size: Decimal
    price: Decimal
    fee_ratio: Decimal
    reference: str


class Booked(NamedTuple):
    """What a fill did to the position, and what was booked of its profit and its fee, USDC."""

    effect: FillEffect
    realised: Decimal
    fee: Decimal


@dataclass
class IsolatedAccount:
    """Free balance and isolated positions of one trader.

    Parameters
    ----------
    trader : str
        Address.
    bank : Bank
        Where the money is.

    Notes
    -----
    Maintenance margin is half of the initial margin at the contract's highest leverage, as on the
    venue. What a liquidation leaves of the margin goes to the insurance, and what it lacks comes
    from there: a trader never owes.
    """

    trader: str
    bank: Bank
    positions: dict[str, Position] = field(default_factory=dict)

    @property
    def free(self) -> Decimal:
        """Money that is in no position, USDC."""
        return self.bank.balance(free_account(self.trader))

    def margin(self, coin: str) -> Decimal:
        """Return the money in a position, USDC."""
        return self.bank.balance(margin_account(self.trader, coin))

    def deposit(self, at_ms: int, amount: Decimal) -> None:
        """Bring money in; below zero takes it out."""
        kind = "deposit" if amount > 0 else "withdrawal"
        self.bank.move(at_ms, OUTSIDE, free_account(self.trader), amount, kind)

    def apply(self, done: Fill, leverage: int) -> Booked:
        """Book a fill: margin back and profit of what was closed, margin of what was opened, fee.

        Parameters
        ----------
        done : Fill
            The execution.
        leverage : int
            For what it opens.

        Returns
        -------
        Booked
            What became of the position, and the money that moved.

        Raises
        ------
        InsufficientMarginError
            The free balance would not cover it; nothing was booked.
        """
        effect = fill(self.positions.get(done.coin), done.coin, done.size, done.price, leverage)
        fee = usdc(abs(done.size) * done.price * done.fee_ratio)
        held = self.margin(done.coin)
        released = held if effect.closed_share == 1 else usdc(held * effect.closed_share)
        kept = effect.position.leverage if effect.position is not None else leverage
        needed = usdc(effect.opened / kept)
        # A loss beyond the margin of what was closed is not the trader's.
        lost = max(min(-effect.realised, released + self.free), ZERO)
        realised = -lost if effect.realised < 0 else effect.realised
        if effect.opened > 0 and self.free + released + realised < needed + fee:
            msg = (
                f"{done.coin}: {needed} USDC of margin and {fee} of fee are needed, "
                f"{self.free + released + realised} are free"
            )
            raise InsufficientMarginError(msg)
        paid = self._book(done, released, realised, effect.realised - realised, needed, fee)
        if effect.position is None:
            self.positions.pop(done.coin, None)
        else:
            self.positions[done.coin] = effect.position
        return Booked(effect, realised, paid)

    def _book(
        self,
        done: Fill,
        released: Decimal,
        realised: Decimal,
        unpaid: Decimal,
        needed: Decimal,
        fee: Decimal,
    ) -> Decimal:
        free, margin = free_account(self.trader), margin_account(self.trader, done.coin)
        at, ref = done.at_ms, done.reference
        self.bank.move(at, margin, free, released, "margin", ref)
        self.bank.move(at, COUNTERPARTY, free, realised, "pnl", ref)
        self.bank.move(at, COUNTERPARTY, INSURANCE, unpaid, "pnl", ref)
        self.bank.move(at, free, margin, needed, "margin", ref)
        # A closing fill takes its fee from what is left; the venue writes off the rest.
        return self.bank.move(at, free, FEES, min(fee, self.free), "fee", ref)

    def add_margin(self, at_ms: int, coin: str, amount: Decimal) -> None:
        """Move free money into a position; below zero it comes back."""
        margin = margin_account(self.trader, coin)
        self.bank.move(at_ms, free_account(self.trader), margin, amount, "margin", coin)

    def pay_funding(self, at_ms: int, coin: str, rate: Decimal, oracle: Decimal) -> Decimal:
        """Pay the hour's funding out of the position's margin; below zero it is received.

        Returns
        -------
        Decimal
            What was paid, USDC.
        """
        position = self.positions[coin]
        owed = usdc(position.size * oracle * rate)
        paid = min(owed, self.margin(coin))
        return self.bank.move(
            at_ms, margin_account(self.trader, coin), FUNDING, paid, "funding", coin
        )

    def is_liquidated(self, coin: str, mark: Decimal, max_leverage: int) -> bool:
        """Tell whether a position's money no longer covers its maintenance margin."""
        position = self.positions[coin]
        maintenance = abs(position.size) * mark / (2 * max_leverage)
        return self.margin(coin) + position.unrealised(mark) < maintenance

    def liquidation_price(self, coin: str, max_leverage: int) -> Decimal:
        """Return the mark price at which a position's money is its maintenance margin.

        Returns
        -------
        Decimal
            USDC; at or below 0 where a long can not be liquidated.
        """
        position = self.positions[coin]
        # margin + side * (size * p - cost) = size * p / (2 * max_leverage), solved for p
        own = position.cost - position.side * self.margin(coin)
        return own / (abs(position.size) * (1 - position.side / Decimal(2 * max_leverage)))

    def liquidate(self, at_ms: int, coin: str, mark: Decimal) -> Position:
        """Take a position and all of its margin away.

        Returns
        -------
        Position
            What was taken.
        """
        position = self.positions.pop(coin)
        margin = margin_account(self.trader, coin)
        reference = f"liquidation of {coin}"
        self.bank.move(at_ms, COUNTERPARTY, INSURANCE, position.unrealised(mark), "pnl", reference)
        self.bank.move(
            at_ms, margin, INSURANCE, self.bank.balance(margin), "liquidation", reference
        )
        return position

    def equity(self, marks: dict[str, Decimal]) -> Decimal:
        """Return all money with open positions at their marks, USDC."""
        open_money = (
            self.margin(coin) + position.unrealised(marks[coin])
            for coin, position in self.positions.items()
        )
        return self.free + sum(open_money, ZERO)
