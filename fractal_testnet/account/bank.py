"""The exchange's money: double entry, exact to the last unit.

Nothing is ever added or taken; every booking moves an amount from one account to another, so the
sum of all accounts is zero at every moment. Deposits come from the account `OUTSIDE`, profits and
losses are with `COUNTERPARTY`, the rest of the market.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

UNIT = Decimal("0.000001")
"""Smallest amount of USDC that the venue books."""
OUTSIDE = "outside"
COUNTERPARTY = "counterparty"
FEES = "fees"
FUNDING = "funding"
INSURANCE = "insurance"
VENUE = frozenset({OUTSIDE, COUNTERPARTY, FEES, FUNDING, INSURANCE})
"""Accounts that may be below zero: they stand for everybody else."""
ZERO = Decimal(0)


class OverdraftError(Exception):
    """A trader's account does not hold what is to be moved."""


@dataclass(frozen=True, slots=True)
class Booking:
    """One movement of money.

    Parameters
    ----------
    at_ms : int
        When, ms UTC.
    source, target : str
        Accounts.
    amount : Decimal
        USDC, above 0.
    kind : str
        Why: ``deposit``, ``withdrawal``, ``margin``, ``pnl``, ``fee``, ``funding``,
        ``liquidation``.
    reference : str
        Which fill, position or transfer it belongs to.
    """

    at_ms: int
    source: str
    target: str
    amount: Decimal
    kind: str
    reference: str


def usdc(value: Decimal | int | str) -> Decimal:
    """Round an amount to what is booked.

    Raises
    ------
    ValueError
        It is not a finite number.
    """
    amount = Decimal(value)
    if not amount.is_finite():
        msg = f"amount {value!r} is not a finite number: nothing can be booked with it"
        raise ValueError(msg)
    return amount.quantize(UNIT, rounding=ROUND_HALF_EVEN)


def free_account(trader: str) -> str:
    """Name a trader's free balance."""
    return f"{trader}:free"


def margin_account(trader: str, coin: str) -> str:
    """Name the isolated margin of a trader's position."""
    return f"{trader}:margin:{coin}"


class Bank:
    """Balances of all accounts.

    Parameters
    ----------
    record : callable, optional
        Is given every booking; a journal that is kept elsewhere.
    """

    def __init__(self, record: Callable[[Booking], object] | None = None) -> None:
        self._balances: dict[str, Decimal] = defaultdict(lambda: ZERO)
        self._record = record

    def balance(self, account: str) -> Decimal:
        """Return what an account holds, USDC."""
        return self._balances.get(account, ZERO)

    def total(self) -> Decimal:
        """Return the sum of all accounts: zero, or money was made or lost."""
        return sum(self._balances.values(), ZERO)

    def move(
        self, at_ms: int, source: str, target: str, amount: Decimal, kind: str, reference: str = ""
    ) -> Decimal:
        """Move money.

        Parameters
        ----------
        at_ms : int
            When, ms UTC.
        source, target : str
            Accounts.
        amount : Decimal
            USDC; below zero it moves the other way, and zero moves nothing.
        kind, reference : str
            As in `Booking`.

        Returns
        -------
        Decimal
            What was booked, with the sign of `amount`.

        Raises
        ------
        OverdraftError
            A trader's account does not hold that much; nothing was moved.
        ValueError
            `amount` is not a finite number.
        """
        booked = usdc(amount)
        if booked < ZERO:
            return -self.move(at_ms, target, source, -booked, kind, reference)
        if booked == ZERO:
            return ZERO
        if source not in VENUE and self.balance(source) < booked:
            msg = f"{source} holds {self.balance(source)} USDC, {booked} are to be moved ({kind})"
            raise OverdraftError(msg)
        self._balances[source] -= booked
        self._balances[target] += booked
        if self._record is not None:
            self._record(Booking(at_ms, source, target, booked, kind, reference))
        return booked
