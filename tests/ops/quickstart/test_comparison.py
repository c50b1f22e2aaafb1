import dataclasses
import io
import json
import zipfile

import pytest
from rich.console import Console

from fractal_ops.quickstart.comparison import (
    StrategyResult,
    comparison_table,
    latest_export,
    read_comparison,
)
from fractal_ops.quickstart.errors import QuickstartError

RESULT = StrategyResult(
    name="FvgFill", trades=3, wins=2, draws=0, losses=1, winrate_ratio=2 / 3,
    profit_ratio=-0.01234, max_drawdown_ratio=0.05, profit_factor=0.87, sharpe=-0.5,
    duration_avg="9:20:00", start="2025-01-01 00:00:00", end="2025-02-01 00:00:00",
    currency="USDC",
)  # fmt: skip


def rendered(*results, width=160):
    console = Console(file=io.StringIO(), width=width)
    console.print(comparison_table(list(results)))
    return console.file.getvalue()


def test_figures_are_shown_as_exported():
    text = rendered(RESULT)

    for part in ("FvgFill", "66.7%", "-1.23%", "0.87", "5.00%", "-0.50", "9h 20m"):
        assert part in text


def test_no_figure_is_cut_on_a_terminal_of_80_columns():
    wide = dataclasses.replace(
        RESULT,
        name="LiquiditySweep",
        trades=1234,
        profit_ratio=-0.12345,
        duration_avg="12 days, 23:45:00",
    )

    text = rendered(wide, width=80)

    assert "…" not in text
    for part in ("LiquiditySweep", "1234", "-12.35%", "12d 23h"):
        assert part in text


def test_without_a_loss_the_profit_factor_says_so_instead_of_zero():
    assert "no loss" in rendered(dataclasses.replace(RESULT, losses=0, profit_factor=0.0))


def test_a_strategy_without_trades_shows_no_invented_figures():
    row = rendered(dataclasses.replace(RESULT, trades=0))

    assert "%" not in row
    assert "FvgFill" in row


def test_a_foreign_file_is_an_error_with_a_remedy(tmp_path):
    export = tmp_path / "x.zip"
    export.write_bytes(b"not a zip")

    with pytest.raises(QuickstartError, match=r"not a backtest export.*--rerun"):
        read_comparison(export)


def test_an_export_without_a_figure_is_an_error_that_names_it(tmp_path):
    export = tmp_path / "x.zip"
    with zipfile.ZipFile(export, "w") as archive:
        archive.writestr(
            "x.json", json.dumps({"strategy_comparison": [{"key": "A"}], "strategy": {"A": {}}})
        )

    with pytest.raises(QuickstartError, match="trades"):
        read_comparison(export)


def test_the_latest_export_is_the_one_that_freqtrade_points_to(tmp_path):
    (tmp_path / ".last_result.json").write_text('{"latest_backtest": "b.zip"}')

    assert latest_export(tmp_path) == tmp_path / "b.zip"
