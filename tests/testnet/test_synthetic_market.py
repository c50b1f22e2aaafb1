"""The synthetic market: one path per seed, every interval from it, crypto-like."""

import numpy as np
import pytest

from fractal_testnet.market import UNIVERSE, PathMarket
from fractal_testnet.market.candles import Bars, aggregate
from fractal_testnet.market.intervals import DAY_MS, INTERVALS_MS, open_ms
from fractal_testnet.market.rounding import round_prices
from fractal_testnet.market.synthetic import EPOCH_MS, SyntheticSource
from fractal_testnet.market.universe import spec_of

NOW_MS = 1_795_433_417_123


def same(a: Bars, b: Bars) -> bool:
    return all(np.array_equal(getattr(a, n), getattr(b, n)) for n in ("t", "o", "h", "l", "c", "v"))


def returns(market: PathMarket, coin: str, interval: str) -> np.ndarray:
    bars = market.candles(coin, interval, 0, NOW_MS, open_ms(interval, NOW_MS))
    return np.diff(np.log(bars.c[:-1]))


def test_same_seed_has_same_prices_whatever_was_asked_before(market: PathMarket) -> None:
    other = PathMarket(SyntheticSource(seed=7, minute_days=2))
    late = NOW_MS + 300 * DAY_MS
    other.price("FIL", late)  # started a year later, on another asset

    for interval in ("1m", "2h", "1d"):
        ours = market.candles("BTC", interval, NOW_MS - 40 * DAY_MS, NOW_MS, NOW_MS)
        assert same(ours, other.candles("BTC", interval, NOW_MS - 40 * DAY_MS, NOW_MS, NOW_MS))


def test_other_seed_has_other_prices(market: PathMarket) -> None:
    assert PathMarket(SyntheticSource(seed=8)).price("BTC", NOW_MS) != market.price("BTC", NOW_MS)


