"""The user's own config, pointed at a loopback exchange and a scratch folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from freqtrade.configuration.load_config import load_file
from freqtrade.exceptions import FreqtradeException
from freqtrade.misc import deep_merge_dicts

from fractal_ops.drills.errors import DrillError
from fractal_testnet.market import UNIVERSE

STRATEGIES = Path(__file__).parent / "strategies"
PROTECTIONS = Path(__file__).resolve().parents[2] / "fractal_protections"
USER = "drill"
PASSWORD = "drill"  # noqa: S105  # of a throw-away bot on 127.0.0.1
MOST_PAIRS = 3
OWN_TO_DRILLS = ("add_config_files", "timeframe", "strategy", "telegram", "webhook", "discord")
"""Keys that a drill sets itself, or that would reach people."""


def read_config(paths: Sequence[Path]) -> dict[str, Any]:
    """Read freqtrade configs as freqtrade merges them, but without logins that are not there.

    Parameters
    ----------
    paths : sequence of Path
        Later ones override earlier ones.

    Raises
    ------
    DrillError
        One can not be read.
    """
    config: dict[str, Any] = {}
    for path in paths:
        try:
            content = load_file(path)
        except (FreqtradeException, ValueError) as error:
            raise DrillError(f"{path} can not be used: {error}") from error
        included = [path.parent / name for name in content.pop("add_config_files", [])]
        # The bot's login lives in such a file; a drill has its own, and a fresh clone none yet.
        nested = read_config([one for one in included if one.exists()])
        config = deep_merge_dicts(deep_merge_dicts(nested, content), config)
    return config


def drill_config(
    base: dict[str, Any], folder: Path, exchange_url: str, port: int, keys: tuple[str, str]
) -> dict[str, Any]:
    """Return the user's config for a bot in a drill.

    Parameters
    ----------
    base : dict
        The user's config; not changed.
    folder : Path
        The drill's scratch folder: databases, user directory.
    exchange_url : str
        The loopback exchange.
    port : int
        Of the bot's REST API.
    keys : tuple of str
        Address of the account, and the private key of its agent.

    Returns
    -------
    dict
        Limits, pairs, order book settings and all else as the user has them; money, databases,
        messages and strategy are the drill's.

    Raises
    ------
    DrillError
        None of the user's pairs trades on the loopback exchange.
    """
    config: dict[str, Any] = json.loads(json.dumps(base))
    for key in OWN_TO_DRILLS:
        config.pop(key, None)
    exchange = config.setdefault("exchange", {})
    known = {f"{spec.name}/USDC:USDC" for spec in UNIVERSE}
    pairs = [pair for pair in exchange.get("pair_whitelist", []) if pair in known][:MOST_PAIRS]
    if not pairs:
        raise DrillError(
            "none of exchange.pair_whitelist trades on the loopback exchange: add BTC/USDC:USDC"
        )
    urls = {
        "public": exchange_url,
        "private": exchange_url,
        "ws": {"public": exchange_url.replace("http", "ws") + "/ws"},
    }
    exchange.update(
        {
            "name": "hyperliquid",
            "pair_whitelist": pairs,
            "wallet_address": keys[0],
            "private_key": keys[1],
        }
    )
    ccxt_config = {"sandbox": True, "urls": {"test": urls}, "timeout": 3_000}
    exchange["ccxt_config"] = deep_merge_dicts(ccxt_config, exchange.get("ccxt_config", {}))
    fractal = config.setdefault("fractal", {})
    portfolio = fractal.setdefault("portfolio", {})
    portfolio["ledger_url"] = f"sqlite:///{folder / 'ledger.sqlite'}"
    config.update(
        {
            "bot_name": "drill",
            "dry_run": False,
            "initial_state": "running",
            "strategy": "Drilled",
            "strategy_path": str(STRATEGIES),
            "protection_path": str(PROTECTIONS),
            "db_url": f"sqlite:///{folder / 'trades.sqlite'}",
            "stake_amount": "unlimited",
            "pairlists": [{"method": "StaticPairList"}],
            "internals": {"process_throttle_secs": 1, "heartbeat_interval": 60},
            "api_server": {
                "enabled": True,
                "listen_ip_address": "127.0.0.1",
                "listen_port": port,
                "username": USER,
                "password": PASSWORD,
                "jwt_secret_key": PASSWORD * 8,
                "verbosity": "error",
                "enable_openapi": False,
            },
            "telegram": {"enabled": False, "token": "", "chat_id": ""},
        }
    )
    return config
