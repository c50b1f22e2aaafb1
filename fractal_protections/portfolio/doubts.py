"""Resolving orders of unknown outcome, so that no capital stays blocked for ever."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from freqtrade.persistence import LocalTrade

from .book import Book
from .ledger import Ledger
from .positions import Reservation
from .venue import VenueAnswer, VenueInquiry

logger = logging.getLogger(__name__)

SIZE_TOLERANCE = 0.01
"""Share by which venue and database may differ in a position's size: fees taken in kind."""


class DoubtResolver:
    """Asks the venue about ambiguous reservations and releases those that left nothing there.

    Parameters
    ----------
    bot, account
        This bot, and where its money is: it can see the venue's side of this account only.
    ledger
        Where reservations are kept.
    inquiry
        Asks the venue within a time limit.
    announce
        Sends one message to people.
    """

    def __init__(
        self,
        bot: str,
        account: str,
        ledger: Ledger,
        inquiry: VenueInquiry,
        announce: Callable[[str], object],
    ) -> None:
        self._bot = bot
        self._account = account
        self._ledger = ledger
        self._inquiry = inquiry
        self._announce = announce
        self._announced: set[str] = set()

    def resolve(self, book: Book, trades: Iterable[LocalTrade], now: datetime) -> None:
        """Look after every ambiguous reservation of this account.

        One bot may resolve what another one left, a crashed one for instance. A pair is
        released only when the venue has neither an order nor a position beyond those that the
        database knows; otherwise a person decides.
        """
        for doubt in book.reservations:
            pair = doubt.request.pair
            if (
                doubt.ambiguous
                and self._is_visible(doubt, book)
                and self._inquiry.is_due(pair, now)
            ):
                self._resolve(doubt, [trade for trade in trades if trade.pair == pair], now)

    def _is_visible(self, doubt: Reservation, book: Book) -> bool:
        owner = book.bots.get(doubt.request.bot)
        return doubt.request.bot == self._bot or (
            owner is not None and owner.account == self._account
        )

    def _resolve(self, doubt: Reservation, trades: list[LocalTrade], now: datetime) -> None:
        pair = doubt.request.pair
        answer = self._inquiry.ask(pair, now)
        if answer is None:
            self._tell(doubt, "unanswered", f"{pair}: an order's outcome is unknown; pair closed")
            return
        unknown = _beyond(answer, trades)
        if unknown:
            self._tell(
                doubt,
                "found",
                f"{pair}: the venue holds {unknown}, which the database does not know; close "
                f"or adopt it, then `fractal risk clear {pair}`",
            )
            return
        self._ledger.release(doubt.id, "the venue has neither order nor position from it", now)
        logger.info("%s: the venue has no trace of the ambiguous order; pair open again", pair)
        self._announce(f"{pair}: the venue has no trace of the ambiguous order; pair open again")

    def _tell(self, doubt: Reservation, what: str, text: str) -> None:
        key = f"{doubt.id} {what}"
        if key not in self._announced:
            self._announced.add(key)
            logger.warning(text)
            self._announce(text)


def _beyond(answer: VenueAnswer, trades: list[LocalTrade]) -> str:
    """Name what the venue holds beyond the trades; empty where there is nothing."""
    known_orders = {order.order_id for trade in trades for order in trade.orders}
    strays = sorted(answer.order_ids - known_orders)
    if strays:
        return f"the order {strays[0]}"
    known = sum(-trade.amount if trade.is_short else trade.amount for trade in trades)
    if abs(answer.position - known) > SIZE_TOLERANCE * abs(known):
        return f"a position of {answer.position:g} instead of {known:g}"
    return ""
