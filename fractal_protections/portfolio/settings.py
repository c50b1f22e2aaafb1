"""How the portfolio's machinery works: the `fractal.portfolio` block of the config."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from .config_block import read_block


class PortfolioSettings(BaseModel):
    """Ledger, gate and patience of the portfolio.

    Raises
    ------
    pydantic.ValidationError
        An unknown key or a value out of range.
    """

    # Strict: neither true nor "3" is a number, and "no" is not false.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    gate: bool = True
    """Whether entries ask the budget. Off only for `freqtrade lookahead-analysis` and
    `recursive-analysis`, which see one pair at a time; trading refuses to start without it."""
    ledger_url: str | None = None
    """SQLAlchemy URL of the ledger that all bots of the portfolio share; by default a SQLite
    file in the user directory, one for dry-run and one for live trading."""
    max_report_age_seconds: Annotated[float, Field(gt=0, le=3600.0)] = 120.0
    """A bot not heard of for this long is silent: its equity no longer counts, and while it
    holds positions nobody enters."""
    reservation_seconds: Annotated[float, Field(gt=0, le=3600.0)] = 30.0
    """How long a reservation may wait for its trade before its outcome counts as unknown. Longer
    than an order may take."""
    ambiguous_capital_hours: Annotated[float, Field(gt=0, le=8760.0)] = 24.0
    """How long an order of unknown outcome holds capital; its pair stays closed beyond."""
    venue_timeout_seconds: Annotated[float, Field(gt=0, le=10.0)] = 3.0
    """How long the trading thread may wait for the venue's answer about such an order."""
    lock_timeout_seconds: Annotated[float, Field(gt=0, le=10.0)] = 2.0
    """How long a decision may wait for the ledger's lock before the answer is no."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "PortfolioSettings":
        """Read the ``fractal.portfolio`` block of a freqtrade config.

        Raises
        ------
        ValueError
            The block does not fit; the message names key, value and remedy.
        """
        return read_block(config, "portfolio", cls)

    @property
    def max_report_age(self) -> timedelta:
        """`max_report_age_seconds` as a duration."""
        return timedelta(seconds=self.max_report_age_seconds)

    @property
    def reservation_time(self) -> timedelta:
        """`reservation_seconds` as a duration."""
        return timedelta(seconds=self.reservation_seconds)

    @property
    def ambiguous_capital_time(self) -> timedelta:
        """`ambiguous_capital_hours` as a duration."""
        return timedelta(hours=self.ambiguous_capital_hours)
