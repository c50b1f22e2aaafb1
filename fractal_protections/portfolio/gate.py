"""The gate: one bot's way to the portfolio's budget."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from .book import Book, BotReport, TradingState
from .closes import CloseBook
from .correlation import CorrelationView, correlate
from .decisions import Approved, DenialCode, Denied
from .ledger import Ledger, LedgerError, Patience
from .limits import RiskLimits
from .money import UNIT, ZERO, money
from .positions import ClosedTrade, EntryRequest
from .risk_manager import PortfolioRiskManager
from .settings import PortfolioSettings
from .sizing import EntryTerms, round_down, target_margin

logger = logging.getLogger(__name__)

ANNOUNCED = frozenset(
    {
        DenialCode.DAILY_LOSS,
        DenialCode.DRAWDOWN,
        DenialCode.HALTED,
        DenialCode.REDUCING,
        DenialCode.AMBIGUOUS_ORDER,
        DenialCode.POSITION_DRIFT,
        DenialCode.STALE_DATA,
        DenialCode.LEDGER_UNAVAILABLE,
        DenialCode.INTERNAL_ERROR,
    }
)
"""Denials that a person should hear of; the others are the budget at work."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry on its way through the gate.

    Parameters
    ----------
    pair
        freqtrade's pair name.
    terms
        What the strategy knows about it.
    leverage
        Notional over margin.
    at
        Now, UTC.
    is_addition
        Whether it adds to a position of this bot.
    carried_loss
        What the position that it adds to loses at its own stop, stake currency.
    """

    pair: str
    terms: EntryTerms
    leverage: Decimal
    at: datetime
    is_addition: bool = False
    carried_loss: Decimal = ZERO


class Gate:
    """Sizes, approves and reserves entries of one bot, and reports its positions.

    Parameters
    ----------
    bot
        The bot's name in the portfolio.
    limits, settings
        From the config.
    ledger
        Shared by all bots of the portfolio.
    timeframe
        Length of the bot's candles.
    orders_are_local
        Whether orders exist only in this process (dry-run, backtest).
    instant_orders
        Whether an order's trade is written before the next loop begins (backtest).
    announce
        Sends one message to people.
    log_denials
        Whether denials are logged; hyperopt would drown in them.
    """

    def __init__(
        self,
        bot: str,
        limits: RiskLimits,
        settings: PortfolioSettings,
        ledger: Ledger,
        timeframe: timedelta,
        *,
        orders_are_local: bool,
        instant_orders: bool,
        announce: Callable[[str], Any],
        log_denials: bool = True,
    ) -> None:
        self.bot = bot
        self.limits = limits
        self.settings = settings
        self.ledger = ledger
        self.timeframe = timeframe
        self.closes = CloseBook(int(timeframe.total_seconds()) // 60)
        # A backtest's clock moves by whole candles: only there may a report be one candle old.
        self.manager = PortfolioRiskManager(
            limits, max(settings.max_report_age, 2 * timeframe if instant_orders else timedelta())
        )
        self.denial_counts: Counter[DenialCode] = Counter()
        self.error_count = 0
        self._orders_are_local = orders_are_local
        self._instant_orders = instant_orders
        self._announce = announce
        self._log_denials = log_denials
        self._announced: set[tuple[str, str]] = set()
        self._fault: Denied | None = Denied(
            DenialCode.STALE_DATA, f"{bot} has not told the ledger yet what it holds"
        )
        self._is_first_report = True
        self._state = TradingState.ACTIVE
        self._view: tuple[tuple[int, int], CorrelationView] | None = None
        self._observations = 0

    # -- what the bot tells ----------------------------------------------------------------

    def observe(self, pair: str, dates: Any, closes: Any) -> None:
        """Remember a pair's candles (open times and closes) for correlation and prices."""
        self.closes.remember(pair, dates, closes)
        self._observations += 1

    def report(self, report: BotReport, closed: Sequence[ClosedTrade] = ()) -> Book:
        """Tell the ledger what the bot holds, and judge the portfolio's losses.

        Until this has worked, and again after it has failed, every entry is denied.

        Raises
        ------
        LedgerError
            The ledger can not take it.
        """
        if closed:
            self.ledger.record_closed(closed)
        pending_before = report.at - self.settings.reservation_time
        if self._instant_orders or self._is_first_report:
            # Nothing of this process can be on its way to the venue.
            pending_before = report.at + timedelta(microseconds=1)
        book = self.ledger.report(report, Patience(pending_before, self._orders_are_local))
        self._is_first_report = False
        self._judge_losses(book)
        self._fault = None
        return book

    def blind(self, why: str) -> None:
        """Deny everything until a report has worked again."""
        self._fault = Denied(
            DenialCode.STALE_DATA, f"{self.bot} could not tell the ledger what it holds: {why}"
        )

    @property
    def is_blind(self) -> bool:
        """Whether no report has worked yet, or the latest one has failed."""
        return self._fault is not None

    def summary(self) -> str:
        """Name the denials so far, by code."""
        total = sum(self.denial_counts.values())
        codes = ", ".join(f"{code} {n}" for code, n in self.denial_counts.most_common())
        return f"the portfolio denied {total} entries" + (f": {codes}" if codes else "")

    def _judge_losses(self, book: Book) -> None:
        now = book.at
        denied = self.manager.check_drawdown(book)
        if denied is not None and book.state.state is not TradingState.HALTED:
            self.ledger.set_state(TradingState.HALTED, denied.message, self.bot, now)
            self._state = TradingState.HALTED
            logger.warning("portfolio HALTED: %s", denied)
            self._tell_once(denied.code, "", now, f"portfolio HALTED: {denied}")
        elif book.state.state is not self._state:
            self._state = book.state.state
            text = f"portfolio is {self._state}: {book.state.reason} (by {book.state.by})"
            logger.warning(text)
            self._announce(text)
        denied = self.manager.check_daily_loss(book)
        if denied is not None and self.ledger.mark_daily_loss(now):
            logger.warning("no entries until 00:00 UTC: %s", denied)
            self._tell_once(denied.code, "", now, f"no entries until 00:00 UTC: {denied}")

    # -- what the bot asks -----------------------------------------------------------------

    def size(self, entry: Entry, min_margin: Decimal, max_margin: Decimal) -> Decimal:
        """Find the margin of an entry.

        Parameters
        ----------
        entry
            The entry.
        min_margin, max_margin
            The exchange's smallest and the wallet's largest, stake currency.

        Returns
        -------
        Decimal
            Margin in stake currency that :meth:`confirm` will approve if nothing changes; 0
            where the entry is denied.

        Raises
        ------
        LedgerError, ValueError
            The ledger can not answer, or the terms make no sense.
        """
        denied = self.clouded(entry.pair, entry.at)
        if denied is None:
            book = self.ledger.book(entry.at)
            view = self.view(entry.at)
            # The smallest thinkable entry: where it is denied, every size is.
            probe = self._request(entry, UNIT, UNIT * entry.leverage, entry.carried_loss)
            decision = self.manager.decide(book, probe, view)
            if isinstance(decision, Approved):
                wanted = target_margin(
                    self.manager.equity(book),
                    entry.terms,
                    entry.leverage,
                    self.ledger.closed_trades(max(self.limits.loss_streak, self.limits.win_streak)),
                    self.limits,
                )
                if entry.carried_loss:
                    wanted = min(wanted, self._risk_left(book, entry))
                room, binding = self.manager.largest_margin(book, probe, view)
                margin = round_down(min(wanted, room, max_margin))
                if margin >= min_margin and margin > 0:
                    return margin
                code = binding if room < min_margin else DenialCode.BELOW_MINIMUM
                denied = Denied(
                    code,
                    f"the exchange takes {min_margin:.2f} of margin or more; the risk allows "
                    f"{wanted:.2f}, the limits leave {room:.2f}, the wallet {max_margin:.2f}",
                    {"minimum": min_margin, "wanted": wanted, "room": room},
                )
            else:
                denied = decision
        self.deny(entry.pair, entry.terms.side, denied, entry.at)
        return ZERO

    def confirm(self, entry: Entry, amount: float, rate: float) -> bool:
        """Reserve the budget of an entry that is about to be sent.

        Parameters
        ----------
        entry
            The entry.
        amount
            Contracts in base currency.
        rate
            Limit price.

        Returns
        -------
        bool
            Whether it may go out.

        Raises
        ------
        LedgerError, ValueError
            The ledger can not answer, or the numbers make no sense.
        """
        denied = self.clouded(entry.pair, entry.at)
        if denied is None:
            exact = money(amount * rate)
            request = self._request(
                entry,
                money(amount * rate / float(entry.leverage)),
                exact,
                money(exact * entry.terms.loss_ratio()) + entry.carried_loss,
            )
            view = self.view(entry.at)
            decision, _ = self.ledger.reserve(
                request,
                lambda book: self.manager.decide(book, request, view),
                entry.at + self.settings.ambiguous_capital_time,
            )
            if isinstance(decision, Approved):
                return True
            denied = decision
        self.deny(entry.pair, entry.terms.side, denied, entry.at)
        return False

    def view(self, now: datetime) -> CorrelationView:
        """Tell how the pairs that this bot knows move together, by candles closed at `now`."""
        key = (int(now.timestamp() // self.timeframe.total_seconds()), self._observations)
        if self._view is None or self._view[0] != key:
            view = correlate(
                self.closes,
                self.closes.pairs,
                now,
                days=self.limits.correlation_days,
                threshold=self.limits.correlation_threshold,
            )
            self._view = (key, view)
        return self._view[1]

    def clouded(self, pair: str, now: datetime) -> Denied | None:
        """Deny while this bot's own sight of a pair is clouded."""
        if self._fault is not None:
            return self._fault
        last = self.closes.last_close(pair, now)
        if last is None or now - last[1] >= 2 * self.timeframe:
            known = "none is known" if last is None else f"the last one closed at {last[1]}"
            return Denied(DenialCode.STALE_DATA, f"candles of {pair} are stale: {known}")
        return None

    # -- denying ---------------------------------------------------------------------------

    def deny(self, pair: str, side: int, denied: Denied, now: datetime) -> None:
        """Log, count and store a denial; people hear of the serious ones once a day."""
        self.denial_counts[denied.code] += 1
        candle = self.candle_at(now)
        is_new = self.ledger.deny(self.bot, pair, side, denied, candle, now)
        if is_new and self._log_denials:
            direction = "long" if side > 0 else "short"
            logger.info("%s: %s entry denied at %s: %s", pair, direction, candle, denied)
        if denied.code in ANNOUNCED:
            self._tell_once(denied.code, pair, now, f"{pair}: entry denied: {denied}")

    def fail(self, hook: str, pair: str, side: int, error: Exception, now: datetime) -> None:
        """Count and announce an exception that was turned into a denial."""
        self.error_count += 1
        code = (
            DenialCode.LEDGER_UNAVAILABLE
            if isinstance(error, LedgerError)
            else DenialCode.INTERNAL_ERROR
        )
        denied = Denied(code, f"{hook}: {type(error).__name__}: {error}")
        self.denial_counts[code] += 1
        logger.error("%s: entry denied: %s", pair, denied)
        self._tell_once(code, f"{hook} {type(error).__name__}", now, f"{pair}: {denied}")
        try:
            self.ledger.deny(self.bot, pair, side, denied, self.candle_at(now), now)
        except LedgerError as second:
            logger.error("this denial is not in the ledger: %s", second)  # noqa: TRY400

    def candle_at(self, now: datetime) -> datetime:
        """Close time of the last candle that had closed at `now`: it names the signal."""
        seconds = self.timeframe.total_seconds()
        return datetime.fromtimestamp(now.timestamp() // seconds * seconds, tz=UTC)

    def _tell_once(self, code: DenialCode, what: str, now: datetime, text: str) -> None:
        key = (f"{code} {what}", now.astimezone(UTC).date().isoformat())
        if key not in self._announced:
            self._announced = {known for known in self._announced if known[1] == key[1]} | {key}
            self._announce(text)

    def _risk_left(self, book: Book, entry: Entry) -> Decimal:
        """Margin that brings position and addition together to the risk of one trade."""
        risk = self.limits.risk_per_trade_ratio * self.manager.equity(book) - entry.carried_loss
        return round_down(risk / entry.terms.loss_ratio() / entry.leverage)

    def _request(
        self, entry: Entry, margin: Decimal, notional: Decimal, loss: Decimal
    ) -> EntryRequest:
        return EntryRequest(
            bot=self.bot,
            pair=entry.pair,
            side=entry.terms.side,
            margin=margin,
            notional=notional,
            loss_at_stop=loss,
            confidence=entry.terms.confidence,
            at=entry.at,
            is_addition=entry.is_addition,
        )
