"""Run jobs wherever they run, reuse what is finished, and go on when one fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fractal_ops.walk_forward.cache import ResultStore, job_key
from fractal_ops.walk_forward.errors import WalkForwardError
from fractal_ops.walk_forward.job import Done
from fractal_ops.walk_forward.jobs import Job
from fractal_ops.walk_forward.local_pool import Task
from fractal_ops.walk_forward.result import WindowResult
from fractal_ops.walk_forward.settings import RunSettings

Progress = Callable[[int, int, float], None]
"""Called with jobs done, jobs in all, and seconds since the start."""


class Pool(Protocol):
    """Where jobs run: :class:`LocalPool` or :class:`DaskPool`."""

    def run(
        self, settings: RunSettings, tasks: Sequence[Task]
    ) -> Generator[tuple[int, Done], None, None]:
        """Yield the place of each task and what came of it, as they end."""


@dataclass(frozen=True)
class Outcome:
    """What came of one job.

    Parameters
    ----------
    job : Job
        Which.
    result : WindowResult or None
        None if it failed.
    path : Path
        The result's file.
    error : str or None
        Why it failed: one line, then perhaps a trace.
    seconds : float
        How long it ran; 0 if it was reused.
    is_reused : bool
        Whether an earlier run had finished it.
    logged : tuple of str
        Errors that freqtrade logged and went on after.
    """

    job: Job
    result: WindowResult | None
    path: Path
    error: str | None
    seconds: float
    is_reused: bool
    logged: tuple[str, ...] = ()


def run_jobs(
    settings: RunSettings,
    jobs: Sequence[Job],
    store: ResultStore,
    pool: Pool,
    progress: Progress | None = None,
) -> tuple[Outcome, ...]:
    """Run all jobs that have no result yet, and store each result as soon as it comes.

    Parameters
    ----------
    settings : RunSettings
        Of the run.
    jobs : sequence of Job
        What to do.
    store : ResultStore
        Where results are kept; interrupted runs go on from there.
    pool : Pool
        Where jobs run.
    progress : callable or None
        Called at the start, with the reused ones done, and after each job.

    Returns
    -------
    tuple of Outcome
        In the order of `jobs`.
    """
    began = time.perf_counter()

    def tell() -> None:
        if progress is not None:
            progress(len(outcomes), len(jobs), time.perf_counter() - began)

    outcomes: dict[int, Outcome] = {}
    todo: list[int] = []
    tasks: list[Task] = []
    for place, job in enumerate(jobs):
        key = job_key(settings, job)
        found = store.find(job, key)
        if found is None:
            todo.append(place)
            tasks.append((job, key))
        else:
            outcomes[place] = Outcome(job, found, store.path(job, key), None, 0.0, True)
    tell()
    if tasks:
        # Closed at once when somebody interrupts, which ends the workers.
        with closing(pool.run(settings, tasks)) as ended:
            for number, done in ended:
                outcomes[todo[number]] = _outcome(store, *tasks[number], done)
                tell()
    return tuple(outcomes[place] for place in range(len(jobs)))


def _outcome(store: ResultStore, job: Job, key: str, done: Done) -> Outcome:
    path = store.path(job, key)
    if done.text is None:
        return Outcome(job, None, path, done.error, done.seconds, False, done.logged)
    try:
        result = store.keep(job, key, done.text)
    except WalkForwardError as error:
        return Outcome(job, None, path, str(error), done.seconds, False, done.logged)
    return Outcome(job, result, path, None, done.seconds, False, done.logged)
