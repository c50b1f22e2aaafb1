"""From candles to signals, strategy by strategy."""

import numpy as np
import pandas as pd
import pytest
from freqtrade.enums import RunMode
from freqtrade.strategy import merge_informative_pair

from fractal_strategies.smc import detect
from fractal_strategies.trading import SETUP_COLUMNS
from fractal_strategies.trading.playbook import bos_order_block
from fractal_strategies.trading.strategy import ALL_COLUMNS
from tests.strategies.bots import PAIR, STRATEGIES, StubProvider, load
from tests.strategies.market import aggregate, synthetic_market

META = {"pair": PAIR}


@pytest.fixture(scope="module")
def market() -> pd.DataFrame:
    return synthetic_market(3000, seed=1)


def signals(strategy, frame: pd.DataFrame) -> pd.DataFrame:
    frame = strategy.populate_indicators(frame.copy(), META)
    frame = strategy.populate_entry_trend(frame, META)
    return strategy.populate_exit_trend(frame, META)


def choose(strategy, monkeypatch, **values):
    for name, value in values.items():
        monkeypatch.setattr(getattr(strategy, name), "value", value)
    return strategy


@pytest.mark.parametrize("name", STRATEGIES)
class TestEveryStrategy:
    def test_it_finds_longs_and_shorts(self, name, market):
        frame = signals(load(name), market)

        assert frame["enter_long"].sum() > 0
        assert frame["enter_short"].sum() > 0
        assert not (frame["enter_long"] & frame["enter_short"]).any()

    def test_signals_tags_and_setups_agree(self, name, market):
        frame = signals(load(name), market)
        entered = (frame["enter_long"] + frame["enter_short"]) > 0

        assert (frame["setup_side"] == frame["enter_long"] - frame["enter_short"]).all()
        assert frame.loc[entered, "enter_tag"].str.len().gt(0).all()
        assert frame.loc[~entered, "enter_tag"].isna().all()
        assert frame.loc[entered, "setup_stop"].gt(0).all()

    def test_every_stop_is_within_the_bounds_and_on_its_side(self, name, market):
        frame = signals(load(name), market)
        frame = frame.loc[frame["setup_side"] != 0]
        entry = frame["setup_limit"].fillna(frame["close"])

        distance = frame["setup_side"] * (entry - frame["setup_stop"]) / entry

        assert distance.between(0.01, 0.08).all()

    def test_all_columns_are_there_once(self, name, market):
        frame = signals(load(name), market)

        assert set(ALL_COLUMNS) <= set(frame.columns)
        assert frame.columns.is_unique

    def test_running_twice_changes_nothing(self, name, market):
        strategy = load(name)
        once = signals(strategy, market)

        pd.testing.assert_frame_equal(signals(strategy, once), once, check_like=True)

    @pytest.mark.parametrize("rows", [0, 1, 2, 20])
    def test_a_young_market_has_no_signals_and_no_error(self, name, market, rows):
        frame = signals(load(name), market.iloc[:rows])

        assert len(frame) == rows
        assert frame["setup_side"].eq(0).all()

    def test_a_dead_market_has_no_signals_and_no_error(self, name, market):
        flat = market.iloc[:500].assign(open=100.0, high=100.0, low=100.0, close=100.0, volume=0.0)

        assert signals(load(name), flat)["setup_side"].eq(0).all()

    def test_more_confidence_leaves_fewer_setups(self, name, market, monkeypatch):
        strategy = load(name)
        many = signals(choose(strategy, monkeypatch, min_confidence=0), market)["setup_side"].ne(0)
        few = signals(choose(strategy, monkeypatch, min_confidence=80), market)["setup_side"].ne(0)

        assert few.sum() < many.sum()
        if name != "SmcEnsemble":  # there another setup may take a freed candle
            assert not (few & ~many).any()

    def test_hyperopt_detects_again_with_its_own_swing_width(self, name, market, monkeypatch):
        strategy = load(name)
        strategy.dp = StubProvider(market)
        strategy.dp.runmode = RunMode.HYPEROPT
        computed_once = strategy.populate_indicators(market.copy(), META)

        choose(strategy, monkeypatch, swing_width=3)
        frame = strategy.populate_entry_trend(computed_once, META)

        expected = detect(market, strategy.smc_config())
        pd.testing.assert_series_equal(frame["swing_high"], expected["swing_high"])
        assert frame["swing_high"].count() > computed_once["swing_high"].count()

    def test_freqtrade_draws_every_annotation(self, name, market, caplog):
        strategy = load(name)
        strategy.dp = StubProvider(market)
        strategy.dp.runmode = RunMode.BACKTEST

        drawn = strategy.ft_plot_annotations(PAIR, signals(strategy, market))

        assert {mark["type"] for mark in drawn} == {"area", "line"}
        assert "Invalid annotation" not in caplog.text


