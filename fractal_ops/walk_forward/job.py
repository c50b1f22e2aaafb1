"""One job: a strategy on a window, from the hyperopt to the two backtests."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass
from typing import Literal

from fractal_ops.walk_forward.backtest import run_backtest
from fractal_ops.walk_forward.cache import job_key
from fractal_ops.walk_forward.errors import WalkForwardError
from fractal_ops.walk_forward.isolation import isolated
from fractal_ops.walk_forward.jobs import Job
from fractal_ops.walk_forward.optimise import Optimised, optimise
from fractal_ops.walk_forward.result import WindowResult
from fractal_ops.walk_forward.settings import RunSettings

_NOT_OPTIMISED = Optimised((), None, None)
_LAST_LINES = 30


@dataclass(frozen=True)
class Done:
    """What a worker sends back: plain texts, which every process can read.

    Parameters
    ----------
    text : str or None
        The result's file content; None if the job failed.
    error : str or None
        Why it failed: one line, then the trace.
    seconds : float
        How long it took.
    logged : tuple of str
        Errors that freqtrade logged and went on after, such as a hook of the strategy that raised.
    """

    text: str | None
    error: str | None
    seconds: float
    logged: tuple[str, ...] = ()


def work(settings: RunSettings, job: Job, key: str) -> Done:
    """Run a job in this process, and never raise: the same call in every kind of worker.

    Parameters
    ----------
    settings : RunSettings
        Of the run.
    job : Job
        What to do.
    key : str
        What the starting machine computed; this one must come to the same.
    """
    began = time.perf_counter()
    text = error = None
    logged: list[str] = []
    try:
        _check_sameness(settings, job, key)
        text = run_job(settings, job, key, logged).to_text()
    except WalkForwardError as problem:
        error = str(problem)
    except Exception as problem:  # noqa: BLE001  # a strategy may raise anything
        trace = "".join(traceback.format_exception(problem)).splitlines()[-_LAST_LINES:]
        error = "\n".join([f"{type(problem).__name__}: {problem}", *trace])
    except SystemExit as problem:
        # freqtrade leaves so when it finds no data.
        error = f"freqtrade ended with exit status {problem.code}"
    return Done(text, error, time.perf_counter() - began, tuple(logged))


def _check_sameness(settings: RunSettings, job: Job, key: str) -> None:
    if job_key(settings, job) != key:
        raise WalkForwardError(
            "this worker has other code, packages or candles than the machine that started the "
            "run: give all the same, at the same paths"
        )


def run_job(
    settings: RunSettings, job: Job, key: str, logged: list[str] | None = None
) -> WindowResult:
    """Optimise on train, then backtest on train and, with those parameters frozen, on test.

    Parameters
    ----------
    settings : RunSettings
        Of the run.
    job : Job
        What to do.
    key : str
        Written into the result.
    logged : list of str or None
        Takes in logged errors.
    """
    window, strategy = job.window, job.facts.name
    train = window.train_start, window.train_end
    wanted = settings.optimisation
    plain = settings.freqtrade_config(strategy, window.train_timerange, None)
    with isolated(plain, int(key[:8], 16), [] if logged is None else logged) as restore:
        found = _NOT_OPTIMISED
        if wanted is not None:
            config = settings.freqtrade_config(strategy, window.train_timerange, job.train_detail)
            found = optimise(config, wanted, *train)
            # The classes still have the last epoch's parameters.
            restore()
        in_sample, parameters = run_backtest(
            settings.freqtrade_config(strategy, window.train_timerange, job.train_detail),
            *train,
            found.parameters,
        )
        restore()
        out_of_sample, frozen = run_backtest(
            settings.freqtrade_config(strategy, window.test_timerange, job.test_detail),
            window.test_start,
            window.test_end,
            parameters,
        )
    if frozen != parameters:
        raise WalkForwardError(
            f"{strategy} ran on test with other parameters than on train: {frozen} instead of "
            f"{parameters}; a parameter with load=False can not be frozen"
        )
    chosen_by: Literal["hyperopt", "shipped", "shipped, no trial qualified"] = "hyperopt"
    if found.parameters is None:
        chosen_by = "shipped" if wanted is None else "shipped, no trial qualified"
    return WindowResult(
        key=key,
        strategy=strategy,
        window=window.number,
        train_start=window.train_start,
        train_end=window.train_end,
        test_start=window.test_start,
        test_end=window.test_end,
        chosen_by=chosen_by,
        best_epoch=found.best_epoch,
        parameters=parameters,
        trials=found.trials,
        in_sample=in_sample,
        out_of_sample=out_of_sample,
    )
