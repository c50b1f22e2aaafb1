"""What `fractal risk status` knows: the book, held against the limits. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from fractal_protections.portfolio.book import Book
from fractal_protections.portfolio.correlation import ClusterExposure, CorrelationView
from fractal_protections.portfolio.drift import LookStatus
from fractal_protections.portfolio.equity import daily_loss, drawdown
from fractal_protections.portfolio.ledger import DenialRecord
from fractal_protections.portfolio.limits import RiskLimits
from fractal_protections.portfolio.money import ZERO, money
from fractal_protections.portfolio.positions import Position
from fractal_protections.portfolio.risk_manager import PortfolioRiskManager
from fractal_protections.portfolio.settings import PortfolioSettings

VERSION = 1
"""Of the model below, and so of the JSON object: raised when a key changes its meaning or goes."""
DENIALS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Block:
    """Why no entry is possible at all: a denial's code and its sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class StateStatus:
    """Trading state, who set it, why and when; the last three are empty where nobody ever did."""

    state: str
    reason: str
    by: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class EquityStatus:
    """Money, and what was lost of it; stake currency, ratios rounded to eight decimals.

    Parameters
    ----------
    equity
        Of accounts with a fresh report: what limits are shares of.
    total, peak
        Of all accounts, however old their report, and their highest.
    drawdown, drawdown_ratio
        The way down from the peak.
    day_start, daily_loss, daily_loss_ratio
        Equity at 00:00 UTC, and today's loss.
    """

    equity: Decimal
    total: Decimal
    peak: Decimal
    drawdown: Decimal
    drawdown_ratio: Decimal
    day_start: Decimal
    daily_loss: Decimal
    daily_loss_ratio: Decimal


@dataclass(frozen=True, slots=True)
class LimitUse:
    """One limit and what is left of it.

    Parameters
    ----------
    name
        Its key in `fractal.limits`.
    share
        Its value there.
    cap
        The same in stake currency, or positions.
    used
        What counts against it; of the limits of a single position, the largest there is; None
        where the ledger does not know.
    available
        What is left. Of a limit of positions: what the next entry may have, 0 while entries are
        blocked.
    """

    name: str
    share: Decimal
    cap: Decimal
    used: Decimal | None
    available: Decimal


@dataclass(frozen=True, slots=True)
class MemberStatus:
    """A held pair in a cluster.

    Parameters
    ----------
    pair
        The pair.
    sign
        +1 or -1: how it moves within the cluster; 0 not decided; None unknown to the bots.
    notional
        Leveraged, long above 0 and short below, stake currency.
    """

    pair: str
    sign: int | None
    notional: Decimal


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """Held pairs that count as one bet: net + gross = value, of which `cap` may be used."""

    members: tuple[MemberStatus, ...]
    net: Decimal
    gross: Decimal
    value: Decimal
    cap: Decimal
    used_ratio: Decimal | None


@dataclass(frozen=True, slots=True)
class ClustersStatus:
    """The clusters, and which bot saw them when; without any, every pair is unknown."""

    bot: str | None
    at: datetime | None
    age_seconds: float | None
    held: tuple[ClusterStatus, ...]


@dataclass(frozen=True, slots=True)
class BotView:
    """One bot by its latest report; silent when that is too old to count."""

    bot: str
    account: str
    reported_at: datetime
    age_seconds: float
    is_silent: bool
    balance: Decimal
    realised_profit: Decimal
    open_profit: Decimal
    positions: int


@dataclass(frozen=True, slots=True)
class PositionView:
    """An open position or resting entry."""

    bot: str
    pair: str
    side: str
    margin: Decimal
    notional: Decimal
    entered_at: datetime


@dataclass(frozen=True, slots=True)
class ReservationView:
    """An approved entry whose order is not known yet.

    Parameters
    ----------
    id, bot, pair, side, margin, notional
        What is reserved, for whom.
    reserved_at
        When it was approved.
    is_ambiguous
        Whether the order's outcome is unknown; its pair is closed then.
    holds_capital
        Whether it still counts against the limits.
    capital_until
        Until when it would, if ambiguous.
    """

    id: str
    bot: str
    pair: str
    side: str
    margin: Decimal
    notional: Decimal
    reserved_at: datetime
    is_ambiguous: bool
    holds_capital: bool
    capital_until: datetime


