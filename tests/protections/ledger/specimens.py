"""Requests, positions and reports that the ledger's tests speak of."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from fractal_protections.portfolio.book import Book, BotReport
from fractal_protections.portfolio.decisions import Approved, Decision, DenialCode, Denied
from fractal_protections.portfolio.ledger import Judge, Patience
from fractal_protections.portfolio.positions import ClosedTrade, EntryRequest, Position

NOW = datetime(2026, 11, 23, 11, 30, 17, 123456, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
BTC, ETH = "BTC/USDC:USDC", "ETH/USDC:USDC"
WAITS = Patience(pending_before=NOW - DAY, orders_are_local=False)


def approve(_book: Book) -> Decision:
    return Approved(Decimal(10))


def slots(limit: int, margin_limit: Decimal = Decimal(10**6)) -> Judge:
    """A judge that counts positions and their margin."""

    def judge(book: Book) -> Decision:
        held = book.exposures()
        if len(held) >= limit:
            return Denied(DenialCode.POSITION_COUNT, f"{len(held)} of {limit} slots are taken")
        margin = sum((position.margin for position in held), Decimal(0))
        if margin + 10 > margin_limit:
            return Denied(DenialCode.TOTAL_EXPOSURE, f"margin is {margin} of {margin_limit}")
        return Approved(Decimal(10))

    return judge


def request(
    bot: str = "alpha", pair: str = BTC, at: datetime = NOW, **changes: Any
) -> EntryRequest:
    amounts = {
        "margin": Decimal("10.00000001"),
        "notional": Decimal("30.00000003"),
        "loss_at_stop": Decimal("0.5"),
    }
    return EntryRequest(bot, pair, 1, **{**amounts, "confidence": 61.7, **changes}, at=at)


def position(
    bot: str = "alpha", pair: str = BTC, entered_at: datetime = NOW, margin: str = "10"
) -> Position:
    return Position(bot, pair, 1, Decimal(margin), 3 * Decimal(margin), entered_at)


def report(
    bot: str = "alpha",
    at: datetime = NOW,
    *held: Position,
    account: str = "wallet",
    balance: str = "1000",
    realised: str = "0",
    open_profit: str = "0",
) -> BotReport:
    profits = Decimal(realised), Decimal(open_profit)
    return BotReport(bot, account, at, Decimal(balance), *profits, tuple(held))


def closed(trade_id: int, bot: str = "alpha", at: datetime = NOW, profit: str = "1") -> ClosedTrade:
    return ClosedTrade(bot, trade_id, BTC, at, Decimal(profit))
