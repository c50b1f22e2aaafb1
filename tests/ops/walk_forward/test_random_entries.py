"""Fills by hand, an oracle trade by trade, and a martingale that earns nothing but costs."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fractal_ops.walk_forward.statistics import (
    Costs,
    Market,
    TradePlans,
    percentile_of,
    random_entries,
    trade_returns,
)


def market(*rows: tuple[float, float, float, float]) -> Market:
    return Market(*np.array(rows, dtype=float).T)


def plans(side=1, stop=0.1, target=0.2, bars=2, notional=1.0, count=1) -> TradePlans:
    return TradePlans(*(np.full(count, value) for value in (side, stop, target, bars, notional)))


def martingale(rng: np.random.Generator, candles: int, steps: int = 240) -> Market:
    """Price steps of mean 0 many times a candle; opens are the last candle's closes."""
    step = 0.0004
    paths = np.cumprod(1.0 + step * rng.choice([-1.0, 1.0], size=candles * steps))
    inside = 100.0 * paths.reshape(candles, steps)
    opens = np.concatenate(([100.0], inside[:-1, -1]))
    everything = np.column_stack([opens, inside])
    return Market(opens, everything.max(axis=1), everything.min(axis=1), inside[:, -1])


ENTRY = (100.0, 104.0, 97.0, 101.0)
AFTER = (101.0, 105.0, 98.0, 103.0)
LAST = (103.0, 106.0, 99.0, 104.0)


