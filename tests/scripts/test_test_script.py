"""scripts/test.sh: every stage runs, and its verdict is that of all stages together."""

import shutil

import pytest

TOOLS = ("ruff", "mypy", "lint-imports", "coverage", "python", "fractal")
SYSTEM_PROGRAMS = ("shellcheck", "pg_ctlcluster", "faketime")


@pytest.fixture
def project(tmp_path, project_root):
    root = tmp_path / "project"
    (root / ".ci").mkdir(parents=True)
    shutil.copytree(project_root / "scripts", root / "scripts")
    shutil.copy(project_root / ".ci/run", root / ".ci/run")
    tools = root / "venv/bin"
    tools.mkdir(parents=True)
    for name in TOOLS:
        tool = tools / name
        tool.write_text(f'#!/bin/sh\necho "{name} $*" >> {root}/calls\n[ "$FAILING" != {name} ]\n')
        tool.chmod(0o755)
    (root / "programs").mkdir()
    # All that the script would otherwise install, in the middle of a test.
    for name in SYSTEM_PROGRAMS:
        program = root / "programs" / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return root


@pytest.fixture
def run(project, processes):
    def run_script(*options, failing="", script="scripts/test.sh"):
        process = processes.start(
            [project / script, *options],
            env={
                "FRACTAL_VENV": str(project / "venv"),
                "FAILING": failing,
                "PATH": f"{project}/programs:/usr/bin:/bin",
            },
        )
        status = process.wait()
        calls = project / "calls"
        return status, process.output(), calls.read_text() if calls.exists() else ""

    return run_script


def test_all_stages_run_and_are_summed_up(run):
    status, output, calls = run()

    assert status == 0
    for call in ("ruff check .", "ruff format --check .", "mypy", "lint-imports"):
        assert call in calls
    assert (
        "-m pytest -n 2 --dist loadgroup -m not slow --durations=25 --durations-min=5 --cov"
        in calls
    )
    assert "--include=fractal_strategies/* --fail-under=95" in calls
    assert output.count("passed   ") == 9


@pytest.mark.parametrize("tool", ["ruff", "mypy", "lint-imports", "python", "coverage"])
def test_a_failed_stage_fails_the_whole_but_stops_nothing(run, tool):
    status, output, calls = run(failing=tool)

    assert status == 1
    assert "FAILED" in output
    assert "coverage report --include" in calls


def test_a_part_of_the_suite_has_no_coverage_gate(run):
    status, _, calls = run("--no-lint", "-k", "swings and not slow")

    assert status == 0
    assert "ruff" not in calls
    assert "--fail-under" not in calls
    assert "-k swings and not slow" in calls


def test_all_includes_the_slow_tests(run):
    assert "-m  --durations=25 --durations-min=5 --cov" in run("--all", "--no-lint")[2]


def test_continuous_integration_runs_the_same(run):
    status, output, _ = run("--no-lint", script=".ci/run", failing="python")

    assert status == 1
    assert "FAILED   pytest" in output
