"""Which portfolio is meant: its ledger and its limits, as a bot with the same config has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freqtrade.configuration.environment_vars import environment_vars_to_dict
from freqtrade.configuration.load_config import load_from_files
from freqtrade.exceptions import FreqtradeException
from freqtrade.misc import deep_merge_dicts

from fractal_ops.risk.errors import RiskError
from fractal_protections.portfolio.ledger import LedgerError
from fractal_protections.portfolio.ledger_url import ledger_url
from fractal_protections.portfolio.limits import RiskLimits
from fractal_protections.portfolio.settings import PortfolioSettings
from fractal_protections.portfolio.sql import SqlLedger, open_ledger

DEFAULT_CONFIG = Path("config.testnet.json")


@dataclass(frozen=True)
class Place:
    """Where the portfolio's ledger is, and what its bots were told.

    Parameters
    ----------
    url : str
        The ledger's; it may hold a password.
    config : dict
        freqtrade's config as far as files and environment give it.
    settings : PortfolioSettings
        The machinery's settings.
    """

    url: str
    config: dict[str, Any]
    settings: PortfolioSettings

    @property
    def stake_currency(self) -> str:
        """What amounts are in."""
        return str(self.config.get("stake_currency", "USDC"))

    def limits(self) -> RiskLimits:
        """Return the portfolio's limits.

        Raises
        ------
        RiskError
            The config's block does not fit.
        """
        try:
            return RiskLimits.from_config(self.config)
        except ValueError as error:
            raise RiskError(str(error), exit_status=2) from error

    def open_ledger(self) -> SqlLedger:
        """Open the ledger, which must be there already.

        Raises
        ------
        RiskError
            It can not be read.
        """
        try:
            return open_ledger(
                self.url,
                mode=None,
                create=False,
                lock_timeout_seconds=self.settings.lock_timeout_seconds,
            )
        except LedgerError as error:
            raise RiskError(str(error), exit_status=3) from error


def find_place(
    configs: Sequence[Path] | None, url: str | None = None, user_data_dir: Path | None = None
) -> Place:
    """Find the portfolio of a config.

    Parameters
    ----------
    configs : sequence of Path or None
        freqtrade's config files, later ones on top; None takes `config.testnet.json`.
    url : str or None
        Takes the place of the config's ledger. The config may be missing then.
    user_data_dir : Path or None
        Takes the place of the config's.

    Returns
    -------
    Place
        The ledger's URL and the config.

    Raises
    ------
    RiskError
        A config can not be read, or does not fit.

    Notes
    -----
    Files, `add_config_files` and `FREQTRADE__` variables are merged by freqtrade's own functions.
    The rest of its start-up is left out: it makes folders and sets up logging.
    """
    if configs is None and url and not DEFAULT_CONFIG.exists():
        config: dict[str, Any] = {}
    else:
        config = _merged(configs or [DEFAULT_CONFIG])
    try:
        settings = PortfolioSettings.from_config(config)
    except ValueError as error:
        raise RiskError(str(error), exit_status=2) from error
    if url:
        return Place(url, config, settings)
    folder = user_data_dir or config.get("user_data_dir") or Path.cwd() / "user_data"
    # freqtrade itself takes a missing dry_run for true.
    is_live = not config.get("dry_run", True)
    return Place(ledger_url(settings, folder, is_live=is_live), config, settings)


def _merged(configs: Sequence[Path]) -> dict[str, Any]:
    try:
        files: dict[str, Any] = load_from_files([str(path) for path in configs])
        merged: dict[str, Any] = deep_merge_dicts(environment_vars_to_dict(), files)
    except (FreqtradeException, OSError, ValueError, AttributeError) as error:
        # The first line only: the others quote the file, and there may be a password.
        what = next(iter(str(error).splitlines()), type(error).__name__)
        names = ", ".join(map(str, configs))
        raise RiskError(
            f"--config {names} can not be read ({what}): name the config that the bot runs with",
            exit_status=2,
        ) from error
    return merged
