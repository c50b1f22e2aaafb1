"""SmcStrategy: everything that the plugins share."""

import logging
from abc import abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.exchange import timeframe_to_minutes
from freqtrade.ft_types import AnnotationType
from freqtrade.persistence import Order, Trade
from freqtrade.strategy import IntParameter, stoploss_from_absolute

from fractal_protections.portfolio import (
    DenialCode,
    Denied,
    EntryTerms,
    PortfolioGuard,
    fail_closed,
)
from fractal_strategies.smc import COLUMNS, SmcConfig, detect

from .charts import PLOT_CONFIG, annotations
from .plan import PLAN_KEY, TradePlan
from .settings import StrategySettings
from .setups import SETUP_COLUMNS, Reading, Setup, combine

logger = logging.getLogger(__name__)

TREND_EMA_HOURS = 200
"""Span of the trend average: 50 candles of 4h, whatever the timeframe."""
STOP_FALLBACK_RATIO = 0.003
"""How far price may run beyond a stop before the bot leaves by itself: by then a stop-limit
resting on the exchange has been triggered and has missed."""
LIMIT_SLACK_RATIO = 0.001
"""How much worse than its limit a resting entry may be sent: a tick's rounding."""
BASELINE_BARS = 100
"""Candles whose median range is what is usual for a pair."""
TAKER_FEE_RATIO = 0.0005
"""Fee that sizing reckons with: Hyperliquid takes 0.045 % from takers without volume."""
TINY_STOP = 1e-6
"""Smallest stop distance: freqtrade ignores a distance of 0 and would keep the wide stop."""


