"""Books, positions, requests and views made by hand, with defaults that every limit allows.

The default account has an equity of 1000, so the default limits are, in stake currency: 50 of
margin per position, 200 of margin in all, 300 of correlated notional, 10 of loss at the stop, 30 of
loss per day and 200 below the peak.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from fractal_protections.portfolio.book import Book, BotReport, BotStatus
from fractal_protections.portfolio.correlation import CorrelationView
from fractal_protections.portfolio.equity import AccountTrack
from fractal_protections.portfolio.limits import RiskLimits
from fractal_protections.portfolio.positions import (
    ClosedTrade,
    EntryRequest,
    Position,
    Reservation,
)
from fractal_protections.portfolio.risk_manager import PortfolioRiskManager

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
MAX_AGE = timedelta(minutes=2)
BTC, ETH, SOL, XRP = (f"{coin}/USDC:USDC" for coin in ("BTC", "ETH", "SOL", "XRP"))

Amount = Decimal | int | str


def make_position(
    pair: str = BTC,
    *,
    bot: str = "alpha",
    side: int = 1,
    margin: Amount = "50",
    leverage: int = 3,
    entered_at: datetime = NOW - HOUR,
) -> Position:
    """An open position; an hour old."""
    amount = Decimal(margin)
    return Position(bot, pair, side, amount, amount * leverage, entered_at)


def make_request(
    pair: str = BTC,
    *,
    bot: str = "alpha",
    side: int = 1,
    margin: Amount = "50",
    leverage: int = 3,
    loss: Amount = "5",
    confidence: float = 80.0,
    at: datetime = NOW,
    is_addition: bool = False,
) -> EntryRequest:
    """An entry that an empty book of 1000 takes."""
    amount = Decimal(margin)
    return EntryRequest(
        bot, pair, side, amount, amount * leverage, Decimal(loss), confidence, at, is_addition
    )


def make_reservation(
    pair: str = BTC,
    *,
    name: str = "r1",
    ambiguous: bool = False,
    capital_until: datetime = NOW + DAY,
    **request: Any,
) -> Reservation:
    """A reservation, pending unless said otherwise."""
    return Reservation(name, make_request(pair, **request), ambiguous, capital_until)


def make_track(
    equity: Amount = "1000",
    *,
    account: str = "wallet",
    profit: Amount = "0",
    peak: Amount | None = None,
    day: date | None = None,
    day_start_equity: Amount | None = None,
    day_start_profit: Amount | None = None,
    updated_at: datetime = NOW,
) -> AccountTrack:
    """An account; without more words it has neither won nor lost anything."""
    start = equity if day_start_equity is None else day_start_equity
    return AccountTrack(
        account=account,
        equity=Decimal(equity),
        profit=Decimal(profit),
        peak_equity=max(Decimal(equity), Decimal(start)) if peak is None else Decimal(peak),
        day=updated_at.astimezone(UTC).date() if day is None else day,
        day_start_equity=Decimal(start),
        day_start_profit=Decimal(profit if day_start_profit is None else day_start_profit),
        updated_at=updated_at,
    )


def make_status(
    bot: str = "alpha",
    *,
    account: str = "wallet",
    reported_at: datetime = NOW,
    balance: Amount = "1000",
    realised: Amount = "0",
    open_profit: Amount = "0",
) -> BotStatus:
    """What the ledger knows of a bot."""
    amounts = (Decimal(balance), Decimal(realised), Decimal(open_profit))
    return BotStatus(bot, account, reported_at, *amounts)


def make_report(
    *positions: Position,
    bot: str = "alpha",
    account: str = "wallet",
    at: datetime = NOW,
    balance: Amount = "1000",
    realised: Amount = "0",
    open_profit: Amount = "0",
    clusters: tuple[Mapping[str, int], ...] = (),
) -> BotReport:
    """What a bot tells in a loop."""
    amounts = (Decimal(balance), Decimal(realised), Decimal(open_profit))
    return BotReport(bot, account, at, *amounts, positions, clusters)


def make_book(
    *positions: Position, at: datetime = NOW, equity: Amount = "1000", **fields: Any
) -> Book:
    """A book in which every bot that holds something has just reported."""
    bots = {name: make_status(name, reported_at=at) for name in {p.bot for p in positions}}
    defaults: dict[str, Any] = {"tracks": (make_track(equity, updated_at=at),), "bots": bots}
    return Book(at=at, positions=positions, **(defaults | fields))


def make_closed(
    profit: Amount, trade_id: int = 1, *, bot: str = "alpha", closed_at: datetime = NOW
) -> ClosedTrade:
    """A finished trade."""
    return ClosedTrade(bot, trade_id, BTC, closed_at, Decimal(profit))


def make_manager(**limits: Any) -> PortfolioRiskManager:
    """A manager with the default limits, but for the given ones."""
    return PortfolioRiskManager(RiskLimits(**limits), MAX_AGE)


def alone(*pairs: str) -> CorrelationView:
    """A view in which every pair moves on its own."""
    return CorrelationView(tuple({pair: 1} for pair in pairs))


def together(*pairs: str, against: tuple[str, ...] = ()) -> CorrelationView:
    """A view in which the pairs move as one, and those in `against` the other way."""
    return CorrelationView((dict.fromkeys(pairs, 1) | dict.fromkeys(against, -1),))


def frustrated(*pairs: str) -> CorrelationView:
    """A view in which the pairs belong together, but how is not decided."""
    return CorrelationView((dict.fromkeys(pairs, 0),))
