"""The environment file with the loopback exchange's test keys: private from its first moment."""

from __future__ import annotations

import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from fractal_ops.wallet.errors import WalletError
from fractal_ops.wallet.loopback import loopback_url

NAME = "loopback.env"
ADDRESS = "FREQTRADE__EXCHANGE__WALLET_ADDRESS"
AGENT_KEY = "FREQTRADE__EXCHANGE__PRIVATE_KEY"
MAIN_KEY = "FRACTAL_LOOPBACK_MAIN_KEY"
# freqtrade keeps the case of the last part of a ccxt setting, and only of that.
_CCXT = "FREQTRADE__EXCHANGE__CCXT_CONFIG__"
URL = f"{_CCXT}URLS__TEST__private"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class TestWallet:
    """An account of the loopback exchange, and the agent that trades for it.

    Parameters
    ----------
    address : str
        The account.
    main_key : str
        Its own key, with which agents are approved; empty where the file has none any more.
    agent_key : str
        The key of the agent: freqtrade signs orders with it.
    url : str
        The exchange that knows them.
    """

    __test__ = False  # for pytest: this is no test

    address: str
    main_key: str = field(repr=False)
    agent_key: str = field(repr=False)
    url: str


def write(path: Path, wallet: TestWallet, *, overwrite: bool = False) -> None:
    """Write the keys, mode 0600, all at once.

    Parameters
    ----------
    path : Path
        `user_data/loopback.env`; its directory exists.
    wallet : TestWallet
        What to write.
    overwrite : bool, default False
        Replace a file that exists.

    Raises
    ------
    WalletError
        The file exists, or can not be written.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(_text(wallet))
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            part.replace(path)
        else:
            # A link fails when the name is taken, where a rename would overwrite.
            path.hardlink_to(part)
    except FileExistsError as error:
        raise exists(path) from error
    except OSError as error:
        raise WalletError(
            f"cannot write {path} ({error.strerror})",
            "free disk space, or give yourself write permission there",
        ) from error
    finally:
        part.unlink(missing_ok=True)


def exists(path: Path) -> WalletError:
    """Return the refusal to overwrite keys."""
    return WalletError(
        f"{path} holds keys already",
        "look at them with `fractal testnet wallet show`, or replace them with --force",
    )


def read(path: Path) -> TestWallet:
    """Read the keys back.

    Raises
    ------
    WalletError
        There is no file, or it lacks something; its text never reaches the message.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError as error:
        raise WalletError(
            f"{path} does not exist", "make a test wallet with `fractal testnet wallet new`"
        ) from error
    except (OSError, ValueError) as error:
        raise WalletError(f"{path} cannot be read ({type(error).__name__})", _REMEDY) from error
    settings = [line.removeprefix("#") for line in lines if not line.startswith("# ")]
    values = dict(line.split("=", 1) for line in settings if "=" in line)
    for name in (ADDRESS, AGENT_KEY, URL):
        if not values.get(name):
            raise WalletError(f"{path} lacks {name}", _REMEDY)
    return TestWallet(
        values[ADDRESS], values.get(MAIN_KEY, ""), values[AGENT_KEY], loopback_url(values[URL])
    )


def open_to_others(path: Path) -> bool:
    """Tell whether anybody but the owner may read or change the file."""
    return bool(path.stat().st_mode & _OTHERS)


_REMEDY = "write a new one with `fractal testnet wallet new --force`"


def _text(wallet: TestWallet) -> str:
    ws = wallet.url.replace("http://", "ws://", 1) + "/ws"
    return f"""\
# Test keys of the loopback exchange, by `fractal testnet wallet new`. No other venue knows them.
# Use:  set -a; . user_data/{NAME}; set +a
{ADDRESS}={wallet.address}
{AGENT_KEY}={wallet.agent_key}
# With these keys freqtrade talks to the loopback exchange, whatever its config says.
{_CCXT}sandbox=true
{_CCXT}URLS__TEST__public={wallet.url}
{URL}={wallet.url}
{_CCXT}URLS__TEST__WS__public={ws}
# The account's own key is needed only to approve agents. As a comment it stays out of the
# environment of whatever trades.
#{MAIN_KEY}={wallet.main_key}
"""
