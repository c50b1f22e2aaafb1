"""A strategy as a dry-run bot has it: its own database, a shared ledger, stand-ins for the rest."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
from freqtrade.enums import RunMode, TradingMode
from freqtrade.persistence import Order, Trade, init_db

from fractal_protections.portfolio.sql import SqlLedger, open_ledger
from tests.strategies.bots import (
    PAIR,
    START,
    StubProvider,
    StubWallets,
    candle_table,
    hours,
    load,
    with_setups,
)

CALM = (100.0, 101.0, 99.0, 100.0)
LONG = {"side": 1, "stop": 97.0, "target_r": 2.0}
CLOSED = START + hours(3)
"""When the third candle, the one with the setup, has just closed."""
ETH = "ETH/USDC:USDC"


class LiveProvider(StubProvider):
    """Serves the same analysed frame for every pair, and keeps the messages to people."""

    def __init__(self, frame: pd.DataFrame) -> None:
        super().__init__(frame)
        self.messages: list[str] = []

    def send_msg(self, message: str, *, always_send: bool = False) -> None:
        self.messages.append(message)

    def ohlcv(self, pair: str, timeframe: str) -> pd.DataFrame:
        return self.frame


@contextmanager
def trade_database(folder: Path) -> Iterator[None]:
    init_db(f"sqlite:///{folder / 'trades.sqlite'}")
    try:
        yield
    finally:
        Trade.session.remove()
        Trade.session.get_bind().dispose()


class LiveBot:
    """A started bot, and shorthands for what freqtrade would call."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "bot-a",
        strategy: str = "ScriptedTrades",
        setup: dict[str, Any] | None = None,
        total: float = 1000.0,
        **overrides: Any,
    ) -> None:
        fractal = {"portfolio": {"ledger_url": f"sqlite:///{folder / 'ledger.sqlite'}"}}
        for block, values in overrides.pop("fractal", {}).items():
            fractal[block] = {**fractal.get(block, {}), **values}
        self.ledger_path = folder / "ledger.sqlite"
        self.strategy = load(
            strategy,
            timeframe="1h",
            bot_name=name,
            runmode=overrides.pop("runmode", RunMode.DRY_RUN),
            user_data_dir=folder,
            fractal=fractal,
            **overrides,
        )
        table = candle_table([CALM] * 3)
        self.provider = LiveProvider(with_setups(table, {2: LONG | (setup or {})}))
        self.provider._exchange = SimpleNamespace(_api=None)
        self.strategy.dp = self.provider
        self.strategy.wallets = StubWallets(total)
        self.strategy.ft_bot_start()
        self.strategy.advise_indicators(self.provider.frame, {"pair": PAIR})
        self.strategy.advise_indicators(self.provider.frame, {"pair": ETH})

    @property
    def messages(self) -> list[str]:
        return self.provider.messages

    @property
    def ledger(self) -> SqlLedger:
        return self.strategy.gate.ledger

    def loop(self, now: datetime = CLOSED) -> None:
        self.strategy.bot_loop_start(current_time=now)

    def stake(self, pair: str = PAIR, now: datetime = CLOSED, **values: Any) -> float:
        arguments = {"min_stake": 5.0, "max_stake": 900.0, "leverage": 3.0, "side": "long"}
        return self.strategy.custom_stake_amount(
            pair=pair,
            current_time=now,
            current_rate=100.0,
            proposed_stake=333.0,
            entry_tag="scripted",
            **(arguments | values),
        )

    def confirm(self, stake: float, pair: str = PAIR, now: datetime = CLOSED) -> bool:
        return self.strategy.confirm_trade_entry(
            pair=pair,
            order_type="limit",
            amount=stake * 3.0 / 100.0,
            rate=100.0,
            time_in_force="GTC",
            current_time=now,
            entry_tag="scripted",
            side="long",
        )

    def enter(self, pair: str = PAIR, now: datetime = CLOSED) -> bool:
        """Size and confirm, as freqtrade does with a signal."""
        stake = self.stake(pair, now)
        return stake > 0.0 and self.confirm(stake, pair, now)

    def codes(self) -> list[str]:
        return [record.code.value for record in self.ledger.denials(20)]


def open_position(
    pair: str = PAIR, at: datetime = CLOSED, stake: float = 50.0, filled: bool = True
) -> Trade:
    """Write an open trade into freqtrade's database, as its entry would."""
    amount = stake * 3.0 / 100.0
    trade = Trade(
        pair=pair,
        stake_amount=stake,
        amount=amount if filled else 0.0,
        open_rate=100.0,
        open_date=at + timedelta(milliseconds=10),
        fee_open=0.0,
        fee_close=0.0,
        is_open=True,
        is_short=False,
        stop_loss=97.0,
        leverage=3.0,
        trading_mode=TradingMode.FUTURES,
        exchange="hyperliquid",
        enter_tag="scripted",
        price_precision=0.01,
        amount_precision=1e-5,
        precision_mode=4,
        precision_mode_price=4,
    )
    trade.orders.append(
        Order(
            ft_order_side="buy",
            ft_pair=pair,
            ft_is_open=not filled,
            ft_amount=amount,
            ft_price=100.0,
            order_id=f"entry-{pair}-{at:%H%M%S%f}",
            status="closed" if filled else "open",
            symbol=pair,
            order_type="limit",
            side="buy",
            price=100.0,
            average=100.0 if filled else None,
            amount=amount,
            filled=amount if filled else 0.0,
            remaining=0.0 if filled else amount,
            cost=amount * 100.0,
            order_date=at,
            order_filled_date=at if filled else None,
        )
    )
    Trade.session.add(trade)
    Trade.commit()
    return trade


def close_position(trade: Trade, profit: float, at: datetime) -> None:
    """End a trade with a result, as freqtrade books it."""
    trade.is_open = False
    trade.close_date = at
    trade.close_profit_abs = profit
    Trade.commit()


def reopen(path: Path) -> SqlLedger:
    return open_ledger(f"sqlite:///{path}", mode="dry_run")
