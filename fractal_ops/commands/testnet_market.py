"""`fractal testnet move`: push a price of the loopback exchange, for a drill."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from fractal_ops.commands.testnet_wallet import errors, say
from fractal_ops.wallet.errors import WalletError
from fractal_ops.wallet.loopback import DEFAULT_URL, Loopback

# Otherwise -5% would be taken for an option.
CONTEXT = {"ignore_unknown_options": True}

_CHANGE = re.compile(r"[+-]?\d+(\.\d+)?%")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smh]?)")
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3_600.0}


def register(app: typer.Typer) -> None:
    """Add the command to `fractal testnet`."""
    app.command(context_settings=CONTEXT)(move)


def move(
    coin: Annotated[str, typer.Argument(help="The asset, such as BTC.")],
    change: Annotated[str, typer.Argument(help="How far, in percent: -5% or +2.5%.")],
    over: Annotated[
        str, typer.Option(help="How long it takes, in market time: 10s, 5m, 1h; 0 is a gap.")
    ] = "0",
    url: Annotated[str, typer.Option(help="The loopback exchange's address.")] = DEFAULT_URL,
) -> None:
    """Push a price of the loopback exchange, from now on and for good.

    Everything follows: book, candles, mark, stops, liquidations. Moves accumulate.
    Exit status: 1 the exchange refused, 2 it is not running, or a bad argument.
    """
    with errors():
        ratio, seconds = _ratio(change), _seconds(over)
        exchange = Loopback(url)
        exchange.now_ms()
        prices = exchange.ask("GET", "/admin/market")["prices"]
        # The venue's names are partly in small letters, as kPEPE.
        name = next((known for known in prices if known.lower() == coin.lower()), coin)
        if prices.get(name) is None:
            raise WalletError(
                f"the exchange has no price of {coin!r}", f"choose one of {', '.join(prices)}"
            )
        exchange.ask(
            "POST",
            "/admin/market/move",
            {"coin": name, "ratio": ratio, "over_seconds": seconds},
        )
        how = f"over {seconds:g} s of market time" if seconds else "at once"
        say(
            f"{name}: {prices[name]:,g} goes to about {prices[name] * (1 + ratio):,.6g} "
            f"({change}) {how}"
        )


def _ratio(text: str) -> float:
    if not _CHANGE.fullmatch(text):
        raise WalletError(f"the change is {text!r}", "write it in percent, such as -5% or +2.5%")
    ratio = float(text.removesuffix("%")) / 100
    if ratio <= -1 or ratio == 0:
        raise WalletError(f"the change is {text!r}", "a price can move to above 0 only, but move")
    return ratio


def _seconds(text: str) -> float:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise WalletError(f"--over is {text!r}", "write it as 10s, 5m or 1h")
    return float(found[1]) * _SECONDS[found[2]]
