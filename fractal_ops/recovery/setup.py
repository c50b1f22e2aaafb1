"""From a config to a reconciler."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from freqtrade.constants import DEFAULT_DB_PROD_URL

from fractal_ops.recovery.alerts import Alert
from fractal_ops.recovery.client import account_of, client_of
from fractal_ops.recovery.databases import TradeDatabase
from fractal_ops.recovery.plan import STOP_LIMIT_RATIO
from fractal_ops.recovery.reading import Reader
from fractal_ops.recovery.reconcile import Reconciler
from fractal_ops.recovery.repair import Repairer
from fractal_ops.recovery.venue import Venue
from fractal_ops.risk.errors import RiskError
from fractal_ops.risk.place import Place
from fractal_protections.portfolio.instance_lock import InstanceLock
from fractal_protections.portfolio.ledger import LedgerError
from fractal_protections.portfolio.sql import SqlLedger, open_ledger


@dataclass(frozen=True)
class Bench:
    """Everything that a run needs.

    Parameters
    ----------
    account
        The account's name in the ledger.
    venue, ledger, reconciler
        Ready to use; the ledger is to be closed.
    is_alone
        Whether no other reconciler of this account runs here. Beside another one nothing is
        written.
    """

    account: str
    venue: Venue
    ledger: SqlLedger
    reconciler: Reconciler
    is_alone: bool

    def repairer(
        self, max_slippage_ratio: Decimal, sleep: Callable[[float], object] = time.sleep
    ) -> Repairer:
        """Return what repairs this account.

        Raises
        ------
        RiskError
            The config has no key to sign orders with, or another reconciler runs.
        """
        if not self.is_alone:
            raise RiskError(
                "another `fractal reconcile` of this account runs: stop it, then repair",
                exit_status=2,
            )
        if not self.venue.client.privateKey:
            raise RiskError(
                "exchange.private_key is missing in the config: without it nothing can be repaired",
                exit_status=2,
            )
        return Repairer(self.venue, max_slippage_ratio, sleep)


def prepare(
    place: Place,
    databases: Sequence[str],
    alert: Alert,
    *,
    interval_seconds: float | None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    make_client: Callable[[dict[str, Any]], Any] = client_of,
) -> Bench:
    """Make the reconciler of a config.

    Parameters
    ----------
    place
        The portfolio of the config.
    databases
        URLs of the other bots of this account; the config's own is read in any case.
    alert
        Hears of every change.
    interval_seconds
        Of a watch; None for a single run.
    clock
        Returns now, UTC.
    make_client
        Makes the ccxt client.

    Raises
    ------
    RiskError
        The config does not fit, or the ledger can not be opened.
    """
    config = place.config
    account = account_of(config)
    venue = Venue(make_client(config), config.get("exchange", {}).get("hip3_dexes") or ())
    urls = dict.fromkeys([config.get("db_url") or DEFAULT_DB_PROD_URL, *databases])
    try:
        bases = [TradeDatabase(url) for url in urls]
    except ValueError as error:
        raise RiskError(str(error), exit_status=2) from error
    limit_ratio = _limit_ratio(config)
    is_alone = _is_alone(place, account)
    try:
        ledger = open_ledger(
            place.url, mode="live", lock_timeout_seconds=place.settings.lock_timeout_seconds
        )
    except LedgerError as error:
        raise RiskError(str(error), exit_status=2) from error
    reader = Reader(account, venue, bases, ledger, place.settings.reservation_time, clock)
    reconciler = Reconciler(
        account,
        reader,
        ledger,
        alert,
        clock,
        interval_seconds=interval_seconds,
        writes=is_alone,
        limit_ratio=limit_ratio,
    )
    return Bench(account, venue, ledger, reconciler, is_alone)


def _limit_ratio(config: dict[str, Any]) -> Decimal:
    value = config.get("order_types", {}).get("stoploss_on_exchange_limit_ratio", STOP_LIMIT_RATIO)
    try:
        ratio = Decimal(str(value))
    except InvalidOperation:
        ratio = Decimal(0)
    if not Decimal("0.5") <= ratio <= 1:
        raise RiskError(
            f"order_types.stoploss_on_exchange_limit_ratio is {value!r}: give 0.5 to 1",
            exit_status=2,
        )
    return ratio


def _is_alone(place: Place, account: str) -> bool:
    folder = Path(place.config.get("user_data_dir") or "user_data")
    if not folder.is_dir():
        folder = Path.cwd()
    try:
        InstanceLock(folder, f"reconcile {account}", place.url).acquire()
    except ValueError:
        return False
    except OSError as error:
        raise RiskError(f"{folder} can not be written to: {error}", exit_status=2) from error
    return True
