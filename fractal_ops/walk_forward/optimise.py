"""Choose parameters on a training span, by freqtrade's own hyperopt."""

from __future__ import annotations

import json
import math
import queue
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from freqtrade.enums import RunMode
from freqtrade.misc import deep_merge_dicts
from freqtrade.optimize.hyperopt import Hyperopt, hyperopt_optimizer

from fractal_ops.walk_forward.result import Parameters, Trial
from fractal_ops.walk_forward.settings import Optimisation
from fractal_ops.walk_forward.span_result import dense_days


@dataclass(frozen=True)
class Optimised:
    """What a hyperopt found.

    Parameters
    ----------
    trials : tuple of Trial
        Every epoch that ran.
    best_epoch : int or None
        freqtrade's choice; None if no epoch qualified.
    parameters : dict or None
        Of the best epoch, with those that were not varied.
    """

    trials: tuple[Trial, ...]
    best_epoch: int | None
    parameters: Parameters | None


def optimise(
    config: dict[str, Any], wanted: Optimisation, start: datetime, end: datetime
) -> Optimised:
    """Run a hyperopt in this process; nothing is written into the user's folders.

    Parameters
    ----------
    config : dict
        Of a backtest on the training span, for this call alone.
    wanted : Optimisation
        How.
    start, end : datetime
        The half-open training span.
    """
    with tempfile.TemporaryDirectory(prefix="fractal-hyperopt-") as name:
        config.update(
            runmode=RunMode.HYPEROPT,
            user_data_dir=_stand_in(Path(name), Path(config["user_data_dir"])),
            epochs=wanted.epochs,
            hyperopt_loss=wanted.loss,
            hyperopt_random_state=wanted.seed,
            hyperopt_min_trades=wanted.min_trades,
            hyperopt_jobs=1,
            spaces=list(wanted.spaces),
            # The ensemble has none for sell: it varies what it has.
            hyperopt_ignore_missing_space=True,
            analyze_per_epoch=wanted.analyze_per_epoch,
            disableparamexport=True,
            print_all=False,
            print_json=False,
            verbosity=0,
        )
        with _log_queue_without_a_process():
            hyperopt = Hyperopt(config)
            hyperopt.start()
        return _read(hyperopt.results_file, start, end)


def _stand_in(folder: Path, user_data_dir: Path) -> Path:
    """Make a user directory that hyperopt may write into, with the user's classes linked."""
    (folder / "hyperopt_results").mkdir()
    for name in ("strategies", "hyperopts", "freqaimodels"):
        if (user_data_dir / name).is_dir():
            (folder / name).symlink_to((user_data_dir / name).resolve())
    return folder


@contextmanager
def _log_queue_without_a_process() -> Iterator[None]:
    """Spare the process that freqtrade starts to collect its workers' logs: there are none.

    It would cost memory, and a Dask worker is not allowed to start it.
    """
    optimizer = hyperopt_optimizer.HyperOptimizer
    start_queue = optimizer._setup_logging_mp_workaround
    log_into = hyperopt_optimizer.logging_mp_setup

    def use_plain_queue(_: object) -> None:
        hyperopt_optimizer.log_queue = queue.Queue()

    optimizer._setup_logging_mp_workaround = use_plain_queue
    # It would send this process's own logs into that queue.
    hyperopt_optimizer.logging_mp_setup = lambda *_: None
    try:
        yield
    finally:
        optimizer._setup_logging_mp_workaround = start_queue
        hyperopt_optimizer.logging_mp_setup = log_into


def _read(file: Path, start: datetime, end: datetime) -> Optimised:
    """Read freqtrade's record of the epochs, line by line: each holds all its trades."""
    trials: list[Trial] = []
    best: dict[str, Any] | None = None
    if file.is_file():
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                epoch = json.loads(line)
                trials.append(_trial(epoch, start, end))
                if epoch["is_best"]:
                    best = {
                        name: epoch[name]
                        for name in ("current_epoch", "params_details", "params_not_optimized")
                    }
    if best is None:
        return Optimised(tuple(trials), None, None)
    parameters: Parameters = deep_merge_dicts(best["params_details"], best["params_not_optimized"])
    return Optimised(tuple(trials), int(best["current_epoch"]), _without_infinity(parameters))


def _trial(epoch: dict[str, Any], start: datetime, end: datetime) -> Trial:
    metrics = epoch["results_metrics"]
    # Without trades freqtrade writes another, empty list under another name.
    days = {date.fromisoformat(day): profit for day, profit in metrics.get("daily_profit", [])}
    return Trial(
        epoch=epoch["current_epoch"],
        loss=epoch["loss"] if math.isfinite(epoch["loss"]) else None,
        trades=metrics["total_trades"],
        profit_abs=metrics["profit_total_abs"],
        parameters=epoch["params_dict"],
        daily_profits=dense_days(days, start, end),
    )


def _without_infinity(parameters: Parameters) -> Parameters:
    slots = parameters.get("max_open_trades", {})
    if isinstance(slots.get("max_open_trades"), float) and math.isinf(slots["max_open_trades"]):
        slots["max_open_trades"] = -1
    return parameters
