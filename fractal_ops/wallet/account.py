"""Make, fund and look at an account of the loopback exchange."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from fractal_ops.wallet import envfile
from fractal_ops.wallet.envfile import TestWallet
from fractal_ops.wallet.errors import WalletError
from fractal_ops.wallet.loopback import Loopback

DAY_MS = 86_400_000
MAX_AMOUNT = Decimal(1_000_000_000)
_CHAIN_ID = "0x66eee"  # the one that ccxt signs with


@dataclass(frozen=True)
class Standing:
    """What the exchange says about a wallet.

    Parameters
    ----------
    address, agent : str
        The account and its agent.
    valid_until_ms : int or None
        When the agent ends, ms UTC; None where the exchange knows no such agent.
    account_value, withdrawable : Decimal
        USDC.
    now_ms : int
        The exchange's time, ms UTC.
    """

    address: str
    agent: str
    valid_until_ms: int | None
    account_value: Decimal
    withdrawable: Decimal
    now_ms: int


def amount_of(text: str) -> Decimal:
    """Read an amount of USDC.

    Raises
    ------
    WalletError
        It is no number, or not above 0, or absurd.
    """
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 < amount <= MAX_AMOUNT or amount != round(amount, 6):
        raise WalletError(
            f"the amount is {text!r}",
            f"give USDC above 0 and up to {MAX_AMOUNT:,}, with at most 6 decimals",
        )
    return amount


def new(
    exchange: Loopback, path: Path, amount: Decimal, days: int, *, overwrite: bool
) -> TestWallet:
    """Make an account and an agent, and write their keys.

    Parameters
    ----------
    exchange : Loopback
        It is asked to take the account's money and to approve the agent, as the real venue is.
    path : Path
        The environment file.
    amount : Decimal
        Mock USDC.
    days : int
        How long the agent lives.
    overwrite : bool
        Replace keys that are there.

    Raises
    ------
    WalletError
        The file exists, the exchange does not answer or refuses; then nothing is written.
    """
    if not path.parent.is_dir():
        raise WalletError(
            f"{path.parent} is no directory",
            "run this in the project's directory, or add --userdir",
        )
    if not overwrite and (path.exists() or path.is_symlink()):
        raise envfile.exists(path)
    now_ms = exchange.now_ms()
    main_key, agent_key = _new_key(), _new_key()
    address = address_of(main_key)
    fund(exchange, address, amount)
    _approve(exchange, main_key, address_of(agent_key), now_ms, now_ms + days * DAY_MS)
    wallet = TestWallet(address, main_key, agent_key, exchange.url)
    envfile.write(path, wallet, overwrite=overwrite)
    return wallet


def fund(exchange: Loopback, address: str, amount: Decimal) -> None:
    """Give an account mock USDC.

    Raises
    ------
    WalletError
        The exchange does not answer or refuses.
    """
    exchange.ask("POST", "/admin/fund", {"user": address, "amount": f"{amount:f}"})


def standing(exchange: Loopback, wallet: TestWallet) -> Standing:
    """Ask the exchange about a wallet.

    Raises
    ------
    WalletError
        The exchange does not answer, or not as Hyperliquid does.
    """
    now_ms = exchange.now_ms()
    agent = address_of(wallet.agent_key)
    try:
        agents = {
            str(row["address"]).lower(): int(row["validUntil"])
            for row in exchange.info("extraAgents", wallet.address)
        }
        state = exchange.info("clearinghouseState", wallet.address)
        value = Decimal(state["marginSummary"]["accountValue"])
        free = Decimal(state["withdrawable"])
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise WalletError(
            f"{exchange.url} does not answer as Hyperliquid does ({error!r})",
            "use the exchange of this version: `fractal testnet`",
        ) from error
    return Standing(wallet.address, agent, agents.get(agent), value, free, now_ms)


def address_of(key: str) -> str:
    """Return the lower-case address of a private key.

    Raises
    ------
    WalletError
        It is no key; its text never reaches the message.
    """
    from fractal_testnet.wire.eth import Account

    with suppress(Exception):  # many kinds, some with the key in their text
        return str(Account.from_key(key).address).lower()
    raise WalletError("the file's agent key is no private key", "make a new wallet with --force")


def _new_key() -> str:
    return "0x" + secrets.token_bytes(32).hex()


def _approve(
    exchange: Loopback, main_key: str, agent: str, now_ms: int, valid_until_ms: int
) -> None:
    from fractal_testnet.wire.user_signed import CHAIN, sign_user_action

    action = {
        "type": "approveAgent",
        "hyperliquidChain": CHAIN,
        "signatureChainId": _CHAIN_ID,
        "agentAddress": agent,
        "agentName": f"fractal valid_until {valid_until_ms}",
        "nonce": now_ms,
    }
    body = {
        "action": action,
        "nonce": now_ms,
        "signature": sign_user_action(main_key, action),
        "vaultAddress": None,
    }
    exchange.ask("POST", "/exchange", body)
