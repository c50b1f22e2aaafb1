"""Where to cut: the prefixes on which a leak shows, if there is one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fractal_ops.walk_forward.prefix_compare import SIGNALS
from fractal_ops.walk_forward.prefix_replay import Columns

FEWEST_CANDLES = 30
"""Shortest prefix, whatever the start-up rows: indicators of two candles fail on one."""
EVENT_SHARE = 0.2
"""A column that changes on fewer rows than this tells of events, such as swings."""


def choose_prefixes(whole: Columns, first: int, rows: int, count: int, seed: int) -> list[int]:
    """Choose lengths of prefixes.

    Parameters
    ----------
    whole : dict of str to array
        Columns of the run on all candles.
    first, rows : int
        First row that is no start-up row, and how many candles there are.
    count : int
        How many prefixes; fewer if there are fewer.
    seed : int
        Of the random choices.

    Returns
    -------
    list of int
        Ascending; each leaves at least one settled row and cuts at least one candle.

    Notes
    -----
    A quarter cuts directly after each of the last candles. A quarter cuts after rows with a
    signal: a signal that needs the next candle is missing exactly there. A quarter cuts after
    events of sparse columns, spread evenly over the columns. The rest is random.
    """
    lengths = np.arange(max(first + 1, min(FEWEST_CANDLES, rows // 2)), rows)
    if len(lengths) <= count:
        return [int(length) for length in lengths]
    random = np.random.default_rng(seed)
    share = count // 4
    chosen = {int(length) for length in lengths[-share:]} if share else set()
    for pools in (_signal_pools(whole), _event_pools(whole)):
        _draw(chosen, pools, share, int(lengths[0]), rows, random)
    for length in random.permutation(lengths):
        if len(chosen) >= count:
            break
        chosen.add(int(length))
    return sorted(chosen)


def _signal_pools(whole: Columns) -> list[np.ndarray]:
    return [np.flatnonzero(whole[name]) for name in SIGNALS if name in whole]


def _event_pools(whole: Columns) -> list[np.ndarray]:
    pools = []
    for name in sorted(whole):
        codes, _ = pd.factorize(_hashable(whole[name]))
        events = np.flatnonzero(np.diff(codes) != 0) + 1
        if 0 < len(events) < EVENT_SHARE * len(codes):
            pools.append(events)
    return pools


def _hashable(values: np.ndarray) -> np.ndarray:
    if values.dtype != object:
        return values
    return np.array([repr(value) for value in values], dtype=object)


def _draw(
    chosen: set[int],
    pools: list[np.ndarray],
    share: int,
    shortest: int,
    rows: int,
    random: np.random.Generator,
) -> None:
    """Add `share` prefixes that end with a row of the pools, taking turns between them."""
    usable = [pool[(pool >= shortest - 1) & (pool < rows - 1)] + 1 for pool in pools]
    queues = [random.permutation(pool).tolist() for pool in usable if len(pool)]
    wanted = len(chosen) + share
    while queues and len(chosen) < wanted:
        for queue in queues:
            if len(chosen) < wanted:
                chosen.add(int(queue.pop()))
        queues = [queue for queue in queues if queue]
