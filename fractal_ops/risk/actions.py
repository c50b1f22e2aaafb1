"""What a person may change in the portfolio. Time and name are arguments."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from fractal_ops.risk.errors import RiskError
from fractal_ops.risk.view import Block, blocks, side_name
from fractal_protections.portfolio.book import Book, StateChange, TradingState
from fractal_protections.portfolio.equity import daily_loss
from fractal_protections.portfolio.ledger import Ledger
from fractal_protections.portfolio.money import ZERO
from fractal_protections.portfolio.risk_manager import PortfolioRiskManager
from fractal_protections.portfolio.settings import PortfolioSettings


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the trading state; `before` equals `after` where nothing was to do."""

    before: StateChange
    after: StateChange


@dataclass(frozen=True, slots=True)
class Rebased:
    """The marks of one account before and after a resume, stake currency."""

    account: str
    old_peak: Decimal
    new_peak: Decimal
    reported_at: datetime
    is_stale: bool


@dataclass(frozen=True, slots=True)
class Resumed:
    """What a resume has changed.

    Parameters
    ----------
    change
        The trading state.
    rebased
        The accounts, if their peaks were set to their present equity.
    old_day_loss, new_day_loss
        Today's loss before and after, stake currency.
    still_blocked
        What keeps entries from going out all the same.
    """

    change: Change
    rebased: tuple[Rebased, ...]
    old_day_loss: Decimal
    new_day_loss: Decimal
    still_blocked: tuple[Block, ...]


def set_state(ledger: Ledger, state: TradingState, reason: str, by: str, now: datetime) -> Change:
    """Halt the portfolio or set it to exits only.

    Doing the same for the same reason again changes nothing, so `since` stays the first time.

    Raises
    ------
    RiskError
        There is no reason.
    LedgerError
        The ledger can not take it.
    """
    if not reason.strip():
        raise RiskError(
            '--reason is empty: say why in a few words, e.g. --reason "venue maintenance"',
            exit_status=2,
        )
    known = ledger.book(now).state
    if known.state is state and known.reason == reason:
        return Change(known, known)
    before = ledger.set_state(state, reason, by, now)
    return Change(before, StateChange(state, reason, by, now))


def resume(
    ledger: Ledger,
    manager: PortfolioRiskManager,
    reason: str,
    by: str,
    now: datetime,
    *,
    after_transfer: bool,
) -> Resumed:
    """Set the portfolio to ACTIVE, and measure drawdown from the present equity.

    Parameters
    ----------
    ledger, manager
        Where, and by which limits.
    reason, by, now
        Why, who, when.
    after_transfer
        Whether money was moved, so that today's loss begins anew, too.

    Returns
    -------
    Resumed
        What it was and is.

    Raises
    ------
    LedgerError
        The ledger can not take it.

    Notes
    -----
    An ACTIVE portfolio within its drawdown keeps its peak: a second `resume` must not quietly
    forgive what was lost since the first. The peak moves before the state does; the other way
    round a bot could halt the portfolio again in between.
    """
    book = ledger.book(now)
    known = book.state
    is_active = known.state is TradingState.ACTIVE
    moves_peak = after_transfer or not is_active or manager.check_drawdown(book) is not None
    if moves_peak:
        ledger.rebase(peak=True, day=after_transfer, by=by, now=now)
    change = Change(known, known)
    if not is_active:
        before = ledger.set_state(TradingState.ACTIVE, reason, by, now)
        change = Change(before, StateChange(TradingState.ACTIVE, reason, by, now))
    after = ledger.book(now)
    peaks = {track.account: track.peak_equity for track in after.tracks}
    rebased = tuple(
        Rebased(
            track.account,
            track.peak_equity,
            peaks.get(track.account, track.equity),
            track.updated_at,
            abs(now - track.updated_at) > manager.max_report_age,
        )
        for track in book.tracks
    )
    return Resumed(
        change,
        rebased if moves_peak else (),
        daily_loss(book.tracks, now)[0],
        daily_loss(after.tracks, now)[0],
        blocks(after, manager),
    )