@dataclass(frozen=True, slots=True)
class FenceView:
    """A pair that stays closed until its doubt is resolved."""

    pair: str
    code: str
    reason: str
    bot: str
    since: datetime


@dataclass(frozen=True, slots=True)
class DriftView:
    """A pair (`*`: every pair) that an account's venue and databases disagree about."""

    account: str
    pair: str
    kind: str
    message: str
    since: datetime
    last_seen: datetime
    confirmed: bool


@dataclass(frozen=True, slots=True)
class LookView:
    """The latest look of `fractal reconcile` at an account.

    Parameters
    ----------
    account, at, age_seconds, by
        Where, when, who.
    result
        ``aligned``, ``drift`` or ``unknown``.
    interval_seconds
        When the next one follows; None where nobody watches.
    is_late
        Whether the next one should have been there long ago.
    """

    account: str
    at: datetime
    age_seconds: float
    by: str
    result: str
    interval_seconds: float | None
    is_late: bool


@dataclass(frozen=True, slots=True)
class DenialView:
    """A denied entry with its repeats on one candle (`candle` is that one's close time)."""

    bot: str
    pair: str
    side: str
    code: str
    message: str
    candle: datetime | None
    first_at: datetime
    last_at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Status:
    """The portfolio at one moment.

    Parameters
    ----------
    version
        Of this model.
    at
        The moment, UTC.
    ledger, mode
        The ledger's file or URL (never with a password), and ``dry_run`` or ``live``.
    stake_currency
        Of every amount.
    trading
        Trading state.
    blocked_by
        Why no bot may enter anything; empty when entries are possible.
    equity, limits, clusters, bots, positions, reservations, fences, drifts, looks, denials
        See their classes.
    """

    version: int
    at: datetime
    ledger: str
    mode: str
    stake_currency: str
    trading: StateStatus
    blocked_by: tuple[Block, ...]
    equity: EquityStatus
    limits: tuple[LimitUse, ...]
    clusters: ClustersStatus
    bots: tuple[BotView, ...]
    positions: tuple[PositionView, ...]
    reservations: tuple[ReservationView, ...]
    fences: tuple[FenceView, ...]
    drifts: tuple[DriftView, ...]
    looks: tuple[LookView, ...]
    denials: tuple[DenialView, ...]


def status_of(
    book: Book,
    denials: Iterable[DenialRecord],
    limits: RiskLimits,
    settings: PortfolioSettings,
    *,
    looks: Iterable[LookStatus] = (),
    ledger: str,
    mode: str,
    stake_currency: str,
) -> Status:
    """Hold a book against the limits.

    Parameters
    ----------
    book : Book
        The portfolio; its `at` is now.
    denials : iterable of DenialRecord
        The latest ones, newest first.
    limits : RiskLimits
        What the portfolio may bear.
    settings : PortfolioSettings
        How old a report may be.
    looks : iterable of LookStatus
        The latest look at every account.
    ledger, mode, stake_currency : str
        See :class:`Status`.

    Returns
    -------
    Status
        Everything that the tables and the JSON object show.
    """
    manager = PortfolioRiskManager(limits, settings.max_report_age)
    found = clusters_of(book)
    held_clusters = _clusters(book, found, limits, manager.equity(book))
    return Status(
        version=VERSION,
        at=book.at,
        ledger=ledger,
        mode=mode,
        stake_currency=stake_currency,
        trading=StateStatus(
            book.state.state.value, book.state.reason, book.state.by, book.state.at
        ),
        blocked_by=blocks(book, manager),
        equity=_equity(book, manager),
        limits=_limits(book, manager, held_clusters.held),
        clusters=held_clusters,
        bots=_bots(book, settings),
        positions=tuple(
            PositionView(p.bot, p.pair, side_name(p.side), p.margin, p.notional, p.entered_at)
            for p in sorted(book.positions, key=lambda p: (p.bot, p.pair))
        ),
        reservations=_reservations(book),
        fences=tuple(
            FenceView(f.pair, f.code, f.reason, f.bot, f.since)
            for f in sorted(book.fences.values(), key=lambda f: f.pair)
        ),
        drifts=tuple(
            DriftView(
                m.account, m.pair, m.kind, m.message, m.since, m.last_seen, confirmed=m.confirmed
            )
            for m in book.drifts
        ),
        looks=tuple(_look(look, book.at) for look in looks),
        denials=tuple(
            DenialView(
                d.bot,
                d.pair,
                side_name(d.side),
                d.code.value,
                d.message,
                d.candle,
                d.first_at,
                d.last_at,
                d.count,
            )
            for d in denials
        ),
    )


