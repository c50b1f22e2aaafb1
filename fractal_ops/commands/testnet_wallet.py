"""`fractal testnet wallet`: a test key for live orders on the loopback exchange."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer
from rich.console import Console

from fractal_ops.wallet import account, envfile
from fractal_ops.wallet.errors import WalletError
from fractal_ops.wallet.loopback import DEFAULT_URL, Loopback

app = typer.Typer(
    help="Make, fund and show a test key. It works on the loopback exchange, and nowhere else.",
    no_args_is_help=True,
)

Url = Annotated[
    str | None,
    typer.Option(help="The loopback exchange's address.", show_default="the wallet's own"),
]
UserDir = Annotated[Path, typer.Option("--userdir", help="freqtrade's user directory.")]


@app.command()
def new(
    days: Annotated[
        int, typer.Option(min=1, max=180, help="Days for which the agent key may trade.")
    ] = 180,
    amount: Annotated[str, typer.Option(help="Mock USDC to begin with.")] = "10000",
    force: Annotated[
        bool, typer.Option("--force", help="Replace the keys that are there.")
    ] = False,
    url: Annotated[str, typer.Option(help="The loopback exchange's address.")] = DEFAULT_URL,
    userdir: UserDir = Path("user_data"),
) -> None:
    """Make an account with mock USDC and a key that may trade for it.

    Writes user_data/loopback.env (mode 0600). Exit status: 1 the exchange refused, 2 it is not
    running, keys are there already, or a bad option.
    """
    with errors():
        path = userdir / envfile.NAME
        usdc = account.amount_of(amount)
        made = account.new(Loopback(url), path, usdc, days, overwrite=force)
        say(f"account {made.address} has {usdc:,f} mock USDC on {made.url}")
        say(f"agent   {account.address_of(made.agent_key)} may trade for it for {days} days")
        say(f"wrote the keys to {path} (mode 0600)")
        _say_use(path)


@app.command()
def fund(
    amount: Annotated[str, typer.Argument(help="Mock USDC to add.")] = "10000",
    url: Url = None,
    userdir: UserDir = Path("user_data"),
) -> None:
    """Add mock USDC to the account."""
    with errors():
        usdc = account.amount_of(amount)
        wallet = envfile.read(userdir / envfile.NAME)
        exchange = Loopback(url or wallet.url)
        exchange.now_ms()
        account.fund(exchange, wallet.address, usdc)
        found = account.standing(exchange, wallet)
        say(f"added {usdc:,f} mock USDC: account {found.address} has {found.account_value:,f}")


@app.command()
def show(url: Url = None, userdir: UserDir = Path("user_data")) -> None:
    """Show the account, its agent key's end, its money, and how to trade with it.

    Exit status: 0 it can trade, 1 the exchange knows no such agent, 2 no wallet or no exchange.
    """
    with errors():
        path = userdir / envfile.NAME
        wallet = envfile.read(path)
        exchange = Loopback(url or wallet.url)
        found = account.standing(exchange, wallet)
        if envfile.open_to_others(path):
            say(f"{path} may be read by others: chmod 600 {path}", is_error=True)
        say(f"exchange      {exchange.url}")
        say(f"account       {found.address}")
        say(f"agent         {found.agent}")
        say(f"valid until   {_until(found)}")
        say(f"value         {found.account_value:,f} USDC")
        say(f"withdrawable  {found.withdrawable:,f} USDC")
        if found.valid_until_ms is None or found.valid_until_ms <= found.now_ms:
            raise WalletError(
                "the exchange lets this agent trade no more, or forgot it when it was started anew",
                "make a new wallet with `fractal testnet wallet new --force`",
                exit_status=1,
            )
        _say_use(path)


def say(text: str, *, is_error: bool = False) -> None:
    """Print one line as it is; what an exchange sent can not steer the terminal."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    console = Console(stderr=is_error, highlight=False, markup=False, emoji=False, soft_wrap=True)
    console.print(shown, style="red" if is_error else None)


@contextmanager
def errors() -> Iterator[None]:
    """End the command with one line on stderr and the error's exit status."""
    try:
        yield
    except WalletError as error:
        say(f"error: {error}", is_error=True)
        raise typer.Exit(error.exit_status) from None


def _until(found: account.Standing) -> str:
    if found.valid_until_ms is None:
        return "- (unknown to the exchange)"
    end = datetime.fromtimestamp(found.valid_until_ms / 1000, tz=UTC)
    days = (found.valid_until_ms - found.now_ms) / account.DAY_MS
    return f"{end:%Y-%m-%d %H:%M} UTC ({days:.0f} days)"


def _say_use(path: Path) -> None:
    overlay = path.with_name("config.loopback-live.json")
    say("trade with it:")
    say(
        f"  set -a; . {quote(str(path))}; set +a; freqtrade trade "
        f"--config config.testnet.json --config {quote(str(overlay))}"
    )
