"""The sheet of a drill session: for people, for programs, for CI."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.table import Table

from fractal_ops.drills.drill import Drill, Outcome, Result

_STYLE = {Outcome.PASSED: "green", Outcome.FAILED: "bold red", Outcome.SKIPPED: "yellow"}


def show(results: Sequence[Result], console: Console) -> None:
    """Print one line for each drill, and for a failed one what was wrong and where its logs are."""
    table = Table(title="Drills", title_justify="left")
    for column in ("drill", "outcome", "seconds", "figures"):
        table.add_column(column)
    for result in results:
        figures = "; ".join(
            check.detail for check in result.checks if check.passed and check.detail
        )
        outcome = f"[{_STYLE[result.outcome]}]{result.outcome.value}[/]"
        table.add_row(result.drill.name, outcome, f"{result.seconds:.0f}", figures)
    console.print(table)
    for result in results:
        for check in result.checks:
            if not check.passed:
                console.print(
                    f"{result.drill.name}: {check.what}: {check.detail} (logs: {result.folder})",
                    style="red",
                    markup=False,
                    highlight=False,
                    soft_wrap=True,
                )
    counts = {outcome: sum(r.outcome is outcome for r in results) for outcome in Outcome}
    console.print(", ".join(f"{count} {outcome.value}" for outcome, count in counts.items()))


def show_list(drills: Sequence[Drill], console: Console) -> None:
    """Print what drills there are."""
    table = Table("drill", "what happens", "freqtrade alone", "what we do")
    for drill in drills:
        table.add_row(drill.name, drill.title, drill.alone, drill.ours)
    console.print(table)


def to_markdown(drills: Sequence[Drill]) -> str:
    """Return what drills there are as a section for each, for `docs/drills.md`."""
    parts = []
    for drill in drills:
        speed = " *(fast)*" if drill.fast else ""
        parts.append(
            f"### `{drill.name}`{speed}\n\n{_sentence(drill.title)}\n\n"
            f"* **freqtrade alone:** {drill.alone}\n* **We:** {drill.ours}\n"
        )
    return "\n".join(parts)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def to_json(results: Sequence[Result]) -> str:
    """Return all results as JSON."""
    return json.dumps({"drills": [result.to_dict() for result in results]}, indent=2)


def write_junit(results: Sequence[Result], path: Path) -> None:
    """Write the results as a JUnit XML file."""
    failed = sum(result.outcome is Outcome.FAILED for result in results)
    skipped = sum(result.outcome is Outcome.SKIPPED for result in results)
    suite = ET.Element(
        "testsuite",
        name="fractal drill",
        tests=str(len(results)),
        failures=str(failed),
        skipped=str(skipped),
        time=f"{sum(result.seconds for result in results):.1f}",
    )
    for result in results:
        case = ET.SubElement(
            suite,
            "testcase",
            classname="drills",
            name=result.drill.name,
            time=f"{result.seconds:.1f}",
        )
        text = "\n".join(
            f"{'ok' if check.passed else 'NOT OK'}: {check.what}: {check.detail}"
            for check in result.checks
        )
        if result.outcome is Outcome.FAILED:
            ET.SubElement(case, "failure", message=_first_failure(result)).text = text
        elif result.outcome is Outcome.SKIPPED:
            ET.SubElement(case, "skipped", message=text)
        else:
            ET.SubElement(case, "system-out").text = text
    ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def _first_failure(result: Result) -> str:
    return next(f"{c.what}: {c.detail}" for c in result.checks if not c.passed)
