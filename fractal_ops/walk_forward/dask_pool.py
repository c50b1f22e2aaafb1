"""Jobs on a Dask cluster, for when one machine is not enough: the extra ``[cluster]``."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from fractal_ops.walk_forward.errors import WalkForwardError
from fractal_ops.walk_forward.job import Done, work
from fractal_ops.walk_forward.local_pool import Task
from fractal_ops.walk_forward.settings import RunSettings

_SECONDS_TO_CONNECT = 20


class DaskPool:
    """Run jobs on the workers of a scheduler.

    Parameters
    ----------
    address : str
        ``tcp://host:port``. The cluster is somebody else's: it is left running.

    Notes
    -----
    Workers need the same project, packages and candles at the same paths; each job checks it.
    Dask gives the job of a lost worker to another one. freqtrade keeps state on classes, so that a
    worker runs one job at a time whatever its threads: start them with ``--nthreads 1``.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def run(
        self, settings: RunSettings, tasks: Sequence[Task]
    ) -> Generator[tuple[int, Done], None, None]:
        """Yield the place of each task and what came of it, as they end.

        Raises
        ------
        WalkForwardError
            Dask is not installed, or the scheduler has no workers or does not answer.
        """
        try:
            import distributed
        except ImportError as error:
            raise WalkForwardError(
                "--scheduler needs Dask: install it with `pip install 'fractaltrader[cluster]'`"
            ) from error
        as_completed: Any = distributed.as_completed
        with self._connected(distributed.Client) as client:
            shared = client.scatter(settings, broadcast=True, hash=False)
            futures = [
                client.submit(work, shared, job, key, pure=False, key=f"{job.name}-{key}")
                for job, key in tasks
            ]
            places = {future.key: place for place, future in enumerate(futures)}
            for future in as_completed(futures, loop=client.loop):
                problem = future.exception()
                done = future.result() if problem is None else _failure(problem)
                yield places[future.key], done

    def _connected(self, client: Any) -> Any:
        try:
            connected = client(
                self._address, timeout=_SECONDS_TO_CONNECT, set_as_default=False, name="fractal"
            )
        except (OSError, ValueError) as error:
            raise WalkForwardError(
                f"--scheduler {self._address} does not answer ({error}): start it with `dask "
                "scheduler`, and workers with `dask worker`"
            ) from error
        try:
            connected.wait_for_workers(1, timeout=_SECONDS_TO_CONNECT)
        except TimeoutError as error:
            connected.close()
            raise WalkForwardError(
                f"the scheduler at {self._address} has no workers: start some with `dask worker "
                f"{self._address} --nthreads 1`"
            ) from error
        return connected


def _failure(problem: BaseException) -> Done:
    # KilledWorker, for instance: the job took several workers with it.
    return Done(None, f"{type(problem).__name__}: {problem}", 0.0)
