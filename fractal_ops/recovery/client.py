"""A ccxt client as freqtrade would make it from the same config."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import ccxt
from freqtrade.misc import deep_merge_dicts

from fractal_ops.risk.errors import RiskError

TIMEOUT_MS = 5_000
"""Half of ccxt's own: a watch must not hang longer than its interval."""


class QuietHyperliquid(ccxt.hyperliquid):  # type: ignore[misc]  # ccxt ships no types
    """Hyperliquid without what ccxt signs on its own account before a first order.

    It would send a referral and approve a builder's fee, each a request that may time out, while
    a position waits for its stop.
    """

    def initialize_client(self) -> bool:
        """Skip referral and builder fee."""
        return True


def account_of(config: Mapping[str, Any]) -> str:
    """Return the account of a config, as bots name it in the ledger.

    Raises
    ------
    RiskError
        The config names none.
    """
    exchange = config.get("exchange", {})
    address = exchange.get("wallet_address") or exchange.get("walletAddress")
    if not address:
        raise RiskError(
            "exchange.wallet_address is missing in the config: name the main account's address",
            exit_status=2,
        )
    return str(address).lower()


def client_of(config: Mapping[str, Any]) -> Any:
    """Make a client of the config's exchange; nothing is asked yet.

    Parameters
    ----------
    config
        freqtrade's, merged from files and environment. ``exchange.ccxt_config`` and
        ``ccxt_sync_config`` count as they do for the bot, URLs of a loopback exchange included.

    Raises
    ------
    RiskError
        The exchange is not Hyperliquid, or ccxt refuses the settings.
    """
    exchange = config.get("exchange", {})
    name = str(exchange.get("name", "")).lower()
    if name != "hyperliquid":
        raise RiskError(
            f"exchange.name is {name!r}: reconcile speaks to hyperliquid only", exit_status=2
        )
    settings: dict[str, Any] = {"options": {"defaultType": "swap"}, "timeout": TIMEOUT_MS}
    settings = deep_merge_dicts(deepcopy(exchange.get("ccxt_config", {})), settings)
    settings = deep_merge_dicts(deepcopy(exchange.get("ccxt_sync_config", {})), settings)
    keys = {
        "walletAddress": account_of(config),
        "privateKey": exchange.get("private_key") or exchange.get("privateKey"),
    }
    try:
        return QuietHyperliquid({**keys, **settings})
    except ccxt.BaseError as error:
        raise RiskError(f"exchange.ccxt_config does not fit: {error}", exit_status=2) from error
