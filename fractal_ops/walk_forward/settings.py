"""What all jobs of one walk-forward share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freqtrade.enums import RunMode

from fractal_ops.walk_forward.errors import WalkForwardError
from fractal_ops.walk_forward.markets import Markets
from fractal_ops.walk_forward.run_config import load_config, without_secrets

_BIGGEST_SEED = 2**32 - 1


@dataclass(frozen=True)
class Optimisation:
    """How parameters are chosen on a training span.

    Parameters
    ----------
    epochs : int
        Trials of freqtrade's hyperopt.
    loss : str
        Class of the loss, freqtrade's or in ``user_data/hyperopts``.
    spaces : tuple of str
        freqtrade's ``--spaces``.
    seed : int
        freqtrade's ``--random-state``, from 1: it takes 0 for "any".
    min_trades : int
        Trials with fewer are not chosen.
    analyze_per_epoch : bool
        For strategies whose indicators depend on parameters. Ours need it not.
    """

    epochs: int
    loss: str = "SharpeHyperOptLossDaily"
    spaces: tuple[str, ...] = ("buy", "sell")
    seed: int = 1
    min_trades: int = 1
    analyze_per_epoch: bool = False

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise WalkForwardError(f"--epochs is {self.epochs}: give 1 or more, or --no-optimise")
        if not 1 <= self.seed <= _BIGGEST_SEED:
            raise WalkForwardError(
                f"--seed is {self.seed}: give 1 to {_BIGGEST_SEED}; freqtrade takes 0 for a "
                "random one, and nobody could run it again"
            )
        if not self.spaces:
            raise WalkForwardError("no spaces to optimise: name some, or give --no-optimise")


@dataclass(frozen=True)
class RunSettings:
    """Hold what every job needs; it can be pickled, and holds no secret.

    Parameters
    ----------
    config : mapping
        freqtrade's, from :func:`without_secrets`.
    markets : Markets
        The exchange's rules.
    optimisation : Optimisation or None
        None takes the strategy's shipped parameters, or those in the user's file beside it.
    """

    config: Mapping[str, Any]
    markets: Markets
    optimisation: Optimisation | None = None

    @property
    def datadir(self) -> Path:
        """Where the candles are; the same path on every machine."""
        return Path(self.config["datadir"])

    @property
    def pairs(self) -> tuple[str, ...]:
        """The traded pairs."""
        return self.markets.pairs

    def freqtrade_config(self, strategy: str, timerange: str, detail: str | None) -> dict[str, Any]:
        """Make the config of one backtest; nothing in it is shared with another."""
        config = deepcopy(dict(self.config))
        self.markets.put_into(config)
        config.update(strategy=strategy, timerange=timerange, runmode=RunMode.BACKTEST)
        config.pop("timeframe_detail", None)
        if detail:
            config["timeframe_detail"] = detail
        return config


def load_settings(
    configs: Sequence[Path] | None,
    strategies: Sequence[str],
    *,
    markets_file: Path,
    optimisation: Optimisation | None = None,
    datadir: Path | None = None,
    userdir: Path | None = None,
    strategy_path: Path | None = None,
    pairs: Sequence[str] | None = None,
) -> RunSettings:
    """Read the config, and ask the exchange for its markets where no earlier run did.

    Parameters
    ----------
    configs, datadir, userdir, strategy_path, pairs
        As for :func:`load_config`.
    strategies : sequence of str
        At least one.
    markets_file : Path
        Where the markets are remembered.
    optimisation : Optimisation or None
        None for shipped parameters.

    Raises
    ------
    WalkForwardError
        The config or the exchange do not allow a backtest.
    """
    if not strategies:
        raise WalkForwardError("no strategy was named: give --strategy")
    config = load_config(
        configs,
        strategies[0],
        datadir=datadir,
        userdir=userdir,
        strategy_path=strategy_path,
        pairs=pairs,
    )
    if pairs:
        config["exchange"]["pair_whitelist"] = list(pairs)
    markets = Markets.remembered(config, markets_file)
    return RunSettings(without_secrets(config), markets, optimisation)
