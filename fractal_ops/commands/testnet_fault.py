"""`fractal testnet fault`: let things go wrong on a running loopback exchange."""

from __future__ import annotations

import http.client
import json
import sys
import urllib.error
import urllib.request
from typing import Annotated, Any, NoReturn
from urllib.parse import urlsplit

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from fractal_testnet.faults.problems import FaultSpecError, Problem, parse_spec
from fractal_testnet.faults.spec import KINDS

app = typer.Typer(help="Let things go wrong on a running loopback exchange.", no_args_is_help=True)

_TIMEOUT_SECONDS = 5.0
_OPTIONS = {
    "after_seconds": "--after",
    "for_seconds": "--for",
    "offset_seconds": "--offset",
    "weight_per_minute": "--weight",
    "kind": "KIND",
}
# Never through a proxy: the exchange is on this machine.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

Url = Annotated[str, typer.Option(help="Address of the exchange.")]
DEFAULT_URL = "http://127.0.0.1:8484"


@app.command()
def add(
    kind: Annotated[str, typer.Argument(help=f"One of: {', '.join(KINDS)}.")],
    match: Annotated[
        str | None,
        typer.Option(
            help="Whom it meets: path=info|exchange, type=order, role=entry|stop|exit, coin=BTC, "
            "user=0x…, separated by commas. Default: everything.",
            show_default=False,
        ),
    ] = None,
    probability: Annotated[float | None, typer.Option(help="Chance of each opportunity.")] = None,
    count: Annotated[int | None, typer.Option(help="At most so many hits.")] = None,
    skip: Annotated[int | None, typer.Option(help="Let the first so many pass.")] = None,
    after: Annotated[
        float | None, typer.Option(help="Begin after so many seconds of the exchange's clock.")
    ] = None,
    lasting: Annotated[
        float | None, typer.Option("--for", help="End so many seconds after it began.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Draw from this seed.")] = None,
    seconds: Annotated[float | None, typer.Option(help="latency: how long.")] = None,
    processed: Annotated[
        bool, typer.Option("--processed", help="latency, server_error: after processing.")
    ] = False,
    status: Annotated[int | None, typer.Option(help="server_error: HTTP status.")] = None,
    reason: Annotated[
        str | None,
        typer.Option(help="reject: margin, tick, size, reduce_only, minimum or post_only."),
    ] = None,
    ratio: Annotated[float | None, typer.Option(help="partial_fill: how much fills.")] = None,
    offset: Annotated[float | None, typer.Option(help="clock_offset: seconds ahead.")] = None,
    coins: Annotated[
        str | None, typer.Option(help="stale_candles, missing_candle: BTC,ETH. Default: all.")
    ] = None,
    interval: Annotated[
        str | None, typer.Option(help="stale_candles, missing_candle: 15m. Default: all.")
    ] = None,
    weight: Annotated[
        int | None, typer.Option(help="rate_limit: allowed weight a minute; 0 refuses all.")
    ] = None,
    url: Url = DEFAULT_URL,
) -> None:
    """Add a fault to the exchange.

    Example: fractal testnet fault add drop_response --match type=order,role=entry --count 1
    """
    given = {
        "kind": kind,
        "match": None if match is None else _match(match),
        "probability": probability,
        "count": count,
        "skip": skip,
        "after_seconds": after,
        "for_seconds": lasting,
        "seed": seed,
        "seconds": seconds,
        "processed": processed or None,
        "status": status,
        "reason": reason,
        "ratio": ratio,
        "offset_seconds": offset,
        "coins": None if coins is None else [coin.strip() for coin in coins.split(",")],
        "interval": interval,
        "weight_per_minute": weight,
    }
    try:
        spec = parse_spec({key: value for key, value in given.items() if value is not None})
    except FaultSpecError as error:
        _fail(_in_options(error.problems))
    made = _ask(url, "POST", "/admin/faults", spec.shown())
    _console().print(f"fault {made['id']} added: {_what(made['spec'])}")


