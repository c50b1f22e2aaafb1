"""`fractal drill`: break things on purpose, with the user's own config, on loopback."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

app = typer.Typer(
    help="Break a real bot on a loopback exchange, and see what it does.", no_args_is_help=True
)


@app.command("list")
def list_drills(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, as in docs/drills.md.")
    ] = False,
) -> None:
    """List the drills: what happens, what freqtrade alone does, what we do."""
    from fractal_ops.drills.report import show_list, to_markdown
    from fractal_ops.drills.scenes import DRILLS

    if markdown:
        typer.echo(to_markdown(DRILLS), nl=False)
    else:
        show_list(DRILLS, Console())


@app.command()
def run(
    names: Annotated[
        list[str] | None, typer.Argument(help="Drills to run; all of them by default.")
    ] = None,
    config: Annotated[
        list[Path] | None,
        typer.Option("--config", "-c", help="The bot's own config (repeatable)."),
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Only the short ones.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    junit: Annotated[Path | None, typer.Option(help="Write a JUnit XML file, too.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Folder for logs and databases; kept.")] = None,
) -> None:
    """Run drills one after the other and print a sheet.

    Each has its own exchange, account, bot, databases and ledger in a scratch folder; nothing of
    yours is touched, and nothing leaves this machine. Exit status: 0 all passed, 1 one failed,
    2 they could not be run.
    """
    from fractal_ops.drills import report
    from fractal_ops.drills.config import read_config
    from fractal_ops.drills.drill import Outcome, Result
    from fractal_ops.drills.drill import run as run_drill
    from fractal_ops.drills.errors import DrillError
    from fractal_ops.drills.scenes import by_name

    known = by_name()
    unknown = [name for name in names or () if name not in known]
    if unknown:
        _fail(f"there is no drill {unknown[0]!r}: `fractal drill list` shows them all")
    chosen = [known[name] for name in names or known if not fast or known[name].fast]
    try:
        base = read_config(config or [Path("config.testnet.json")])
    except DrillError as error:
        _fail(str(error))
    stamp = datetime.now(UTC).strftime("drills-%Y%m%d-%H%M%S-")
    folder = keep or Path(tempfile.mkdtemp(prefix=stamp))
    folder.mkdir(parents=True, exist_ok=True)
    err = Console(stderr=True)
    results: list[Result] = []
    for drill in chosen:
        err.print(f"{drill.name}: {drill.title} ...", markup=False, highlight=False)
        place = folder / drill.name
        if place.exists():
            _fail(f"{place} exists already: give an empty folder with --keep")
        result = run_drill(drill, place, base)
        err.print(f"  {result.outcome.value} after {result.seconds:.0f} s", markup=False)
        results.append(result)
    if junit is not None:
        report.write_junit(results, junit)
    if as_json:
        typer.echo(report.to_json(results))
    else:
        report.show(results, Console())
        Console().print(f"logs and databases: {folder}", markup=False, soft_wrap=True)
    if any(result.outcome is Outcome.FAILED for result in results):
        raise typer.Exit(1)


def _fail(text: str) -> NoReturn:
    Console(stderr=True, soft_wrap=True).print(
        f"error: {text}", style="red", markup=False, highlight=False
    )
    raise typer.Exit(2)
