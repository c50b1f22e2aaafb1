"""The portfolio risk manager: pure decisions on a book."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, timedelta
from decimal import Decimal

from .book import Book, TradingState
from .correlation import CorrelationView
from .decisions import Approved, Decision, DenialCode, Denied
from .drift import ALL_PAIRS
from .equity import daily_loss, drawdown
from .limits import RiskLimits
from .money import ZERO
from .positions import EntryRequest, Position


@dataclass(frozen=True, slots=True)
class AvailableRisk:
    """What the portfolio can still take on.

    Parameters
    ----------
    margin
        What the total exposure limit leaves, stake currency.
    positions
        Free position slots.
    risk
        Loss at the stop that one more position may have, stake currency.
    blocked_by
        Why nothing may be opened at all; None where something may. The amounts are 0 then.
    """

    margin: Decimal
    positions: int
    risk: Decimal
    blocked_by: Denied | None = None


class PortfolioRiskManager:
    """Decides whether the whole portfolio can bear one more entry.

    Parameters
    ----------
    limits
        What it may bear.
    max_report_age
        Reports older than this are stale.

    Notes
    -----
    Pure: no clock, no storage, no freqtrade. A limit that is exceeded already, by a falling
    equity for instance, denies everything that counts against it, hedges included. That makes
    decisions monotone: where an entry is approved, every smaller one is.
    """

    def __init__(self, limits: RiskLimits, max_report_age: timedelta) -> None:
        self.limits = limits
        self.max_report_age = max_report_age

    def decide(self, book: Book, request: EntryRequest, view: CorrelationView) -> Decision:
        """Approve or deny an entry.

        Parameters
        ----------
        book
            The portfolio at this moment.
        request
            What is asked.
        view
            How the held pairs and the requested one move together.

        Returns
        -------
        Approved or Denied
            Approved carries the requested margin; denied the first reason that applies.
        """
        denied = (
            self.check_entries_allowed(book)
            or self.check_pair(book, request)
            or self.check_trade(book, request)
            or self.check_portfolio_exposure(book, request)
            or self.check_correlation_limits(book, request, view)
        )
        if denied is not None:
            return denied
        held = book.exposures()
        after = _signed_notional(held)
        after[request.pair] = after.get(request.pair, ZERO) + request.side * request.notional
        numbers = {
            "equity": self.equity(book),
            "total_margin": _margin(held) + request.margin,
            "correlated": max(exposure.value for exposure in view.exposures(after)),
        }
        return Approved(request.margin, numbers)

    # -- one predicate per rule ------------------------------------------------------------

    def check_entries_allowed(self, book: Book) -> Denied | None:
        """Deny everything while the portfolio is halted, has lost too much, or is half blind."""
        return (
            self.check_drawdown(book)
            or self.check_trading_state(book)
            or self.check_daily_loss(book)
            or self.check_reports(book)
            or self.check_accounts(book)
        )

    def check_drawdown(self, book: Book) -> Denied | None:
        """Deny while the equity is too far below its peak."""
        lost, peak = drawdown(book.tracks)
        if not lost > ZERO or lost < self.limits.max_drawdown_ratio * peak:
            return None
        return Denied(
            DenialCode.DRAWDOWN,
            f"equity is {_percent(lost, peak)} below its peak of {peak:.2f}, the limit is "
            f"{_ratio(self.limits.max_drawdown_ratio)}",
            {"drawdown": lost, "peak": peak},
        )

    def check_trading_state(self, book: Book) -> Denied | None:
        """Deny while the portfolio is set to exits only."""
        state = book.state
        if state.state is TradingState.ACTIVE:
            return None
        reason = state.reason or "no reason given"
        return Denied(DenialCode(state.state.value), f"set by {state.by or '?'}: {reason}")

    def check_daily_loss(self, book: Book) -> Denied | None:
        """Deny from the moment that today's loss reached its limit until 00:00 UTC."""
        limit = _ratio(self.limits.daily_loss_ratio)
        lost, base = daily_loss(book.tracks, book.at)
        # A day that began without money has no share to lose: any loss is too much then.
        if lost > ZERO and lost >= self.limits.daily_loss_ratio * base:
            return Denied(
                DenialCode.DAILY_LOSS,
                f"today's loss is {_percent(lost, base)} of {base:.2f}, the limit is {limit}",
                {"loss": lost, "base": base},
            )
        if book.daily_loss_on == book.at.astimezone(UTC).date():
            return Denied(DenialCode.DAILY_LOSS, f"the limit of {limit} was reached earlier today")
        return None

    def check_reports(self, book: Book) -> Denied | None:
        """Deny while a bot with positions is silent, or nobody reports money."""
        seconds = f"{self.max_report_age.total_seconds():g} s"
        silent = book.silent_bots(self.max_report_age)
        if silent:
            return Denied(
                DenialCode.STALE_DATA,
                f"{', '.join(silent)} holds positions and has not reported for {seconds}: start "
                f"it, or `fractal risk forget {silent[0]}`",
            )
        if self.equity(book) <= ZERO:
            return Denied(
                DenialCode.STALE_DATA, f"no account has reported any money within {seconds}"
            )
        return None

    def check_accounts(self, book: Book) -> Denied | None:
        """Deny everything while an account can not be compared with its databases.

        Nor may anything be entered when the watch that compares them has died: who relies on it
        would not hear of a position without a stop. A watch that was ended in order is missed by
        nobody.
        """
        for look in book.looks:
            if look.is_late(book.at):
                age = (book.at - look.at).total_seconds()
                return Denied(
                    DenialCode.STALE_DATA,
                    f"`fractal reconcile --watch` last looked at {look.account} {age:.0f} s ago, "
                    f"instead of every {look.interval_seconds:g} s: start it again",
                )
        return _drift_of(book, ALL_PAIRS)

    def check_pair(self, book: Book, request: EntryRequest) -> Denied | None:
        """Deny a pair that is in doubt, or held already."""
        drift = _drift_of(book, request.pair)
        if drift is not None:
            return drift
        fence = book.fences.get(request.pair)
        if fence is not None:
            return Denied(DenialCode(fence.code), fence.reason)
        for held in book.reservations:
            mine = held.request.bot == request.bot
            if held.request.pair == request.pair and (held.ambiguous or mine):
                return Denied(
                    DenialCode.AMBIGUOUS_ORDER,
                    f"the order that {held.request.bot} sent at {held.request.at:%H:%M:%S} UTC "
                    "has no known outcome",
                )
        holders = {
            position.bot
            for position in book.exposures()
            if position.pair == request.pair
            and not (request.is_addition and position.bot == request.bot)
        }
        if len(holders) >= self.limits.max_positions_per_symbol:
            return Denied(
                DenialCode.SYMBOL_LIMIT,
                f"{request.pair} is held by {', '.join(sorted(holders))}; the limit is "
                f"{self.limits.max_positions_per_symbol} per symbol",
                {"held": len(holders), "limit": self.limits.max_positions_per_symbol},
            )
        return None

    def check_trade(self, book: Book, request: EntryRequest) -> Denied | None:
        """Deny a setup that is too weak, or one that loses too much at its stop."""
        if not request.confidence >= self.limits.min_confidence:  # NaN is denied
            return Denied(
                DenialCode.MIN_CONFIDENCE,
                f"confidence {request.confidence:.0f} is below {self.limits.min_confidence:g}",
                {"confidence": request.confidence, "limit": self.limits.min_confidence},
            )
        cap = self.limits.risk_per_trade_ratio * self.equity(book)
        if request.loss_at_stop > cap:
            return Denied(
                DenialCode.RISK_PER_TRADE,
                f"the stop would cost {request.loss_at_stop:.2f}, the limit is {cap:.2f} "
                f"({_ratio(self.limits.risk_per_trade_ratio)} of the equity)",
                {"loss": request.loss_at_stop, "limit": cap},
            )
        return None

    def check_portfolio_exposure(self, book: Book, request: EntryRequest) -> Denied | None:
        """Deny where slots are taken or margin would exceed its share of the equity."""
        held = book.exposures()
        equity = self.equity(book)
        slots = _slots(held)
        # An addition to a position that has closed meanwhile needs a slot like any other entry.
        has_slot = request.is_addition and any(
            position.bot == request.bot and position.pair == request.pair for position in held
        )
        if not has_slot and slots >= self.limits.max_positions:
            return Denied(
                DenialCode.POSITION_COUNT,
                f"{slots} positions are open, the limit is {self.limits.max_positions}",
                {"open": slots, "limit": self.limits.max_positions},
            )
        own = _own_margin(held, request.bot, request.pair) + request.margin
        cap = self.limits.max_position_ratio * equity
        if own > cap:
            return Denied(
                DenialCode.POSITION_SIZE,
                f"the position would hold {own:.2f} of margin, the limit is {cap:.2f} "
                f"({_ratio(self.limits.max_position_ratio)} of the equity)",
                {"margin": own, "limit": cap},
            )
        total = _margin(held) + request.margin
        cap = self.limits.max_total_exposure_ratio * equity
        if total > cap:
            return Denied(
                DenialCode.TOTAL_EXPOSURE,
                f"all positions would hold {total:.2f} of margin, the limit is {cap:.2f} "
                f"({_ratio(self.limits.max_total_exposure_ratio)} of the equity)",
                {"margin": total, "limit": cap},
            )
        return None

    def check_correlation_limits(
        self, book: Book, request: EntryRequest, view: CorrelationView
    ) -> Denied | None:
        """Deny where pairs that move together would be too large a bet.

        The limit is checked before and after the entry. An entry that shrinks a bet which is too
        large already is denied too: only a hedge of the right size would mend it, and whether
        the entry is that must not depend on its size.
        """
        cap = self.limits.max_correlated_exposure_ratio * self.equity(book)
        held = _signed_notional(book.exposures())
        after = dict(held)
        after[request.pair] = after.get(request.pair, ZERO) + request.side * request.notional
        for exposure in (*view.exposures(held), *view.exposures(after)):
            if exposure.value > cap:
                return Denied(
                    DenialCode.CORRELATED_EXPOSURE,
                    f"{', '.join(exposure.pairs)} move together and would be a bet of "
                    f"{exposure.value:.2f}, the limit is {cap:.2f} "
                    f"({_ratio(self.limits.max_correlated_exposure_ratio)} of the equity)",
                    {"notional": exposure.value, "limit": cap},
                )
        return None

    # -- how much is left ------------------------------------------------------------------

    def equity(self, book: Book) -> Decimal:
        """Money that limits are shares of: accounts with a fresh report."""
        return book.equity(self.max_report_age)

    def get_available_risk(self, book: Book) -> AvailableRisk:
        """Tell what the portfolio can still take on, whatever the pair.

        Closing a position never shrinks it. The correlated limit is not part of it, since
        closing a hedge does leave less room there; see :meth:`largest_margin`.
        """
        blocked = self.check_entries_allowed(book)
        if blocked is not None:
            return AvailableRisk(ZERO, 0, ZERO, blocked)
        held = book.exposures()
        equity = self.equity(book)
        slots = max(self.limits.max_positions - _slots(held), 0)
        margin = max(self.limits.max_total_exposure_ratio * equity - _margin(held), ZERO)
        return AvailableRisk(margin, slots, self.limits.risk_per_trade_ratio * equity)

    def largest_margin(
        self, book: Book, request: EntryRequest, view: CorrelationView
    ) -> tuple[Decimal, DenialCode]:
        """Find the largest margin that the exposure limits leave for an entry like `request`.

        Parameters
        ----------
        book, view
            As in :meth:`decide`.
        request
            Gives bot, pair, side and leverage (its notional over its margin); size is ignored.

        Returns
        -------
        margin
            Stake currency, 0 or more.
        code
            The limit that binds.
        """
        held = book.exposures()
        equity = self.equity(book)
        limits = self.limits
        leverage = request.notional / request.margin
        caps = (
            (
                limits.max_position_ratio * equity - _own_margin(held, request.bot, request.pair),
                DenialCode.POSITION_SIZE,
            ),
            (
                limits.max_total_exposure_ratio * equity - _margin(held),
                DenialCode.TOTAL_EXPOSURE,
            ),
            (
                self.correlated_room(book, request, view) / leverage,
                DenialCode.CORRELATED_EXPOSURE,
            ),
        )
        margin, code = min(caps, key=lambda cap: cap[0])
        return max(margin, ZERO), code

    def correlated_room(self, book: Book, request: EntryRequest, view: CorrelationView) -> Decimal:
        """Find the largest notional of an entry that keeps every group of pairs in its limit.

        Returns
        -------
        Decimal
            Stake currency; 0 or below where there is no room.
        """
        held = _signed_notional(book.exposures())
        cap = self.limits.max_correlated_exposure_ratio * self.equity(book)
        before = view.exposures(held)
        largest = max((exposure.value for exposure in before), default=ZERO)
        if largest > cap:
            return ZERO
        own = held.get(request.pair, ZERO)
        cluster = view.cluster_of(request.pair)
        if cluster is None:
            # Unknown: it counts in every group, and nothing but itself offsets it.
            return cap - (largest - abs(own)) - request.side * own
        unknown = sum((abs(n) for pair, n in held.items() if view.cluster_of(pair) is None), ZERO)
        members = {pair: held[pair] for pair in cluster if pair in held}
        sign = cluster[request.pair]
        if sign == 0:
            others = sum((abs(n) for n in members.values()), ZERO) - abs(own)
            return cap - unknown - others - request.side * own
        net = sum((cluster[pair] * n for pair, n in members.items()), ZERO)
        return cap - unknown - sign * request.side * net


