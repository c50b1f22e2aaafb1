import pytest

from fractal_ops.quickstart.reuse import LastBacktest, fingerprint


@pytest.fixture
def project(tmp_path):
    for name in (
        "fractal_strategies/smc/swings.py",
        "fractal_strategies/fvg_fill.json",
        "fractal_protections/exposure_limit.py",
        "config.json",
        "data/futures/BTC-2h.feather",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("before")
    return tmp_path


def digest(root, words=("FvgFill",)):
    return fingerprint(root, [root / "config.json"], root / "data", words)


def test_the_same_inputs_have_the_same_fingerprint(project):
    assert digest(project) == digest(project)


@pytest.mark.parametrize(
    "name",
    [
        "fractal_strategies/smc/swings.py",
        "fractal_strategies/fvg_fill.json",
        "fractal_protections/exposure_limit.py",
        "config.json",
        "data/futures/BTC-2h.feather",
    ],
)
def test_a_change_of_any_input_changes_the_fingerprint(project, name):
    before = digest(project)
    (project / name).write_text("after")

    assert digest(project) != before


def test_another_strategy_list_changes_the_fingerprint(project):
    assert digest(project) != digest(project, ("FvgFill", "SmcEnsemble"))


def test_a_remembered_export_is_found_by_its_fingerprint_only(tmp_path):
    export = tmp_path / "a.zip"
    export.touch()
    last = LastBacktest(tmp_path / "last.json")
    last.remember("abc", export)

    assert last.find("abc") == export
    assert last.find("abd") is None
    export.unlink()
    assert last.find("abc") is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"export": 1, "fingerprint": "abc"}'])
def test_an_unusable_memory_finds_nothing(tmp_path, content):
    (tmp_path / "last.json").write_text(content)

    assert LastBacktest(tmp_path / "last.json").find("abc") is None
