"""Asking the venue about an order of unknown outcome: bounded in time, and only then."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VenueAnswer:
    """What the venue holds of one pair.

    Parameters
    ----------
    order_ids
        Open orders, stops included.
    position
        Contracts, below zero for a short.
    """

    order_ids: frozenset[str]
    position: float


class VenueInquiry:
    """Reads orders and position of one pair from the venue, within a time limit.

    Parameters
    ----------
    make_client
        Makes a ccxt client of its own: the bot's is in use by the trading thread, and a question
        that outlives its time limit must not disturb it.
    timeout_seconds
        How long :meth:`ask` may take.
    retry
        How long to wait between two questions about one pair.
    """

    def __init__(
        self,
        make_client: Callable[[], Any],
        timeout_seconds: float,
        retry: timedelta = timedelta(seconds=30),
    ) -> None:
        self._make_client = make_client
        self._timeout_seconds = timeout_seconds
        self._retry = retry
        self._asked_at: dict[str, datetime] = {}

    def is_due(self, pair: str, now: datetime) -> bool:
        """Whether the last question about a pair is long enough ago."""
        asked = self._asked_at.get(pair)
        return asked is None or not timedelta(0) <= now - asked < self._retry

    def ask(self, pair: str, now: datetime) -> VenueAnswer | None:
        """Ask about a pair.

        Returns
        -------
        VenueAnswer or None
            None where the venue did not answer in time or failed: nothing is known then.
        """
        self._asked_at[pair] = now
        answers: list[VenueAnswer] = []

        def work() -> None:
            try:
                answers.append(self._read(pair))
            except Exception as error:  # noqa: BLE001  # whatever fails, the order stays ambiguous
                logger.warning("%s: the venue could not be asked: %s", pair, error)

        # A daemon, so that a venue which never answers can not keep the process alive.
        thread = threading.Thread(target=work, name=f"venue inquiry {pair}", daemon=True)
        thread.start()
        thread.join(self._timeout_seconds)
        if not answers:
            logger.warning(
                "%s: no answer from the venue within %g s; the pair stays closed",
                pair,
                self._timeout_seconds,
            )
            return None
        return answers[0]

    def _read(self, pair: str) -> VenueAnswer:
        client = self._make_client()
        orders = client.fetch_open_orders(pair)
        position = 0.0
        for held in client.fetch_positions([pair]):
            size = float(held.get("contracts") or 0.0)
            position += -size if held.get("side") == "short" else size
        return VenueAnswer(frozenset(str(order["id"]) for order in orders), position)


def client_like(exchange: Any, timeout_seconds: float) -> Callable[[], Any]:
    """Return a maker of ccxt clients that talk to the same venue as freqtrade's `exchange`.

    The client reads only; it gets the account's address but not its key.
    """

    def make() -> Any:
        bot: Any = exchange._api
        client = type(bot)(
            {
                "walletAddress": bot.walletAddress,
                "timeout": int(timeout_seconds * 1000),
                "enableRateLimit": False,
                "options": dict(bot.options),
            }
        )
        client.urls = bot.urls
        client.set_markets(bot.markets)
        return client

    return make
