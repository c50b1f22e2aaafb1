"""Randomness that depends on where it is asked for, never on when.

Every number comes from (seed, words): the same question has the same answer whatever
was asked before, so any day of the synthetic market can be made by itself.
"""

from __future__ import annotations

import zlib

import numpy as np

_MASK = (1 << 64) - 1


def _mix(x: int) -> int:
    """Scramble 64 bits (the finaliser of SplitMix64)."""
    x = (x + 0x9E3779B97F4A7C15) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def key(seed: int, *words: int | str) -> int:
    """Return 64 bits that stand for the seed and the words, in their order."""
    state = _mix(seed & _MASK)
    for word in words:
        number = zlib.crc32(word.encode()) if isinstance(word, str) else word
        state = _mix(state ^ (number & _MASK))
    return state


def generator(seed: int, *words: int | str) -> np.random.Generator:
    """Return a generator of its own for the seed and the words."""
    state = key(seed, *words)
    return np.random.Generator(np.random.Philox(key=np.array([state, _mix(state)], np.uint64)))


def uniform(seed: int, *words: int | str) -> float:
    """Return one number in [0, 1) for the seed and the words."""
    return (key(seed, *words) >> 11) / float(1 << 53)
