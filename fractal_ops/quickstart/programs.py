"""Command lines of the programs that quickstart starts, from this environment's `bin`."""

import sys
from pathlib import Path

from fractal_ops.quickstart.settings import Settings


def program(name: str) -> str:
    """Return the path of a program installed beside this Python, never one from PATH."""
    return str(Path(sys.executable).parent / name)


def freqtrade(command: str, settings: Settings, configs: list[Path], *options: str) -> list[str]:
    """Compose a freqtrade command line.

    Parameters
    ----------
    command : str
        freqtrade's subcommand.
    settings : Settings
        The run.
    configs : list of Path
        Configs, later ones overriding earlier ones.
    *options : str
        Further arguments.

    Returns
    -------
    list of str
        Program and arguments.
    """
    pairs = [part for config in configs for part in ("--config", str(config))]
    return [
        program("freqtrade"), command, *pairs,
        "--userdir", str(settings.user_data), *options,
    ]  # fmt: skip


def loopback_exchange(settings: Settings) -> list[str]:
    """Compose the command line of the loopback exchange."""
    seed = [] if settings.seed is None else ["--seed", str(settings.seed)]
    return [program("fractal"), "testnet", "--port", str(settings.exchange_port), *seed]


def download(settings: Settings) -> list[str]:
    """Compose the command line that fetches missing candles from the run's exchange."""
    return [
        program("fractal"), "data", "--from-testnet", "--url", settings.exchange_url,
        "--config", str(settings.main_config), "--datadir", str(settings.data_dir),
    ]  # fmt: skip
