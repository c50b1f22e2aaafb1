"""An account on both sides: the stub exchange, a true freqtrade database, a true ledger."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from freqtrade.persistence import Order, Trade, init_db

from fractal_ops.recovery.databases import TradeDatabase
from fractal_ops.recovery.reading import Reader
from fractal_ops.recovery.reconcile import Reconciler
from fractal_ops.recovery.venue import Venue
from fractal_protections.portfolio.book import BotReport
from fractal_protections.portfolio.decisions import Approved
from fractal_protections.portfolio.ledger import Patience
from fractal_protections.portfolio.positions import EntryRequest, Position
from fractal_protections.portfolio.sql import SqlLedger, open_ledger
from tests.ops.recovery.specimens import BTC, NOW, SECOND, d
from tests.ops.recovery.stub_exchange import WALLET, StubExchange

BOT = "bot/A"


class Clock:
    """Stands still until it is moved; waiting moves it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += timedelta(seconds=seconds)
        return False

    def sleep(self, seconds: float) -> None:
        self.wait(seconds)


@dataclass
class Told:
    """Keeps what people are told."""

    lines: list[str] = field(default_factory=list)
    urgent: list[str] = field(default_factory=list)

    def tell(self, text: str, *, is_urgent: bool) -> None:
        self.lines.append(text)
        if is_urgent:
            self.urgent.append(text)


class Books:
    """A bot's database, written by freqtrade's own models."""

    def __init__(self, path: Path, url: str | None = None) -> None:
        self.path = path
        self.url = url or f"sqlite:///{path}"
        self._with(lambda: None)

    def _with(self, work: Callable[[], Any]) -> Any:
        init_db(self.url)
        try:
            result = work()
            Trade.session.commit()
            return result
        finally:
            Trade.session.remove()
            Trade.session.get_bind().dispose()

    def add(
        self,
        amount: float = 2.0,
        *,
        pair: str = BTC,
        is_short: bool = False,
        stop_loss: float = 95.0,
        is_open: bool = True,
        orders: tuple[tuple[str, str, bool, float], ...] = (),
        **changes: Any,
    ) -> int:
        """Add a trade; orders are (side of freqtrade, id, is open, filled)."""

        def work() -> int:
            made = Trade(
                pair=pair,
                stake_amount=100.0,
                amount=amount,
                amount_requested=2.0,
                is_open=is_open,
                fee_open=0.0,
                fee_close=0.0,
                open_rate=100.0,
                open_date=NOW.replace(tzinfo=None),
                exchange="hyperliquid",
                leverage=3.0,
                is_short=is_short,
                stop_loss=stop_loss,
                **changes,
            )
            for side, order_id, still_open, filled in orders:
                made.orders.append(
                    Order(
                        ft_order_side=side,
                        ft_pair=pair,
                        ft_is_open=still_open,
                        ft_amount=amount,
                        ft_price=100.0,
                        order_id=order_id,
                        status="open" if still_open else "closed",
                        filled=filled,
                        side="sell",
                    )
                )
            Trade.session.add(made)
            Trade.session.flush()
            return int(made.id)

        return int(self._with(work))

    def close_order(self, order_id: str, status: str) -> None:
        def work() -> None:
            order = Trade.session.query(Order).filter(Order.order_id == order_id).one()
            order.ft_is_open, order.status = False, status

        self._with(work)

    def delete(self, trade_id: int) -> None:
        self._with(lambda: Trade.session.get(Trade, trade_id).delete())


@dataclass
class Account:
    """Both sides of one account, and the reconciler between them."""

    stub: StubExchange
    books: Books
    ledger: SqlLedger
    clock: Clock
    told: Told
    venue: Venue
    reconciler: Reconciler

    def align(self) -> None:
        """A long of 2 with its stop, on both sides."""
        self.stub.hold("BTC", "2")
        stop = self.stub.add("BTC", "A", "2", "92.15", reduce_only=True, trigger=d(95))
        self.books.add(orders=(("buy", "1", False, 2.0), ("stoploss", str(stop.oid), True, 0.0)))

    def marks(self) -> dict[str, tuple[str, bool]]:
        drifts = self.ledger.book(self.clock.now).drifts
        return {mark.pair: (mark.kind, mark.confirmed) for mark in drifts}

    def report(self, *pairs: str, bot: str = BOT) -> None:
        """Let a bot of this account tell the ledger what it holds."""
        held = tuple(Position(bot, pair, 1, d(50), d(150), NOW) for pair in pairs)
        said = BotReport(bot, WALLET, self.clock.now, d(1000), d(0), d(0), held)
        self.ledger.report(said, Patience(NOW - timedelta(days=1), orders_are_local=False))

    def reserve(self, pair: str, at: datetime) -> None:
        """Let a bot have an entry approved that is now on its way to the venue."""
        request = EntryRequest(BOT, pair, 1, d(50), d(150), d(5), 80.0, at)
        self.ledger.reserve(request, lambda _book: Approved(d(50)), at + timedelta(days=1))


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return Books(tmp_path / "trades.sqlite")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqlLedger]:
    opened = open_ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}", mode="live")
    yield opened
    opened.close()


@pytest.fixture
def account(books: Books, ledger: SqlLedger) -> Account:
    clock, told = Clock(), Told()
    stub = StubExchange(now=clock)
    venue = Venue(stub.client())
    databases = [TradeDatabase(books.url, clock.sleep)]
    reader = Reader(WALLET, venue, databases, ledger, 30 * SECOND, clock)
    reconciler = Reconciler(WALLET, reader, ledger, told, clock, interval_seconds=15.0)
    return Account(stub, books, ledger, clock, told, venue, reconciler)


@pytest.fixture
def config(tmp_path: Path, books: Books) -> Path:
    """A live config that leads to the stub's account."""
    path = tmp_path / "config.json"
    path.write_text(
        json.dumps(
            {
                "dry_run": False,
                "stake_currency": "USDC",
                "user_data_dir": str(tmp_path),
                "db_url": books.url,
                "exchange": {
                    "name": "hyperliquid",
                    "wallet_address": WALLET.upper().replace("0X", "0x"),
                    "private_key": "0x" + "11" * 32,
                },
            }
        )
    )
    return path
