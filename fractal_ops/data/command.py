"""`fractal data`: fill freqtrade's data directory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Column, Table

from fractal_ops.data.errors import DataError

_TIMEFRAMES = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "8h", "12h", "1d")


def _listed(text: str | None) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in (text or "").split(",") if part.strip()))


def data(
    from_testnet: Annotated[
        bool, typer.Option("--from-testnet", help="Fetch from the loopback exchange.")
    ] = False,
    url: Annotated[str, typer.Option(help="Where it listens.")] = "http://127.0.0.1:8484",
    config: Annotated[
        list[Path] | None, typer.Option(help="freqtrade config with the pairs (repeatable).")
    ] = None,
    pairs: Annotated[
        str | None, typer.Option(help="Pairs, separated by commas, instead of the whitelist.")
    ] = None,
    timeframes: Annotated[str, typer.Option(help="Separated by commas.")] = "15m,1h,2h,4h",
    datadir: Annotated[Path, typer.Option(help="freqtrade's data directory.")] = Path(
        "user_data/data/hyperliquid"
    ),
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Replace these files instead of appending.")
    ] = False,
) -> None:
    """Fill freqtrade's data directory with candles, hourly funding and mark prices.

    What is there already is not fetched again; files of another market are refused.
    """
    console = Console()
    try:
        _run(
            console,
            from_testnet=from_testnet,
            url=url,
            configs=config or [Path("config.testnet.json")],
            pairs=_listed(pairs),
            timeframes=_listed(timeframes),
            datadir=datadir,
            fresh=fresh,
        )
    except DataError as error:
        Console(stderr=True, soft_wrap=True).print(
            f"error: {error}", style="red", markup=False, highlight=False
        )
        raise typer.Exit(2) from None


def _run(
    console: Console,
    *,
    from_testnet: bool,
    url: str,
    configs: list[Path],
    pairs: list[str],
    timeframes: list[str],
    datadir: Path,
    fresh: bool,
) -> None:
    if not from_testnet:
        msg = "no source of data named: add --from-testnet"
        raise DataError(msg)
    for timeframe in timeframes:
        if timeframe not in _TIMEFRAMES:
            msg = f"timeframe {timeframe!r} is unknown: choose from {', '.join(_TIMEFRAMES)}"
            raise DataError(msg)
    if not timeframes:
        msg = "--timeframes names none: give one or more, such as 1h,2h"
        raise DataError(msg)
    # freqtrade takes seconds to import: not before the options are known to be good.
    from fractal_ops.data.client import TestnetClient
    from fractal_ops.data.download import Download
    from fractal_ops.data.pairs import market_pair, whitelist
    from fractal_ops.data.store import open_store

    wanted = [market_pair(pair) for pair in pairs or whitelist(configs)]
    client = TestnetClient(url)
    client.now_ms()  # before anything is made on disk
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with open_store(datadir) as store, Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(wanted) * (len(timeframes) + 1))

        def step(name: str) -> None:
            progress.update(task, advance=1, description=name)

        download = Download(client, store, fresh=fresh, step=step)
        download.check_pairs(wanted)
        for pair in wanted:
            download.run(pair, timeframes)
        store.commit()
    table = Table(
        Column("file", no_wrap=True),
        "rows",
        "new",
        "first (UTC)",
        "last (UTC)",
        box=box.SIMPLE,
        padding=(0, 1, 0, 0),
    )
    for report in download.reports:
        span = (f"{report.first:%Y-%m-%d}", f"{report.last:%Y-%m-%d %H:%M}")
        name = report.name.removesuffix(".feather")
        table.add_row(name, f"{report.rows}", f"{report.added}", *span)
    console.print(table)
    for report in download.reports:
        if report.note:
            console.print(f"{report.name}: {report.note}", markup=False, soft_wrap=True)
    added = sum(report.added for report in download.reports)
    console.print(f"{datadir} is up to date: {added} new rows", markup=False, soft_wrap=True)
