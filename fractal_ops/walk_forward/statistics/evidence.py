"""What a verdict is made of."""

from dataclasses import dataclass

from ._checks import at_least


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the verdict is made of; every figure is out-of-sample and after costs.

    Parameters
    ----------
    trades, days
        How many trades closed in how many scored days.
    mean_r
        Mean R multiple; nan without trades.
    mean_r_low
        Lower end of its 95 % confidence interval.
    probabilistic_sharpe
        Probability that the Sharpe is above 0.
    deflated_sharpe
        The same above what the number of trials finds by luck.
    stressed_mean_r
        Mean R with fees and slippage doubled.
    positive_windows
        Share of windows with a Sharpe above 0.
    random_percentile
        Per cent of random entries that the mean R exceeds, 0 to 100.
    overfitting
        Probability of backtest overfitting; None where no trials were made.

    Raises
    ------
    ValueError
        A count is below 0, or a probability, share or percentile outside its range.

    Notes
    -----
    nan is a figure that is not defined or was not measured: it never speaks for a strategy.
    """

    trades: int
    days: int
    mean_r: float
    mean_r_low: float
    probabilistic_sharpe: float
    deflated_sharpe: float
    stressed_mean_r: float
    positive_windows: float
    random_percentile: float
    overfitting: float | None = None

    def __post_init__(self) -> None:
        at_least("trades", self.trades, 0)
        at_least("days", self.days, 0)
        for name, highest in (
            ("probabilistic_sharpe", 1.0),
            ("deflated_sharpe", 1.0),
            ("positive_windows", 1.0),
            ("random_percentile", 100.0),
            ("overfitting", 1.0),
        ):
            value = getattr(self, name)
            if value is not None and (value < 0 or value > highest):
                raise ValueError(f"{name} is {value}: give 0 to {highest:g}, or nan if unknown")
