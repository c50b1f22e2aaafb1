"""The seams of freqtrade 2026.9 that honest funding in backtests rests on."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from freqtrade.enums import CandleType, RunMode
from freqtrade.exchange import Exchange, Hyperliquid

from fractal_ops.data.mark import hourly_marks


def mark_price_type(overlay: dict[str, Any]) -> CandleType:
    config: Any = {
        "exchange": {"name": "hyperliquid", **overlay.get("exchange", {})},
        "stake_currency": "USDC",
        "dry_run": True,
        "runmode": RunMode.BACKTEST,
        "trading_mode": "futures",
        "margin_mode": "isolated",
        "candle_type_def": CandleType.FUTURES,
    }
    exchange = Hyperliquid(config, validate=False, load_leverage_tiers=False)
    try:
        return CandleType.from_string(exchange.get_option("mark_ohlcv_price"))
    finally:
        exchange.close()


def test_overlay_makes_freqtrade_read_the_mark_files(project_root: Path) -> None:
    overlay = json.loads((project_root / "user_data" / "config.backtest.json").read_text())

    assert mark_price_type(overlay) == CandleType.MARK
    assert mark_price_type({}) == CandleType.FUTURES  # else the overlay is no longer needed


@pytest.mark.parametrize(("hourly_from", "with_marks"), [(100, True), (100, False)])
def test_funding_is_charged_at_every_hour_only_with_our_marks(
    hourly_from: int, with_marks: bool
) -> None:
    def frame(freq: str, start: int, count: int) -> pd.DataFrame:
        first = pd.Timestamp("2026-01-01", tz="UTC") + pd.Timedelta(hours=start)
        dates = pd.date_range(first, periods=count, freq=freq, unit="ms")
        prices = dict.fromkeys(("open", "high", "low", "close", "volume"), 100.0)
        return pd.DataFrame({"date": dates, **prices})

    hours = 200
    funding = frame("1h", 0, hours)[["date"]].assign(funding_rate=1e-5)
    two, one = frame("2h", 0, hours // 2), frame("1h", hourly_from, hours - hourly_from)

    marks = hourly_marks({"1h": one, "2h": two}) if with_marks else one
    charged = Exchange.combine_funding_and_mark(funding, marks)

    assert len(charged) == (hours if with_marks else hours - hourly_from)
