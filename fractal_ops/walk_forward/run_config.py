"""The freqtrade config of a walk-forward: merged as the command does it, without any secret."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from enum import Enum
from pathlib import Path, PurePath
from typing import Any

from freqtrade.commands.optimize_commands import setup_optimize_configuration
from freqtrade.enums import RunMode
from freqtrade.exceptions import FreqtradeException

from fractal_ops.walk_forward.errors import WalkForwardError

DEFAULT_CONFIG = Path("config.testnet.json")

# Nothing of these reaches a backtest, and some hold logins. A job may travel to another machine.
_NOT_FOR_BACKTESTS = (
    "$schema", "add_config_files", "api_server", "bot_name", "coingecko", "config_files", "db_url",
    "db_url_from", "discord", "exportdirectory", "exportfilename", "external_message_consumer",
    "initial_state", "internals", "logfile", "log_config", "original_config", "print_colorized",
    "sd_notify", "telegram", "timerange", "verbosity", "webhook",
)  # fmt: skip
# What an exchange may be told; all else are keys, addresses and URLs.
_EXCHANGE_KEYS = (
    "name", "pair_whitelist", "pair_blacklist", "_ft_has_params", "hip3_dexes", "unknown_fee_rate",
)  # fmt: skip
_PATHS = ("datadir", "protection_path", "strategy_path", "user_data_dir", "freqaimodel_path")


def load_config(
    configs: Sequence[Path] | None,
    strategy: str,
    *,
    datadir: Path | None = None,
    userdir: Path | None = None,
    strategy_path: Path | None = None,
    pairs: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Merge config files, environment and options as ``freqtrade backtesting`` does.

    Parameters
    ----------
    configs : sequence of Path or None
        Later ones on top; None takes ``config.testnet.json``.
    strategy : str
        Any of the strategies; a job names its own.
    datadir, userdir, strategy_path : Path or None
        As freqtrade's options of those names.
    pairs : sequence of str or None
        Instead of the config's whitelist.

    Returns
    -------
    dict
        The whole config, logins included: :func:`without_secrets` takes them out.

    Raises
    ------
    WalkForwardError
        A file can not be read, or freqtrade refuses the config.
    """
    names = [str(path) for path in configs or [DEFAULT_CONFIG]]
    options: dict[str, Any] = {
        "config": names,
        "strategy": strategy,
        "enable_protections": True,
        "backtest_cache": "none",
        "export": "none",
        "disableparamexport": True,
        "pairs": list(pairs) if pairs else None,
        "datadir": str(datadir) if datadir else None,
        "user_data_dir": str(userdir) if userdir else None,
        "strategy_path": str(strategy_path) if strategy_path else None,
    }
    try:
        with kept_logging():
            config: dict[str, Any] = setup_optimize_configuration(
                {name: value for name, value in options.items() if value is not None},
                RunMode.BACKTEST,
            )
    except (FreqtradeException, OSError, ValueError) as error:
        # The first line only: the others quote the file, and there may be a password.
        what = next(iter(str(error).splitlines()), type(error).__name__)
        raise WalkForwardError(
            f"freqtrade does not take --config {', '.join(names)} ({what}): name the config that "
            "`freqtrade backtesting` runs with"
        ) from error
    return config


def without_secrets(config: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what a backtest can depend on, and make its paths absolute."""
    kept = {name: deepcopy(v) for name, v in config.items() if name not in _NOT_FOR_BACKTESTS}
    exchange = kept["exchange"]
    kept["exchange"] = {name: exchange[name] for name in _EXCHANGE_KEYS if name in exchange}
    if isinstance(portfolio := kept.get("fractal", {}).get("portfolio"), dict):
        # A backtest's ledger is in memory.
        portfolio.pop("ledger_url", None)
    for name in _PATHS:
        if kept.get(name):
            # Of the type that freqtrade has it in.
            kept[name] = type(kept[name])(Path(kept[name]).resolve())
    return kept


def normalised(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config as plain JSON types, without paths: equal for equal backtests."""
    return {
        str(name): _plain(value) for name, value in sorted(config.items()) if name not in _PATHS
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in sorted(value.items(), key=_by_name)}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, PurePath):
        return value.name
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _by_name(item: tuple[Any, Any]) -> str:
    return str(item[0])


@contextmanager
def kept_logging() -> Iterator[None]:
    """Undo what freqtrade's start does to the process's logging."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        with quiet_logging():
            yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


@contextmanager
def quiet_logging() -> Iterator[None]:
    """Let only errors through: hundreds of backtests say the same things."""
    before = logging.root.manager.disable
    logging.disable(max(before, logging.WARNING))
    try:
        yield
    finally:
        logging.disable(before)
