"""Trades and orders as freqtrade keeps them, made by hand."""

from datetime import datetime
from itertools import count
from typing import Any

from freqtrade.enums import TradingMode
from freqtrade.persistence import LocalTrade, Order

from fractal_strategies.trading.plan import PLAN_KEY, TradePlan

from .bots import PAIR, START

_ids = count(1)


def entry_order(
    *,
    is_short: bool = False,
    rate: float = 100.0,
    placed: datetime = START,
    filled_at: datetime | None = None,
    filled: float = 0.0,
    amount: float = 1.0,
) -> Order:
    """An entry order: open, or closed once `filled_at` is given."""
    side = "sell" if is_short else "buy"
    closed = filled_at is not None
    return Order(
        ft_order_side=side,
        ft_pair=PAIR,
        ft_is_open=not closed,
        ft_amount=amount,
        ft_price=rate,
        order_id=f"order-{next(_ids)}",
        status="closed" if closed else "open",
        symbol=PAIR,
        order_type="limit",
        side=side,
        price=rate,
        average=rate,
        amount=amount,
        filled=amount if closed else filled,
        remaining=0.0 if closed else amount - filled,
        cost=amount * rate,
        order_date=placed,
        order_filled_date=filled_at,
    )


def open_trade(
    *,
    is_short: bool = False,
    leverage: float = 3.0,
    rate: float = 100.0,
    fee: float = 0.0,
    placed: datetime = START,
    filled_at: datetime = START,
    plan: TradePlan | None = None,
    enter_tag: str | None = "scripted",
) -> LocalTrade:
    """A trade whose entry has filled."""
    trade = LocalTrade(
        id=next(_ids),
        pair=PAIR,
        base_currency="BTC",
        stake_currency="USDC",
        stake_amount=rate / leverage,
        amount=1.0,
        amount_requested=1.0,
        open_rate=rate,
        open_rate_requested=rate,
        open_date=placed,
        fee_open=fee,
        fee_close=fee,
        is_open=True,
        exchange="hyperliquid",
        is_short=is_short,
        leverage=leverage,
        trading_mode=TradingMode.FUTURES,
        enter_tag=enter_tag,
        price_precision=0.01,
        precision_mode_price=4,
        amount_precision=1e-5,
        precision_mode=4,
        contract_size=1.0,
    )
    trade.orders.append(
        entry_order(is_short=is_short, rate=rate, placed=placed, filled_at=filled_at)
    )
    if plan is not None:
        trade.set_custom_data(PLAN_KEY, plan.to_json())
    return trade


def make_plan(side: int = 1, **values: Any) -> TradePlan:
    """A plan for an entry at 100: stop 3 % away, target two R, no time stop."""
    defaults: dict[str, Any] = {
        "tag": "scripted",
        "side": side,
        "entry": 100.0,
        "stop": 100.0 - 3.0 * side,
        "target": 100.0 + 6.0 * side,
        "max_bars": 0,
        "confidence": 80.0,
        "resting": False,
    }
    return TradePlan(**(defaults | values))
