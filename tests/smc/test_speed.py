"""A short look at speed, with generous limits; benchmarks/bench_smc.py measures properly."""

import statistics
import time

import numpy as np
import pytest

from fractal_strategies.smc import COLUMNS, Candles, detect_all, fair_value_gaps
from fractal_strategies.smc.atr import average_true_range
from tests.smc.markets import frame_of, random_walk

pytestmark = pytest.mark.slow


def processor_seconds(function, repeats=5):
    """Time on the core alone: other processes of the machine do not count."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return statistics.median(times)


def test_a_candle_takes_less_than_1500_ns_with_all_detectors():
    walk = random_walk(100_000, 1)
    detect_all(walk)
    assert processor_seconds(lambda: detect_all(walk)) / len(walk) < 1_500e-9


def test_ten_times_the_candles_take_at_most_twenty_times_as_long():
    # Loose: a quadratic detector would take a hundred times as long.
    large = random_walk(200_000, 1)
    small = large.iloc[:20_000].copy()
    detect_all(small)
    fast = processor_seconds(lambda: detect_all(small))
    assert processor_seconds(lambda: detect_all(large)) < 20 * fast


def test_gaps_that_nobody_fills_take_no_longer_for_a_long_memory():
    # A ladder in which every candle leaves a gap: following each one would cost its whole life.
    steps = 1_000.0 + np.arange(100_000.0)
    ladder = frame_of(
        np.column_stack([steps, steps + 1.2, steps - 0.2, steps + 1.0, np.ones(steps.size)])
    )
    market = Candles.from_frame(ladder)
    atr = average_true_range(market)
    found = fair_value_gaps(market, atr)
    assert len(found.zones.known_row) > 99_000
    brief = processor_seconds(lambda: fair_value_gaps(market, atr, max_age_bars=10))
    assert processor_seconds(lambda: fair_value_gaps(market, atr, max_age_bars=5_000)) < 5 * brief


def test_columns_are_no_wider_than_they_need_to_be():
    found = detect_all(random_walk(1_000, 1)).columns
    assert found.memory_usage(index=False).sum() <= 8 * len(COLUMNS) * 1_000
