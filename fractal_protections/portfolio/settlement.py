"""What a bot's report changes in the book: pure, shared by every kind of ledger."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from .book import BotReport, BotStatus
from .equity import AccountTrack
from .ledger import Patience
from .money import ZERO
from .positions import Reservation


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a bot's reservations.

    Parameters
    ----------
    matched
        A trade exists for them: the position itself counts from now on.
    released
        Nothing was sent.
    ambiguous
        Waited long enough without a trade, so nobody knows whether the venue took the order.
    """

    matched: tuple[Reservation, ...]
    released: tuple[Reservation, ...]
    ambiguous: tuple[Reservation, ...]


def settle(
    reservations: Iterable[Reservation], report: BotReport, patience: Patience
) -> Settlement:
    """Hold a bot's reservations beside the positions that it reports.

    A position matches a reservation when its latest entry order is not older: freqtrade writes
    the trade only after the venue has answered, so order time is after reservation time.
    """
    entered = {position.pair: position.entered_at for position in report.positions}
    matched, released, ambiguous = [], [], []
    for reservation in reservations:
        request = reservation.request
        if request.bot != report.bot:
            continue
        order_at = entered.get(request.pair)
        if order_at is not None and order_at >= request.at:
            matched.append(reservation)
        elif request.at >= patience.pending_before or reservation.ambiguous:
            continue
        elif patience.orders_are_local:
            released.append(reservation)
        else:
            ambiguous.append(reservation)
    return Settlement(tuple(matched), tuple(released), tuple(ambiguous))


def status_of(report: BotReport) -> BotStatus:
    """Keep of a report what is not about single positions."""
    return BotStatus(
        report.bot,
        report.account,
        report.at,
        report.balance,
        report.realised_profit,
        report.open_profit,
        report.clusters,
    )


def track_account(
    track: AccountTrack | None, bots: Mapping[str, BotStatus], report: BotReport
) -> AccountTrack:
    """Continue an account's equity with a bot's report.

    Parameters
    ----------
    track
        The account so far; None if this is its first report.
    bots
        Latest status of every bot, `report`'s own included.
    report
        The report.

    Notes
    -----
    Several bots may trade one account. Its balance is the same for all of them and the latest
    report has it; profit of open positions is each bot's own and is added up.
    """
    members = [bot for bot in bots.values() if bot.account == report.account]
    open_profit: Decimal = sum((bot.open_profit for bot in members), ZERO)
    realised: Decimal = sum((bot.realised_profit for bot in members), ZERO)
    equity = report.balance + open_profit
    profit = realised + open_profit
    if track is None:
        return AccountTrack.start(report.account, equity, profit, report.at)
    return track.update(equity, profit, report.at)
