"""The client is the one that freqtrade would make of the same config."""

from typing import Any

import ccxt
import pytest

from fractal_ops.recovery.client import TIMEOUT_MS, account_of, client_of
from fractal_ops.risk.errors import RiskError


def config(**exchange: Any) -> dict[str, Any]:
    return {"exchange": {"name": "hyperliquid", "wallet_address": "0xAB", **exchange}}


def test_the_account_is_named_as_the_bots_name_it_in_the_ledger() -> None:
    assert account_of(config()) == "0xab"
    assert account_of({"exchange": {"walletAddress": "0xCD"}}) == "0xcd"


def test_a_config_without_an_address_is_refused() -> None:
    with pytest.raises(RiskError, match=r"exchange\.wallet_address is missing"):
        account_of({"exchange": {}})


def test_another_exchange_is_refused() -> None:
    with pytest.raises(RiskError, match="speaks to hyperliquid only"):
        client_of(config(name="binance"))


def test_keys_and_ccxt_settings_count_as_for_the_bot() -> None:
    urls = {"test": {"public": "http://127.0.0.1:8484", "private": "http://127.0.0.1:8484"}}
    client = client_of(
        config(
            private_key="0x11",
            ccxt_config={"sandbox": True, "urls": urls},
            ccxt_sync_config={"timeout": 60_000},
        )
    )

    assert isinstance(client, ccxt.hyperliquid)
    assert (client.walletAddress, client.privateKey) == ("0xab", "0x11")
    assert client.urls["api"]["public"] == "http://127.0.0.1:8484"
    assert client.timeout == 60_000
    assert client_of(config()).timeout == TIMEOUT_MS
    assert client.options["defaultType"] == "swap"


def test_before_an_order_nothing_else_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contract with ccxt 4.5.90: this is the hook that would send a referral and a builder fee."""
    assert callable(ccxt.hyperliquid.initialize_client)
    client = client_of(config(private_key="0x" + "11" * 32))
    monkeypatch.setattr(client, "fetch", lambda *_: pytest.fail("something was sent"))

    assert client.initialize_client() is True
