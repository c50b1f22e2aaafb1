"""Leaks of every kind are found and measured; what reads the past only passes."""

import numpy as np
import pytest
from freqtrade.enums import CandleType

from fractal_ops.walk_forward.causality import check
from fractal_ops.walk_forward.errors import WalkForwardError
from tests.ops.walk_forward.candles import OTHER, PAIR, ROWS, markets, specimen
from tests.strategies.bots import STRATEGIES, load


def report_of(name, **options):
    return check(specimen(name), markets(), [PAIR], **({"prefixes": 60} | options))


@pytest.mark.parametrize(
    ("name", "column", "candles"),
    [
        ("NextClose", "enter_long", 1),
        ("NextClose", "enter_tag", 1),
        ("CentredMean", "mean", 5),
        ("WrongMerge", "close_12h", 5),
        ("WrongInformative", "close_4h", 1),
        ("SwingOnExtreme", "swing", 3),
        ("SwingOnExtreme", "enter_short", 3),
        ("ChartOnly", "chart_next", 1),
    ],
)
def test_a_leak_is_found_and_its_candles_are_counted(name, column, candles):
    report = report_of(name)

    leak = next(leak for leak in report.leaks if leak.column == column)
    assert (leak.candles_needed, leak.is_exact) == (candles, True)
    assert not report.is_causal


def test_only_columns_that_leak_are_named():
    assert {leak.column for leak in report_of("NextClose").leaks} == {"enter_long", "enter_tag"}
    assert {leak.column for leak in report_of("CentredMean").leaks} == {"mean"}


def test_a_maximum_of_the_whole_frame_waits_for_the_candle_that_has_it():
    report = report_of("WholeMaximum")

    volume = markets()(PAIR, "2h", CandleType.FUTURES)["volume"]
    (leak,) = report.leaks
    highest = int(volume.argmax())
    assert leak.column == "share"
    assert leak.row == 40, "the first row after the start-up"
    assert leak.row + leak.candles_needed == highest
    assert leak.is_exact == (highest < ROWS - 1)


def test_a_signal_that_the_last_candle_always_has_is_found():
    report = report_of("Repaint")

    leak = report.leaks[0]
    assert leak.column == "exit_long"
    assert (leak.then, leak.now) == ("True", "False")
    assert report.signals_leak


def test_a_strategy_that_remembers_the_whole_market_is_found():
    assert {leak.column for leak in report_of("Memory").leaks} == {"share"}


def test_the_first_leaking_row_is_named_with_its_date():
    leak = report_of("CentredMean").leaks[0]

    frame = markets()(PAIR, "2h", CandleType.FUTURES)
    assert leak.date == frame["date"].iloc[leak.row]
    assert leak.row >= 40
    assert leak.known_candles <= leak.row + 5


def test_a_leak_beside_the_signals_is_a_leak_unless_its_column_is_ignored():
    report = report_of("ChartOnly")
    ignoring = report_of("ChartOnly", ignore_columns=["chart_*"])

    assert not report.is_causal
    assert not report.signals_leak
    assert ignoring.is_causal
    assert "chart_*" in ignoring.ignored


def test_signals_can_not_be_ignored():
    assert report_of("NextClose", ignore_columns=["enter_*", "*"]).signals_leak


def test_start_up_rows_may_be_filled_from_later_ones():
    assert report_of("StartUpOnly").is_causal


def test_innocent_averages_with_informative_pairs_pass():
    report = check(specimen("Averages"), markets(), [PAIR, OTHER], prefixes=60)

    assert report.is_causal, report.leaks
    assert [c.pair for c in report.checks] == [PAIR, OTHER]
    assert all(c.signals > 10 for c in report.checks)
    assert sum(c.readings for c in report.checks) > 500_000


def test_rounding_that_depends_on_the_length_is_no_leak():
    report = report_of("Lengths")

    assert report.is_causal, report.leaks
    assert report.checks[0].rounded == ("smooth",)


def test_the_same_seed_gives_the_same_report():
    assert report_of("SwingOnExtreme", seed=3) == report_of("SwingOnExtreme", seed=3)


@pytest.mark.parametrize("name", STRATEGIES)
def test_our_strategies_pass_on_synthetic_candles(name):
    # The synthetic market is calm: let near stops through, so that there are signals.
    strategy = load(name, fractal={"strategy": {"min_stop_ratio": 0.0005}})

    report = check(strategy, markets(1_200), [PAIR], prefixes=80)

    assert report.is_causal, report.leaks
    assert report.checks[0].signals >= 3


def test_our_higher_timeframe_passes_through_freqtrades_own_merge():
    settings = {"min_stop_ratio": 0.0005, "higher_timeframe_alignment": True}
    strategy = load("BosOrderBlock", fractal={"strategy": settings})

    report = check(strategy, markets(1_200), [PAIR], prefixes=80)

    assert report.is_causal, report.leaks
    assert report.checks[0].columns > 85, "the 12h columns are there"


def test_guilty_our_peeking_specimen_is_found():
    strategy = load("PeekingFvg", fractal={"strategy": {"min_stop_ratio": 0.0005}})

    report = check(strategy, markets(1_200), [PAIR], prefixes=80)

    entries = [leak for leak in report.leaks if leak.column in {"enter_long", "enter_short"}]
    assert entries
    assert {leak.candles_needed for leak in entries} == {1}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Dice", "dice of BTC/USDC:USDC differ between two runs"),
        ("Dropper", "Dropper fails on the first 600 of 600 candles .* mismatching length"),
        ("Hungry", r"Hungry fails on the first \d+ of 600 .* raise its startup_candle_count"),
        ("NoStart", r"NoStart does not start \(.*no model file\)"),
    ],
)
def test_a_strategy_of_which_nothing_can_be_proved_is_an_error(name, text):
    with pytest.raises(WalkForwardError, match=text):
        report_of(name)


def test_ignored_columns_may_be_random():
    assert report_of("Dice", ignore_columns=["dice"]).is_causal


def test_too_few_candles_are_an_error_that_says_how_many_are_needed():
    with pytest.raises(
        WalkForwardError, match=r"has 41 2h candles, the strategy needs 40 .* 2 more"
    ):
        check(specimen("CentredMean"), markets(41), [PAIR])


def test_two_candles_after_the_start_up_are_enough():
    report = check(specimen("NextClose"), markets(42), [PAIR])

    assert report.checks[0].prefixes == 1


def test_the_strategys_class_is_left_as_it_was():
    strategy = specimen("Memory")

    check(strategy, markets(), [PAIR], prefixes=20)

    assert strategy.seen == {}
    assert np.isfinite(strategy.startup_candle_count)


def test_what_a_causal_report_says():
    sentence = report_of("StartUpOnly").sentence()

    assert "StartUpOnly is causal on these candles" in sentence
    assert "gave no signal" in sentence
    assert "no signal" not in report_of("Averages").sentence()


def test_what_a_guilty_report_says():
    sentence = report_of("NextClose").sentence()

    assert "NextClose looks ahead: 2 columns changed" in sentence
    assert "1 candle of the future" in sentence