class TestFills:
    @pytest.mark.parametrize(
        ("rows", "plan", "expected"),
        [
            # Nothing is reached: out at the open after two candles.
            ([ENTRY, AFTER, LAST], plans(), 0.03),
            ([ENTRY, AFTER, LAST], plans(side=-1), -0.03),
            ([ENTRY, AFTER, LAST], plans(bars=1), 0.01),
            # The stop is reached in the candle of entry.
            ([ENTRY, AFTER, LAST], plans(stop=0.03), -0.03),
            ([ENTRY, AFTER, LAST], plans(side=-1, stop=0.04), -0.04),
            # The target is reached in the second candle.
            ([ENTRY, AFTER, LAST], plans(target=0.05), 0.05),
            ([(100, 103, 99, 100), (100, 101, 95, 96), LAST], plans(side=-1, target=0.05), 0.05),
            # Both are in one candle: stop first.
            ([ENTRY, AFTER, LAST], plans(stop=0.03, target=0.04), -0.03),
            ([ENTRY, AFTER, LAST], plans(side=-1, stop=0.04, target=0.03), -0.04),
            # The second candle opens beyond the stop: filled at its open.
            ([ENTRY, (85, 90, 80, 88), LAST], plans(), -0.15),
            ([ENTRY, (115, 120, 110, 112), LAST], plans(side=-1), -0.15),
            # It opens beyond the target, and falls to the stop later: the open came first.
            ([ENTRY, (125, 130, 80, 90), LAST], plans(), 0.25),
            ([ENTRY, (75, 130, 70, 90), LAST], plans(side=-1), 0.25),
            # Without a target only the stop and the time end a trade.
            ([ENTRY, (125, 130, 110, 120), LAST], plans(target=math.nan), 0.03),
        ],
    )
    def test_a_trade_ends_where_it_should(self, rows, plan, expected) -> None:
        result = trade_returns(market(*rows), plan, np.array([0]), Costs())

        assert result[0] == pytest.approx(expected)

    def test_a_time_exit_pays_taker_and_slippage_twice(self) -> None:
        costs = Costs(taker_ratio=0.001, maker_ratio=0.0, slippage_ratio=0.002)

        result = trade_returns(market(ENTRY, AFTER, LAST), plans(), np.array([0]), costs)

        entry, leave = 100 * 1.002, 103 * 0.998
        assert result[0] == pytest.approx((leave - entry - 0.001 * (entry + leave)) / entry)

    def test_a_target_pays_maker_and_no_slippage(self) -> None:
        costs = Costs(taker_ratio=0.001, maker_ratio=0.0002, slippage_ratio=0.002)
        plan = plans(target=0.05)

        result = trade_returns(market(ENTRY, AFTER, LAST), plan, np.array([0]), costs)

        entry, leave = 100 * 1.002, 105
        paid = 0.001 * entry + 0.0002 * leave
        assert result[0] == pytest.approx((leave - entry - paid) / entry)

    def test_a_short_slips_the_other_way(self) -> None:
        costs = Costs(slippage_ratio=0.01)
        plan = plans(side=-1, stop=0.04)

        result = trade_returns(market(ENTRY, AFTER, LAST), plan, np.array([0]), costs)

        assert result[0] == pytest.approx((99 - 104 * 1.01) / 99)

    @settings(deadline=None)
    @given(st.integers(0, 2**32 - 1))
    def test_all_trades_at_once_equal_one_after_the_other(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        candles = martingale(rng, 60, steps=8)
        count = 25
        plan = TradePlans(
            rng.choice([-1, 1], count),
            rng.uniform(0.001, 0.01, count),
            np.where(rng.random(count) < 0.2, np.nan, rng.uniform(0.001, 0.02, count)),
            rng.integers(1, 20, count),
            rng.uniform(0.1, 2, count),
        )
        costs = Costs(0.0005, 0.0002, 0.0001)
        entries = rng.integers(0, 60 - plan.holding_bars, size=(4, count))

        result = trade_returns(candles, plan, entries, costs)

        expected = [
            [one_trade(candles, plan, number, int(row), costs) for number, row in enumerate(draw)]
            for draw in entries
        ]
        np.testing.assert_allclose(result, expected, atol=1e-12)

    def test_a_trade_that_outlasts_the_candles_is_refused(self) -> None:
        with pytest.raises(ValueError, match="exits at row 3 of 3 candles"):
            trade_returns(market(ENTRY, AFTER, LAST), plans(), np.array([1]), Costs())


def one_trade(candles: Market, plan: TradePlans, number: int, row: int, costs: Costs) -> float:
    """The rules again, one candle of one trade at a time, longs and shorts written out."""
    is_long = plan.side[number] > 0
    begin = candles.open[row]
    sign = 1 if is_long else -1
    stop = begin * (1 - sign * plan.stop_ratio[number])
    target = begin * (1 + sign * plan.target_ratio[number])
    end = row + plan.holding_bars[number]
    price, is_limit = candles.open[end], False
    for at in range(row, end):
        opened, high, low = candles.open[at], candles.high[at], candles.low[at]
        if (opened <= stop) if is_long else (opened >= stop):
            price = opened
        elif (opened >= target) if is_long else (opened <= target):
            price, is_limit = opened, True
        elif (low <= stop) if is_long else (high >= stop):
            price = stop
        elif (high >= target) if is_long else (low <= target):
            price, is_limit = target, True
        else:
            continue
        break
    entry = begin * (1 + sign * costs.slippage_ratio)
    leave = price if is_limit else price * (1 - sign * costs.slippage_ratio)
    fees = costs.taker_ratio * entry
    fees += (costs.maker_ratio if is_limit else costs.taker_ratio) * leave
    return float((sign * (leave - entry) - fees) / entry)


class TestMartingale:
    """Stops and targets of a few candles' range; both sides; time stops that often end trades."""

    MARKET = martingale(np.random.default_rng(2024), 6000)
    RNG = np.random.default_rng(7)
    PLANS = TradePlans(
        RNG.choice([-1, 1], 120),
        RNG.uniform(0.015, 0.03, 120),
        RNG.uniform(0.03, 0.06, 120),
        RNG.integers(6, 48, 120),
        np.full(120, 0.5),
    )

    def draw(self, costs: Costs):
        return random_entries(
            [self.MARKET],
            [self.PLANS],
            costs,
            np.random.default_rng(1),
            observed_mean_r=0.0,
            observed_total_return=0.0,
            draws=2000,
        )

    def test_random_entries_without_costs_earn_nothing(self) -> None:
        result = self.draw(Costs())

        # All draws share one path of 6,000 candles; as longs and shorts balance, its drift
        # hardly enters. A thirtieth of an R is 0.07 % of price.
        assert result.mean_r.mean() == pytest.approx(0.0, abs=0.033)
        assert result.total_return.mean() / (120 * 0.5) == pytest.approx(0.0, abs=0.0007)

    def test_random_entries_lose_what_they_cost(self) -> None:
        costs = Costs(taker_ratio=0.00045, maker_ratio=0.00045, slippage_ratio=0.0001)

        result = self.draw(costs)

        lost = self.draw(Costs()).mean_r.mean() - result.mean_r.mean()
        # Twice 0.055 % over the stop distance; targets do not slip, so at most a tenth less.
        full = 2 * 0.00055 * np.mean(1 / self.PLANS.stop_ratio)
        assert 0.88 * full < lost < 1.01 * full

    def test_many_paths_earn_nothing_on_average(self) -> None:
        # The proof proper: independent paths, so the standard error is honest.
        rng = np.random.default_rng(99)
        means = []
        for _ in range(60):
            candles = martingale(rng, 400)
            result = random_entries(
                [candles],
                [self.PLANS],
                Costs(),
                rng,
                observed_mean_r=0.0,
                observed_total_return=0.0,
                draws=200,
            )
            means.append(result.mean_r.mean())

        error = np.std(means, ddof=1) / math.sqrt(len(means))
        assert error < 0.02
        assert abs(np.mean(means)) < 3 * error

    def test_a_planted_edge_stands_out(self) -> None:
        candles = martingale(np.random.default_rng(5), 3000)
        up = np.flatnonzero(candles.close[:-24] < candles.open[24:] * 0.99)[:100]
        plan = plans(stop=0.02, target=0.04, bars=24, count=len(up))
        seen = trade_returns(candles, plan, up, Costs()) / plan.stop_ratio

        result = random_entries(
            [candles],
            [plan],
            Costs(),
            np.random.default_rng(6),
            observed_mean_r=float(seen.mean()),
            observed_total_return=float(seen.mean()),
        )

        assert result.mean_r_percentile > 99


class TestDraws:
    def test_one_seed_gives_one_distribution_over_several_pairs(self) -> None:
        rng = np.random.default_rng(8)
        markets = [martingale(rng, 200, steps=10), martingale(rng, 300, steps=10)]
        both = [plans(count=5), plans(side=-1, stop=0.01, target=math.nan, bars=24, count=7)]

        one, other = (
            random_entries(
                markets,
                both,
                Costs(0.001, 0.001),
                np.random.default_rng(9),
                observed_mean_r=0.0,
                observed_total_return=0.0,
                draws=200,
            )
            for _ in range(2)
        )

        assert one.mean_r.tolist() == other.mean_r.tolist()
        assert one.mean_r.shape == (200,)
        assert len(set(one.mean_r)) > 190
        assert one.mean_r_percentile > 95

    def test_a_pair_without_trades_plays_no_part(self) -> None:
        candles = martingale(np.random.default_rng(10), 50, steps=5)

        result = random_entries(
            [candles, candles],
            [plans(count=3), plans(count=0)],
            Costs(),
            np.random.default_rng(11),
            observed_mean_r=9.0,
            observed_total_return=9.0,
            draws=200,
        )

        assert result.mean_r_percentile == result.total_return_percentile == 100.0

    def test_no_trades_give_nan(self) -> None:
        result = random_entries(
            [],
            [],
            Costs(),
            np.random.default_rng(12),
            observed_mean_r=math.nan,
            observed_total_return=0.0,
        )

        assert math.isnan(result.mean_r_percentile)
        assert result.mean_r.shape == (0,)

    def test_a_thousand_draws_of_200_trades_take_seconds(self) -> None:
        candles = martingale(np.random.default_rng(13), 4380, steps=10)
        started = time.perf_counter()

        random_entries(
            [candles],
            [plans(stop=0.03, target=0.09, bars=24, count=200)],
            Costs(),
            np.random.default_rng(14),
            observed_mean_r=0.0,
            observed_total_return=0.0,
        )

        assert time.perf_counter() - started < 10  # 0.3 s on two idle cores

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"draws": 100}, "draws is 100: give 200 or more"),
            ({"plans": []}, "1 markets, 0 plans"),
            ({"plans": [plans(bars=3)]}, "has 3 candles, a trade holds 3: give a longer span"),
            ({"observed_mean_r": math.nan}, "observed_mean_r is nan"),
        ],
    )
    def test_what_cannot_be_drawn_is_refused(self, change, message) -> None:
        given = {
            "markets": [market(ENTRY, AFTER, LAST)],
            "plans": [plans()],
            "costs": Costs(),
            "rng": np.random.default_rng(15),
            "observed_mean_r": 0.0,
            "observed_total_return": 0.0,
        }

        with pytest.raises(ValueError, match=message):
            random_entries(**{**given, **change})