@pytest.mark.parametrize(
    ("name", "parameter", "reading", "tag"),
    [
        ("LiquiditySweep", "confirmation", "displacement", "sweep_displacement"),
        ("LiquiditySweep", "confirmation", "reclaim", "sweep_reclaim"),
        ("BosOrderBlock", "entry", "break", "bos_ob_break"),
        ("BosOrderBlock", "entry", "retest", "bos_ob_retest"),
        ("FvgFill", "entry", "fill", "fvg_fill"),
        ("FvgFill", "entry", "momentum", "fvg_momentum"),
        ("FvgFill", "entry", "mean_reversion", "fvg_mean_reversion"),
    ],
)
def test_each_reading_trades_under_its_own_tag(name, parameter, reading, tag, market, monkeypatch):
    strategy = choose(load(name), monkeypatch, **{parameter: reading})

    assert set(signals(strategy, market)["enter_tag"].dropna()) == {tag}


@pytest.mark.parametrize(
    ("name", "parameter"),
    [("LiquiditySweep", "confirmation"), ("BosOrderBlock", "entry"), ("FvgFill", "entry")],
)
def test_a_reading_that_does_not_exist_is_an_error(name, parameter, market, monkeypatch):
    strategy = choose(load(name), monkeypatch, **{parameter: "guess"})

    with pytest.raises(ValueError, match=f"{parameter} is 'guess'; choose one of"):
        signals(strategy, market)


class TestEnsemble:
    def test_it_trades_all_three_with_the_break_of_structure_first(self, market):
        frame = signals(load("SmcEnsemble"), market)
        alone = {name: signals(load(name), market) for name in STRATEGIES[:3]}
        tags = frame["enter_tag"]

        assert set(tags.dropna()) == {"bos_ob_break", "fvg_fill", "sweep_displacement"}
        bos = alone["BosOrderBlock"]["setup_side"] != 0
        gap = alone["FvgFill"]["setup_side"] != 0
        sweep = alone["LiquiditySweep"]["setup_side"] != 0
        assert (gap & sweep).any(), "the market of this test must have a contest"
        assert (tags[bos] == "bos_ob_break").all()
        assert (tags[gap & ~bos] == "fvg_fill").all()
        assert (tags[sweep & ~bos & ~gap] == "sweep_displacement").all()

    def test_its_order_of_priority_is_structure_gap_sweep(self, market):
        strategy = load("SmcEnsemble")

        found = strategy.readings(strategy.populate_indicators(market.copy(), META))

        assert [r.tag for r in found] == ["bos_ob_break", "fvg_fill", "sweep_displacement"]

    @pytest.mark.parametrize(
        ("switch", "tag"),
        [
            ("use_bos_order_block", "bos_ob_break"),
            ("use_fvg_fill", "fvg_fill"),
            ("use_liquidity_sweep", "sweep_displacement"),
        ],
    )
    def test_a_strategy_switched_off_trades_nothing(self, switch, tag, market, monkeypatch):
        frame = signals(choose(load("SmcEnsemble"), monkeypatch, **{switch: False}), market)

        assert tag not in set(frame["enter_tag"].dropna())


ALIGNED = {"strategy": {"higher_timeframe_alignment": True}}


