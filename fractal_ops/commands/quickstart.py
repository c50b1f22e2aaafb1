"""`fractal quickstart`: what `scripts/run.sh` hands over to."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fractal_ops.quickstart.runner import run
from fractal_ops.quickstart.settings import (
    DEFAULT_BOT_PORT,
    DEFAULT_EXCHANGE_PORT,
    STRATEGIES,
    TESTNET_URL,
    Exchange,
    Settings,
)


def quickstart(
    once: Annotated[bool, typer.Option("--once", help="Stop after the backtest.")] = False,
    exchange: Annotated[
        Exchange,
        typer.Option(help="The exchange on this machine, or Hyperliquid's real testnet."),
    ] = Exchange.LOOPBACK,
    bot_port: Annotated[
        int, typer.Option(min=1024, max=65535, help="Port of the bot's REST API and FreqUI.")
    ] = DEFAULT_BOT_PORT,
    exchange_port: Annotated[
        int, typer.Option(min=1024, max=65535, help="Port of the loopback exchange.")
    ] = DEFAULT_EXCHANGE_PORT,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the loopback exchange's market.")
    ] = None,
    strategy: Annotated[
        list[str] | None,
        typer.Option(help="Backtest this strategy (repeatable) instead of all four."),
    ] = None,
    rerun: Annotated[
        bool, typer.Option("--rerun", help="Backtest even when nothing has changed.")
    ] = False,
    no_ui: Annotated[bool, typer.Option("--no-ui", help="Do not try to install FreqUI.")] = False,
    testnet_url: Annotated[str, typer.Option(hidden=True)] = TESTNET_URL,
) -> None:
    """Backtest the strategies, then trade in dry-run, from one command.

    Ctrl-C stops everything that was started. Run it in the project's directory.
    """
    settings = Settings(
        root=Path.cwd(),
        exchange=exchange,
        once=once,
        bot_port=bot_port,
        exchange_port=exchange_port,
        seed=seed,
        install_ui=not no_ui,
        rerun=rerun,
        strategies=tuple(strategy) if strategy else STRATEGIES,
        testnet_url=testnet_url,
    )
    raise typer.Exit(run(settings, Console(), Console(stderr=True)))
