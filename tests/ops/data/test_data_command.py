"""`fractal data` against a served market whose clock the test moves."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from fractal_ops.cli import app
from fractal_testnet.market import PathMarket
from fractal_testnet.market.clock import ManualClock
from fractal_testnet.market.intervals import DAY_MS, HOUR_MS
from fractal_testnet.market.synthetic import SyntheticSource
from tests.kit import free_port
from tests.testnet.serving import served

NOW_MS = 1_795_433_417_123
MARKET = PathMarket(SyntheticSource(seed=7))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_MS)


@pytest.fixture
def url(clock: ManualClock) -> Iterator[str]:
    with served(MARKET, clock) as address:
        yield f"http://{address}"


def fetch(url: str, datadir: Path, *more: str) -> Result:
    arguments = ["data", "--from-testnet", "--url", url, "--datadir", str(datadir)]
    defaults = [] if "--pairs" in more or "--config" in more else ["--pairs", "SOL/USDC:USDC"]
    frames = [] if "--timeframes" in more else ["--timeframes", "1h,2h"]
    return CliRunner().invoke(app, [*arguments, *defaults, *frames, *more])


def load(datadir: Path, name: str) -> pd.DataFrame:
    return pd.read_feather(datadir / "futures" / f"SOL_USDC_USDC-{name}.feather")


def has_no_gap(frame: pd.DataFrame) -> bool:
    steps = frame["date"].diff().dropna()
    return bool((steps == steps.iloc[0]).all())


def ms(date: pd.Timestamp) -> int:
    return int(date.timestamp() * 1000)


def test_candles_funding_and_marks_are_stored(url: str, tmp_path: Path) -> None:
    result = fetch(url, tmp_path)

    assert result.exit_code == 0, result.output
    two, one = load(tmp_path, "2h-futures"), load(tmp_path, "1h-futures")
    funding, marks = load(tmp_path, "1h-funding_rate"), load(tmp_path, "1h-mark")
    assert (len(two), len(one)) == (4_999, 4_999)
    assert ms(two["date"].iloc[-1]) + 2 * HOUR_MS <= NOW_MS  # the open candle is left out
    assert list(funding.columns) == ["date", "funding_rate"]
    assert funding["date"].iloc[0] <= two["date"].iloc[0]
    assert marks["date"].iloc[0] == two["date"].iloc[0]
    # the inner join freqtrade charges funding on holds every hour of the span
    joined = marks.merge(funding, on="date")
    assert len(joined) == len(marks)


def test_second_run_only_adds_what_is_new(url: str, tmp_path: Path, clock: ManualClock) -> None:
    fetch(url, tmp_path)
    before = load(tmp_path, "2h-futures")
    untouched = tmp_path / "futures" / "SOL_USDC_USDC-2h-futures.feather"
    stamp = untouched.stat().st_mtime_ns

    assert "0 new rows" in fetch(url, tmp_path).output
    assert untouched.stat().st_mtime_ns == stamp

    clock.advance(DAY_MS)
    assert fetch(url, tmp_path).exit_code == 0

    after = load(tmp_path, "2h-futures")
    assert len(after) == len(before) + 12
    assert after.iloc[: len(before)].equals(before)
    assert has_no_gap(load(tmp_path, "1h-funding_rate"))
    assert (
        load(tmp_path, "1h-mark")["date"].iloc[-1] == load(tmp_path, "1h-futures")["date"].iloc[-1]
    )


def test_other_seed_is_refused_and_nothing_is_touched(
    url: str, tmp_path: Path, clock: ManualClock
) -> None:
    fetch(url, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.feather")}

    with served(PathMarket(SyntheticSource(seed=8)), clock) as other:
        refused = fetch(f"http://{other}", tmp_path)
        assert refused.exit_code == 2
        assert "comes from another market" in refused.output
        assert {path: path.read_bytes() for path in tmp_path.rglob("*")
                if path.is_file()} == before  # fmt: skip

        assert fetch(f"http://{other}", tmp_path, "--fresh").exit_code == 0
        assert load(tmp_path, "2h-futures")["close"].iloc[-1] != 0
        assert {path: path.read_bytes() for path in tmp_path.rglob("*.feather")} != before


def test_data_of_a_later_clock_is_refused(url: str, tmp_path: Path, clock: ManualClock) -> None:
    fetch(url, tmp_path)
    clock.current_ms -= 3 * DAY_MS

    result = fetch(url, tmp_path)

    assert result.exit_code == 2
    assert re.search(r"reaches 2026-11-23 .*clock stands at 2026-11-20 .*--fresh", result.output)


def test_file_older_than_the_exchange_keeps_is_begun_anew(
    url: str, tmp_path: Path, clock: ManualClock
) -> None:
    fetch(url, tmp_path, "--timeframes", "15m")
    clock.advance(60 * DAY_MS)

    result = fetch(url, tmp_path, "--timeframes", "15m")

    assert result.exit_code == 0, result.output
    assert "begun anew" in result.output
    assert has_no_gap(load(tmp_path, "15m-futures"))


def test_pairs_come_from_the_config_and_get_ccxts_name(url: str, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"exchange": {"pair_whitelist": ["kPEPE/USDC:USDC"]}}))

    result = fetch(url, tmp_path / "data", "--config", str(config))

    assert result.exit_code == 0, result.output
    assert (tmp_path / "data" / "futures" / "KPEPE_USDC_USDC-2h-futures.feather").exists()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--timeframes", "7m"], "timeframe '7m' is unknown: choose from"),
        (["--timeframes", ","], "--timeframes names none"),
        (["--pairs", "BTC/USDT"], "pair 'BTC/USDT' is no USDC perpetual"),
        (["--pairs", "XYZ/USDC:USDC"], "pair 'XYZ/USDC:USDC' does not trade on the exchange"),
        (["--config", "nowhere.json"], "--config nowhere.json cannot be read"),
    ],
)
def test_bad_option_is_one_clear_line_and_status_2(
    url: str, tmp_path: Path, arguments: list[str], text: str
) -> None:
    result = fetch(url, tmp_path, *arguments)

    assert result.exit_code == 2
    assert f"error: {text}" in result.output
    assert list(tmp_path.rglob("*.feather")) == []


def test_silent_exchange_is_one_clear_line_and_leaves_no_trace(tmp_path: Path) -> None:
    result = fetch(f"http://127.0.0.1:{free_port()}", tmp_path / "data")

    assert result.exit_code == 2
    assert "start it with `fractal testnet`" in result.output
    assert not (tmp_path / "data").exists()


def test_source_of_data_has_to_be_named() -> None:
    result = CliRunner().invoke(app, ["data"])

    assert result.exit_code == 2
    assert "add --from-testnet" in result.output


def test_unreadable_file_is_named(url: str, tmp_path: Path) -> None:
    fetch(url, tmp_path)
    (tmp_path / "futures" / "SOL_USDC_USDC-2h-futures.feather").write_bytes(b"broken")

    result = fetch(url, tmp_path)

    assert result.exit_code == 2
    assert "SOL_USDC_USDC-2h-futures.feather cannot be read: remove it" in result.output