class SmcStrategy(PortfolioGuard):
    """Base of the Smart Money Concepts strategies.

    A plugin defines :meth:`readings`; this class detects, filters, enters, stores stop and target
    with the trade, and leaves. The portfolio's guard sizes every entry, or denies it.

    Notes
    -----
    The stop rests on the exchange where it can (``stoploss_on_exchange``) and is held by
    ``custom_stoploss``; should a triggered stop-limit miss, ``custom_exit`` leaves at the
    market's price. The target is a ``custom_roi``, so that a backtest fills it inside the candle.
    """

    INTERFACE_VERSION = 3
    can_short = True
    timeframe = "2h"
    process_only_new_candles = True
    startup_candle_count = 400

    minimal_roi: ClassVar[dict[str, float]] = {}
    use_custom_roi = True
    stoploss = -0.6
    use_custom_stoploss = True
    use_exit_signal = True
    position_adjustment_enable = False
    # A signal is worth taking when its candle has just closed, not after a restart hours later.
    ignore_buying_expired_candle_after = 900

    order_types: ClassVar[dict[str, Any]] = {
        "entry": "limit",
        "exit": "limit",
        "emergency_exit": "market",
        "force_entry": "limit",
        "force_exit": "market",
        "stoploss": "limit",
        "stoploss_on_exchange": True,
        "stoploss_on_exchange_interval": 60,
        "stoploss_on_exchange_limit_ratio": 0.97,
    }
    order_time_in_force: ClassVar[dict[str, str]] = {"entry": "GTC", "exit": "GTC"}
    # Resting entries are withdrawn by check_entry_timeout, at their setup's own age.
    unfilledtimeout: ClassVar[dict[str, Any]] = {"exit": 10, "unit": "minutes"}

    plot_config: ClassVar[dict[str, Any]] = PLOT_CONFIG

    reads_higher_timeframe: ClassVar[bool] = False
    """Whether ``higher_timeframe_alignment`` means anything to this strategy."""

    swing_width = IntParameter(3, 5, default=5, space="buy", optimize=True)
    min_confidence = IntParameter(0, 80, default=40, space="buy", optimize=True)

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        # The config wins over the class, and is merged only after this constructor.
        self.timeframe = config.get("timeframe") or self.timeframe
        try:
            self.settings = StrategySettings.from_config(config)
            self.startup_candle_count = max(self.smc_config().warmup_bars, self.correlation_bars())
        except ValueError as error:
            raise OperationalException(str(error)) from error
        if self.settings.higher_timeframe_alignment and not self.reads_higher_timeframe:
            logger.warning(
                "fractal.strategy.higher_timeframe_alignment is on, but %s does not use it: only "
                "BosOrderBlock does",
                type(self).__name__,
            )
        # freqtrade moves custom entry prices nearer than 2 % by default, which would turn a
        # resting entry into another trade.
        config.setdefault("custom_price_max_distance_ratio", 2 * self.settings.max_stop_ratio)

    # -- what a plugin answers -----------------------------------------------------------

    @abstractmethod
    def readings(self, frame: pd.DataFrame) -> Sequence[Reading]:
        """Find this strategy's setups, in order of priority.

        Parameters
        ----------
        frame
            Candles with the SMC columns.

        Returns
        -------
        sequence of Reading
            Arrays as long as `frame`; row t may use rows <= t only.
        """

    def check_parameters(self) -> None:
        """Refuse a combination of parameters that can not work.

        Raises
        ------
        OperationalException
            The combination, and what to change.
        """

    def smc_config(self) -> SmcConfig:
        """Detector settings for this strategy's timeframe and parameters."""
        minutes = timeframe_to_minutes(self.timeframe)
        return SmcConfig(
            swing_width=int(self.swing_width.value),
            trend_ema_bars=max(2, round(TREND_EMA_HOURS * 60 / minutes)),
        )

    # -- from candles to signals ---------------------------------------------------------

    def ft_bot_start(self, **kwargs: Any) -> None:
        """Check the parameters once freqtrade has loaded them.

        ``bot_start`` would come too early: freqtrade runs it before it reads the parameter file.
        """
        super().ft_bot_start(**kwargs)
        self.check_parameters()

    def populate_indicators(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        """Add the SMC columns."""
        return detect(dataframe, self.smc_config())

    def populate_entry_trend(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        """Add the setup columns and freqtrade's entry signals."""
        if self._runmode == RunMode.HYPEROPT:
            # Indicators are computed once per hyperopt, but the swing width is one of its
            # parameters; detecting again takes milliseconds.
            self.check_parameters()
            dataframe = detect(dataframe, self.smc_config())
        setups = combine(
            dataframe,
            self.readings(dataframe),
            min_confidence=float(self.min_confidence.value),
            min_stop_ratio=self.settings.min_stop_ratio,
            max_stop_ratio=self.settings.max_stop_ratio,
        )
        setups["enter_long"] = (setups["setup_side"] > 0).astype(int)
        setups["enter_short"] = (setups["setup_side"] < 0).astype(int)
        setups["enter_tag"] = setups["setup_tag"].where(setups["setup_side"] != 0, None)
        kept = dataframe.drop(columns=[name for name in setups if name in dataframe.columns])
        return pd.concat([kept, setups], axis=1)

    def populate_exit_trend(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        """Leave exits to stop, target and time stop."""
        return dataframe

    # -- entering ------------------------------------------------------------------------

    def leverage(
        self,
        pair: str,
        current_time: datetime,
        current_rate: float,
        proposed_leverage: float,
        max_leverage: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float:
        """Use the configured leverage, or the venue's most if that is less."""
        return float(int(min(self.settings.leverage, max_leverage)))

    def custom_entry_price(
        self,
        pair: str,
        trade: Trade | None,
        current_time: datetime,
        proposed_rate: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float:
        """Rest at the setup's limit, or take the price that freqtrade proposes."""
        setup = self._setup_at(pair, current_time)
        return setup.limit if setup is not None and setup.is_resting else proposed_rate

    def entry_terms(
        self, pair: str, side: int, rate: float, now: datetime, entry_tag: str | None
    ) -> EntryTerms | Denied:
        """Tell the portfolio what an entry would be, if it still is what its setup proposed."""
        frame = self._known(pair, now)
        setup = self._setup_in(frame, now)
        if setup is None or setup.side != side:
            direction = "long" if side > 0 else "short"
            return _no_setup(f"no {direction} setup on the last closed candle")
        distance = side * (rate - setup.stop) / rate
        if not 0.5 * self.settings.min_stop_ratio <= distance <= self.settings.max_stop_ratio:
            return _no_setup(f"price {rate} has moved to {distance:.2%} from the stop {setup.stop}")
        if setup.is_resting and side * (rate - setup.limit) > LIMIT_SLACK_RATIO * rate:
            # freqtrade falls back to the market's price where custom_entry_price fails, and pulls
            # a far limit nearer: both would be another trade.
            return _no_setup(f"price {rate} is worse than the limit {setup.limit}")
        recent = frame.iloc[-BASELINE_BARS:]
        ranges = (recent["atr"] / recent["close"]).to_numpy(dtype=float)
        return EntryTerms(
            side=side,
            entry=rate,
            stop=setup.stop,
            confidence=setup.confidence,
            atr=float(ranges[-1]),
            atr_baseline=float(np.median(ranges)),
            fee_ratio=self._fee_ratio(),
        )

    def check_entry_timeout(
        self, pair: str, trade: Trade, order: Order, current_time: datetime, **kwargs: Any
    ) -> bool:
        """Withdraw a resting entry when its setup is old or has failed.

        A close beyond the stop before the fill is the failed retest: price went through the
        zone instead of turning in it. A partial fill ends the waiting too: freqtrade holds no
        stop for what has filled until the order is closed.
        """
        if order.safe_filled > 0.0:
            return True
        placed = order.order_date_utc
        setup = self._setup_at(pair, placed)
        if setup is None or not setup.is_resting:
            return bool(current_time - placed >= min(self._bar, timedelta(minutes=30)))
        if current_time - placed >= setup.expiry_bars * self._bar:
            return True
        frame = self._known(pair, current_time)
        since = frame.loc[frame["date"] + self._bar > placed, "close"]
        return bool((setup.side * (since - setup.stop) < 0.0).any())

    # -- holding and leaving -------------------------------------------------------------

    def on_order_filled(
        self, pair: str, trade: Trade, order: Order, current_time: datetime
    ) -> None:
        """Store the plan with the trade when its entry fills, so that it survives a restart.

        Where the setup can not be found again (a forced entry, candles lost in a restart), the
        trade is held with the widest stop that a setup may have.
        """
        if order.ft_order_side != trade.entry_side:
            return
        setup = self._setup_of_entry(pair=pair, order=order)
        entry = float(trade.open_rate)
        if setup is None:
            side = -1 if trade.is_short else 1
            stop = entry * (1.0 - side * self.settings.max_stop_ratio)
            plan = TradePlan.without_setup(trade.enter_tag or "", side, entry, stop)
            logger.error(
                "%s: no setup found for the filled entry %s; stop set to %s, no target",
                pair,
                order.order_id,
                stop,
            )
        else:
            plan = TradePlan.from_setup(setup, entry)
        trade.set_custom_data(PLAN_KEY, plan.to_json())

    def plan_of(self, trade: Trade) -> TradePlan | None:
        """Read the plan stored with a trade; None for a trade that this strategy did not plan."""
        stored = trade.get_custom_data(PLAN_KEY)
        return TradePlan.from_json(stored) if stored else None

    def custom_stoploss(
        self,
        pair: str,
        trade: Trade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        after_fill: bool,
        **kwargs: Any,
    ) -> float | None:
        """Put the stop where the plan has it, once.

        Set at the fill (`after_fill`) it counts as the trade's stop loss, which a backtest
        checks before the target; set later freqtrade would take it for a trailing stop, checked
        after the target, and a candle that holds both would be booked as a win.
        """
        plan = self.plan_of(trade)
        if plan is None:
            return None
        in_place = plan.side * (trade.stop_loss - plan.stop) > -1e-4 * plan.stop
        if in_place and not after_fill:
            return None
        distance = stoploss_from_absolute(
            plan.stop, current_rate, is_short=trade.is_short, leverage=trade.leverage
        )
        return max(float(distance), TINY_STOP)

    def custom_roi(
        self,
        pair: str,
        trade: Trade,
        current_time: datetime,
        trade_duration: int,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float | None:
        """Translate the plan's target price into the profit ratio that freqtrade compares.

        In the candle that fills a resting entry, nobody knows whether the target's price came
        before or after the fill, so a target does not count there.
        """
        plan = self.plan_of(trade)
        if plan is None or plan.target is None:
            return None
        # Not by `trade_duration`: it counts from the order, not from the fill.
        filled = trade.date_entry_fill_utc
        if plan.resting and filled is not None and current_time <= filled:
            return None
        return float(trade.calc_profit_ratio(plan.target))

    def custom_exit(
        self,
        pair: str,
        trade: Trade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        **kwargs: Any,
    ) -> str | None:
        """Leave on the time stop, or when a triggered stop-limit has missed."""
        self.note_rate(pair, current_rate, current_time)
        plan = self.plan_of(trade)
        if plan is None:
            return None
        if plan.is_beyond_stop(current_rate, STOP_FALLBACK_RATIO):
            return "stop_fallback"
        filled = trade.date_entry_fill_utc
        held = current_time - filled if filled is not None else timedelta(0)
        return "time_stop" if plan.max_bars and held >= plan.max_bars * self._bar else None

    # -- showing -------------------------------------------------------------------------

    def plot_annotations(
        self,
        pair: str,
        start_date: datetime,
        end_date: datetime,
        dataframe: pd.DataFrame,
        **kwargs: Any,
    ) -> list[AnnotationType]:
        """Draw live zones, liquidity, structure, and the open trade's stop and target."""
        open_trades: list[Trade] = []
        if self._runmode in (RunMode.LIVE, RunMode.DRY_RUN):
            open_trades = Trade.get_trades_proxy(pair=pair, is_open=True)
        plans = [
            (trade.open_date_utc, plan) for trade in open_trades if (plan := self.plan_of(trade))
        ]
        return annotations(dataframe, self.smc_config(), start_date, end_date, plans)

    # -- helpers -------------------------------------------------------------------------

    @property
    def _runmode(self) -> RunMode:
        # freqtrade sets `dp` after the constructor; until then there is no such attribute.
        dp = getattr(self, "dp", None)
        return RunMode.OTHER if dp is None else dp.runmode

    @property
    def _bar(self) -> timedelta:
        return timedelta(minutes=timeframe_to_minutes(self.timeframe))

    def _known(self, pair: str, now: datetime) -> pd.DataFrame:
        """Analysed candles that had closed by `now`."""
        if getattr(self, "dp", None) is None:
            raise RuntimeError("the data provider is not set up yet")
        frame, _ = self.dp.get_analyzed_dataframe(pair, self.timeframe)
        if not len(frame):
            return frame  # type: ignore[no-any-return]
        # Dates ascend, so this is a cut, not a mask over every row.
        known = frame["date"].searchsorted(now.astimezone(UTC) - self._bar, side="right")
        return frame.iloc[:known]  # type: ignore[no-any-return]

    def _setup_at(self, pair: str, now: datetime) -> Setup | None:
        """Read the setup on the candle that was the last closed one at `now`."""
        return self._setup_in(self._known(pair, now), now)

    def _setup_in(self, frame: pd.DataFrame, now: datetime) -> Setup | None:
        if not len(frame) or now - frame["date"].iloc[-1] >= 2 * self._bar:
            return None
        if not frame["setup_side"].to_numpy()[-1]:
            return None
        return Setup.from_row(frame.iloc[-1])

    def _fee_ratio(self) -> float:
        """Fee of one fill over its notional: the config's, or a little above the venue's taker."""
        fee = self.config.get("fee")
        return TAKER_FEE_RATIO if fee is None else float(fee)

    @fail_closed(None)
    def _setup_of_entry(self, pair: str, order: Order) -> Setup | None:
        """Read the setup that an entry order was sent for."""
        setup = self._setup_at(pair, order.order_date_utc)
        is_long = order.ft_order_side == "buy"
        return setup if setup is not None and (setup.side > 0) == is_long else None


def _no_setup(why: str) -> Denied:
    return Denied(DenialCode.NO_SETUP, why)


ALL_COLUMNS = (*COLUMNS, *SETUP_COLUMNS)
"""Every column that a plugin's frame carries beside the candles."""