def test_a_percentile_counts_ties_half() -> None:
    assert percentile_of(2.0, [1.0, 2.0, 3.0, 4.0]) == 37.5
    with pytest.raises(ValueError, match="values is empty"):
        percentile_of(1.0, [])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"side": 2}, r"side\[0\] is 2: give \+1"),
        ({"stop": 0.0}, r"stop_ratio\[0\] is 0.0"),
        ({"stop": 1.0}, r"stop_ratio\[0\] is 1.0"),
        ({"target": -0.1}, r"target_ratio\[0\] is -0.1"),
        ({"target": 1.0, "side": -1}, r"target_ratio\[0\] is 1.0"),
        ({"bars": 0}, r"holding_bars\[0\] is 0"),
        ({"notional": 0.0}, r"notional_ratio\[0\] is 0.0"),
    ],
)
def test_impossible_plans_are_refused_by_name(change, message) -> None:
    with pytest.raises(ValueError, match=message):
        plans(**change)


def test_impossible_candles_are_refused_by_row() -> None:
    with pytest.raises(ValueError, match=r"candle 1 is open 101\.0, high 100\.0"):
        market(ENTRY, (101, 100, 98, 99))
    with pytest.raises(ValueError, match="lengths differ"):
        Market(np.ones(2), np.ones(2), np.ones(1), np.ones(2))


@pytest.mark.parametrize(
    "costs", [{"taker_ratio": -0.1}, {"maker_ratio": math.nan}, {"slippage_ratio": -0.1}]
)
def test_impossible_costs_are_refused(costs) -> None:
    with pytest.raises(ValueError, match="give"):
        Costs(**costs)
