"""The sheet: for people, for programs, for CI."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from fractal_ops.drills import report
from fractal_ops.drills.drill import Check, Drill, Outcome, Result
from fractal_ops.drills.scenes import DRILLS, by_name

ONE = Drill("one", "something breaks", "dies", "lives", lambda stage: None)


def result(outcome: Outcome, *checks: Check) -> Result:
    return Result(ONE, outcome, 12.3, list(checks), Path("somewhere"))


RESULTS = [
    result(Outcome.PASSED, Check("no duplicate position", True, "longest 2.0 s")),
    result(Outcome.FAILED, Check("database = venue", False, "BTC: database 1, venue [2]")),
    result(Outcome.SKIPPED, Check("possible here", True, "no faketime")),
]


def test_the_sheet_says_what_is_wrong_and_where_the_logs_are():
    console = Console(record=True, width=200)
    report.show(RESULTS, console)
    text = console.export_text()

    assert "database = venue: BTC: database 1, venue [2] (logs: somewhere)" in text
    assert "1 passed, 1 failed, 1 skipped" in text


def test_json_has_every_check():
    told = json.loads(report.to_json(RESULTS))["drills"]
    assert [one["outcome"] for one in told] == ["passed", "failed", "skipped"]
    assert told[1]["checks"] == [
        {"what": "database = venue", "passed": False, "detail": "BTC: database 1, venue [2]"}
    ]


def test_junit_counts_and_tells(tmp_path):
    path = tmp_path / "drills.xml"
    report.write_junit(RESULTS, path)
    suite = ET.parse(path).getroot()  # noqa: S314  # our own file

    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    failure = suite.findall("testcase")[1].find("failure")
    assert failure is not None
    assert failure.get("message") == "database = venue: BTC: database 1, venue [2]"


def test_names_are_unique_and_everything_is_said():
    assert len(by_name()) == len(DRILLS)
    for drill in DRILLS:
        assert drill.name == drill.name.lower().replace(" ", "-")
        for text in (drill.title, drill.alone, drill.ours):
            assert len(text) > 3, drill.name
        assert drill.alone.endswith("."), drill.name
        assert drill.ours.endswith("."), drill.name


@pytest.mark.parametrize("kind", ["fast", "slow"])
def test_there_are_fast_and_slow_ones(kind):
    count = sum(drill.fast == (kind == "fast") for drill in DRILLS)
    assert count >= 8


def test_the_paper_has_every_drill_as_the_code_tells_it():
    page = (Path(__file__).parents[3] / "docs" / "drills.md").read_text()
    written = page.split("## The drills\n\n")[1]
    # `fractal drill list --markdown` prints it anew.
    assert written == report.to_markdown(DRILLS)
