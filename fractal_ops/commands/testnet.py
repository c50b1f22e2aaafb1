"""`fractal testnet`: the loopback exchange."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fractal_ops.commands.testnet_fault import app as fault_app
from fractal_ops.commands.testnet_market import register as register_move
from fractal_ops.commands.testnet_wallet import app as wallet_app
from fractal_testnet.account.journal import Journal
from fractal_testnet.server import DEFAULT_PORT, HOST, PortError, bind, open_market, serve

app = typer.Typer(help="Run the loopback exchange.", invoke_without_command=True)
app.add_typer(fault_app, name="fault")
app.add_typer(wallet_app, name="wallet")
register_move(app)


def _moment_ms(text: str) -> int:
    """Return a date or date-time as ms UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"--start {text!r} is no date: write it as 2025-06-01 or 2025-06-01T12:00"
        raise ValueError(msg) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


@app.callback()
def run_exchange(
    context: typer.Context,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the synthetic market, and of all that is drawn.")
    ] = 1,
    replay: Annotated[
        Path | None, typer.Option(help="Folder of recorded candles, freqtrade's layout.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="Recorded date (UTC) that now stands for; with --replay.")
    ] = None,
    keep_dates: Annotated[
        bool, typer.Option("--keep-dates", help="Let the exchange's clock stand at --start.")
    ] = False,
    speed: Annotated[float, typer.Option(help="Market seconds per second.")] = 1.0,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")
    ] = DEFAULT_PORT,
    journal: Annotated[
        Path | None,
        typer.Option(help="JSON lines file that every request, fill, fee and fault goes to."),
    ] = None,
) -> None:
    """Serve Hyperliquid's /info, /exchange and /ws on 127.0.0.1 until Ctrl-C.

    Without --replay the market is synthetic: random, seeded, the same at every start.
    """
    if context.invoked_subcommand is not None:
        return
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("fractal_testnet").setLevel(logging.INFO)
    console = Console()
    try:
        listener = bind(port)
        try:
            book = Journal(journal)
            market, clock = open_market(
                seed=seed,
                speed=speed,
                replay=replay,
                start_ms=None if start is None else _moment_ms(start),
                keep_dates=keep_dates,
            )
        except (OSError, ValueError):
            listener.close()
            raise
    except (PortError, OSError, ValueError) as error:
        Console(stderr=True, soft_wrap=True).print(
            f"error: {error}", style="red", markup=False, highlight=False
        )
        raise typer.Exit(2) from None
    url = f"http://{HOST}:{listener.getsockname()[1]}"

    def announce() -> None:
        now = datetime.fromtimestamp(clock.now_ms() / 1000, tz=UTC)
        console.print(
            f"loopback exchange ready at {url}: {market.kind} market, seed {market.seed}, "
            f"{len(market.assets)} assets, clock {now:%Y-%m-%d %H:%M:%S} UTC at {speed:g}x",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )

    serve(market, clock, listener, announce, book)
