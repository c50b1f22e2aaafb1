"""What FreqUI is given to draw."""

from datetime import timedelta

import pandas as pd
import pytest
from freqtrade.ft_types import AnnotationType
from freqtrade.ft_types.plot_annotation_type import AnnotationTypeTA
from pydantic import TypeAdapter, ValidationError

from fractal_strategies.smc import COLUMNS, SmcConfig, detect, detect_all
from fractal_strategies.trading.charts import MOST_MARKS, PLOT_CONFIG, annotations
from fractal_strategies.trading.plan import TradePlan
from fractal_strategies.trading.setups import SETUP_COLUMNS
from tests.strategies.bots import START, candle_table
from tests.strategies.market import synthetic_market

CONFIG = SmcConfig()


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return detect(synthetic_market(1500, seed=3), CONFIG)


def draw(frame: pd.DataFrame, plans=(), start=None) -> list[AnnotationType]:
    first = start or frame["date"].iloc[0].to_pydatetime()
    return annotations(frame, CONFIG, first, frame["date"].iloc[-1].to_pydatetime(), plans)


def labelled(marks, *words):
    return [mark for mark in marks if all(word in mark["label"] for word in words)]


def test_every_mark_is_one_that_freqtrade_accepts(frame):
    plan = TradePlan("x", 1, 100.0, 98.0, 106.0, 24, 80.0, False)

    marks = draw(frame, [(START, plan)])

    assert marks
    for mark in marks:
        AnnotationTypeTA.validate_python(mark, extra="forbid")


def test_freqtrade_refuses_extra_keys():
    # The seam that the test above leans on.
    adapter: TypeAdapter[AnnotationType] = AnnotationTypeTA

    with pytest.raises(ValidationError, match="extra"):
        adapter.validate_python({"type": "area", "colour": "red"}, extra="forbid")


@pytest.mark.parametrize("name", ["OB", "FVG"])
def test_live_zones_are_areas_from_their_candle_to_the_right_edge(frame, name):
    found = detect_all(frame, CONFIG)
    zones = found.order_blocks if name == "OB" else found.fair_value_gaps
    live = [z for z in range(zones.end_row.size) if zones.end_row[z] < 0]

    areas = [mark for mark in labelled(draw(frame), name) if mark["type"] == "area"]

    assert live, "the market of this test must have live zones"
    assert len(areas) == len(live)
    for z, area in zip(live, areas, strict=True):
        assert area["start"] == frame["date"].iloc[zones.source_row[z]]
        assert area["end"] == frame["date"].iloc[-1]
        assert (area["y_start"], area["y_end"]) == (zones.bottom[z], zones.top[z])
        assert area["label"].startswith("bull" if zones.direction[z] > 0 else "bear")


def test_liquidity_on_both_sides_is_a_dashed_line(frame):
    lines = labelled(draw(frame), "liquidity")
    now = frame.iloc[-1]

    assert [line["y_start"] for line in lines] == [now["liquidity_high"], now["liquidity_low"]]
    assert {line["line_style"] for line in lines} == {"dashed"}
    assert [line["label"].split()[0] for line in lines] == ["buy-side", "sell-side"]


def test_breaks_of_structure_run_from_the_swing_to_the_breaking_candle(frame):
    marks = draw(frame)
    breaks = frame.loc[(frame["bos"] != 0) | (frame["choch"] != 0)].tail(MOST_MARKS)

    lines = [m for m in marks if m["label"].split()[0] in ("BOS", "CHoCH")]

    assert {m["label"] for m in lines} == {"BOS up", "BOS down", "CHoCH up", "CHoCH down"}
    assert [m["y_start"] for m in lines] == breaks["broken_level"].tolist()
    assert [m["end"] for m in lines] == [d.to_pydatetime() for d in breaks["date"]]
    assert all(m["start"] < m["end"] for m in lines)


def test_only_breaks_in_the_shown_span_are_drawn(frame):
    middle = frame["date"].iloc[-100].to_pydatetime()

    lines = [m for m in draw(frame, start=middle) if m["label"].split()[0] in ("BOS", "CHoCH")]

    assert lines
    assert all(m["end"] >= middle for m in lines)


def test_a_chart_without_time_zones_is_drawn_too(frame):
    naive = [frame["date"].iloc[i].to_pydatetime().replace(tzinfo=None) for i in (0, -1)]

    assert len(annotations(frame, CONFIG, *naive)) == len(draw(frame))


def test_an_open_trade_shows_its_stop_and_target(frame):
    opened = frame["date"].iloc[-5].to_pydatetime()
    with_target = TradePlan("bos", 1, 100.0, 98.0, 106.0, 24, 80.0, False)
    without = TradePlan("sweep", -1, 100.0, 102.0, None, 24, 80.0, False)

    marks = draw(frame, [(opened, with_target), (opened, without)])

    drawn = {m["label"]: m["y_start"] for m in marks if m["label"].startswith(("stop", "target"))}
    assert drawn == {"stop bos": 98.0, "target bos": 106.0, "stop sweep": 102.0}
    assert labelled(marks, "stop bos")[0]["start"] == opened


def test_zones_reach_a_right_edge_beyond_the_candles(frame):
    later = frame["date"].iloc[-1].to_pydatetime() + timedelta(days=2)

    areas = [m for m in annotations(frame, CONFIG, START, later) if m["type"] == "area"]

    assert {m["end"] for m in areas} == {later}


def test_an_empty_frame_has_nothing_to_draw():
    empty = synthetic_market(1, seed=1).iloc[:0]

    assert annotations(empty, CONFIG, START, START) == []


def test_a_market_without_structure_has_nothing_to_draw():
    flat = candle_table([(100, 100, 100, 100)] * 30)

    assert draw(flat) == []


def test_equal_highs_are_counted_in_the_label():
    config = SmcConfig(swing_width=1, atr_period=2, equal_tolerance_atr=1.0)
    table = [(100, 101, 99, 100), (100, 103, 99, 100), (100, 101, 99, 100)] * 2
    frame = candle_table([*table, (100, 100.5, 99.5, 100)])

    marks = annotations(frame, config, START, START + timedelta(hours=6))

    assert labelled(marks, "buy-side liquidity (equal highs x2)")


def test_the_plot_config_names_columns_that_exist():
    shown = set(PLOT_CONFIG["main_plot"])
    for plot in PLOT_CONFIG["subplots"].values():
        shown |= set(plot)

    assert shown <= {*COLUMNS, *SETUP_COLUMNS}
    assert {"trend", "confidence_long", "confidence_short", "atr"} <= shown
