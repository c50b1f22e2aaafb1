"""The guard: the gate as freqtrade's hooks, mixed into a strategy."""

import logging
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.exchange import timeframe_to_minutes
from freqtrade.persistence import LocalTrade, Order, Trade
from freqtrade.resolvers import ProtectionResolver
from freqtrade.strategy import IStrategy

from .bookkeeping import Bookkeeper, loss_at_stop
from .decisions import DenialCode, Denied
from .disk_space import check_room
from .doubts import DoubtResolver
from .fail_closed import fail_closed
from .funding import book_funding, funding_paid
from .gate import Entry, Gate
from .instance_lock import DatabaseLock, InstanceLock
from .ledger import Ledger, LedgerError
from .ledger_url import ledger_url
from .limits import RiskLimits
from .memory_ledger import MemoryLedger
from .money import money
from .settings import PortfolioSettings
from .sizing import EntryTerms
from .sql import open_ledger
from .venue import VenueInquiry, client_like

logger = logging.getLogger(__name__)

TRADING = (RunMode.LIVE, RunMode.DRY_RUN)
LIVE_STOP_RESERVE = 1.5
"""freqtrade raises the venue's minimum by this much at most, for the widest stops."""
BACKTEST_STOP_RESERVE = 1.05 / 0.95
"""A backtest takes the reserve of a 5 % stop instead of the strategy's own."""

CANDLES_PER_CALL = 4_900
"""Hyperliquid serves 5,000 candles at most, and freqtrade allows it one call."""
PROTECTION_PATH_KEY = "protection_path"
PLUGIN_FOLDER = Path(__file__).resolve().parents[1]
"""Where our protections are; every module directly there is one."""

SEALED = {
    "custom_stake_amount": "override entry_terms",
    "confirm_trade_entry": "override entry_terms",
    "adjust_trade_position": "override propose_addition",
    "bot_loop_start": "override on_loop",
    "order_filled": "override on_order_filled",
    "adjust_entry_price": "leave it out: freqtrade replaces orders without asking the gate",
    "adjust_order_price": "leave it out: freqtrade replaces orders without asking the gate",
}
"""Hooks that the gate stands in, and what a strategy does instead."""