@app.command("list")
def list_faults(
    url: Url = DEFAULT_URL,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the exchange's faults and how often each has struck."""
    answer = _ask(url, "GET", "/admin/faults")
    if as_json:
        sys.stdout.write(json.dumps(answer) + "\n")
        return
    faults = answer["faults"]
    if not faults:
        _console().print("no faults")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("id", "hits", "of"):
        table.add_column(heading, justify="right")
    for heading in ("state", "fault"):
        table.add_column(heading)
    for fault in faults:
        table.add_row(
            str(fault["id"]),
            str(fault["hits"]),
            str(fault["seen"]),
            str(fault["state"]),
            _what(fault["spec"]),
        )
    _console().print(table)


@app.command()
def clear(
    number: Annotated[
        int | None, typer.Argument(metavar="[ID]", min=1, help="The fault; without it, all.")
    ] = None,
    url: Url = DEFAULT_URL,
) -> None:
    """Take one fault off the exchange, or all of them."""
    path = "/admin/faults" if number is None else f"/admin/faults/{number}"
    removed = _ask(url, "DELETE", path)["removed"]
    _console().print(f"{removed} fault{'' if removed == 1 else 's'} removed")


def _match(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not key or not value:
            _fail(f"--match holds {part!r}: write key=value, such as type=order,role=entry")
        if key in pairs:
            _fail(f"--match holds {key} twice: add a second fault for the second value")
        pairs[key] = value
    return pairs


def _in_options(problems: tuple[Problem, ...]) -> str:
    """Name the options that people typed instead of the keys behind them."""
    texts = []
    for key, text in problems:
        name = f"--match {key[6:]}" if key.startswith("match.") else _OPTIONS.get(key, f"--{key}")
        texts.append(f"{name} {text}")
    return "; ".join(texts)


def _what(spec: dict[str, Any]) -> str:
    """Describe a fault in one line."""
    words = [str(spec["kind"])]
    for key, value in spec.items():
        if key == "match":
            words += [f"{name}={part}" for name, part in value.items()]
        elif key != "kind":
            shown = ",".join(value) if isinstance(value, list) else value
            words.append(f"{key}={shown}")
    return " ".join(words)


def _ask(url: str, method: str, path: str, body: object = None) -> dict[str, Any]:
    """Return the exchange's answer, or end the command with exit status 2."""
    try:
        is_web_address = urlsplit(url).scheme in ("http", "https")
    except ValueError:  # such as http://[
        is_web_address = False
    if not is_web_address:
        _fail(f"--url {url!r} is no web address: write it as {DEFAULT_URL}")
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked above
        url.rstrip("/") + path,
        data=None if body is None else json.dumps(body).encode(),
        method=method,
        headers={"Content-Type": "application/json"},
    )
    try:
        with _direct.open(request, timeout=_TIMEOUT_SECONDS) as answer:
            decoded = json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            _fail(_refusal(error, url))
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        _fail(
            f"no exchange at {url} ({reason}): start it with `fractal testnet`, "
            "or name its address with --url"
        )
    except ValueError:
        decoded = None
    if not isinstance(decoded, dict):
        _fail(f"what answers at {url} is no loopback exchange: name its address with --url")
    return decoded


def _refusal(error: urllib.error.HTTPError, url: str) -> str:
    try:
        decoded = json.loads(error.read())
    except ValueError:
        decoded = None
    detail = decoded.get("detail") if isinstance(decoded, dict) else None
    # FastAPI's own 404 has this text: then there is no such route at all.
    if not isinstance(detail, str) or detail == "Not Found":
        return (
            f"{url} answered {error.code}: it is no loopback exchange that takes faults; "
            "name its address with --url"
        )
    return detail


def _console(*, stderr: bool = False) -> Console:
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=True)


def _fail(text: str) -> NoReturn:
    _console(stderr=True).print(f"error: {text}", style="red")
    raise typer.Exit(2)