@pytest.mark.parametrize("interval", [name for name in INTERVALS_MS if name != "1m"])
def test_every_interval_is_the_aggregate_of_the_minutes(
    interval: str, market: PathMarket, source: SyntheticSource
) -> None:
    start = open_ms(interval, NOW_MS - min(3 * INTERVALS_MS[interval], 33 * DAY_MS))
    minutes = source.bars("ETH", "1m", start, open_ms("1m", NOW_MS))
    spec = spec_of("ETH")
    assert spec is not None

    expected = aggregate(minutes, interval)
    actual = market.candles("ETH", interval, start, NOW_MS, NOW_MS // 60_000 * 60_000)
    actual = actual.between(start, int(minutes.t[-1]) + 1)

    assert np.array_equal(actual.t, expected.t)
    for name in ("o", "h", "l"):
        rounded = round_prices(getattr(expected, name), spec)
        assert np.array_equal(getattr(actual, name), rounded)
    np.testing.assert_allclose(actual.v, expected.v, rtol=1e-9)
    assert np.array_equal(actual.c[:-1], round_prices(expected.c, spec)[:-1])


def test_no_more_than_the_newest_five_thousand_candles_exist(market: PathMarket) -> None:
    bars = market.candles("BTC", "15m", 0, NOW_MS, NOW_MS)

    assert len(bars) == 5_000
    assert bars.t[-1] == open_ms("15m", NOW_MS)


def test_two_hour_candles_reach_back_more_than_416_days(market: PathMarket) -> None:
    bars = market.candles("SOL", "2h", 0, NOW_MS, NOW_MS)

    assert bars.t[-1] - bars.t[0] >= 416 * DAY_MS
    assert (np.diff(bars.t) == INTERVALS_MS["2h"]).all()


def test_candles_are_consistent_and_chained(market: PathMarket) -> None:
    bars = market.candles("kPEPE", "1h", 0, NOW_MS, NOW_MS)

    assert (bars.l <= np.minimum(bars.o, bars.c)).all()
    assert (bars.h >= np.maximum(bars.o, bars.c)).all()
    assert (bars.v > 0).all()
    np.testing.assert_allclose(bars.o[1:], bars.c[:-1], rtol=1e-12)


def test_path_crosses_midnight_without_a_jump(market: PathMarket) -> None:
    midnight = NOW_MS // DAY_MS * DAY_MS

    before, after = (market.price("BTC", t) for t in (midnight - 1, midnight))

    assert before == pytest.approx(after, rel=1e-4)


def test_path_agrees_with_price_at_every_corner(market: PathMarket) -> None:
    knots = market.path("BTC", NOW_MS - 400_000, NOW_MS)

    assert (knots.t[0], knots.t[-1]) == (NOW_MS - 400_000, NOW_MS)
    for t, p in zip(knots.t, knots.p, strict=True):
        assert market.price("BTC", t) == pytest.approx(p, rel=1e-9)


def test_nothing_exists_before_the_epoch(source: SyntheticSource) -> None:
    assert source.base_bar("BTC", EPOCH_MS - 1) is None
    assert len(source.bars("BTC", "1h", 0, EPOCH_MS)) == 0
    assert source.funding("BTC", 0, EPOCH_MS, 500) == []


class TestLooksLikeCrypto:
    """Bounds are wide: the point is a market of the right kind, not a fitted one."""

    def test_volatility_is_near_the_real_one(self, market: PathMarket) -> None:
        for coin, low, high in (("BTC", 0.35, 0.70), ("ETH", 0.45, 0.90), ("SOL", 0.60, 1.20)):
            vol = returns(market, coin, "2h").std() * np.sqrt(365 * 12)
            assert low < vol < high, coin

    def test_daily_returns_of_the_three_move_together(self, market: PathMarket) -> None:
        daily = np.corrcoef([returns(market, coin, "1d") for coin in ("BTC", "ETH", "SOL")])

        assert daily[np.triu_indices(3, 1)].min() > 0.6
        assert daily[np.triu_indices(3, 1)].max() < 0.95

    def test_tails_are_fat(self, market: PathMarket) -> None:
        for coin in ("BTC", "ETH", "SOL"):
            r = returns(market, coin, "2h")
            assert ((r - r.mean()) ** 4).mean() / r.var() ** 2 > 4.5, coin

    def test_volatility_clusters_while_direction_does_not(self, market: PathMarket) -> None:
        r = returns(market, "BTC", "2h")
        size = np.abs(r)

        assert np.corrcoef(size[1:], size[:-1])[0, 1] > 0.1
        assert np.corrcoef(size[12:], size[:-12])[0, 1] > 0.05
        assert abs(np.corrcoef(r[1:], r[:-1])[0, 1]) < 0.06

    def test_volume_comes_with_movement(self, market: PathMarket) -> None:
        bars = market.candles("BTC", "2h", 0, NOW_MS, open_ms("2h", NOW_MS))[:-1]

        moves = np.abs(np.log(bars.c / bars.o))
        assert np.corrcoef(np.log(bars.v), moves)[0, 1] > 0.25

    def test_new_york_is_busier_than_the_european_morning(self, market: PathMarket) -> None:
        bars = market.candles("BTC", "1h", 0, NOW_MS, open_ms("1h", NOW_MS))
        hour = bars.t // 3_600_000 % 24

        assert bars.v[hour == 14].mean() > 1.7 * bars.v[hour == 5].mean()

    def test_prices_stay_sane_over_years(self, source: SyntheticSource) -> None:
        for i, spec in enumerate(UNIVERSE):
            era, _ = source._skeleton.era_of(1_500)
            assert -4.0 < float(era.opens[-1, i]) - np.log(spec.base_price) < 4.0, spec.name

    def test_funding_is_mostly_the_base_rate(self, market: PathMarket) -> None:
        rows = market.funding("BTC", NOW_MS - 200 * DAY_MS, NOW_MS, NOW_MS, 10**6)
        rates = np.array([row.rate for row in rows])

        assert len(rates) == 200 * 24
        assert np.isclose(rates, 1.25e-5).mean() > 0.4
        assert rates.max() > 2e-5
        assert rates.min() < 1e-5
