"""What a data directory has: spans, gaps, and which finer candles."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from freqtrade.enums import CandleType, TradingMode

from fractal_ops.walk_forward.data_span import read_span
from fractal_ops.walk_forward.errors import WalkForwardError
from tests.ops.walk_forward.candles import OTHER, PAIR, write
from tests.strategies.market import synthetic_market

REAL = Path(__file__).resolve().parents[4] / "shared/data/hyperliquid"
START = datetime(2025, 1, 1, tzinfo=UTC)


def moment(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def datadir(tmp_path):
    """2h candles of two pairs, the second shorter; 1h and 15m of one or both."""
    two_hours = synthetic_market(240, seed=1)
    write(tmp_path, two_hours)
    write(tmp_path, two_hours.iloc[24:-12], pair=OTHER)
    hours = synthetic_market(480, seed=1, timeframe="1h")
    for pair in (PAIR, OTHER):
        write(tmp_path, hours, "1h", pair)
    write(tmp_path, synthetic_market(1_920, seed=1, timeframe="15m"), "15m")
    return tmp_path


def test_a_files_span_is_half_open(datadir):
    (file,) = read_span(datadir, [PAIR]).candles("2h")

    assert (file.start, file.end, file.rows) == (START, moment("2025-01-21"), 240)
    assert file.gaps == ()
    assert file.name == "2h candles of BTC/USDC:USDC"
    assert file.covers(START, moment("2025-01-21"))
    assert not file.covers(START, moment("2025-01-21 00:01"))


def test_gaps_name_their_candles(tmp_path):
    frame = synthetic_market(240, seed=1)
    write(tmp_path, frame.drop(index=[10, 11, 12, 200]))

    (file,) = read_span(tmp_path, [PAIR]).candles("2h")

    assert [gap.candles for gap in file.gaps] == [3, 1]
    assert file.gaps[0].start == frame["date"][10]
    assert file.gaps[0].end == frame["date"][13]


def test_the_common_span_names_the_files_that_bound_it(datadir):
    last, first = read_span(datadir, [PAIR, OTHER]).common("2h")

    assert (last.pair, last.start) == (OTHER, moment("2025-01-03"))
    assert (first.pair, first.end) == (OTHER, moment("2025-01-20"))


def test_pairs_without_a_common_moment_are_an_error(tmp_path):
    frame = synthetic_market(240, seed=1)
    write(tmp_path, frame.iloc[:100])
    write(tmp_path, frame.iloc[100:], pair=OTHER)

    with pytest.raises(
        WalkForwardError, match=r"2h candles of BTC.* end at .* before .*ETH.*begin"
    ):
        read_span(tmp_path, [PAIR, OTHER]).common("2h")


def test_a_timeframe_that_is_missing_is_an_error_that_names_what_is_there(datadir):
    with pytest.raises(WalkForwardError, match=r"no 4h candles of BTC.*it has 15m, 1h, 2h"):
        read_span(datadir, [PAIR]).candles("4h")


def test_a_pair_that_is_missing_is_an_error(datadir):
    with pytest.raises(WalkForwardError, match=r"nothing of the pair.*`fractal data`"):
        read_span(datadir, ["SOL/USDC:USDC"]).candles("2h")


def test_detail_timeframes_are_those_that_every_pair_has_over_the_span(datadir):
    both, one = read_span(datadir, [PAIR, OTHER]), read_span(datadir, [PAIR])
    start, end = START, moment("2025-01-20")

    assert both.detail_timeframes("2h", start, end) == ("1h",)
    assert one.detail_timeframes("2h", start, end) == ("15m", "1h")
    assert one.detail_timeframes("15m", start, end) == ()
    assert one.detail_timeframes("2h", moment("2024-12-31"), end) == ()


def test_a_finer_file_with_many_holes_is_no_detail(tmp_path):
    write(tmp_path, synthetic_market(240, seed=1))
    hours = synthetic_market(480, seed=1, timeframe="1h")
    write(tmp_path, hours.drop(index=range(100, 120)), "1h")
    span = read_span(tmp_path, [PAIR])

    assert span.detail_timeframes("2h", START, moment("2025-01-21")) == ()
    loose = span.detail_timeframes("2h", START, moment("2025-01-21"), most_missing_ratio=0.05)
    assert loose == ("1h",)


def test_mark_and_funding_files_are_seen_but_are_no_candles(datadir):
    hours = synthetic_market(480, seed=1, timeframe="1h")
    write(datadir, hours, "1h", PAIR, CandleType.MARK)
    rates = hours[["date"]].assign(funding_rate=0.0001)
    write(datadir, rates, "1h", PAIR, CandleType.FUNDING_RATE)

    span = read_span(datadir, [PAIR])

    assert [file.name for file in span.of_kind(CandleType.MARK)] == [
        "1h mark prices of BTC/USDC:USDC"
    ]
    assert len(span.of_kind(CandleType.FUNDING_RATE)) == 1
    assert len(span.candles("1h")) == 1


def test_spot_candles_lie_in_the_directory_itself(tmp_path):
    write(tmp_path, synthetic_market(20, seed=1), pair="BTC/USDC", kind=CandleType.SPOT)

    span = read_span(tmp_path, ["BTC/USDC"], trading_mode=TradingMode.SPOT)

    assert span.candles("2h")[0].rows == 20


def test_an_empty_file_counts_as_missing(tmp_path):
    write(tmp_path, synthetic_market(20, seed=1).iloc[:0])

    with pytest.raises(WalkForwardError, match="no 2h candles"):
        read_span(tmp_path, [PAIR]).candles("2h")


def test_no_directory_and_no_pairs_are_errors(tmp_path):
    with pytest.raises(WalkForwardError, match="is no directory"):
        read_span(tmp_path / "nowhere", [PAIR])
    with pytest.raises(WalkForwardError, match="give --pairs"):
        read_span(tmp_path, [])


def test_the_real_candles_have_the_span_that_their_readme_names():
    if not REAL.exists():
        pytest.skip("no real candles here: they are shared data, not part of the repo")
    span = read_span(REAL, [PAIR, OTHER, "SOL/USDC:USDC"])

    last, first = span.common("2h")

    assert last.start.date() == pd.Timestamp("2024-02-09").date()
    assert first.end == moment("2025-07-01")
    assert all(not file.gaps for file in span.candles("2h"))
    assert span.detail_timeframes("2h", moment("2025-03-01"), first.end) == ("15m", "1h")
    assert span.detail_timeframes("2h", moment("2024-10-01"), first.end) == ("1h",)
    assert len(span.of_kind(CandleType.FUNDING_RATE)) == 3
