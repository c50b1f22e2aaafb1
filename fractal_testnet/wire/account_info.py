"""`POST /info` about one account: money, positions, orders, fills.

An address that has never traded is no error; it is an empty account, as on the venue.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fractal_testnet.account.bank import ZERO
from fractal_testnet.account.exchange import Exchange
from fractal_testnet.account.trader import FundingSum, Trader
from fractal_testnet.wire import format as fmt
from fractal_testnet.wire import orders as wire_orders
from fractal_testnet.wire.allowance import Allowance
from fractal_testnet.wire.errors import WireError, malformed
from fractal_testnet.wire.info import InfoRouter
from fractal_testnet.wire.venue import MAX_MS, Request, Venue, integer

ROWS = 2_000
FUNDING_ROWS = 500
MARGIN_DIGITS = 6

Answer = Callable[[Trader, Request], Any]


def user_of(request: Request) -> str:
    """Return the address that a request asks about, in lower case.

    Raises
    ------
    WireError
        422 if it is none.
    """
    user = request.get("user")
    if not isinstance(user, str) or len(user) != 42 or not user.startswith("0x"):
        raise malformed(f"user is {user!r}, not an address")
    if request.get("dex"):
        raise WireError(500, "null", f"unknown dex {request.get('dex')!r}")
    return user.lower()


class AccountInfo:
    """Answers about accounts, read from the matching engine.

    Parameters
    ----------
    exchange : Exchange
        The matching engine; every answer first lets it reach the moment of the question.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._answers: dict[str, Answer] = {
            "activeAssetData": self._active_asset,
            "clearinghouseState": self._clearinghouse,
            "extraAgents": self._extra_agents,
            "frontendOpenOrders": self._frontend_open_orders,
            "historicalOrders": self._historical_orders,
            "maxBuilderFee": self._max_builder_fee,
            "openOrders": self._open_orders,
            "orderStatus": self._order_status,
            "referral": self._referral,
            "spotClearinghouseState": self._spot,
            "subAccounts": lambda _, __: None,
            "userFees": self._fees,
            "userFills": self._fills,
            "userFillsByTime": self._fills_by_time,
            "userFunding": self._funding,
            "userNonFundingLedgerUpdates": self._transfers,
            "userRateLimit": self._rate_limit,
            "userRole": self._role,
        }

    def attach(self, router: InfoRouter) -> None:
        """Let a router answer these request types."""
        for kind, answer in self._answers.items():
            router.add(kind, self._handler(answer))

    def _handler(self, answer: Answer) -> Callable[[Venue, Request], Any]:
        def handle(venue: Venue, request: Request) -> Any:
            self._exchange.advance(venue.now_ms())
            address = user_of(request)
            known = self._exchange.find(address)
            # Asking about an address does not open an account.
            trader = known or Trader.open(address, self._exchange.bank)
            return answer(trader, request)

        return handle

    # Money and positions ---------------------------------------------------------------------

    def _clearinghouse(self, trader: Trader, _: Request) -> Any:
        exchange, account = self._exchange, trader.account
        positions = [self._position(trader, coin) for coin in account.positions]
        marks = {coin: exchange.mark(coin) for coin in account.positions}
        notional = sum((abs(p.size) * marks[c] for c, p in account.positions.items()), ZERO)
        used = sum(
            (account.margin(c) + p.unrealised(marks[c]) for c, p in account.positions.items()), ZERO
        )
        raw = sum((_raw(trader, coin) for coin in account.positions), account.free)
        return {
            "marginSummary": _summary(account.free + used, notional, raw, used),
            "crossMarginSummary": _summary(account.free, ZERO, account.free, ZERO),
            "crossMaintenanceMarginUsed": "0.0",
            "withdrawable": _usdc(exchange.available(trader)),
            "assetPositions": [{"type": "oneWay", "position": p} for p in positions],
            "time": exchange.now_ms,
        }

    def _position(self, trader: Trader, coin: str) -> dict[str, Any]:
        exchange, account = self._exchange, trader.account
        position, spec, mark = account.positions[coin], exchange.specs[coin], exchange.mark(coin)
        profit = position.unrealised(mark)
        margin = account.margin(coin)
        liquidation = account.liquidation_price(coin, spec.max_leverage)
        sums = trader.funding_sums.get(coin, FundingSum())
        initial = position.cost / position.leverage
        return {
            "coin": coin,
            "szi": fmt.size(position.size, spec),
            "leverage": {
                "type": "isolated",
                "value": position.leverage,
                "rawUsd": _usdc(_raw(trader, coin)),
            },
            "entryPx": fmt.average(position.entry_price, spec),
            "positionValue": _usdc(abs(position.size) * mark),
            "unrealizedPnl": _usdc(profit),
            "returnOnEquity": fmt.decimal(profit / initial, 10),
            "liquidationPx": fmt.decimal(liquidation, 10) if liquidation > 0 else None,
            "marginUsed": _usdc(margin + profit),
            "maxLeverage": spec.max_leverage,
            "cumFunding": {
                "allTime": _usdc(sums.all_time),
                "sinceOpen": _usdc(sums.since_open),
                "sinceChange": _usdc(sums.since_open),
            },
        }

    def _active_asset(self, trader: Trader, request: Request) -> Any:
        coin = request.get("coin")
        if not isinstance(coin, str) or coin not in self._exchange.specs:
            raise WireError(500, "null", f"unknown coin {coin!r}")
        spec, mark = self._exchange.specs[coin], self._exchange.mark(coin)
        leverage = trader.leverage_of(coin, spec.max_leverage)
        free = self._exchange.available(trader)
        most = fmt.size(free * leverage / mark, spec)
        return {
            "user": trader.address,
            "coin": coin,
            "leverage": {"type": "isolated", "value": leverage, "rawUsd": "0.0"},
            "maxTradeSzs": [most, most],
            "availableToTrade": [_usdc(free), _usdc(free)],
            "markPx": fmt.price(mark, spec),
        }

    @staticmethod
    def _spot(_: Trader, __: Request) -> Any:
        return {"balances": []}

    # Orders ----------------------------------------------------------------------------------

    def _frontend_open_orders(self, trader: Trader, _: Request) -> Any:
        specs = self._exchange.specs
        newest = reversed(trader.live.values())
        return [wire_orders.order_row(order, specs[order.request.coin]) for order in newest]

    def _open_orders(self, trader: Trader, _: Request) -> Any:
        specs = self._exchange.specs
        newest = reversed(trader.live.values())
        return [wire_orders.brief_row(order, specs[order.request.coin]) for order in newest]

    def _order_status(self, trader: Trader, request: Request) -> Any:
        wanted = request.get("oid")
        if isinstance(wanted, str) and wanted.isdigit():
            wanted = int(wanted)
        if isinstance(wanted, str):
            cloid = wire_orders.cloid(wanted)
            order = None if cloid is None else trader.by_cloid(cloid)
        elif type(wanted) is int:
            order = trader.order(wanted)
        else:
            raise malformed(f"oid is {wanted!r}, neither a number nor a client order id")
        if order is None:
            return {"status": "unknownOid"}
        row = wire_orders.order_row(order, self._exchange.specs[order.request.coin])
        return {
            "status": "order",
            "order": {"order": row, "status": order.status, "statusTimestamp": order.status_ms},
        }

    def _historical_orders(self, trader: Trader, _: Request) -> Any:
        specs = self._exchange.specs
        return [
            wire_orders.event_row(event, specs[event.order.request.coin])
            for event in reversed(trader.events)
        ]

    # Fills and payments ----------------------------------------------------------------------

    def _fills(self, trader: Trader, _: Request) -> Any:
        specs, user = self._exchange.specs, trader.address
        newest = list(reversed(trader.fills))[:ROWS]
        return [wire_orders.fill_row(fill, specs[fill.coin], user) for fill in newest]

    def _fills_by_time(self, trader: Trader, request: Request) -> Any:
        start = integer(request, "startTime")
        end = integer(request, "endTime", MAX_MS)
        specs, user = self._exchange.specs, trader.address
        rows = [fill for fill in trader.fills if start <= fill.at_ms <= end]
        return [wire_orders.fill_row(fill, specs[fill.coin], user) for fill in rows[:ROWS]]

    def _funding(self, trader: Trader, request: Request) -> Any:
        start = integer(request, "startTime", 0)
        end = integer(request, "endTime", MAX_MS)
        rows = [paid for paid in trader.funding if start <= paid.at_ms <= end]
        return [
            {
                "time": paid.at_ms,
                "hash": fmt.digest(trader.address, "funding", paid.at_ms, paid.coin),
                "delta": {
                    "type": "funding",
                    "coin": paid.coin,
                    "usdc": _usdc(paid.usdc),
                    "szi": fmt.size(paid.size, self._exchange.specs[paid.coin]),
                    "fundingRate": fmt.rate(float(paid.rate)),
                    "nSamples": None,
                },
            }
            for paid in rows[:FUNDING_ROWS]
        ]

    @staticmethod
    def _transfers(trader: Trader, request: Request) -> Any:
        start = integer(request, "startTime", 0)
        end = integer(request, "endTime", MAX_MS)
        return [
            {
                "time": moved.at_ms,
                "hash": fmt.digest(trader.address, "transfer", moved.at_ms, moved.usdc),
                "delta": {
                    "type": "deposit" if moved.usdc > 0 else "withdraw",
                    "usdc": _usdc(abs(moved.usdc)),
                },
            }
            for moved in trader.transfers
            if start <= moved.at_ms <= end
        ]

    @staticmethod
    def _fees(_: Trader, __: Request) -> Any:
        schedule: dict[str, Any] = {
            "cross": "0.00045",
            "add": "0.00015",
            "spotCross": "0.0007",
            "spotAdd": "0.0004",
            "tiers": {"vip": [], "mm": []},
            "referralDiscount": "0.04",
            "stakingDiscountTiers": [],
        }
        return {
            "dailyUserVlm": [],
            "feeSchedule": schedule,
            "userCrossRate": "0.00045",
            "userAddRate": "0.00015",
            "userSpotCrossRate": "0.0007",
            "userSpotAddRate": "0.0004",
            "activeReferralDiscount": "0.0",
            "trial": None,
            "feeTrialReward": "0.0",
            "nextTrialAvailableTimestamp": None,
            "stakingLink": None,
            "activeStakingDiscount": {"bpsOfMaxSupply": "0.0", "discount": "0.0"},
        }

    # Standing --------------------------------------------------------------------------------

    def _extra_agents(self, trader: Trader, _: Request) -> Any:
        return [
            {"address": agent.address, "name": agent.name, "validUntil": agent.valid_until_ms}
            for agent in self._exchange.agents.of(trader.address, self._exchange.now_ms)
            if agent.name
        ]

    @staticmethod
    def _max_builder_fee(trader: Trader, request: Request) -> Any:
        approved = trader.approved_builders.get(str(request.get("builder")).lower(), ZERO)
        return int(approved * 100_000)

    @staticmethod
    def _rate_limit(trader: Trader, _: Request) -> Any:
        return {
            "cumVlm": fmt.decimal(trader.traded, 2),
            "nRequestsUsed": trader.actions,
            "nRequestsCap": Allowance.cap(trader.traded),
            "nRequestsSurplus": 0,
        }

    def _role(self, trader: Trader, _: Request) -> Any:
        if trader.transfers:
            return {"role": "user"}
        user = self._exchange.agents.user_of(trader.address, self._exchange.now_ms)
        return {"role": "missing"} if user is None else {"role": "agent", "data": {"user": user}}

    @staticmethod
    def _referral(trader: Trader, _: Request) -> Any:
        return {
            "referredBy": None,
            "cumVlm": fmt.decimal(trader.traded, 2),
            "unclaimedRewards": "0.0",
            "claimedRewards": "0.0",
            "builderRewards": "0.0",
            "referrerState": {"stage": "needToTrade", "data": {"required": "10000.0"}},
            "rewardHistory": [],
        }


def _usdc(value: Decimal) -> str:
    return fmt.decimal(value, MARGIN_DIGITS)


def _raw(trader: Trader, coin: str) -> Decimal:
    """Return the dollar leg of a position: its margin, less what the contracts cost."""
    position = trader.account.positions[coin]
    return trader.account.margin(coin) - position.side * position.cost


def _summary(value: Decimal, notional: Decimal, raw: Decimal, used: Decimal) -> dict[str, str]:
    return {
        "accountValue": _usdc(value),
        "totalNtlPos": _usdc(notional),
        "totalRawUsd": _usdc(raw),
        "totalMarginUsed": _usdc(used),
    }
