"""Which configs a freqtrade process gets, and the ones that quickstart generates."""

import json
from pathlib import Path
from typing import Any

from fractal_ops.quickstart.settings import (
    DEFAULT_BOT_PORT,
    DEFAULT_EXCHANGE_PORT,
    Exchange,
    Settings,
)

# freqtrade copies the whole config into each exported backtest and redacts the API
# password there, but not the other two: a backtest gets useless ones instead.
_NO_KEY = "a backtest serves no API and needs no key"


def trade_configs(settings: Settings) -> list[Path]:
    """List the configs of the bot, later ones overriding earlier ones.

    Parameters
    ----------
    settings : Settings
        The run; its `state_dir` exists.

    Returns
    -------
    list of Path
        The main config, the loopback overlay where it applies, and an overlay with the
        ports when these are not the default ones.
    """
    configs = [settings.main_config]
    if settings.exchange is Exchange.LOOPBACK:
        configs.append(settings.user_data / "config.local.json")
    ports = _port_overlay(settings)
    if ports:
        configs.append(_write(settings.state_dir / "config.ports.json", ports))
    return configs


def backtest_configs(settings: Settings) -> list[Path]:
    """List the configs of a backtest; as `trade_configs`, with what backtests need.

    Parameters
    ----------
    settings : Settings
        The run; its `state_dir` exists.

    Returns
    -------
    list of Path
        The configs, with `user_data/config.backtest.json` when the project has it.
    """
    configs = trade_configs(settings)
    overlay = settings.user_data / "config.backtest.json"
    if overlay.is_file():
        configs.append(overlay)
    nokey = {"api_server": {"jwt_secret_key": _NO_KEY, "ws_token": _NO_KEY}}
    configs.append(_write(settings.state_dir / "config.nokey.json", nokey))
    return configs


def _port_overlay(settings: Settings) -> dict[str, Any]:
    overlay: dict[str, Any] = {}
    if settings.bot_port != DEFAULT_BOT_PORT:
        overlay["api_server"] = {"listen_port": settings.bot_port}
    if settings.exchange is Exchange.LOOPBACK and settings.exchange_port != DEFAULT_EXCHANGE_PORT:
        url = settings.exchange_url
        ws_url = url.replace("http://", "ws://") + "/ws"
        test = {"public": url, "private": url, "ws": {"public": ws_url}}
        overlay["exchange"] = {"ccxt_config": {"urls": {"test": test}}}
    return overlay


def _write(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(json.dumps(content, indent=4) + "\n", "utf-8")
    return path
