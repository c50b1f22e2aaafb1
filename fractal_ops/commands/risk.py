"""`fractal risk`: look at the portfolio's risk budget, halt it, resume it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

# freqtrade takes seconds to import: only the command that runs pays for it.
if TYPE_CHECKING:
    from fractal_ops.risk.actions import Change
    from fractal_ops.risk.place import Place
    from fractal_protections.portfolio.sql import SqlLedger

app = typer.Typer(
    help="Look at the portfolio's risk budget, halt it, resume it. Bots may run meanwhile.",
    no_args_is_help=True,
)

Configs = Annotated[
    list[Path] | None,
    typer.Option(
        "--config",
        "-c",
        help="Config that the bots run with (repeatable).",
        show_default="config.testnet.json",
    ),
]
LedgerUrl = Annotated[
    str | None, typer.Option("--ledger", help="SQLAlchemy URL instead of the config's ledger.")
]
UserDir = Annotated[
    Path | None, typer.Option("--userdir", help="freqtrade's user directory, as given to the bots.")
]
Reason = Annotated[
    str | None, typer.Option(help="Why, in a few words; bots announce it.", show_default=False)
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask: the venue was looked at.")]


@app.command()
def status(
    config: Configs = None,
    ledger: LedgerUrl = None,
    userdir: UserDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what the portfolio holds, what is left, and what blocks entries.

    Exit status: 0 possible, 1 blocked, 2 bad options or config, 3 no ledger.
    """
    with _errors():
        from fractal_ops.risk.json_text import json_text
        from fractal_ops.risk.tables import plain_console, print_status
        from fractal_ops.risk.view import DENIALS_SHOWN, status_of

        place = _place(config, ledger, userdir)
        limits = place.limits()
        with _opened(place) as opened:
            found = status_of(
                opened.book(utc_now()),
                opened.denials(DENIALS_SHOWN),
                limits,
                place.settings,
                looks=opened.looks(),
                ledger=opened.name,
                mode=opened.mode,
                stake_currency=place.stake_currency,
            )
        if as_json:
            sys.stdout.write(json_text(found) + "\n")
        else:
            print_status(found, plain_console())
    raise typer.Exit(1 if found.blocked_by else 0)


@app.command()
def halt(
    reason: Reason = None,
    config: Configs = None,
    ledger: LedgerUrl = None,
    userdir: UserDir = None,
) -> None:
    """Stop all entries of all bots until somebody resumes. Exits go on."""
    _set_state("HALTED", reason, config, ledger, userdir)


@app.command()
def reduce(
    reason: Reason = None,
    config: Configs = None,
    ledger: LedgerUrl = None,
    userdir: UserDir = None,
) -> None:
    """Let all bots run out: exits only, until somebody resumes."""
    _set_state("REDUCING", reason, config, ledger, userdir)


@app.command()
def resume(
    reason: Annotated[str, typer.Option(help="Why, in a few words; bots announce it.")] = "resumed",
    after_transfer: Annotated[
        bool,
        typer.Option(
            "--after-transfer",
            help="Money was moved into or out of an account: begin today's loss anew, too.",
        ),
    ] = False,
    config: Configs = None,
    ledger: LedgerUrl = None,
    userdir: UserDir = None,
) -> None:
    """Let the bots enter again, and measure drawdown from the present equity."""
    with _errors():
        from fractal_ops.risk import actions
        from fractal_protections.portfolio.risk_manager import PortfolioRiskManager

        place = _place(config, ledger, userdir)
        manager = PortfolioRiskManager(place.limits(), place.settings.max_report_age)
        with _opened(place) as opened:
            done = actions.resume(
                opened, manager, reason, operator(), utc_now(), after_transfer=after_transfer
            )
        _say_change(done.change)
        currency = place.stake_currency
        for account in done.rebased:
            _say(
                f"{account.account}: drawdown is now measured from {account.new_peak:,.2f} "
                f"{currency}, its present equity; the peak was {account.old_peak:,.2f}"
            )
            if account.is_stale:
                _say(
                    f"  that equity is of {account.reported_at:%Y-%m-%d %H:%M} UTC: what was lost "
                    "since will show with the next report"
                )
        if not done.rebased:
            _say("the peak equity stays: nothing had blocked entries for drawdown")
        if after_transfer:
            _say(
                f"today's loss begins anew: {done.new_day_loss:,.2f} {currency}; "
                f"it was {done.old_day_loss:,.2f}"
            )
        for block in done.still_blocked:
            _say(f"entries stay blocked, {block.code}: {block.message}")


