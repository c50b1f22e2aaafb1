"""One job in a process leaves nothing behind for the next one.

freqtrade is made to run one command and end. In one process after another run, it keeps: the
hyperopt parameters of a strategy's base classes (they are class attributes, and a base class is
imported once), dicts on classes that it writes into, trades and locks on their classes, its
database switch, the protection resolver's folder and the process's logging.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.persistence import PairLocks, Trade
from freqtrade.persistence.custom_data import CustomDataWrapper
from freqtrade.resolvers import ProtectionResolver, StrategyResolver
from freqtrade.strategy.parameters import BaseParameter

from fractal_ops.walk_forward.run_config import kept_logging

_WRITABLE = (BaseParameter, dict, list, set)
_PRISTINE: WeakKeyDictionary[type, dict[str, Any]] = WeakKeyDictionary()
_ONE_AT_A_TIME = threading.Lock()
_MOST_MESSAGES = 20


@contextlib.contextmanager
def isolated(config: dict[str, Any], seed: int, logged: list[str]) -> Iterator[Callable[[], None]]:
    """Run one job alone in this process, from a known state, without output.

    Parameters
    ----------
    config : dict
        A backtest's; the strategy's classes are found by it.
    seed : int
        For strategies that draw random numbers.
    logged : list of str
        Takes in what was logged as an error: freqtrade goes on after most errors of a strategy.

    Yields
    ------
    callable
        Gives the strategy's classes the parameters and dicts that they were imported with: to be
        called between two runs of the job.

    Raises
    ------
    OperationalException
        The strategy can not be loaded.
    """
    # A Dask worker has threads, and freqtrade keeps trades and locks on classes.
    silence = io.StringIO()
    with (
        _ONE_AT_A_TIME,
        kept_logging(),
        contextlib.redirect_stdout(silence),
        contextlib.redirect_stderr(silence),
    ):
        logging.getLogger().handlers[:] = [_Collector(logged)]
        extra_path = ProtectionResolver.extra_path
        chance = random.getstate(), np.random.get_state()  # noqa: NPY002  # others' generator
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002  # the one that a strategy may draw from
        try:
            classes = type(StrategyResolver.load_strategy(deepcopy(config))).__mro__[:-1]
            _restore(classes)
            try:
                yield lambda: _restore(classes)
            finally:
                _restore(classes)
        finally:
            random.setstate(chance[0])
            np.random.set_state(chance[1])  # noqa: NPY002
            ProtectionResolver.extra_path = extra_path
            PairLocks.reset_locks()
            Trade.reset_trades()
            CustomDataWrapper.reset_custom_data()
            Backtesting.cleanup()
            asyncio.set_event_loop(None)


class _Collector(logging.Handler):
    """Keep the first messages, each once."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        message = f"{record.name}: {record.getMessage()}"
        if len(self._messages) < _MOST_MESSAGES and message not in self._messages:
            self._messages.append(message)


def _restore(classes: Iterable[type]) -> None:
    """Restore what a run may have written into classes; the first call for one remembers it."""
    for cls in classes:
        pristine = _PRISTINE.get(cls)
        if pristine is None:
            _PRISTINE[cls] = {
                name: deepcopy(value)
                for name, value in vars(cls).items()
                if isinstance(value, _WRITABLE) and not name.startswith("__")
            }
        else:
            for name, value in pristine.items():
                setattr(cls, name, deepcopy(value))
