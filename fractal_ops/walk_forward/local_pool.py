"""Jobs on processes of this machine, each of which lives long and runs one job after another."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from fractal_ops.walk_forward.errors import WalkForwardError
from fractal_ops.walk_forward.job import Done, work
from fractal_ops.walk_forward.jobs import Job
from fractal_ops.walk_forward.settings import RunSettings

_ATTEMPTS = 3
_PRELOADED = [work.__module__]
Task = tuple[Job, str]
"""A job and its key."""


class LocalPool:
    """Run jobs on `jobs` processes.

    Parameters
    ----------
    jobs : int
        How many at a time; each takes a core.

    Notes
    -----
    Every process has an executor of its own: when one is killed, the others' jobs go on, and its
    job is given to a new one. A job whose process ends three times has failed.

    Raises
    ------
    WalkForwardError
        `jobs` is below 1.
    """

    def __init__(self, jobs: int) -> None:
        if jobs < 1:
            raise WalkForwardError(f"--jobs is {jobs}: give 1 or more")
        self._jobs = jobs

    def run(
        self, settings: RunSettings, tasks: Sequence[Task]
    ) -> Generator[tuple[int, Done], None, None]:
        """Yield the place of each task and what came of it, as they end."""
        context = multiprocessing.get_context("forkserver")
        # The server imports freqtrade once; a process made by it starts at once.
        context.set_forkserver_preload(_PRELOADED)
        todo: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        ended: queue.SimpleQueue[tuple[int, Done]] = queue.SimpleQueue()
        for place in range(len(tasks)):
            todo.put(place)
        slots = [_Slot(context) for _ in range(min(self._jobs, len(tasks)))]
        threads = [
            threading.Thread(target=_serve, args=(slot, settings, tasks, todo, ended), daemon=True)
            for slot in slots
        ]
        for thread in threads:
            todo.put(None)
            thread.start()
        try:
            for _ in tasks:
                yield ended.get()
        finally:
            for slot in slots:
                slot.close()
            for thread in threads:
                thread.join()


def _begin_process() -> None:
    """Let only the parent end this process: a Ctrl-C goes to it, too, and its death does not."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class _Slot:
    """One process at a time, replaced when it dies."""

    def __init__(self, context: multiprocessing.context.BaseContext) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._is_closed = False
        self._executor: ProcessPoolExecutor | None = None

    def submit(self, settings: RunSettings, job: Job, key: str) -> Future[Done] | None:
        with self._lock:
            if self._is_closed:
                return None
            if self._executor is None:
                self._executor = ProcessPoolExecutor(
                    1, mp_context=self._context, initializer=_begin_process
                )
            return self._executor.submit(work, settings, job, key)

    def drop(self) -> None:
        """Forget a dead process."""
        with self._lock:
            if self._executor is not None:
                self._executor.shutdown(wait=False)
                self._executor = None

    def close(self) -> None:
        """End the process, in the middle of a job if need be: nobody waits for it any more."""
        with self._lock:
            self._is_closed = True
            if self._executor is not None:
                for process in list((self._executor._processes or {}).values()):
                    process.terminate()
                self._executor.shutdown(wait=True, cancel_futures=True)


def _serve(
    slot: _Slot,
    settings: RunSettings,
    tasks: Sequence[Task],
    todo: queue.SimpleQueue[int | None],
    ended: queue.SimpleQueue[tuple[int, Done]],
) -> None:
    while (place := todo.get()) is not None:
        job, key = tasks[place]
        done = _attempt(slot, settings, job, key)
        if done is None:
            return
        ended.put((place, done))


def _attempt(slot: _Slot, settings: RunSettings, job: Job, key: str) -> Done | None:
    for _ in range(_ATTEMPTS):
        try:
            future = slot.submit(settings, job, key)
            if future is None:
                return None
            return future.result()
        except BrokenProcessPool:
            slot.drop()
        except Exception as error:  # noqa: BLE001  # it could not be sent, or not be read
            return Done(None, f"{type(error).__name__}: {error}", 0.0)
    return Done(
        None,
        f"its process ended {_ATTEMPTS} times without an answer: killed, or out of memory (use "
        "fewer --jobs)",
        0.0,
    )
