"""The plan of a trade, and its life in freqtrade's database."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from freqtrade.persistence import Trade, init_db

from fractal_strategies.trading.plan import PLAN_KEY, TradePlan
from fractal_strategies.trading.setups import Setup

NAN = float("nan")


def setup(side=1, *, stop=98.0, target=NAN, target_r=NAN, limit=NAN) -> Setup:
    return Setup(side, "tag", 66.6, limit, stop, target, target_r, 30, 24)


class TestFromSetup:
    @pytest.mark.parametrize(
        ("side", "stop", "fill", "expected"),
        [
            (1, 98.0, 100.0, 106.0),
            (1, 98.0, 101.0, 110.0),  # a worse fill moves the target along
            (-1, 102.0, 100.0, 94.0),
            (-1, 102.0, 99.0, 90.0),
        ],
    )
    def test_a_target_in_r_is_measured_from_the_fill(self, side, stop, fill, expected):
        plan = TradePlan.from_setup(setup(side, stop=stop, target_r=3.0), fill)

        assert plan.target == pytest.approx(expected)
        assert plan.r_multiple(expected) == pytest.approx(3.0)

    def test_a_target_price_stays_where_it_is(self):
        plan = TradePlan.from_setup(setup(target=105.0, target_r=3.0), 101.0)

        assert plan.target == 105.0

    def test_no_target_is_none(self):
        assert TradePlan.from_setup(setup(), 100.0).target is None

    def test_an_unreachable_target_of_a_short_is_none(self):
        assert TradePlan.from_setup(setup(-1, stop=150.0, target_r=3.0), 100.0).target is None

    def test_it_remembers_what_the_hooks_need(self):
        plan = TradePlan.from_setup(setup(limit=100.0), 100.0)

        assert (plan.tag, plan.side, plan.entry, plan.stop) == ("tag", 1, 100.0, 98.0)
        assert (plan.max_bars, plan.confidence, plan.resting) == (24, 66.6, True)


class TestPrices:
    @pytest.mark.parametrize(
        ("side", "stop", "price", "r"),
        [
            (1, 98.0, 104.0, 2.0),
            (1, 98.0, 98.0, -1.0),
            (-1, 102.0, 96.0, 2.0),
            (-1, 102.0, 103, -1.5),
        ],
    )
    def test_the_r_multiple_counts_the_risk_taken(self, side, stop, price, r):
        assert TradePlan.from_setup(setup(side, stop=stop), 100.0).r_multiple(price) == r

    @pytest.mark.parametrize(
        ("side", "stop", "price", "beyond", "beyond_with_slack"),
        [
            (1, 100.0, 100.0, False, False),
            (1, 100.0, 99.9, True, False),
            (1, 100.0, 99.6, True, True),
            (-1, 100.0, 100.0, False, False),
            (-1, 100.0, 100.1, True, False),
            (-1, 100.0, 100.4, True, True),
            (-1, 100.0, 99.0, False, False),
        ],
    )
    def test_beyond_the_stop(self, side, stop, price, beyond, beyond_with_slack):
        entry = 100.0 + side
        plan = TradePlan.from_setup(setup(side, stop=stop), entry)

        assert plan.is_beyond_stop(price) is beyond
        assert plan.is_beyond_stop(price, 0.003) is beyond_with_slack


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    url = f"sqlite:///{tmp_path / 'trades.sqlite'}"
    yield url
    _close()


def _close() -> None:
    Trade.session.remove()
    Trade.session.get_bind().dispose()


def _open_trade() -> Trade:
    trade = Trade(
        pair="BTC/USDC:USDC",
        stake_amount=100.0,
        amount=1.0,
        open_rate=100.0,
        open_date=datetime(2025, 1, 1, tzinfo=UTC),
        fee_open=0.0,
        fee_close=0.0,
        is_open=True,
        exchange="hyperliquid",
    )
    Trade.session.add(trade)
    Trade.commit()
    return trade


class TestStored:
    def test_it_survives_a_restart(self, database):
        plan = TradePlan.from_setup(setup(target_r=3.0), 100.0)
        init_db(database)
        _open_trade().set_custom_data(PLAN_KEY, plan.to_json())
        _close()

        init_db(database)  # another session on the same file: the bot started again
        trade = Trade.get_trades_proxy(is_open=True)[0]

        assert TradePlan.from_json(trade.get_custom_data(PLAN_KEY)) == plan

    def test_none_and_bools_come_back_as_they_were(self, database):
        plan = TradePlan.from_setup(setup(limit=100.0), 100.0)
        init_db(database)
        trade = _open_trade()
        trade.set_custom_data(PLAN_KEY, plan.to_json())

        stored = trade.get_custom_data(PLAN_KEY)

        assert stored["target"] is None
        assert stored["resting"] is True


@pytest.mark.parametrize(
    "stored",
    [
        {"tag": "a"},  # a key is missing
        TradePlan.without_setup("a", 1, 100.0, 95.0).to_json() | {"colour": "red"},
        ["not", "a", "plan"],
    ],
)
def test_an_unreadable_plan_is_an_error_that_shows_it(stored):
    with pytest.raises(ValueError, match=r"stored trade plan .* does not fit"):
        TradePlan.from_json(stored)
