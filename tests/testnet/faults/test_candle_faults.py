"""Candles that lag or lack one, over the real synthetic market."""

from typing import Any

import numpy as np
import pytest

from fractal_testnet.faults import FaultBoard, FaultedMarket, parse_spec
from fractal_testnet.market import Bars, Market, PathMarket
from fractal_testnet.market.clock import ManualClock
from fractal_testnet.market.intervals import HOUR_MS, INTERVALS_MS, open_ms
from fractal_testnet.market.synthetic import SyntheticSource
from tests.testnet.faults.conftest import ASSETS

QUARTER_MS = INTERVALS_MS["15m"]


@pytest.fixture(scope="module")
def truth() -> PathMarket:
    return PathMarket(SyntheticSource(seed=7))


@pytest.fixture
def told(truth: PathMarket, board: FaultBoard) -> FaultedMarket:
    return FaultedMarket(truth, board)


def asked(market: Market, clock: ManualClock, coin: str = "BTC", interval: str = "15m") -> Bars:
    now = clock.now_ms()
    return market.candles(coin, interval, now - 6 * HOUR_MS, now, now)


def same(one: Bars, other: Bars) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("t", "o", "h", "l", "c", "v")
    )


def test_stale_candles_stand_as_they_stood_when_it_began(
    truth: PathMarket, told: FaultedMarket, board: FaultBoard, clock: ManualClock
) -> None:
    began = clock.now_ms()
    board.add(parse_spec({"kind": "stale_candles", "coins": ["BTC"], "for_seconds": 7200}))
    clock.advance(HOUR_MS)

    stale = asked(told, clock)

    assert stale.t[-1] == open_ms("15m", began)
    assert same(stale, truth.candles("BTC", "15m", clock.now_ms() - 6 * HOUR_MS, began, began))
    assert same(asked(told, clock, "ETH"), asked(truth, clock, "ETH"))
    assert told.price("BTC", clock.now_ms()) == truth.price("BTC", clock.now_ms())
    clock.advance(HOUR_MS)
    assert same(asked(told, clock), asked(truth, clock))


def test_stale_candles_of_a_span_that_lies_later_are_none(
    told: FaultedMarket, board: FaultBoard, clock: ManualClock
) -> None:
    board.add(parse_spec({"kind": "stale_candles"}))
    clock.advance(HOUR_MS)
    now = clock.now_ms()

    assert len(told.candles("BTC", "15m", now - 60_000, now, now)) == 0


def test_stale_candles_of_one_interval_leave_the_others(
    truth: PathMarket, told: FaultedMarket, board: FaultBoard, clock: ManualClock
) -> None:
    board.add(parse_spec({"kind": "stale_candles", "interval": "1h"}))
    clock.advance(HOUR_MS)

    assert same(asked(told, clock), asked(truth, clock))
    assert not same(asked(told, clock, interval="1h"), asked(truth, clock, interval="1h"))


@pytest.mark.parametrize("interval", ["1m", "15m", "1d", "1w", "1M"])
def test_missing_candle_is_the_newest_closed_one_for_good(
    truth: PathMarket,
    told: FaultedMarket,
    board: FaultBoard,
    clock: ManualClock,
    interval: str,
) -> None:
    began = clock.now_ms()
    spec = {"kind": "missing_candle", "coins": ["BTC"], "interval": interval}
    number = board.add(parse_spec(spec))
    for wait_ms in (0, HOUR_MS):
        clock.advance(wait_ms)
        now = clock.now_ms()
        start = began - 100 * INTERVALS_MS[interval]

        whole = truth.candles("BTC", interval, start, now, now)
        with_gap = told.candles("BTC", interval, start, now, now)

        lost = set(whole.t.tolist()) - set(with_gap.t.tolist())
        closed = [t for t in whole.t.tolist() if t < open_ms(interval, began)]
        assert lost == {max(closed)}
    eth = told.candles("ETH", interval, start, now, now)
    assert same(eth, truth.candles("ETH", interval, start, now, now))
    board.remove(number)
    assert same(told.candles("BTC", interval, start, now, now), whole)


def test_hit_of_a_missing_candle_is_recorded_once_when_it_is_asked_for(
    told: FaultedMarket, board: FaultBoard, clock: ManualClock, journal: list[dict[str, Any]]
) -> None:
    board.add(parse_spec({"kind": "missing_candle"}))
    now = clock.now_ms()

    told.candles("BTC", "15m", now, now, now)  # the open candle alone
    assert len(journal) == 1
    for _ in range(5):
        asked(told, clock)
    assert [entry["event"] for entry in journal] == ["fault_added", "fault"]


def test_lottery_of_stale_coins_does_not_depend_on_who_asks_first(
    truth: PathMarket, clock: ManualClock
) -> None:
    touched = []
    for coins in (ASSETS, ASSETS[::-1]):
        board = FaultBoard(3, ManualClock(clock.now_ms()), lambda _: None, ASSETS)
        board.add(parse_spec({"kind": "stale_candles", "probability": 0.5}))
        told = FaultedMarket(truth, board)
        now = clock.now_ms() + HOUR_MS
        touched.append(
            {
                coin
                for coin in coins
                if told.candles(coin, "15m", 0, now, now).t[-1] < open_ms("15m", now)
            }
        )

    assert touched[0] == touched[1]


def test_everything_else_is_the_markets_own(
    truth: PathMarket, told: FaultedMarket, board: FaultBoard, clock: ManualClock
) -> None:
    board.add(parse_spec({"kind": "stale_candles"}))
    clock.advance(HOUR_MS)
    now = clock.now_ms()

    assert (told.kind, told.seed, told.assets) == (truth.kind, truth.seed, truth.assets)
    assert told.mark("BTC", now) == truth.mark("BTC", now)
    assert told.book("BTC", now) == truth.book("BTC", now)
    assert told.trades("BTC", 0, now, 5) == truth.trades("BTC", 0, now, 5)
    assert told.funding("BTC", 0, now, now, 5) == truth.funding("BTC", 0, now, now, 5)
    assert told.funding_now("BTC", now) == truth.funding_now("BTC", now)
    assert told.day_before("BTC", now) == truth.day_before("BTC", now)
    path, true_path = told.path("BTC", now - HOUR_MS, now), truth.path("BTC", now - HOUR_MS, now)
    assert all(np.array_equal(a, b) for a, b in zip(vars_of(path), vars_of(true_path), strict=True))


def vars_of(value: Any) -> list[Any]:
    return [getattr(value, name) for name in type(value).__dataclass_fields__]
