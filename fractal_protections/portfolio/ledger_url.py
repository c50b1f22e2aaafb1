"""Where the portfolio's ledger is: one rule, for bots and for the people who look at them."""

from pathlib import Path

from .settings import PortfolioSettings


def ledger_url(settings: PortfolioSettings, user_data_dir: Path | str, *, is_live: bool) -> str:
    """Return the URL of the ledger that a bot shares with the others.

    Parameters
    ----------
    settings
        The bot's ``fractal.portfolio`` block; its ``ledger_url`` comes first.
    user_data_dir
        freqtrade's user directory.
    is_live
        Whether the bot sends real orders: dry-run and live trading never share a ledger.

    Returns
    -------
    str
        SQLAlchemy URL. It may hold a password, so it is not for messages.
    """
    if settings.ledger_url:
        return settings.ledger_url
    mode = "live" if is_live else "dryrun"
    return f"sqlite:///{Path(user_data_dir).resolve() / f'fractal_ledger.{mode}.sqlite'}"