def closed_pairs(book: Book) -> dict[str, tuple[str, ...]]:
    """Name what keeps each closed pair closed."""
    found: dict[str, list[str]] = {}
    for fence in book.fences.values():
        found.setdefault(fence.pair, []).append(
            f"{fence.code} since {fence.since:%Y-%m-%d %H:%M} UTC by {fence.bot}: {fence.reason}"
        )
    for held in book.reservations:
        if held.ambiguous:
            request = held.request
            found.setdefault(request.pair, []).append(
                f"order of {request.bot} at {request.at:%Y-%m-%d %H:%M:%S} UTC without a known "
                f"outcome: {side_name(request.side)}, margin {request.margin:.2f}"
            )
    for mark in book.drifts:
        found.setdefault(mark.pair, []).append(
            f"POSITION_DRIFT since {mark.since:%Y-%m-%d %H:%M} UTC in {mark.account}: {mark.kind}: "
            f"{mark.message}"
        )
    return {pair: tuple(found[pair]) for pair in sorted(found)}


def doubts_about(book: Book, pair: str) -> tuple[str, ...]:
    """Name what keeps a pair closed.

    Raises
    ------
    RiskError
        Nothing does; the message lists the pairs that are closed.
    """
    closed = closed_pairs(book)
    if pair not in closed:
        names = ", ".join(closed) or "none"
        raise RiskError(
            f"{pair} is not closed, so nothing was changed (closed pairs: {names})", exit_status=1
        )
    return closed[pair]


def clear(ledger: Ledger, pair: str, by: str, now: datetime) -> None:
    """Open a closed pair.

    Raises
    ------
    RiskError
        It is open already.
    LedgerError
        The ledger can not take it.
    """
    if not ledger.clear(pair, by, now):
        doubts_about(ledger.book(now), pair)
        # Closed again in the same moment: by a new doubt, which nobody has looked at.
        raise RiskError(f"{pair} was closed anew meanwhile: look at it again", exit_status=1)


def belongings(book: Book, bot: str, settings: PortfolioSettings) -> str:
    """Tell what a bot that is to be forgotten holds in the ledger.

    Raises
    ------
    RiskError
        It is unknown, or it still reports: forgotten, its positions would be free budget to the
        others until its next loop.
    """
    status = book.bots.get(bot)
    if status is None:
        names = ", ".join(sorted(book.bots)) or "none"
        raise RiskError(
            f"the ledger knows no bot {bot!r}, so nothing was changed (known bots: {names})",
            exit_status=1,
        )
    age = book.at - status.reported_at
    if abs(age) <= settings.max_report_age:
        raise RiskError(
            f"{bot} reported {age.total_seconds():.0f} s ago, so it is running: stop it, and wait "
            f"until it has been silent for {settings.max_report_age_seconds:g} s",
            exit_status=1,
        )
    held = [position for position in book.positions if position.bot == bot]
    reserved = [r for r in book.reservations if r.request.bot == bot]
    margin = sum((position.margin for position in held), ZERO)
    pairs = ", ".join(sorted(position.pair for position in held))
    return (
        f"{len(held)} positions" + (f" ({pairs}; margin {margin:.2f})" if held else "") + f", "
        f"{len(reserved)} reservations, last report {status.reported_at:%Y-%m-%d %H:%M:%S} UTC"
    )


def forget(ledger: Ledger, bot: str, by: str, now: datetime) -> None:
    """Drop a bot that is gone.

    Raises
    ------
    RiskError
        Somebody else has dropped it already.
    LedgerError
        The ledger can not take it.
    """
    if not ledger.forget(bot, by, now):
        raise RiskError(f"{bot} was dropped by somebody else meanwhile", exit_status=1)