class PortfolioGuard(IStrategy):
    """Base of strategies that enter only when the whole portfolio can bear it.

    A strategy answers :meth:`entry_terms`; this class sizes, reserves, denies and reports. It
    denies whenever it can not know: every exception in its hooks is a no.

    Raises
    ------
    OperationalException
        The config's ``fractal`` block does not fit, the ledger can not be opened, the gate is
        off in trading, or a subclass overrides a hook that the gate stands in.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, remedy in SEALED.items():
            if name in vars(cls):
                raise OperationalException(
                    f"{cls.__name__}.{name} would bypass the portfolio's gate: {remedy}"
                )

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        try:
            self.limits = RiskLimits.from_config(config)
            self.portfolio_settings = PortfolioSettings.from_config(config)
        except ValueError as error:
            raise OperationalException(str(error)) from error
        runmode = config.get("runmode")
        if runmode in TRADING and not self.portfolio_settings.gate:
            raise OperationalException(
                "fractal.portfolio.gate is off, which is for lookahead-analysis and "
                "recursive-analysis only: remove it from the config to trade"
            )
        self._gate: Gate | None = None
        self._books: Bookkeeper | None = None
        self._doubts: DoubtResolver | None = None
        self._leverages: dict[str, float] = {}
        self._asked: tuple[Any, EntryTerms | Denied] = (None, _NOT_ASKED)
        self._unreported: datetime | None = None
        self._last_loop: datetime | None = None

    # -- what a strategy answers -------------------------------------------------------------

    def entry_terms(
        self, pair: str, side: int, rate: float, now: datetime, entry_tag: str | None
    ) -> EntryTerms | Denied:
        """Tell what an entry at `rate` would be, or why there is none.

        Parameters
        ----------
        pair, side
            What to enter; +1 long, -1 short.
        rate
            Price of the order.
        now
            UTC.
        entry_tag
            freqtrade's tag of the signal.
        """
        return Denied(
            DenialCode.NO_SETUP, f"{type(self).__name__} does not define entry_terms for {pair}"
        )

    def propose_addition(self, trade: Trade, **kwargs: Any) -> float | None:
        """Propose to add to (or, below zero, to take from) a position; stake currency.

        The arguments are those of freqtrade's ``adjust_trade_position``. None leaves it as it is.
        """
        return None

    def on_loop(self, current_time: datetime) -> None:
        """Do what a strategy wants done at the start of a loop."""

    def on_order_filled(
        self, pair: str, trade: Trade, order: Order, current_time: datetime
    ) -> None:
        """Do what a strategy wants done when an order has filled."""

    def portfolio_protections(self) -> list[dict[str, Any]]:
        """Name the protections of the portfolio and freqtrade's own beside them.

        A strategy may override this to tune or drop them; the gate does not depend on it.
        """
        per_day = max(1, round(timedelta(days=1) / self._candle))
        return [
            {"method": "DailyLossLimit"},
            {"method": "ExposureLimit"},
            {"method": "CorrelatedExposureLimit"},
            {
                "method": "MaxDrawdown",
                "calculation_mode": "equity",
                "lookback_period_candles": 7 * per_day,
                "trade_limit": 5,
                "stop_duration_candles": per_day,
                "max_allowed_drawdown": float(self.limits.max_drawdown_ratio) / 2,
            },
            {
                "method": "StoplossGuard",
                "lookback_period_candles": per_day,
                "trade_limit": 3,
                "stop_duration_candles": max(1, per_day // 2),
                "only_per_pair": False,
            },
            {"method": "CooldownPeriod", "stop_duration_candles": 1},
        ]

    def correlation_bars(self) -> int:
        """Candles that the correlation wants to have seen before the first entry.

        On timeframes so short that one call of the exchange can not bring half of the window it
        is 0: there every pair counts as moving with every other.
        """
        wanted = int(timedelta(days=self.limits.correlation_days) / self._candle) + 2
        bars = min(wanted, CANDLES_PER_CALL)
        return bars if 2 * bars > wanted else 0

    # -- the gate's own affairs --------------------------------------------------------------

    @property
    def bot_id(self) -> str:
        """Name of this bot in the portfolio: freqtrade's bot name and the strategy."""
        return f"{self.config.get('bot_name') or 'freqtrade'}/{type(self).__name__}"

    @property
    def account_id(self) -> str:
        """Where this bot's money is: the wallet's address, or its own paper account."""
        if self._guard_mode != RunMode.LIVE:
            return f"paper:{self.bot_id}"
        exchange = self.config.get("exchange", {})
        address = exchange.get("wallet_address") or exchange.get("walletAddress")
        if not address:
            # freqtrade takes the keys out of the config before it makes the strategy.
            dp = getattr(self, "dp", None)
            client = getattr(getattr(dp, "_exchange", None), "_api", None)
            address = getattr(client, "walletAddress", None)
        return str(address).lower() if address else f"paper:{self.bot_id}"

    @property
    def _guard_mode(self) -> RunMode:
        mode: RunMode = self.config.get("runmode", RunMode.OTHER)
        return mode

    @property
    def protections(self) -> list[dict[str, Any]]:
        """The protections, each of ours with the gate that it looks at.

        freqtrade searches its own folder only; ``extra_path`` makes it look into the config's
        ``protection_path`` too. It is set here, since hyperopt's workers get this class unpickled
        and may never run the code of its module.
        """
        ProtectionResolver.extra_path = PROTECTION_PATH_KEY
        self.config.setdefault(PROTECTION_PATH_KEY, str(PLUGIN_FOLDER))
        own = {path.stem for path in PLUGIN_FOLDER.glob("[!_]*.py")}
        wanted = self.portfolio_protections() if self.portfolio_settings.gate else []
        return [
            {**one, "gate": self.gate} if _snake(str(one["method"])) in own else one
            for one in wanted
        ]

    @property
    def gate(self) -> Gate:
        """The gate; opened at the bot's start, in a backtest at the first use.

        Raises
        ------
        RuntimeError
            The bot has not started yet.
        """
        if self._gate is None:
            if self._guard_mode in TRADING:
                raise RuntimeError("the gate opens at the bot's start, which has not come yet")
            self._open(MemoryLedger())
        return self._gate  # type: ignore[return-value]  # _open has set it

    def ledger_url(self) -> str:
        """URL of the ledger that this bot shares with the others."""
        return ledger_url(
            self.portfolio_settings,
            self.config["user_data_dir"],
            is_live=self._guard_mode == RunMode.LIVE,
        )

    def ft_bot_start(self, **kwargs: Any) -> None:
        """Open the ledger before the bot's first loop.

        Raises
        ------
        OperationalException
            The ledger can not be opened, or another process trades under this bot's name or on
            its database.
        """
        if self.config.get("force_entry_enable") and self.position_adjustment_enable:
            raise OperationalException(
                "force_entry_enable with position_adjustment_enable: freqtrade sends a forced "
                "entry onto an open trade without asking the gate; switch one of them off"
            )
        if self._guard_mode in TRADING and self.config.get("exchange", {}).get("enable_ws", True):
            logger.warning(
                "exchange.enable_ws is on: where the stream falls silent in the second half of a "
                "candle, freqtrade takes what it has heard of it for the whole candle; set it to "
                "false"
            )
        # First, since freqtrade looks for parameters by reading every attribute, the gate too.
        if self._guard_mode in TRADING and self._gate is None:
            self._open(self._open_ledger())
        super().ft_bot_start(**kwargs)

    def ft_bot_cleanup(self) -> None:
        """Give the ledger back when freqtrade reloads or ends."""
        super().ft_bot_cleanup()
        if self._gate is not None:
            self._gate.ledger.close()

    def _open_ledger(self) -> Ledger:
        url = self.ledger_url()
        try:
            folder = Path(self.config["user_data_dir"])
            InstanceLock(folder, self.bot_id, url).acquire()
            if self.config.get("db_url"):
                DatabaseLock(folder, self.config["db_url"]).acquire()
            return open_ledger(
                url,
                mode="live" if self._guard_mode == RunMode.LIVE else "dry_run",
                lock_timeout_seconds=self.portfolio_settings.lock_timeout_seconds,
            )
        except (ValueError, OSError, LedgerError) as error:
            # freqtrade prints this one line instead of a trace, and does not start.
            raise OperationalException(f"the portfolio's gate can not open: {error}") from error

    def _open(self, ledger: Ledger) -> None:
        self._gate = self._make_gate(ledger)
        self._books = Bookkeeper(
            self.bot_id,
            self.account_id,
            self.config["stake_currency"],
            is_trading=self._guard_mode in TRADING,
            last_close=self._last_close,
            remembered=max(self.limits.loss_streak, self.limits.win_streak),
        )
        if self._guard_mode == RunMode.LIVE:
            seconds = self.portfolio_settings.venue_timeout_seconds
            self._doubts = DoubtResolver(
                self.bot_id,
                self.account_id,
                ledger,
                VenueInquiry(client_like(self.dp._exchange, seconds), seconds),
                self._announce,
            )

    def _make_gate(self, ledger: Ledger) -> Gate:
        trading = self._guard_mode in TRADING
        return Gate(
            self.bot_id,
            self.limits,
            self.portfolio_settings,
            ledger,
            self._candle,
            orders_are_local=self._guard_mode != RunMode.LIVE,
            instant_orders=not trading,
            announce=self._announce,
            log_denials=self._guard_mode != RunMode.HYPEROPT,
        )

    def _announce(self, text: str) -> None:
        dp = getattr(self, "dp", None)
        if dp is not None:
            dp.send_msg(text, always_send=True)

    def hook_failed(self, hook: str, arguments: dict[str, Any], error: Exception) -> None:
        """Take in that a hook raised and was answered with a no."""
        side = -1 if arguments.get("side") == "short" else 1
        now = arguments.get("current_time") or datetime.now(UTC)
        self.gate.fail(hook, str(arguments.get("pair", "*")), side, error, now)

    def advise_indicators(self, dataframe: pd.DataFrame, metadata: dict[str, Any]) -> pd.DataFrame:
        """Analyse a pair as freqtrade does, and remember its candles for the gate."""
        self._observe(metadata["pair"], dataframe)
        frame: pd.DataFrame = super().advise_indicators(dataframe, metadata)
        return frame

    def advise_entry(self, dataframe: pd.DataFrame, metadata: dict[str, Any]) -> pd.DataFrame:
        """Find signals as freqtrade does, and remember the pair's candles for the gate.

        Hyperopt's workers get frames that were analysed in another process.
        """
        if self._guard_mode not in TRADING:
            self._observe(metadata["pair"], dataframe)
        frame: pd.DataFrame = super().advise_entry(dataframe, metadata)
        return frame

    def _observe(self, pair: str, frame: pd.DataFrame) -> None:
        # freqtrade fills a pair's silence with candles of no volume: those are no knowledge.
        traded = frame["close"].where(frame["volume"] > 0.0)
        self.gate.observe(pair, frame["date"], traded.to_numpy(dtype=float))

    def note_rate(self, pair: str, rate: float, now: datetime) -> None:
        """Remember a price that freqtrade has just fetched, for the profit of open positions."""
        if self._books is not None:
            self._books.note_rate(pair, rate, now)

    # -- freqtrade's hooks -------------------------------------------------------------------

    @fail_closed(None)
    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """Tell the ledger what this bot holds and is worth."""
        try:
            if self.portfolio_settings.gate:
                if not self._may_report_later(current_time):
                    self._report(current_time)
                self._summarise_backtest(current_time)
        finally:
            # Not the ledger's business: a strategy goes on without it.
            self.on_loop(current_time)

    def _may_report_later(self, now: datetime) -> bool:
        """Whether a backtest can leave the report until an entry is asked for.

        While it holds nothing, its equity stands still, and so do its losses.
        """
        if self._guard_mode in TRADING:
            return False
        self._restart_if_back(now)
        is_flat = not LocalTrade.bt_trades_open and self._books is not None and self._books.is_flat
        self._unreported = now if is_flat else None
        return is_flat

    def _has_money_moved(self) -> bool:
        """Tell whether freqtrade, which asks before every entry, knows another balance by now."""
        return not self.gate.is_blind and self._open_books().is_outdated(self.wallets)

    def _report(self, now: datetime) -> None:
        gate = self.gate
        try:
            books = self._open_books()
            clusters = gate.view(now).clusters if self._guard_mode in TRADING else ()
            report, closed = books.report(self.wallets, now, clusters)
            book = gate.report(report, closed)
        except Exception as error:
            gate.blind(f"{type(error).__name__}: {error}")
            raise
        if self._doubts is not None:
            self._doubts.resolve(book, books.open_trades(), now)

    def _summarise_backtest(self, now: datetime) -> None:
        end = self.gate.closes.end
        if self._guard_mode == RunMode.BACKTEST and end is not None and now >= end:
            # The last candle takes no entries, so all denials are known by now.
            logger.info("%s: %s", self.bot_id, self.gate.summary())

    def _open_books(self) -> Bookkeeper:
        if self.wallets is None or self._books is None:
            raise RuntimeError("the wallets are not set up yet")
        return self._books

    def _restart_if_back(self, now: datetime) -> None:
        """Begin a new book when time jumps back: hyperopt runs one backtest after another."""
        if self._last_loop is not None and now <= self._last_loop:
            closes = self.gate.closes
            self._open(MemoryLedger())
            self.gate.closes = closes
        self._last_loop = now

    @fail_closed(0.0)
    def custom_stake_amount(
        self,
        pair: str,
        current_time: datetime,
        current_rate: float,
        proposed_stake: float,
        min_stake: float | None,
        max_stake: float,
        leverage: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float:
        """Size the entry by its risk and cut it to what the portfolio can bear; 0 denies it."""
        if not self.portfolio_settings.gate:
            return proposed_stake
        if self._unreported is not None:
            self._report(self._unreported)
            self._unreported = None
        elif self._guard_mode in TRADING and self._has_money_moved():
            self._report(current_time)
        self._leverages[pair] = leverage
        entry = self._entry(pair, side, current_rate, current_time, entry_tag, leverage)
        if entry is None:
            return 0.0
        return float(self.gate.size(entry, self._minimum(min_stake), money(min(max_stake, 1e15))))

    @fail_closed(False)
    def confirm_trade_entry(
        self,
        pair: str,
        order_type: str,
        amount: float,
        rate: float,
        time_in_force: str,
        current_time: datetime,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> bool:
        """Reserve the entry's budget, or refuse it."""
        direction = 1 if side == "long" else -1
        if not self.portfolio_settings.gate:
            return not isinstance(
                self.entry_terms(pair, direction, rate, current_time, entry_tag), Denied
            )
        leverage = self._leverages.pop(pair, None)
        if leverage is None:
            raise RuntimeError(f"{pair} comes to be confirmed without having been sized")
        entry = self._entry(pair, side, rate, current_time, entry_tag, leverage)
        if entry is None:
            return False
        self._check_room()
        return self.gate.confirm(entry, amount, rate)

    @fail_closed(None)
    def adjust_trade_position(
        self,
        trade: Trade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        min_stake: float | None,
        max_stake: float,
        current_entry_rate: float,
        current_exit_rate: float,
        current_entry_profit: float,
        current_exit_profit: float,
        **kwargs: Any,
    ) -> float | None:
        """Let a strategy add to a position only within the budget; reductions pass.

        freqtrade sends additions without asking ``confirm_trade_entry``, so this is where they
        are sized down and reserved.
        """
        proposal = self.propose_addition(
            trade=trade,
            current_time=current_time,
            current_rate=current_rate,
            current_profit=current_profit,
            min_stake=min_stake,
            max_stake=max_stake,
            current_entry_rate=current_entry_rate,
            current_exit_rate=current_exit_rate,
            current_entry_profit=current_entry_profit,
            current_exit_profit=current_exit_profit,
            **kwargs,
        )
        if proposal is None or proposal <= 0.0 or not self.portfolio_settings.gate:
            return proposal
        leverage = trade.leverage or 1.0
        entry = self._entry(
            trade.pair,
            "short" if trade.is_short else "long",
            current_entry_rate,
            current_time,
            trade.enter_tag,
            leverage,
            adds_to=trade,
        )
        if entry is None:
            return None
        margin = self.gate.size(
            entry, self._minimum(min_stake), money(min(proposal, max_stake, 1e15))
        )
        self._check_room()
        amount = float(margin) * leverage / current_entry_rate
        if not margin or not self.gate.confirm(entry, amount, current_entry_rate):
            return None
        return float(margin)

    @fail_closed(None)
    def order_filled(
        self, pair: str, trade: Trade, order: Order, current_time: datetime, **kwargs: Any
    ) -> None:
        """Note finished trades and their funding, and let the strategy store its plan."""
        if self._guard_mode in TRADING and order.ft_order_side != trade.entry_side:
            self._book_funding(order, trade)
        if order.ft_order_side in (trade.exit_side, "stoploss") and self._books is not None:
            self._books.note_exit(trade.id)
        self.on_order_filled(pair, trade, order, current_time)

    # -- helpers -----------------------------------------------------------------------------

    def _check_room(self) -> None:
        if self._guard_mode in TRADING and self.config.get("db_url"):
            check_room(self.config["db_url"])

    def _book_funding(self, order: Order, trade: Trade) -> None:
        """Replace freqtrade's reckoning of a finished trade's funding by what was booked."""
        paid = None
        if self._guard_mode == RunMode.LIVE:
            filled = order.order_filled_utc or datetime.now(UTC)
            began = trade.date_entry_fill_utc or trade.open_date_utc
            paid = funding_paid(self.dp._exchange._api, trade.pair, began, filled)
        if book_funding(order, paid):
            logger.info("%s: funding of trade %s booked: %s", trade.pair, trade.id, order.trade)

    @property
    def _candle(self) -> timedelta:
        return timedelta(minutes=timeframe_to_minutes(self.timeframe))

    def _entry(
        self,
        pair: str,
        side: str,
        rate: float,
        now: datetime,
        entry_tag: str | None,
        leverage: float,
        *,
        adds_to: Trade | None = None,
    ) -> Entry | None:
        direction = 1 if side == "long" else -1
        # freqtrade asks for the stake and for the confirmation of one order, one after the other.
        question = (pair, direction, rate, now, entry_tag)
        # Read once: freqtrade's REST thread may ask about another pair at the same time.
        asked, terms = self._asked
        if question != asked:
            terms = self.entry_terms(*question)
            self._asked = (question, terms)
        if isinstance(terms, Denied):
            if terms.code is DenialCode.NO_SETUP:
                # Old candles show no setup either, and people should hear of those.
                terms = self.gate.clouded(pair, now) or terms
            self.gate.deny(pair, direction, terms, now)
            return None
        exact = Decimal(str(leverage))
        if adds_to is None:
            return Entry(pair, terms, exact, now)
        return Entry(pair, terms, exact, now, True, loss_at_stop(adds_to, terms.fee_ratio))

    def _minimum(self, min_stake: float | None) -> Decimal:
        """Return the smallest margin as a live bot meets it, so that a backtest decides alike."""
        minimum = min_stake or 0.0
        if self._guard_mode not in TRADING:
            minimum *= LIVE_STOP_RESERVE / BACKTEST_STOP_RESERVE
        return money(minimum)

    def _last_close(self, pair: str, now: datetime) -> tuple[float, datetime] | None:
        known = self.gate.closes.last_close(pair, now)
        if known is None and self._guard_mode in TRADING:
            # The first loop after a restart: freqtrade has the candles, we have not seen them.
            frame = self.dp.ohlcv(pair, self.timeframe)
            if frame is not None and len(frame):
                self._observe(pair, frame)
                known = self.gate.closes.last_close(pair, now)
        return known


_NOT_ASKED = Denied(DenialCode.NO_SETUP, "nothing was asked yet")


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