def _margin(positions: Iterable[Position]) -> Decimal:
    return sum((position.margin for position in positions), ZERO)


def _own_margin(positions: Iterable[Position], bot: str, pair: str) -> Decimal:
    return _margin(p for p in positions if p.bot == bot and p.pair == pair)


def _slots(positions: Iterable[Position]) -> int:
    return len({(position.bot, position.pair) for position in positions})


def _signed_notional(positions: Iterable[Position]) -> dict[str, Decimal]:
    signed: dict[str, Decimal] = {}
    for position in positions:
        signed[position.pair] = signed.get(position.pair, ZERO) + position.side * position.notional
    return signed


def _ratio(value: Decimal) -> str:
    return f"{(100 * value).normalize():f} %"  # 0.2 and 0.20 are one limit


def _percent(part: Decimal, whole: Decimal) -> str:
    return f"{100 * part / whole:.2f} %" if whole > ZERO else f"{part:.2f}"


def _drift_of(book: Book, pair: str) -> Denied | None:
    """Deny what any account's venue and databases disagree about, whoever asks.

    What is wrong in one account may be the work of another bot's order: as with fences, the
    whole portfolio waits.
    """
    for mark in book.drifts:
        if mark.pair == pair:
            return Denied(DenialCode.POSITION_DRIFT, f"{mark.kind}: {mark.message}")
    return None
