"""A stand-in exchange, and the commands under test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from fractal_ops.commands.testnet_market import register
from fractal_ops.commands.testnet_wallet import app as wallet_app
from tests.ops.wallet.stand_in import StandIn, serving

Run = Callable[..., Result]


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with serving(StandIn()) as running:
        yield running


@pytest.fixture
def userdir(tmp_path: Path) -> Path:
    path = tmp_path / "user_data"
    path.mkdir()
    return path


@pytest.fixture
def run() -> Run:
    app = typer.Typer()

    @app.callback()
    def testnet(seed: int = 1) -> None:
        """Stand where `fractal testnet` does."""

    app.add_typer(wallet_app, name="wallet")
    register(app)

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return call
