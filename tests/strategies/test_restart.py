"""A trade's plan outlives the process: filled by one bot, held by the next."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from freqtrade.enums import TradingMode
from freqtrade.persistence import Trade, init_db
from freqtrade.strategy.strategy_wrapper import strategy_safe_wrapper

from tests.strategies.bots import PAIR, START, StubProvider, candle_table, hours, load, with_setups
from tests.strategies.trades import entry_order

CALM = (100.0, 101.0, 99.0, 100.0)
CLOSED = START + hours(3)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    yield f"sqlite:///{tmp_path / 'trades.sqlite'}"
    stop_process()


def stop_process() -> None:
    Trade.session.remove()
    Trade.session.get_bind().dispose()


def fill_a_short() -> None:
    """The first process: an entry of a planned short fills."""
    setup = {"side": -1, "stop": 103.0, "target_r": 2.0, "max_bars": 24}
    strategy = load("ScriptedTrades", timeframe="1h")
    strategy.dp = StubProvider(with_setups(candle_table([CALM] * 3), {2: setup}))
    trade = Trade(
        pair=PAIR,
        stake_amount=33.0,
        amount=1.0,
        open_rate=99.0,
        open_date=CLOSED,
        fee_open=0.0005,
        fee_close=0.0005,
        is_open=True,
        is_short=True,
        leverage=3.0,
        trading_mode=TradingMode.FUTURES,
        exchange="hyperliquid",
        enter_tag="scripted",
        price_precision=0.01,
        precision_mode_price=4,
    )
    order = entry_order(is_short=True, rate=99.0, placed=CLOSED, filled_at=CLOSED)
    trade.orders.append(order)
    Trade.session.add(trade)
    Trade.commit()
    assert trade.is_open  # loads the row again, as freqtrade has when it calls the hook
    # As freqtrade calls it: with a copy of the trade.
    strategy_safe_wrapper(strategy.order_filled)(
        pair=PAIR, trade=trade, order=order, current_time=CLOSED
    )
    Trade.commit()


def test_stop_target_and_time_stop_are_held_by_the_next_process(database):
    init_db(database)
    fill_a_short()
    stop_process()

    init_db(database)
    strategy = load("ScriptedTrades", timeframe="1h")  # knows no candles at all
    (trade,) = Trade.get_trades_proxy(is_open=True)
    now = CLOSED + timedelta(hours=1)

    strategy.ft_stoploss_adjust(99.0, trade, now, 0.0, 0)
    assert trade.stop_loss == pytest.approx(103.0)
    _, ratio = strategy.min_roi_reached_entry(trade, 60, now)
    assert trade.calc_close_rate_for_roi(ratio) == pytest.approx(99.0 - 2 * 4.0)
    timing = {"pair": PAIR, "trade": trade, "current_rate": 99.0, "current_profit": 0.0}
    assert strategy.custom_exit(current_time=now, **timing) is None
    assert strategy.custom_exit(current_time=CLOSED + hours(24), **timing) == "time_stop"


def test_an_open_trade_is_drawn_with_its_stop_and_target(database):
    init_db(database)
    fill_a_short()
    strategy = load("ScriptedTrades", timeframe="1h")
    frame = with_setups(candle_table([CALM] * 6), {})
    strategy.dp = StubProvider(frame)

    drawn = strategy.ft_plot_annotations(PAIR, frame)

    levels = {mark["label"]: mark["y_start"] for mark in drawn}
    assert levels == {"stop scripted": 103.0, "target scripted": pytest.approx(91.0)}
    assert all(mark["start"] == CLOSED for mark in drawn)
