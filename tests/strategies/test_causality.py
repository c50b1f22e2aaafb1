"""No strategy looks ahead: on every prefix of a market, every column is what it was.

freqtrade's lookahead-analysis can not see a leak of one candle; this can, and the guilty specimen
shows it.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from freqtrade.strategy import merge_informative_pair

from tests.smc.causality import assert_causal
from tests.strategies.bots import PAIR, STRATEGIES, load
from tests.strategies.market import aggregate, synthetic_market

READINGS = [
    ("LiquiditySweep", {"confirmation": "displacement"}),
    ("LiquiditySweep", {"confirmation": "reclaim"}),
    ("BosOrderBlock", {"entry": "break"}),
    ("BosOrderBlock", {"entry": "retest"}),
    ("FvgFill", {"entry": "fill"}),
    ("FvgFill", {"entry": "momentum"}),
    ("FvgFill", {"entry": "mean_reversion"}),
    ("SmcEnsemble", {}),
]
IDS = ["-".join([name, *values.values()]) for name, values in READINGS]
REAL_2H = (
    Path(__file__).resolve().parents[3]
    / "shared/data/hyperliquid/futures/BTC_USDC_USDC-2h-futures.feather"
)


def signals_of(strategy):
    def run(frame: pd.DataFrame) -> pd.DataFrame:
        frame = strategy.populate_indicators(frame, {"pair": PAIR})
        return strategy.populate_entry_trend(frame, {"pair": PAIR})

    return run


@pytest.fixture
def reading_of(monkeypatch):
    """A strategy in one reading, with every setup let through."""

    def choose(name, values):
        # The synthetic market is calm: let near stops through, so that there is much to compare.
        strategy = load(name, fractal={"strategy": {"min_stop_ratio": 0.0005}})
        for parameter, value in (values | {"min_confidence": 0}).items():
            monkeypatch.setattr(getattr(strategy, parameter), "value", value)
        return strategy

    return choose


@pytest.mark.parametrize(("name", "values"), READINGS, ids=IDS)
def test_no_column_of_any_reading_changes_on_a_prefix(name, values, reading_of):
    market = synthetic_market(900, seed=7)
    run = signals_of(reading_of(name, values))
    whole = run(market.copy())
    assert whole["setup_side"].ne(0).sum() >= 3, "the market of this test must have setups"

    # Every prefix around each setup, where a leak would show, and an even sample of the rest.
    around = [t + k for t in np.flatnonzero(whole["setup_side"])[:12] for k in (0, 1, 2)]
    prefixes = sorted({*range(0, len(market) + 1, 25), *around})

    assert assert_causal(run, market, prefixes) > 100_000


@pytest.mark.parametrize("name", STRATEGIES)
def test_no_column_changes_on_real_candles(name):
    if not REAL_2H.exists():
        pytest.skip(
            f"no real candles here: {REAL_2H.name} is part of the shared data, not the repo"
        )
    market = pd.read_feather(REAL_2H)
    run = signals_of(load(name))
    rows = np.random.default_rng(11).integers(1, len(market), 40)
    recent = np.flatnonzero(run(market.copy())["setup_side"])[-10:] + 1

    assert assert_causal(run, market, [*rows.tolist(), *recent.tolist()]) > 1_000_000


def test_the_higher_timeframe_is_merged_without_a_look_ahead():
    strategy = load("BosOrderBlock", fractal={"strategy": {"higher_timeframe_alignment": True}})
    market = synthetic_market(1500, seed=7)

    def run(frame: pd.DataFrame) -> pd.DataFrame:
        # The bot has only the 12h candles that have closed when its last 2h candle closes.
        closes = frame["date"].iloc[-1] + pd.Timedelta("2h")
        higher = aggregate(frame, "12h")
        higher = higher.loc[higher["date"] + pd.Timedelta("12h") <= closes].reset_index(drop=True)
        higher = strategy.populate_higher_timeframe(higher, {"pair": PAIR})
        merged = merge_informative_pair(frame, higher, "2h", "12h", ffill=True)
        return signals_of(strategy)(merged)[["trend_12h", "setup_side", "setup_stop"]]

    assert run(market.copy())["setup_side"].ne(0).any()
    assert assert_causal(run, market, range(400, 1500, 13)) > 100_000


def test_guilty_a_strategy_that_peeks_one_candle_is_caught(reading_of):
    market = synthetic_market(900, seed=7)
    run = signals_of(reading_of("PeekingFvg", {}))
    first = int(np.flatnonzero(run(market.copy())["setup_side"])[0])

    with pytest.raises(AssertionError, match=r"(enter|setup)_.* depends on the future"):
        assert_causal(run, market, range(first, first + 3))
