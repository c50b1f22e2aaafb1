"""Whatever is ordered, in whatever order: no money is made, and no rule is broken."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fractal_testnet.account.bank import COUNTERPARTY, FEES, FUNDING, INSURANCE, OverdraftError
from fractal_testnet.account.exchange import Exchange
from fractal_testnet.account.journal import Journal
from fractal_testnet.account.orders import OrderRequest, Tif, Trigger
from fractal_testnet.account.refusal import RefusedError
from tests.testnet.line_market import T0, LineMarket

USERS = ("0x" + "a1" * 20, "0x" + "b2" * 20)
COINS = ("BTC", "DOGE")
BASE = {"BTC": 100_000.0, "DOGE": 0.2}

moves = st.lists(st.floats(-0.15, 0.15), min_size=3, max_size=8)
requests = st.fixed_dictionaries(
    {
        "user": st.sampled_from(USERS),
        "coin": st.sampled_from(COINS),
        "side": st.sampled_from((1, -1)),
        "usdc": st.integers(9, 3_000),
        "away": st.integers(-80, 80),  # per mille from the mark
        "tif": st.sampled_from(tuple(Tif)),
        "reduce_only": st.sampled_from((False, False, False, True)),
        "trigger": st.sampled_from((None, None, None, None, "sl", "tp")),
        "is_market": st.booleans(),
        "leverage": st.integers(1, 10),
        "action": st.sampled_from(
            ("place",) * 6 + ("cancel", "modify", "leverage", "margin", "out")
        ),
        "wait": st.integers(0, 1_500),
    }
)


def market(steps: dict[str, list[float]], *, gaps: bool) -> LineMarket:
    lines = {}
    for coin, moves_ in steps.items():
        price, line = BASE[coin], [(0.0, BASE[coin])]
        for i, move in enumerate(moves_, 1):
            if gaps and i % 2:
                line.append((i * 3_000.0, price))
            price *= 1 + move
            line.append((i * 3_000.0, price))
        lines[coin] = line
    return LineMarket(lines, premium=0.002)


def grid(value: float, coin: str) -> Decimal:
    """A valid price near a value."""
    return Decimal(f"{value:.0f}") if coin == "BTC" else Decimal(f"{value:.4f}")


def drive(made: Exchange, ask: dict[str, Any], now: int) -> None:
    coin, user = ask["coin"], ask["user"]
    mark = float(made.market.mark(coin, now))
    price = grid(mark * (1 + ask["away"] / 1000), coin)
    size = Decimal(ask["usdc"]) / price
    size = size.quantize(Decimal("0.00001") if coin == "BTC" else Decimal(1))
    trigger = None
    if ask["trigger"] is not None:
        trigger = Trigger(price, ask["is_market"], ask["trigger"])
    request = OrderRequest(coin, ask["side"], size, price, ask["tif"], ask["reduce_only"], trigger)
    live = next(iter(made.trader(user).live.values()), None)
    asset = COINS.index(coin) * 3  # BTC is 0, DOGE is 3
    if ask["action"] == "place":
        made.place(user, request, now)
    elif ask["action"] == "cancel":
        made.cancel(user, live, asset, now)
    elif ask["action"] == "modify":
        made.modify(user, live, request, now)
    elif ask["action"] == "leverage":
        made.set_leverage(user, coin, ask["leverage"], now, is_cross=False)
    elif ask["action"] == "margin":
        made.move_margin(user, coin, Decimal(ask["away"]), now)
    else:
        made.deposit(user, Decimal(ask["away"]) * 10 or Decimal(1), now)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.fixed_dictionaries(dict.fromkeys(COINS, moves)),
    st.booleans(),
    st.lists(requests, min_size=15, max_size=50),
)
def test_money_in_is_money_out_to_the_last_unit(
    steps: dict[str, list[float]], gaps: bool, asked: list[dict[str, Any]]
) -> None:
    made = Exchange(market(steps, gaps=gaps), T0, Journal())
    for user in USERS:
        made.deposit(user, Decimal(5_000), T0)
    now = T0
    for ask in asked:
        now += ask["wait"] * 1000
        with contextlib.suppress(RefusedError, OverdraftError):
            drive(made, ask, now)
        check(made)
    made.advance(now + 7_200_000)
    check(made)
    check_rows(made)


def check(made: Exchange) -> None:
    assert made.bank.total() == 0
    for user in USERS:
        account = made.trader(user).account
        assert account.free >= 0
        for coin, position in account.positions.items():
            assert position.size != 0
            assert account.margin(coin) >= 0
    # All traders' money is what came in, less what venue and market have of it.
    inside = sum(
        made.trader(user).account.free
        + sum(made.trader(user).account.margin(c) for c in made.trader(user).account.positions)
        for user in USERS
    )
    deposited = sum(moved.usdc for user in USERS for moved in made.trader(user).transfers)
    gone = sum(made.bank.balance(name) for name in (FEES, FUNDING, INSURANCE, COUNTERPARTY))
    assert inside + gone == deposited


def check_rows(made: Exchange) -> None:
    """What traders are told adds up to what they have."""
    for user in USERS:
        trader = made.trader(user)
        sizes: dict[str, Decimal] = defaultdict(Decimal)
        for fill in trader.fills:
            assert fill.start_position == sizes[fill.coin]
            sizes[fill.coin] += fill.side * fill.size
            order = trader.order(fill.oid)
            if order is not None:
                limit = order.request.price
                assert (fill.price - limit) * fill.side <= 0, "worse than its limit"
                assert order.filled <= order.request.size
        held = {coin: p.size for coin, p in trader.account.positions.items()}
        assert {coin: size for coin, size in sizes.items() if size} == held
        if any(fill.liquidation_mark is not None for fill in trader.fills):
            continue
        account = trader.account
        open_margin = sum(account.margin(coin) for coin in account.positions)
        told = (
            sum(m.usdc for m in trader.transfers)
            + sum(f.closed_pnl - f.fee - f.builder_fee for f in trader.fills)
            + sum(p.usdc for p in trader.funding)
        )
        assert account.free + open_margin == told


def test_the_check_itself_notices_a_lost_unit() -> None:
    made = Exchange(LineMarket({"BTC": [(0, 100_000), (10, 100_000)]}), T0, Journal())
    made.deposit(USERS[0], Decimal(100), T0)
    made.bank._balances[f"{USERS[0]}:free"] -= Decimal("0.000001")
    try:
        check(made)
    except AssertionError:
        return
    raise AssertionError("a unit is gone and nobody has noticed")
