"""A look on a terminal."""

from collections.abc import Iterable

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from fractal_ops.recovery.look import Look, Verdict
from fractal_ops.recovery.plan import Step
from fractal_ops.recovery.repair import Outcome, Result
from fractal_ops.risk.tables import age, printable
from fractal_protections.portfolio.drift import ALL_PAIRS

_STYLES = {Verdict.ALIGNED: "green", Verdict.DRIFT: "bold red", Verdict.UNKNOWN: "bold yellow"}


def print_look(look: Look, console: Console) -> None:
    """Print what a look has seen, and what is to be done."""
    parts: list[RenderableType] = [_headline(look)]
    if look.sightings:
        parts.append(_drifts(look))
    console.print(Group(*parts))


def print_plan(steps: Iterable[Step], console: Console) -> None:
    """Print what a repair would do."""
    table = _table("Pair", "Step", "Why")
    for step in steps:
        table.add_row(Text(step.pair), Text(str(step)), Text(printable(step.reason)))
    console.print(Group(Text("\nPlan of the repair", style="bold"), table))


def print_results(results: Iterable[Result], console: Console) -> None:
    """Print what became of the steps."""
    table = _table("Pair", "Step", "Outcome", "Said")
    for result in results:
        style = "green" if result.outcome is Outcome.DONE else "red"
        table.add_row(
            Text(result.step.pair),
            Text(str(result.step)),
            Text(result.outcome, style=style),
            Text(printable(result.text)),
        )
    console.print(Group(Text("\nRepaired", style="bold"), table))


def _headline(look: Look) -> Text:
    text = Text(look.verdict.upper(), style=_STYLES[look.verdict])
    counted = ""
    if look.snapshot is not None:
        counted = (
            f": {len(look.snapshot.positions)} positions and {len(look.snapshot.orders)} orders on "
            f"the venue, {len(look.snapshot.trades)} open trades in the databases"
        )
    where = f", {look.account}, {look.at:%Y-%m-%d %H:%M:%S} UTC"
    text.append(counted + where, style="default")
    if not look.in_ledger:
        text.append("\nnot written to the ledger", style="yellow")
    return text


def _drifts(look: Look) -> RenderableType:
    table = _table("Pair", "What", "Do")
    for seen in look.sightings:
        drift = seen.drift
        since = age((look.at - seen.since).total_seconds())
        doubt = f"for {since}" if seen.confirmed else "not confirmed yet"
        pair = "all pairs" if drift.pair == ALL_PAIRS else printable(drift.pair)
        what = Text(f"{drift.kind} ({doubt})\n", style="red" if seen.confirmed else "yellow")
        what.append(printable(drift.message), style="default")
        table.add_row(Text(pair), what, Text(printable(drift.advice)))
    return table


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(heading, no_wrap=heading == "Pair", overflow="fold")
    return table