def blocks(book: Book, manager: PortfolioRiskManager) -> tuple[Block, ...]:
    """Name every reason why no bot may enter anything, not only the first."""
    checks = (
        manager.check_trading_state,
        manager.check_drawdown,
        manager.check_daily_loss,
        manager.check_reports,
        manager.check_accounts,
    )
    denied = (check(book) for check in checks)
    return tuple(Block(d.code.value, d.message) for d in denied if d is not None)


def side_name(side: int) -> str:
    """Name a direction as freqtrade does."""
    return "long" if side > 0 else "short"


def clusters_of(book: Book) -> tuple[str, CorrelationView] | None:
    """Return the freshest clusters that a bot has reported, with its name; None without any."""
    seen = [bot for bot in book.bots.values() if bot.clusters]
    if not seen:
        return None
    freshest = max(seen, key=lambda bot: (bot.reported_at, bot.bot))
    return freshest.bot, CorrelationView(freshest.clusters)


def _equity(book: Book, manager: PortfolioRiskManager) -> EquityStatus:
    down, peak = drawdown(book.tracks)
    lost, day_start = daily_loss(book.tracks, book.at)
    return EquityStatus(
        equity=manager.equity(book),
        total=sum((track.equity for track in book.tracks), ZERO),
        peak=peak,
        drawdown=down,
        drawdown_ratio=_ratio(down, peak) or ZERO,
        day_start=day_start,
        daily_loss=lost,
        daily_loss_ratio=_ratio(lost, day_start) or ZERO,
    )


def _limits(
    book: Book, manager: PortfolioRiskManager, clusters: tuple[ClusterStatus, ...]
) -> tuple[LimitUse, ...]:
    limits, equity, held = manager.limits, manager.equity(book), book.exposures()
    left = manager.get_available_risk(book)
    margins: dict[tuple[str, str], Decimal] = {}
    holders: dict[str, set[str]] = {}
    for position in held:
        key = (position.bot, position.pair)
        margins[key] = margins.get(key, ZERO) + position.margin
        holders.setdefault(position.pair, set()).add(position.bot)
    down, peak = drawdown(book.tracks)
    lost, day_start = daily_loss(book.tracks, book.at)
    bet = max((cluster.value for cluster in clusters), default=ZERO)
    cap = {
        name: getattr(limits, name) * base
        for name, base in (
            ("max_total_exposure_ratio", equity),
            ("max_correlated_exposure_ratio", equity),
            ("max_position_ratio", equity),
            ("risk_per_trade_ratio", equity),
            ("daily_loss_ratio", day_start),
            ("max_drawdown_ratio", peak),
        )
    }
    room = ZERO if left.blocked_by else max(cap["max_correlated_exposure_ratio"] - bet, ZERO)
    fullest = max((len(bots) for bots in holders.values()), default=0)

    def use(name: str, used: Decimal | None, available: Decimal) -> LimitUse:
        return LimitUse(name, getattr(limits, name), cap[name], used, available)

    def count(name: str, used: int, available: int) -> LimitUse:
        most = Decimal(getattr(limits, name))
        return LimitUse(name, most, most, Decimal(used), Decimal(available))

    return (
        use("max_total_exposure_ratio", sum(margins.values(), ZERO), left.margin),
        use("max_correlated_exposure_ratio", bet, room),
        count("max_positions", len(margins), left.positions),
        count(
            "max_positions_per_symbol",
            fullest,
            limits.max_positions_per_symbol if left.positions else 0,
        ),
        use(
            "max_position_ratio",
            max(margins.values(), default=ZERO),
            min(cap["max_position_ratio"], left.margin),
        ),
        use("risk_per_trade_ratio", None, left.risk),
        use("daily_loss_ratio", lost, max(cap["daily_loss_ratio"] - lost, ZERO)),
        use("max_drawdown_ratio", down, max(cap["max_drawdown_ratio"] - down, ZERO)),
    )