@app.command()
def clear(
    pair: Annotated[str, typer.Argument(help="The closed pair, e.g. BTC/USDC:USDC.")],
    yes: Yes = False,
    config: Configs = None,
    ledger: LedgerUrl = None,
    userdir: UserDir = None,
) -> None:
    """Open a pair that was closed for a doubt: look at the venue first.

    An order whose outcome is unknown, or a position that venue and database disagree about, may
    be there. Close or adopt it before.
    """
    with _errors():
        from fractal_ops.risk import actions

        with _opened(_place(config, ledger, userdir)) as opened:
            doubts = actions.doubts_about(opened.book(utc_now()), pair)
            for doubt in doubts:
                _say(f"{pair}: {doubt}")
            _confirm(f"Does the venue hold no order or position of {pair} beyond the known?", yes)
            actions.clear(opened, pair, operator(), utc_now())
        _say(f"{pair} is open again, by {operator()}")


@app.command()
def forget(
    bot: Annotated[str, typer.Argument(help="The bot's name, as `fractal risk status` shows it.")],
    yes: Yes = False,
    config: Configs = None,
    ledger: LedgerUrl = None,
    userdir: UserDir = None,
) -> None:
    """Drop a bot that is gone for good, with its positions and account.

    What it holds on the venue is no business of the portfolio any more.
    """
    with _errors():
        from fractal_ops.risk import actions

        place = _place(config, ledger, userdir)
        with _opened(place) as opened:
            _say(f"{bot}: {actions.belongings(opened.book(utc_now()), bot, place.settings)}")
            _confirm(f"Is {bot} stopped for good, and nothing of it left on the venue?", yes)
            # It may have come back while the question stood.
            actions.belongings(opened.book(utc_now()), bot, place.settings)
            actions.forget(opened, bot, operator(), utc_now())
        _say(f"{bot} is forgotten, by {operator()}")


def operator() -> str:
    """Name who runs this command, for the ledger's journal."""
    try:
        return f"operator:{getuser()}"
    except (OSError, KeyError, ImportError):  # a user without a name, in a container for instance
        return "operator:unknown"


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


def stdin_is_terminal() -> bool:
    """Tell whether somebody can answer."""
    return sys.stdin.isatty()


def _set_state(
    state: str,
    reason: str | None,
    config: list[Path] | None,
    ledger: str | None,
    userdir: Path | None,
) -> None:
    with _errors():
        from fractal_ops.risk import actions
        from fractal_protections.portfolio.book import TradingState

        place = _place(config, ledger, userdir)
        with _opened(place) as opened:
            change = actions.set_state(
                opened, TradingState(state), reason or "", operator(), utc_now()
            )
        _say_change(change)


def _say_change(change: Change) -> None:
    before, after = change.before, change.after
    if before == after:
        since = f" since {after.at:%Y-%m-%d %H:%M} UTC" if after.at else ""
        _say(f"portfolio: {after.state} already{since}, nothing was changed")
        return
    _say(f"portfolio: {before.state} -> {after.state} by {after.by}: {after.reason}")
    if before.reason:
        _say(f"  before: {before.state} by {before.by}: {before.reason}")


def _confirm(question: str, yes: bool) -> None:
    from fractal_ops.risk.errors import RiskError

    if yes:
        return
    if not stdin_is_terminal():
        raise RiskError(
            "nobody can be asked, stdin is no terminal: look at the venue, then add --yes",
            exit_status=2,
        )
    if not typer.confirm(question):
        raise RiskError("nothing was changed", exit_status=1)


def _place(config: list[Path] | None, ledger: str | None, userdir: Path | None) -> Place:
    from fractal_ops.risk.place import find_place

    return find_place(config, ledger, userdir)


@contextmanager
def _opened(place: Place) -> Iterator[SqlLedger]:
    opened = place.open_ledger()
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def _errors() -> Iterator[None]:
    """End the command with one line on stderr and the error's exit status."""
    from fractal_ops.risk.errors import RiskError, without_passwords
    from fractal_protections.portfolio.ledger import LedgerError

    try:
        yield
    except RiskError as error:
        _say(f"error: {error}", is_error=True)
        raise typer.Exit(error.exit_status) from None
    except LedgerError as error:
        _say(f"error: {without_passwords(str(error))}", is_error=True)
        raise typer.Exit(3) from None
    except ValueError as error:
        text = without_passwords(str(error))
        _say(
            f"error: the ledger holds what no bot could have written ({text}): restore a backup",
            is_error=True,
        )
        raise typer.Exit(3) from None


def _say(text: str, *, is_error: bool = False) -> None:
    from fractal_ops.risk.tables import plain_console, printable

    console = plain_console(stderr=is_error, soft_wrap=True)
    console.print(printable(text), style="red" if is_error else None)
