"""`/admin`: what an operator of the exchange may do beside trading on it."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from fractal_testnet.account.bank import OverdraftError
from fractal_testnet.account.exchange import Exchange
from fractal_testnet.faults import refuse_web_pages
from fractal_testnet.market import Clock

MOST = Decimal(1_000_000_000)


class Funding(BaseModel):
    """Mock USDC for an account; below zero it goes out again.

    Parameters
    ----------
    user : str
        Address.
    amount : str
        USDC as a decimal text.
    """

    model_config = ConfigDict(extra="forbid")

    user: str = Field(pattern=r"^0x[0-9a-fA-F]{40}$")
    amount: str


def create_account_router(exchange: Exchange, clock: Clock) -> APIRouter:
    """Return the routes that give money and show the journal.

    Parameters
    ----------
    exchange : Exchange
        The matching engine.
    clock : Clock
        The market's time.
    """
    router = APIRouter(prefix="/admin", dependencies=[Depends(refuse_web_pages)])

    @router.post("/fund")
    async def fund(funding: Funding) -> dict[str, str]:
        try:
            amount = Decimal(funding.amount)
        except InvalidOperation as error:
            text = f"amount {funding.amount!r} is no number: write it as 10000 or 250.50"
            raise HTTPException(422, text) from error
        if not amount.is_finite() or not 0 < abs(amount) <= MOST:
            text = f"amount {funding.amount!r} is not between 0 and {MOST} USDC"
            raise HTTPException(422, text)
        user = funding.user.lower()
        try:
            exchange.deposit(user, amount, clock.now_ms())
        except OverdraftError as error:
            raise HTTPException(409, str(error)) from error
        return {"user": user, "free": str(exchange.total_of(user))}

    @router.get("/journal")
    async def journal(
        after: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, Query(ge=1)] = 1_000
    ) -> dict[str, Any]:
        return {"rows": exchange.journal.rows(after, limit), "now_ms": clock.now_ms()}

    return router
