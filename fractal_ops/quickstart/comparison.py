"""The comparison table, from the figures that freqtrade exported; none is recomputed."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from rich import box
from rich.table import Table

from fractal_ops.quickstart.errors import QuickstartError


@dataclass(frozen=True)
class StrategyResult:
    """Hold the figures of one strategy, as freqtrade exported them.

    Parameters
    ----------
    name : str
        Strategy class.
    trades, wins, draws, losses : int
        Closed trades and how they ended.
    winrate_ratio, profit_ratio, max_drawdown_ratio : float
        Shares: of winning trades, of profit on the starting balance, of the account.
    profit_factor : float
        Gains over losses; freqtrade writes 0 when there was no loss.
    sharpe : float
        Sharpe ratio of the closed trades.
    duration_avg : str
        Mean time in a trade.
    start, end, currency : str
        Span of the backtest and the stake currency.
    """

    name: str
    trades: int
    wins: int
    draws: int
    losses: int
    winrate_ratio: float
    profit_ratio: float
    max_drawdown_ratio: float
    profit_factor: float
    sharpe: float
    duration_avg: str
    start: str
    end: str
    currency: str

    @classmethod
    def from_export(cls, row: dict[str, Any], details: dict[str, Any]) -> Self:
        """Take the figures from a row of `strategy_comparison` and the strategy's own part."""
        return cls(
            name=row["key"],
            trades=row["trades"],
            wins=row["wins"],
            draws=row["draws"],
            losses=row["losses"],
            winrate_ratio=row["winrate"],
            profit_ratio=row["profit_total"],
            max_drawdown_ratio=row["max_drawdown_account"],
            profit_factor=row["profit_factor"],
            sharpe=row["sharpe"],
            duration_avg=row["duration_avg"],
            start=details["backtest_start"],
            end=details["backtest_end"],
            currency=details["stake_currency"],
        )


def latest_export(results_dir: Path) -> Path | None:
    """Find the export of the latest backtest.

    Parameters
    ----------
    results_dir : Path
        `user_data/backtest_results`.

    Returns
    -------
    Path or None
        The zip file that freqtrade wrote last; None before the first.
    """
    try:
        pointer = json.loads((results_dir / ".last_result.json").read_text("utf-8"))
    except FileNotFoundError:
        return None
    return results_dir / str(pointer["latest_backtest"])


def read_comparison(export: Path) -> list[StrategyResult]:
    """Read every strategy's figures from a backtest export.

    Parameters
    ----------
    export : Path
        freqtrade's zip file.

    Returns
    -------
    list of StrategyResult
        In the order of the backtest's strategy list.

    Raises
    ------
    QuickstartError
        The file is not an export of the freqtrade release we are pinned to.
    """
    try:
        with zipfile.ZipFile(export) as archive:
            content = json.loads(archive.read(f"{export.stem}.json"))
        rows, details = content["strategy_comparison"], content["strategy"]
        return [StrategyResult.from_export(row, details[row["key"]]) for row in rows]
    except (KeyError, zipfile.BadZipFile, json.JSONDecodeError) as error:
        raise QuickstartError(
            f"{export} is not a backtest export that we understand ({error!r})",
            "move it away and start again with --rerun",
            exit_status=1,
        ) from error


def comparison_table(results: list[StrategyResult], note: str = "") -> Table:
    """Lay the figures out for the terminal.

    Parameters
    ----------
    results : list of StrategyResult
        At least one.
    note : str
        What to keep in mind about the market they were taken on.

    Returns
    -------
    rich.table.Table
        One row a strategy.
    """
    first = results[0]
    table = Table(
        # Without frames it fits 80 columns, so that no figure is ever cut.
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title=f"Backtest {first.start[:16]} to {first.end[:16]} UTC",
        caption=f"Figures as exported by freqtrade. {note}".strip(),
    )
    table.add_column("Strategy", no_wrap=True)
    for heading in (
        "Trades", "Win rate", "Profit", "Profit\nfactor", "Max\ndrawdown", "Sharpe", "Mean\ntime",
    ):  # fmt: skip
        table.add_column(heading, justify="right", no_wrap=True)
    for result in results:
        table.add_row(result.name, *_cells(result))
    return table


def _cells(result: StrategyResult) -> list[str]:
    if result.trades == 0:
        return ["0", *["-"] * 6]
    return [
        str(result.trades),
        f"{result.winrate_ratio:.1%}",
        f"{result.profit_ratio:+.2%}",
        f"{result.profit_factor:.2f}" if result.losses else "no loss",
        f"{result.max_drawdown_ratio:.2%}",
        f"{result.sharpe:.2f}",
        _short(result.duration_avg),
    ]


def _short(duration: str) -> str:
    """Shorten freqtrade's ``1 day, 12:07:00`` to ``1d 12h``."""
    days, _, rest = duration.rpartition(", ")
    hours = int(rest.split(":")[0])
    return f"{days.split()[0]}d {hours}h" if days else f"{hours}h {int(rest.split(':')[1])}m"