def _clusters(
    book: Book, found: tuple[str, CorrelationView] | None, limits: RiskLimits, equity: Decimal
) -> ClustersStatus:
    notional = _signed_notional(book.exposures())
    cap = limits.max_correlated_exposure_ratio * equity
    if found is None:
        unknown = CorrelationView.unknown()
        held = tuple(_cluster(e, unknown, notional, cap) for e in unknown.exposures(notional))
        return ClustersStatus(None, None, None, held)
    name, view = found
    at = book.bots[name].reported_at
    held = tuple(_cluster(e, view, notional, cap) for e in view.exposures(notional))
    return ClustersStatus(name, at, (book.at - at).total_seconds(), held)


def _cluster(
    exposure: ClusterExposure,
    view: CorrelationView,
    notional: Mapping[str, Decimal],
    cap: Decimal,
) -> ClusterStatus:
    members = []
    for pair in exposure.pairs:
        cluster = view.cluster_of(pair)
        sign = None if cluster is None else cluster[pair]
        members.append(MemberStatus(pair, sign, notional[pair]))
    return ClusterStatus(
        tuple(members),
        exposure.net,
        exposure.gross,
        exposure.value,
        cap,
        _ratio(exposure.value, cap),
    )


def _bots(book: Book, settings: PortfolioSettings) -> tuple[BotView, ...]:
    counts: dict[str, int] = {}
    for position in book.positions:
        counts[position.bot] = counts.get(position.bot, 0) + 1
    return tuple(
        BotView(
            bot=name,
            account=bot.account,
            reported_at=bot.reported_at,
            age_seconds=(book.at - bot.reported_at).total_seconds(),
            is_silent=abs(book.at - bot.reported_at) > settings.max_report_age,
            balance=bot.balance,
            realised_profit=bot.realised_profit,
            open_profit=bot.open_profit,
            positions=counts.get(name, 0),
        )
        for name, bot in sorted(book.bots.items())
    )


def _reservations(book: Book) -> tuple[ReservationView, ...]:
    return tuple(
        ReservationView(
            id=held.id,
            bot=held.request.bot,
            pair=held.request.pair,
            side=side_name(held.request.side),
            margin=held.request.margin,
            notional=held.request.notional,
            reserved_at=held.request.at,
            is_ambiguous=held.ambiguous,
            holds_capital=not held.ambiguous or held.capital_until > book.at,
            capital_until=held.capital_until,
        )
        for held in sorted(book.reservations, key=lambda r: (r.request.at, r.id))
    )


def _look(look: LookStatus, now: datetime) -> LookView:
    age = (now - look.at).total_seconds()
    every = look.interval_seconds
    return LookView(
        account=look.account,
        at=look.at,
        age_seconds=age,
        by=look.by,
        result=look.result,
        interval_seconds=every,
        is_late=look.is_late(now),
    )


def _signed_notional(positions: Iterable[Position]) -> dict[str, Decimal]:
    signed: dict[str, Decimal] = {}
    for position in positions:
        signed[position.pair] = signed.get(position.pair, ZERO) + position.side * position.notional
    return signed


def _ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    return money(part / whole) if whole > ZERO else None
