"""The portfolio that docs/risk.md shows; run this module to write the page's example anew."""

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from fractal_ops.risk.tables import plain_console, print_status
from fractal_ops.risk.view import Status, status_of
from fractal_protections.portfolio.book import (
    Book,
    BotStatus,
    Fence,
    StateChange,
    TradingState,
)
from fractal_protections.portfolio.decisions import DenialCode
from fractal_protections.portfolio.drift import DriftMark, LookStatus
from fractal_protections.portfolio.equity import AccountTrack
from fractal_protections.portfolio.ledger import DenialRecord
from fractal_protections.portfolio.limits import RiskLimits
from fractal_protections.portfolio.positions import EntryRequest, Position, Reservation
from fractal_protections.portfolio.settings import PortfolioSettings

PAGE = Path(__file__).parents[3] / "docs" / "risk.md"
BEGIN, END = "<!-- status: begin (generated) -->", "<!-- status: end -->"

NOW = datetime(2026, 11, 23, 14, 30, 5, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BTC, ETH, SOL, DOGE, WIF, HYPE = (
    f"{coin}/USDC:USDC" for coin in ("BTC", "ETH", "SOL", "DOGE", "WIF", "HYPE")
)
MAIN, SECOND = "fractaltrader-testnet/SmcEnsemble", "second/FvgFill"
WALLET = "0x5aeda56215b167893e80b4fe645ba6d5bab767de"
MOVES = ({BTC: 1, ETH: 1, SOL: 1}, {DOGE: 1})


def d(text: str) -> Decimal:
    return Decimal(text)


def bot(name: str, at: datetime, **changes: object) -> BotStatus:
    values: dict[str, object] = {
        "account": f"paper:{name}",
        "balance": d("1000"),
        "realised_profit": d("0"),
        "open_profit": d("0"),
        "clusters": (),
        **changes,
    }
    return BotStatus(bot=name, reported_at=at, **values)  # type: ignore[arg-type]


def position(owner: str, pair: str, side: int, margin: str, at: datetime = NOW) -> Position:
    return Position(owner, pair, side, d(margin), 3 * d(margin), at)


def reservation(
    owner: str, pair: str, margin: str, at: datetime, *, ambiguous: bool = False
) -> Reservation:
    request = EntryRequest(owner, pair, 1, d(margin), 3 * d(margin), d("1"), 66.7, at)
    return Reservation("r1", request, ambiguous, at + DAY)


def track(account: str, equity: str, peak: str, day_start: str, at: datetime) -> AccountTrack:
    marks = d(day_start), d("0")
    return AccountTrack(
        account, d(equity), d(equity) - d(day_start), d(peak), NOW.date(), *marks, at
    )


BOOK = Book(
    at=NOW,
    positions=(
        position(MAIN, BTC, 1, "180.50", NOW - 3 * HOUR),
        position(SECOND, SOL, -1, "96.20", NOW - 5 * HOUR),
    ),
    reservations=(reservation(MAIN, DOGE, "120.00", NOW - 4 * MINUTE, ambiguous=True),),
    tracks=(
        track(WALLET, "4216.35", "4390.00", "4251.80", NOW - timedelta(seconds=3)),
        track(f"paper:{SECOND}", "1031.07", "1031.07", "1020.00", NOW - timedelta(seconds=1)),
    ),
    bots={
        MAIN: bot(
            MAIN,
            NOW - timedelta(seconds=3),
            account=WALLET,
            balance=d("4204.10"),
            open_profit=d("12.25"),
            clusters=MOVES,
        ),
        SECOND: bot(
            SECOND, NOW - timedelta(seconds=1), balance=d("1036.00"), open_profit=d("-4.93")
        ),
    },
    state=StateChange(TradingState.ACTIVE, "venue is back", "operator:ann", NOW - 2 * DAY),
    fences={HYPE: Fence(HYPE, "AMBIGUOUS_ORDER", "the venue never answered", MAIN, NOW - 2 * HOUR)},
    drifts=(
        DriftMark(
            WALLET,
            WIF,
            "WRONG_SIDE",
            "the venue holds short 12, the databases long 40",
            NOW - HOUR,
            NOW - timedelta(seconds=9),
            confirmed=True,
        ),
    ),
)
DENIALS = (
    DenialRecord(
        MAIN, DOGE, 1, DenialCode.AMBIGUOUS_ORDER, "outcome unknown", NOW - 30 * MINUTE,
        NOW - 3 * MINUTE, NOW - timedelta(seconds=5), 36,
    ),
    DenialRecord(
        SECOND, ETH, -1, DenialCode.CORRELATED_EXPOSURE, "too large a bet", NOW - 150 * MINUTE,
        NOW - 150 * MINUTE, NOW - 149 * MINUTE, 12,
    ),
)  # fmt: skip


LOOKS = (LookStatus(WALLET, NOW - timedelta(seconds=9), "reconciler", "drift", 15.0),)


def status(book: Book = BOOK, **changes: object) -> Status:
    settings: dict[str, object] = {
        "looks": LOOKS,
        "ledger": "user_data/fractal_ledger.live.sqlite",
        "mode": "live",
        "stake_currency": "USDC",
        **changes,
    }
    return status_of(book, DENIALS, RiskLimits(), PortfolioSettings(), **settings)  # type: ignore[arg-type]


def rendered(shown: Status, width: int = 80) -> str:
    console = plain_console(file=io.StringIO(), width=width)
    print_status(shown, console)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def block() -> str:
    """The page's example, markers included."""
    return f"{BEGIN}\n```text\n$ fractal risk status\n{rendered(status())}\n```\n{END}"


def main() -> None:
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    PAGE.write_text(before + block() + rest.split(END)[1])


if __name__ == "__main__":
    main()
