"""Keeping a bot's books: what freqtrade's trades and wallets mean to the portfolio."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from freqtrade.persistence import LocalTrade, Trade

from .book import BotReport
from .money import ZERO, money
from .positions import ClosedTrade, Position

RATE_MAX_AGE = timedelta(minutes=2)
"""A rate that the bot saw longer ago is no better than the last candle's close."""

LastClose = Callable[[str, datetime], tuple[float, datetime] | None]
"""Close and close time of a pair's last closed candle."""


class Bookkeeper:
    """Makes the reports of one bot from freqtrade's trades.

    Parameters
    ----------
    bot, account
        Names in the portfolio.
    stake_currency
        Currency of the wallet.
    is_trading
        Whether trades are in freqtrade's database (dry-run, live) or in memory (backtest).
    last_close
        Price of a pair where no fresher one was noted.
    remembered
        How many finished trades of an earlier run the portfolio wants to know.
    """

    def __init__(
        self,
        bot: str,
        account: str,
        stake_currency: str,
        *,
        is_trading: bool,
        last_close: LastClose,
        remembered: int,
    ) -> None:
        self._bot = bot
        self._account = account
        self._stake_currency = stake_currency
        self._is_trading = is_trading
        self._last_close = last_close
        self._remembered = remembered
        self._rates: dict[str, tuple[float, datetime]] = {}
        self._exited: set[int] = set()
        self._is_first = True
        self._reported_balance: Decimal | None = None
        self.is_flat = False
        """Whether the latest report held no position; not before there was one."""

    def note_rate(self, pair: str, rate: float, now: datetime) -> None:
        """Remember a price that freqtrade has just fetched."""
        self._rates[pair] = (rate, now)

    def note_exit(self, trade_id: int) -> None:
        """Remember that an exit order of a trade has filled.

        Its result is booked after freqtrade's hook, so it is read in the next loop. A backtest
        may not know it earlier either: that candle is still open.
        """
        self._exited.add(trade_id)

    def open_trades(self) -> Sequence[LocalTrade]:
        """Open positions and resting entries of this bot."""
        if self._is_trading:
            return list(Trade.get_open_trades())
        open_trades: list[LocalTrade] = LocalTrade.bt_trades_open
        return open_trades

    def report(
        self, wallets: Any, now: datetime, clusters: tuple[Mapping[str, int], ...] = ()
    ) -> tuple[BotReport, Sequence[ClosedTrade]]:
        """Draw up the report of a loop, and the trades that finished since the last one.

        Parameters
        ----------
        wallets
            freqtrade's wallets; their total is without the profit of open positions.
        now
            UTC.
        clusters
            Groups of pairs that move together, for people who look at the portfolio.

        Raises
        ------
        LookupError
            A pair with a position has no known price, or the balance is not known.
        """
        closed = self._newly_closed()
        trades = self.open_trades()
        balance = self._balance(wallets)
        realised = balance  # a paper balance moves by realised profit alone
        if self._is_trading:
            realised = money(Trade.get_total_closed_profit())
            realised += sum((money(trade.realized_profit) for trade in trades), ZERO)
        report = BotReport(
            bot=self._bot,
            account=self._account,
            at=now,
            balance=balance,
            realised_profit=realised,
            open_profit=sum((self._profit(trade, now) for trade in trades), ZERO),
            positions=tuple(position_of(self._bot, trade) for trade in trades),
            clusters=clusters,
        )
        self._is_first = False
        self._reported_balance = balance
        self.is_flat = not report.positions
        return report, closed

    def is_outdated(self, wallets: Any) -> bool:
        """Tell whether the balance is another one than that of the latest report.

        freqtrade asks the venue for it before every entry, and else once an hour.
        """
        return self._balance(wallets) != self._reported_balance

    def _balance(self, wallets: Any) -> Decimal:
        if self._is_trading:
            # freqtrade's own question makes 0 of a balance that the venue did not name, and 0
            # would be the loss of everything.
            known = wallets.get_all_balances().get(self._stake_currency)
            if known is None or known.total is None:
                raise LookupError(f"the venue named no balance of {self._stake_currency}")
        return money(wallets.get_total(self._stake_currency))

    def _profit(self, trade: LocalTrade, now: datetime) -> Decimal:
        """Profit of an open position at the latest price, fees and funding included."""
        if not trade.has_open_position:
            return ZERO
        rate = self._rates.get(trade.pair)
        if rate is None or now - rate[1] > RATE_MAX_AGE:
            rate = self._last_close(trade.pair, now)
        if rate is None:
            raise LookupError(f"no price of {trade.pair} is known, so its profit is not either")
        return money(trade.calc_profit(rate[0]))

    def _newly_closed(self) -> Sequence[ClosedTrade]:
        wanted, self._exited = self._exited, set()
        done: list[LocalTrade] = []
        if not self._is_trading:
            for trade in reversed(LocalTrade.bt_trades):
                if not wanted:
                    break
                if trade.id in wanted:
                    wanted.discard(trade.id)
                    done.append(trade)
        elif self._is_first:
            finished = Trade.get_trades_query([Trade.is_open.is_(False)], include_orders=False)
            newest = finished.order_by(Trade.close_date.desc()).limit(self._remembered)
            done.extend(Trade.session.scalars(newest).all())
        elif wanted:
            finished = Trade.get_trades_query(
                [Trade.id.in_(wanted), Trade.is_open.is_(False)], include_orders=False
            )
            done.extend(Trade.session.scalars(finished).all())
        return [closed_trade_of(self._bot, trade) for trade in done]


def position_of(bot: str, trade: LocalTrade) -> Position:
    """Read an open trade, its unfilled entry orders included.

    freqtrade's ``stake_amount`` is the request until the first fill, and what has filled after
    it; the open rest of an order may fill at any time, so it counts in full.
    """
    leverage = trade.leverage or 1.0
    entries = [order for order in trade.orders if order.ft_order_side == trade.entry_side]
    rest = sum(
        (
            money(order.safe_remaining * (order.ft_price or trade.open_rate) / leverage)
            for order in entries
            if order.ft_is_open
        ),
        ZERO,
    )
    stake = money(trade.stake_amount)
    # Before the first fill the stake is the request itself; an order may report less than that.
    margin = stake + rest if trade.has_open_position else max(stake, rest)
    return Position(
        bot=bot,
        pair=trade.pair,
        side=-1 if trade.is_short else 1,
        margin=margin,
        notional=money(margin * Decimal(str(leverage))),
        # The opening time is by this machine's clock; an order's may be by the venue's.
        entered_at=max([trade.open_date_utc, *(order.order_date_utc for order in entries[1:])]),
    )


def loss_at_stop(trade: LocalTrade, fee_ratio: float) -> Decimal:
    """Return what a position loses at its stop, fees included; 0 or more."""
    side = -1 if trade.is_short else 1
    fees = fee_ratio * (trade.open_rate + trade.stop_loss)
    return max(money(trade.amount * (side * (trade.open_rate - trade.stop_loss) + fees)), ZERO)


def closed_trade_of(bot: str, trade: LocalTrade) -> ClosedTrade:
    """Read a finished trade."""
    closed_at: datetime = trade.close_date_utc or datetime.fromtimestamp(0, tz=UTC)
    return ClosedTrade(bot, trade.id, trade.pair, closed_at, money(trade.close_profit_abs or 0.0))
