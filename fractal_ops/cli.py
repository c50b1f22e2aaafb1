"""The `fractal` command."""

from __future__ import annotations

import typer

from fractal_ops.commands.check_causality import check_causality
from fractal_ops.commands.drill import app as drill_app
from fractal_ops.commands.quickstart import quickstart
from fractal_ops.commands.reconcile import reconcile
from fractal_ops.commands.risk import app as risk_app
from fractal_ops.commands.testnet import app as testnet_app
from fractal_ops.data.command import data

app = typer.Typer(
    name="fractal",
    help="FractalTrader's tools beside freqtrade.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.command()(quickstart)
app.command()(data)
app.command()(reconcile)
app.command(name="check-causality")(check_causality)
app.add_typer(testnet_app, name="testnet")
app.add_typer(risk_app, name="risk")
app.add_typer(drill_app, name="drill")


def main() -> None:
    """Run the command line."""
    app()
