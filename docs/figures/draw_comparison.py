"""Draw the comparison table that ``scripts/run.sh --once`` printed last.

Run it after that, from the repository's root: ``python docs/figures/draw_comparison.py``. It writes
``docs/images/comparison.svg`` from freqtrade's newest export.
"""

import io
from pathlib import Path

from rich.console import Console

from fractal_ops.quickstart.comparison import comparison_table, latest_export, read_comparison

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Read the newest export and draw it."""
    export = latest_export(ROOT / "user_data" / "backtest_results")
    if export is None:
        raise SystemExit("no backtest yet: run scripts/run.sh --once first")
    console = Console(record=True, width=118, file=io.StringIO())
    console.print(
        comparison_table(read_comparison(export), "A random market: no edge to be found.")
    )
    target = ROOT / "docs" / "images" / "comparison.svg"
    console.save_svg(str(target), title="scripts/run.sh --once")


if __name__ == "__main__":
    main()
