"""Recorded candles as a market."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fractal_testnet.market import PathMarket
from fractal_testnet.market.intervals import DAY_MS, HOUR_MS, INTERVALS_MS
from fractal_testnet.market.recording import RecordingError, read_recordings
from fractal_testnet.market.replay import ReplaySource, load_replay

START = pd.Timestamp("2025-03-03", tz="UTC")  # a Monday
START_MS = int(START.timestamp()) * 1000
DAYS = 4


def frame(interval: str, days: int = DAYS, seed: int = 5) -> pd.DataFrame:
    """Return candles of a random walk, all intervals from the same quarters."""
    rng = np.random.default_rng(seed)
    count = days * 96
    close = 100.0 + rng.normal(0, 0.3, count).cumsum().round(2)
    opened = np.concatenate(([100.0], close[:-1]))
    quarters = pd.DataFrame(
        {
            "date": pd.date_range(START, periods=count, freq="15min"),
            "open": opened,
            "high": (np.maximum(opened, close) + rng.random(count).round(2)).round(2),
            "low": (np.minimum(opened, close) - rng.random(count).round(2)).round(2),
            "close": close,
            "volume": rng.integers(0, 500, count).astype(float),
        }
    )
    rule = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    step = f"{INTERVALS_MS[interval] // 60_000}min"
    return quarters.resample(step, on="date").agg(rule).reset_index()


def store(folder: Path, interval: str, data: pd.DataFrame, name: str = "SOL_USDC_USDC") -> Path:
    (folder / "futures").mkdir(exist_ok=True)
    path = folder / "futures" / f"{name}-{interval}-futures.feather"
    data.to_feather(path)
    return path


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    for interval in ("15m", "2h"):
        store(tmp_path, interval, frame(interval))
    hours = pd.date_range(START, periods=DAYS * 24, freq="h") + pd.Timedelta(milliseconds=48)
    rates = pd.DataFrame({"date": hours, "open": np.arange(DAYS * 24) * 1e-6})
    rates.to_feather(tmp_path / "futures" / "SOL_USDC_USDC-1h-funding_rate.feather")
    return tmp_path


def replay(folder: Path, now_ms: int) -> PathMarket:
    return PathMarket(load_replay(folder, now_ms, now_ms, keep_dates=True))


def test_recorded_candles_are_served_as_they_were(recorded: Path) -> None:
    end = START_MS + DAYS * DAY_MS
    bars = replay(recorded, end).candles("SOL", "2h", 0, end, end)

    expected = frame("2h")
    assert bars.t.tolist() == [int(x.timestamp()) * 1000 for x in expected["date"]]
    for column, name in zip("ohlcv", ("open", "high", "low", "close", "volume"), strict=True):
        np.testing.assert_allclose(getattr(bars, column), expected[name])


@pytest.mark.parametrize("interval", ["30m", "1h", "4h", "12h", "1d"])
def test_other_intervals_are_aggregated(recorded: Path, interval: str) -> None:
    end = START_MS + DAYS * DAY_MS
    bars = replay(recorded, end).candles("SOL", interval, 0, end, end)

    expected = frame(interval)
    assert len(bars) == len(expected)
    for column, name in zip("ohlcv", ("open", "high", "low", "close", "volume"), strict=True):
        np.testing.assert_allclose(getattr(bars, column), expected[name])


def test_interval_finer_than_the_recording_does_not_exist(recorded: Path) -> None:
    now = START_MS + DAY_MS + 100_000

    assert len(replay(recorded, now).candles("SOL", "5m", 0, now, now)) == 0


def test_open_candle_grows_into_the_recorded_one(recorded: Path) -> None:
    opened = START_MS + DAY_MS
    market = replay(recorded, opened)
    final = frame("2h").iloc[12]
    previous = None

    for now in range(opened, opened + 2 * HOUR_MS, 61_001):
        bars = market.candles("SOL", "2h", opened, now, now)
        assert bars.t.tolist() == [opened]
        assert final["low"] <= bars.l[0] <= bars.h[0] <= final["high"]
        assert bars.o[0] == final["open"]
        assert previous is None or (
            bars.h[0] >= previous.h[0] and bars.l[0] <= previous.l[0] and bars.v[0] >= previous.v[0]
        )
        previous = bars

    closed = market.candles("SOL", "2h", opened, opened, opened + 2 * HOUR_MS)
    assert (closed.h[0], closed.l[0], closed.c[0]) == tuple(final[["high", "low", "close"]])


def test_future_of_a_recording_is_not_shown(recorded: Path, tmp_path: Path) -> None:
    """What is recorded after now may be anything: no answer changes."""
    now = START_MS + 2 * DAY_MS + 7 * HOUR_MS + 123_456
    edge = pd.Timestamp(now // 900_000 * 900_000 + 900_000, unit="ms", tz="UTC")
    other = tmp_path / "other"
    other.mkdir()
    for interval in ("15m", "2h"):
        data = frame(interval)
        late = data["date"] + pd.Timedelta(milliseconds=INTERVALS_MS[interval]) > edge
        data.loc[late, ["open", "high", "low", "close", "volume"]] *= 2
        store(other, interval, data)

    ours, theirs = replay(recorded, now), replay(other, now)

    for interval in ("15m", "1h", "2h", "4h", "1d", "1w"):
        a, b = (m.candles("SOL", interval, 0, now, now) for m in (ours, theirs))
        assert a.t.tolist() == b.t.tolist()
        assert a.c.tolist() == b.c.tolist()
        assert a.h.tolist() == b.h.tolist()
    assert ours.book("SOL", now) == theirs.book("SOL", now)
    assert ours.trades("SOL", 0, now, 10) == theirs.trades("SOL", 0, now, 10)
    assert ours.day_before("SOL", now) == theirs.day_before("SOL", now)


def test_shift_moves_by_whole_days_and_keeps_the_time_of_day(recorded: Path) -> None:
    now = 1_795_433_417_123
    moment = START_MS + 2 * DAY_MS

    source = load_replay(recorded, moment, now, keep_dates=False)
    market = PathMarket(source)

    assert source.shift_ms % DAY_MS == 0
    assert (now - source.shift_ms) // DAY_MS == moment // DAY_MS
    served = market.candles("SOL", "15m", 0, now, now)[:-1]
    recorded_now = now - source.shift_ms
    plain = replay(recorded, moment).candles("SOL", "15m", 0, recorded_now, recorded_now)[:-1]
    assert (served.t - source.shift_ms).tolist() == plain.t.tolist()
    assert served.c.tolist() == plain.c.tolist()
    (row, *_) = market.funding("SOL", now - HOUR_MS + 1, now, now, 500)
    assert row.time_ms % HOUR_MS == 0


def test_shift_of_a_part_of_a_day_is_refused(recorded: Path) -> None:
    with pytest.raises(ValueError, match="not a whole number of days"):
        ReplaySource(read_recordings(recorded), shift_ms=HOUR_MS)


def test_funding_comes_from_the_recording_on_the_full_hour(recorded: Path) -> None:
    now = START_MS + DAY_MS
    rows = replay(recorded, now).funding("SOL", 0, now + DAY_MS, now, 500)

    assert [row.rate for row in rows] == pytest.approx(np.arange(25) * 1e-6)
    assert rows[-1].time_ms == now


def test_without_recorded_funding_the_base_rate_is_paid(tmp_path: Path) -> None:
    store(tmp_path, "1h", frame("1h"))
    now = START_MS + DAY_MS

    rows = replay(tmp_path, now).funding("SOL", 0, now, now, 500)

    assert {row.rate for row in rows} == {1.25e-5}
    assert len(rows) == 25


def test_price_stands_still_after_the_recordings_end(recorded: Path) -> None:
    end = START_MS + DAYS * DAY_MS
    market = replay(recorded, end)

    assert market.price("SOL", end + DAY_MS) == frame("15m")["close"].iloc[-1]
    assert market.candles("SOL", "1h", 0, end + DAY_MS, end + DAY_MS).t[-1] == end - HOUR_MS
    assert market.trades("SOL", 0, end + DAY_MS, 5) == []


def test_zero_volume_and_flat_candles_are_legal(tmp_path: Path) -> None:
    data = frame("4h")
    data.loc[5, ["open", "high", "low", "close"]] = data.loc[4, "close"]
    data.loc[5, "volume"] = 0.0
    store(tmp_path, "4h", data)
    end = START_MS + DAYS * DAY_MS

    bars = replay(tmp_path, end).candles("SOL", "4h", 0, end, end)

    assert bars.v[5] == 0.0
    assert bars.h[5] == bars.l[5]


def test_binance_names_stand_in_where_usdc_is_absent(tmp_path: Path) -> None:
    store(tmp_path, "1h", frame("1h"))
    store(tmp_path, "1h", frame("1h", seed=6), "SOL_USDT_USDT")
    store(tmp_path, "1h", frame("1h"), "BTC_USDT_USDT")

    recordings = read_recordings(tmp_path)

    assert [r.spec.name for r in recordings] == ["BTC", "SOL"]
    assert recordings[1].candles["1h"].c[-1] == frame("1h")["close"].iloc[-1]


class TestBadRecordings:
    def test_missing_folder(self, tmp_path: Path) -> None:
        with pytest.raises(RecordingError, match=r"is not a folder: --replay takes the folder"):
            read_recordings(tmp_path / "nowhere")

    def test_no_candles(self, tmp_path: Path) -> None:
        (tmp_path / "futures").mkdir()
        with pytest.raises(RecordingError, match="holds no candles: it needs files such as"):
            read_recordings(tmp_path)

    def test_missing_column(self, tmp_path: Path) -> None:
        store(tmp_path, "1h", frame("1h").drop(columns="close"))
        with pytest.raises(RecordingError, match=r"1h-futures.feather lacks the column 'close'"):
            read_recordings(tmp_path)

    def test_unsorted_rows(self, tmp_path: Path) -> None:
        store(tmp_path, "1h", frame("1h").iloc[::-1].reset_index(drop=True))
        with pytest.raises(RecordingError, match=r"row 1 .* sort the file by date"):
            read_recordings(tmp_path)

    def test_impossible_candle(self, tmp_path: Path) -> None:
        data = frame("1h")
        data.loc[3, "low"] = data.loc[3, "high"] + 1
        store(tmp_path, "1h", data)
        with pytest.raises(RecordingError, match=r"row 3 .* is no candle"):
            read_recordings(tmp_path)

    def test_candles_of_another_interval_than_the_name(self, tmp_path: Path) -> None:
        store(tmp_path, "1h", frame("15m"))
        with pytest.raises(RecordingError, match="does not open on a border of 1h"):
            read_recordings(tmp_path)

    def test_not_a_feather_file(self, tmp_path: Path) -> None:
        store(tmp_path, "1h", frame("1h")).write_bytes(b"nothing")
        with pytest.raises(RecordingError, match="is not a readable feather file"):
            read_recordings(tmp_path)

    def test_date_outside_of_the_recording(self, recorded: Path) -> None:
        with pytest.raises(RecordingError, match=r"--start 2025-02-28 .* choose a date between"):
            replay(recorded, START_MS - 3 * DAY_MS)


def test_real_recording_serves_all_fifteen_assets(project_root: Path) -> None:
    folder = project_root.parent / "shared" / "data" / "hyperliquid"
    if not folder.is_dir():
        pytest.skip("shared/data is not beside the repository")
    now = int(pd.Timestamp("2025-06-01", tz="UTC").timestamp()) * 1000

    market = replay(folder, now)

    assert len(market.assets) == 15
    recorded = pd.read_feather(folder / "futures" / "BTC_USDC_USDC-2h-futures.feather")
    last = recorded[recorded["date"] < "2025-06-01"].iloc[-1]
    bars = market.candles("BTC", "2h", 0, now - 1, now)
    assert (bars.o[-1], bars.c[-1]) == (last["open"], last["close"])
    assert (np.diff(bars.t) == 2 * HOUR_MS).all()
    assert [spec.name for spec in market.assets if market.price(spec.name, now) <= 0] == []