class TestHigherTimeframe:
    def merged(self, strategy, market):
        """Indicators as freqtrade makes them: the 12h frame merged once its candle has closed."""
        higher = strategy.populate_higher_timeframe(aggregate(market, "12h"), META)
        frame = merge_informative_pair(market, higher, "2h", "12h", ffill=True)
        return frame, higher

    def test_off_it_asks_for_no_other_candles(self):
        strategy = load("BosOrderBlock")

        assert strategy._ft_informative == []

    def test_on_it_asks_for_12h_candles(self):
        strategy = load("BosOrderBlock", fractal=ALIGNED)
        ((informative, _),) = strategy._ft_informative

        assert informative.timeframe == "12h"

    def test_on_only_breaks_along_the_12h_trend_are_traded(self, market):
        off = signals(load("BosOrderBlock"), market)
        strategy = load("BosOrderBlock", fractal=ALIGNED)
        frame, _ = self.merged(strategy, market)

        on = signals(strategy, frame)

        kept, all_ = on["setup_side"].ne(0), off["setup_side"].ne(0)
        aligned = off["setup_side"] == on["trend_12h"]
        assert (kept == (all_ & aligned)).all()
        assert kept.any()
        assert (all_ & ~kept).any()

    def test_the_12h_trend_is_known_only_once_its_candle_has_closed(self, market):
        frame, higher = self.merged(load("BosOrderBlock", fractal=ALIGNED), market)
        closes = frame["date"] + pd.Timedelta("2h")

        for t in range(300, 400):
            closed = higher.loc[higher["date"] + pd.Timedelta("12h") <= closes.iloc[t]]
            assert frame["trend_12h"].iloc[t] == closed["trend"].iloc[-1]

    def test_before_the_first_12h_trend_nothing_is_traded(self, market):
        strategy = load("BosOrderBlock", fractal=ALIGNED)
        frame = detect(market, strategy.smc_config()).assign(trend_12h=np.nan)

        (reading,) = strategy.readings(frame)

        assert not reading.side.any()
        assert bos_order_block(frame).side.any()


class TestConcurrentTimeframes:
    """The same market in 2h and 4h: two charts, two independent sets of signals."""

    def test_each_timeframe_signals_on_its_own_candles(self, market):
        fast = signals(load("SmcEnsemble", timeframe="2h"), market)
        slow_market = aggregate(market, "4h")
        slow = signals(load("SmcEnsemble", timeframe="4h"), slow_market)

        fast_times = set(fast.loc[fast["setup_side"] != 0, "date"] + pd.Timedelta("2h"))
        slow_times = set(slow.loc[slow["setup_side"] != 0, "date"] + pd.Timedelta("4h"))

        assert fast_times & slow_times, "the market of this test must have concurrent signals"
        assert slow_times - fast_times
        assert fast_times - slow_times

    def test_one_bot_does_not_touch_the_others_columns(self, market):
        slow_market = aggregate(market, "4h")
        alone = signals(load("SmcEnsemble", timeframe="4h"), slow_market)

        fast, slow = load("SmcEnsemble", timeframe="2h"), load("SmcEnsemble", timeframe="4h")
        signals(fast, market)
        beside = signals(slow, slow_market)
        signals(fast, market)

        pd.testing.assert_frame_equal(beside, alone)

    def test_each_bot_reads_its_own_last_closed_candle(self, market):
        for timeframe in ("2h", "4h"):
            bar = pd.Timedelta(timeframe)
            strategy = load("SmcEnsemble", timeframe=timeframe)
            frame = signals(strategy, market if timeframe == "2h" else aggregate(market, "4h"))
            strategy.dp = StubProvider(frame)
            at = frame.index[frame["setup_side"] != 0][3]
            closes = (frame["date"].iloc[at] + bar).to_pydatetime()

            setup = strategy._setup_at(PAIR, closes)

            assert setup.tag == frame["enter_tag"].iloc[at]
            assert setup.stop == frame["setup_stop"].iloc[at]
            before = strategy._setup_at(PAIR, closes - pd.Timedelta("1s"))
            assert before is None or before.stop != setup.stop


def test_the_setup_columns_are_the_same_for_all():
    assert len(SETUP_COLUMNS) == len(set(SETUP_COLUMNS))
