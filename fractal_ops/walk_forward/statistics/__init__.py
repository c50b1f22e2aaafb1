"""The statistics of walk-forward validation: small functions on numpy arrays.

Nothing here knows freqtrade, files or time. Sharpe ratios that are compared with each other by
:mod:`.sharpe`, :mod:`.deflated` and :mod:`.pbo` are per day; the ones that are reported
(:func:`sharpe_ratio`, :func:`sharpe_interval`) are annualised with sqrt(365). Randomness comes
from the generator that the caller hands in.
"""

from .bootstrap import Interval, mean_r_interval, sharpe_interval
from .deflated import DeflatedSharpe, deflate, deflated_sharpe_ratio, expected_maximum_sharpe
from .evidence import Evidence
from .fills import trade_returns
from .pbo import BacktestOverfitting, backtest_overfitting
from .performance import (
    DAYS_PER_YEAR,
    calmar_ratio,
    daily_sharpe,
    max_drawdown,
    mean_r,
    profit_factor,
    sharpe_ratio,
    sortino_ratio,
    win_rate,
)
from .plans import Costs, Market, TradePlans
from .random_entries import RandomEntries, percentile_of, random_entries
from .returns import daily_profits, daily_returns, equity_curve
from .sharpe import (
    SharpeMoments,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
    sharpe_moments,
)
from .shuffle import ShuffledDrawdowns, shuffled_drawdowns
from .stability import Stability, stability
from .stationary import block_length, resample_rows
from .trials import effective_trials, mean_correlation
from .verdict import RULES, Rule, Verdict, Word, judge

__all__ = [
    "DAYS_PER_YEAR",
    "RULES",
    "BacktestOverfitting",
    "Costs",
    "DeflatedSharpe",
    "Evidence",
    "Interval",
    "Market",
    "RandomEntries",
    "Rule",
    "SharpeMoments",
    "ShuffledDrawdowns",
    "Stability",
    "TradePlans",
    "Verdict",
    "Word",
    "backtest_overfitting",
    "block_length",
    "calmar_ratio",
    "daily_profits",
    "daily_returns",
    "daily_sharpe",
    "deflate",
    "deflated_sharpe_ratio",
    "effective_trials",
    "equity_curve",
    "expected_maximum_sharpe",
    "judge",
    "max_drawdown",
    "mean_correlation",
    "mean_r",
    "mean_r_interval",
    "minimum_track_record_length",
    "percentile_of",
    "probabilistic_sharpe_ratio",
    "profit_factor",
    "random_entries",
    "resample_rows",
    "sharpe_interval",
    "sharpe_moments",
    "sharpe_ratio",
    "shuffled_drawdowns",
    "sortino_ratio",
    "stability",
    "trade_returns",
    "win_rate",
]
