"""scripts/lib.sh: finding Python, making the environment, and never half-finishing it."""

import shutil
import stat
import sys

import pytest

# Plays a Python whose `venv` makes an environment around itself and whose `pip install`
# only takes a note, or fails when a test says so. Everything else is the real Python.
FAKE_PYTHON = """#!/bin/sh
case "$1 $2" in
"-m venv")
    mkdir -p "$4/bin" && touch "$4/pyvenv.cfg" && cp "$0" "$4/bin/python"
    printf '#!/bin/sh\\necho "quickstart ran with $*"\\n' > "$4/bin/fractal"
    chmod +x "$4/bin/fractal" ;;
"-m pip")
    [ "$3" = install ] || exit 0
    echo "$*" >> {notes}
    [ ! -e {failing} ] ;;
*) exec {python} "$@" ;;
esac
"""


class Project:
    """A copy of what the scripts need, and a fake Python."""

    def __init__(self, root, project_root, processes):
        self.root, self.processes = root, processes
        self.notes, self.failing = root.parent / "pip-notes", root.parent / "pip-fails"
        self.python = root.parent / "fake-python"
        root.mkdir()
        shutil.copytree(project_root / "scripts", root / "scripts")
        for name in ("pyproject.toml", "constraints.txt"):
            shutil.copy(project_root / name, root)
        self.python.write_text(
            FAKE_PYTHON.format(notes=self.notes, failing=self.failing, python=sys.executable)
        )
        self.python.chmod(0o755)

    def run(self, *options, **env):
        env = {"PYTHON": str(self.python), "FRACTAL_VENV": "", "FRACTAL_NEEDED_MB": "1", **env}
        process = self.processes.start([self.root / "scripts/run.sh", *options], env=env)
        return process.wait(), process.output()

    def installs(self):
        return self.notes.read_text().splitlines() if self.notes.exists() else []


@pytest.fixture
def project(tmp_path, project_root, processes):
    return Project(tmp_path / "project", project_root, processes)


def test_a_first_run_installs_with_the_pins_and_hands_over(project):
    status, output = project.run("--once", "--seed", "7")

    assert status == 0, output
    assert "quickstart ran with quickstart --once --seed 7" in output
    (install,) = project.installs()
    assert f"--constraint {project.root}/constraints.txt" in install
    assert f"--editable {project.root}" in install


def test_a_second_run_installs_nothing(project):
    project.run()
    status, output = project.run()

    assert status == 0
    assert "installing" not in output
    assert len(project.installs()) == 1


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_pins_are_installed(project, name):
    project.run()
    with (project.root / name).open("a") as file:
        file.write("# changed\n")

    project.run()

    assert len(project.installs()) == 2


def test_a_moved_project_is_installed_again_at_its_new_place(project, tmp_path):
    project.run()
    project.root = project.root.rename(tmp_path / "elsewhere")

    assert project.run()[0] == 0
    assert f"--editable {tmp_path}/elsewhere" in project.installs()[1]


def test_a_failed_install_is_an_error_and_does_not_look_finished(project):
    project.failing.touch()
    status, output = project.run()
    assert status == 2
    assert "error: pip could not install" in output
    assert "quickstart ran" not in output

    project.failing.unlink()
    assert project.run()[0] == 0
    assert len(project.installs()) == 2


def test_no_python_is_an_error_that_names_the_remedy(project, tmp_path):
    # A PATH with what every system has, but no Python.
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("bash", "dirname", "cat", "ls", "env"):
        (programs / name).symlink_to(shutil.which(name))

    status, output = project.run(PYTHON="", PATH=str(programs))

    assert status == 2
    assert output.startswith("error: no Python 3.11 or later on PATH")
    assert "apt install python3" in output


def test_an_old_python_is_passed_over_and_a_named_one_refused(project, tmp_path):
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)

    status, output = project.run(PYTHON=str(old))

    assert status == 2
    assert f"$PYTHON is {old}" in output


def test_a_python_without_venv_is_an_error_that_names_the_package(project):
    text = project.python.read_text()
    project.python.write_text(text.replace("*) exec", '"-c import ensurepip"*) exit 1 ;;\n*) exec'))

    status, output = project.run()

    assert status == 2
    assert "has no venv module" in output
    assert "apt install python3-venv" in output


def test_little_disk_is_an_error_that_names_amounts_and_remedy(project):
    status, output = project.run(FRACTAL_NEEDED_MB="999999999")

    assert status == 2
    assert "999999999 MB" in output
    assert "free some space" in output
    assert not (project.root / ".venv").exists()


def test_a_directory_in_the_environments_place_is_left_alone(project):
    (project.root / ".venv").mkdir()
    precious = project.root / ".venv/precious"
    precious.touch()

    status, output = project.run()

    assert status == 2
    assert "is not a Python environment" in output
    assert precious.exists()


def test_a_given_environment_is_used_as_it_is(project, tmp_path):
    status, output = project.run(FRACTAL_VENV=str(tmp_path / "missing"))
    assert status == 2
    assert "which has no bin/fractal" in output

    project.run()
    (project.root / ".venv").rename(tmp_path / "given")
    status, output = project.run(FRACTAL_VENV=str(tmp_path / "given"))

    assert status == 0
    assert len(project.installs()) == 1


def test_the_scripts_work_from_any_directory_and_are_executable(project_root, processes, tmp_path):
    for name in ("scripts/run.sh", "scripts/test.sh", ".ci/run"):
        assert (project_root / name).stat().st_mode & stat.S_IXUSR

    help_text = processes.start([project_root / "scripts/test.sh", "--help"], cwd=tmp_path)

    assert help_text.wait() == 0
    assert "usage: scripts/test.sh" in help_text.output()
