"""`fractal reconcile`: hold the venue beside the databases, and repair what is unsafe."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from fractal_ops.commands.risk import Configs, LedgerUrl, UserDir, stdin_is_terminal, utc_now

# freqtrade takes seconds to import: only the command that runs pays for it.
if TYPE_CHECKING:
    from rich.console import Console

    from fractal_ops.recovery.look import Look
    from fractal_ops.recovery.repair import Result
    from fractal_ops.recovery.setup import Bench


def reconcile(
    config: Configs = None,
    db_url: Annotated[
        list[str] | None,
        typer.Option(
            "--db-url",
            help="Database of another bot on the same account (repeatable); the config's own is "
            "always read.",
        ),
    ] = None,
    ledger: LedgerUrl = None,
    userdir: UserDir = None,
    watch: Annotated[bool, typer.Option("--watch", help="Keep looking until stopped.")] = False,
    interval: Annotated[
        float, typer.Option(min=5, max=600, help="Seconds between two looks of a watch.")
    ] = 15.0,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Place missing stops, close what no database knows, cancel orphans: shown first.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Repair without asking.")] = False,
    max_slippage: Annotated[
        float,
        typer.Option(min=0.001, max=0.2, help="Furthest from the mark price that closes may go."),
    ] = 0.03,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object for each look.")
    ] = False,
) -> None:
    """Compare an account's venue with its databases; close drifting pairs for entries.

    Live trading only: a dry-run has no venue. Exit status: 0 aligned, 1 drift, 2 nobody can tell,
    or bad options.
    """
    with _errors():
        from fractal_ops.recovery.alerts import LogAlert
        from fractal_ops.recovery.setup import prepare
        from fractal_ops.risk.errors import RiskError
        from fractal_ops.risk.place import find_place

        if watch and repair and not yes:
            raise RiskError("--watch --repair asks nobody: add --yes", exit_status=2)
        place = find_place(config, ledger, userdir)
        if place.config.get("dry_run", True):
            if as_json:
                sys.stdout.write('{"version": 1, "verdict": "dry_run"}\n')
            else:
                _console().print("dry-run: there is no venue to compare with, nothing can drift")
            raise typer.Exit(0)
        if watch:
            logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level="INFO")
            logging.getLogger("httpx").setLevel("WARNING")
        bench = prepare(
            place,
            db_url or (),
            LogAlert(),
            interval_seconds=interval if watch else None,
            clock=utc_now,
        )
        try:
            slippage = Decimal(str(max_slippage))
            if watch:
                look = _watch(bench, interval, slippage if repair else None, as_json=as_json)
            else:
                look = _once(bench, slippage if repair else None, yes=yes, as_json=as_json)
        finally:
            bench.ledger.close()
    raise typer.Exit(look.verdict.exit_status)


def wait(seconds: float) -> bool:
    """Let time pass; nobody ends a single run early."""
    time.sleep(seconds)
    return False


def _once(bench: Bench, slippage: Decimal | None, *, yes: bool, as_json: bool) -> Look:
    from fractal_ops.recovery import tables
    from fractal_ops.recovery.watch import look_until_settled
    from fractal_ops.risk.errors import RiskError

    repairer = bench.repairer(slippage, wait) if slippage is not None else None
    look = look_until_settled(bench.reconciler, wait)
    console = _console(is_error=as_json)
    results: tuple[Result, ...] = ()
    if as_json and repairer is None:
        _print_json(look, ())
        return look
    tables.print_look(look, console)
    if repairer is None:
        return look
    if not look.steps:
        console.print("nothing to repair")
    else:
        tables.print_plan(look.steps, console)
        if not yes:
            if not stdin_is_terminal():
                raise RiskError(
                    "nobody can be asked, stdin is no terminal: read the plan, then add --yes",
                    exit_status=2,
                )
            yes = typer.confirm("Send these orders?", err=as_json)
        if yes:
            results = bench.reconciler.repair(look, repairer)
            tables.print_results(results, console)
            look = look_until_settled(bench.reconciler, wait)
            tables.print_look(look, console)
    if as_json:
        _print_json(look, results)
    return look


def _watch(bench: Bench, interval: float, slippage: Decimal | None, *, as_json: bool) -> Look:
    from fractal_ops.recovery.watch import Watch
    from fractal_ops.risk.errors import RiskError

    if not bench.is_alone:
        raise RiskError("another `fractal reconcile` watches this account already", exit_status=2)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    repairer = bench.repairer(slippage, wait) if slippage is not None else None
    show = _print_json if as_json else _Changes().show
    return Watch(bench.reconciler, stop.wait, show, interval, repairer).run()


class _Changes:
    """Prints one line whenever the verdict changes; the alert tells of the pairs."""

    def __init__(self) -> None:
        self._before: str | None = None

    def show(self, look: Look, _results: tuple[Result, ...]) -> None:
        if look.verdict != self._before:
            self._before = look.verdict
            drifts = ", ".join(f"{s.drift.pair} {s.drift.kind}" for s in look.sightings)
            text = f"{look.at:%Y-%m-%d %H:%M:%S} UTC {look.verdict}"
            _console().print(f"{text}: {drifts}" if drifts else text)


def _print_json(look: Look, results: tuple[Result, ...]) -> None:
    from fractal_ops.recovery.json_text import json_text

    sys.stdout.write(json_text(look, results) + "\n")
    sys.stdout.flush()


def _console(*, is_error: bool = False) -> Console:
    from fractal_ops.risk.tables import plain_console

    return plain_console(stderr=is_error)


@contextmanager
def _errors() -> Iterator[None]:
    """End the command with one line on stderr and exit status 2: nobody can tell."""
    from fractal_ops.risk.errors import RiskError, without_passwords
    from fractal_protections.portfolio.ledger import LedgerError

    try:
        yield
    except (RiskError, LedgerError) as error:
        _console(is_error=True).print(f"error: {without_passwords(str(error))}", style="red")
        raise typer.Exit(2) from None
