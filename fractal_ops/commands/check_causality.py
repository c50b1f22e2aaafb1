"""`fractal check-causality`: tell whether a strategy reads the future."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

# freqtrade takes seconds to import: only the command that runs pays for it.
if TYPE_CHECKING:
    from fractal_ops.walk_forward.causality_report import CausalityReport
    from fractal_ops.walk_forward.replay_setup import Bench

_FEWEST = 20


def check_causality(
    strategy: Annotated[str, typer.Option("--strategy", "-s", help="Class of the strategy.")],
    config: Annotated[
        list[Path] | None,
        typer.Option(
            "--config",
            "-c",
            help="freqtrade config (repeatable).",
            show_default="config.testnet.json",
        ),
    ] = None,
    datadir: Annotated[
        Path | None, typer.Option("--datadir", "-d", help="freqtrade's data directory.")
    ] = None,
    timerange: Annotated[
        str | None,
        typer.Option(
            help="Candles to replay, such as 20240701-20250101.", show_default="the newest 5,000"
        ),
    ] = None,
    pairs: Annotated[
        str | None,
        typer.Option("--pairs", "-p", help="Separated by commas.", show_default="the whitelist"),
    ] = None,
    prefixes: Annotated[
        int, typer.Option(min=_FEWEST, help="How often to cut the candles of each pair.")
    ] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of the cuts that are random.")] = 0,
    ignore_columns: Annotated[
        str | None,
        typer.Option(help="Columns that may look ahead, with commas; patterns such as chart_*."),
    ] = None,
    strategy_path: Annotated[
        Path | None, typer.Option(help="Folder of the strategy.", show_default="the config's")
    ] = None,
    userdir: Annotated[Path | None, typer.Option(help="freqtrade's user directory.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Replay a strategy on prefixes of its candles: a value that changes later looked ahead.

    It sees what freqtrade's lookahead-analysis can not, a leak of one candle for instance.
    Exit status: 0 causal, 1 looks ahead, 2 could not run.
    """
    from fractal_ops.risk.tables import plain_console, printable
    from fractal_ops.walk_forward.errors import WalkForwardError
    from fractal_ops.walk_forward.replay_setup import prepare

    try:
        bench = prepare(
            strategy,
            config,
            datadir=datadir,
            timerange=timerange,
            pairs=_listed(pairs),
            strategy_path=strategy_path,
            user_data_dir=userdir,
        )
        report = _run(bench, prefixes, seed, _listed(ignore_columns))
    except WalkForwardError as error:
        plain_console(stderr=True, soft_wrap=True).print(printable(f"error: {error}"), style="red")
        raise typer.Exit(2) from None
    if as_json:
        sys.stdout.write(report.to_json() + "\n")
    else:
        console = plain_console()
        for table in report.tables():
            console.print(table)
        console.print(report.sentence(), style="green" if report.is_causal else "bold red")
    raise typer.Exit(0 if report.is_causal else 1)


def _run(bench: Bench, prefixes: int, seed: int, ignored: list[str]) -> CausalityReport:
    from rich.console import Console
    from rich.progress import Progress

    from fractal_ops.walk_forward.causality import check

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        # Two runs on all candles besides the prefixes; measuring a leak takes some more.
        task = progress.add_task("", total=len(bench.pairs) * (prefixes + 2))
        return check(
            bench.strategy,
            bench.candles,
            bench.pairs,
            prefixes=prefixes,
            seed=seed,
            ignore_columns=ignored,
            step=lambda pair: progress.update(task, advance=1, description=pair),
        )


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]
