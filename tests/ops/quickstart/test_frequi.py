import pytest

from fractal_ops.quickstart import frequi
from fractal_ops.quickstart.supervisor import Supervisor
from tests.kit import is_alive


@pytest.fixture
def supervisor(tmp_path):
    with Supervisor(tmp_path, tmp_path) as running:
        yield running


def test_an_interrupted_download_does_not_count_as_installed(tmp_path):
    directory = tmp_path / "rpc/api_server/ui/installed"
    directory.mkdir(parents=True)
    (directory / "index.html").touch()
    assert frequi.installed_version(tmp_path) is None

    (directory / ".uiversion").write_text("2.0.1")
    assert frequi.installed_version(tmp_path) == "2.0.1"


def test_an_installed_ui_is_not_fetched_again(supervisor, monkeypatch, tmp_path):
    monkeypatch.setattr(frequi, "installed_version", lambda: "2.0.1")

    assert "FreqUI 2.0.1 is installed" in frequi.FreqUiInstall(supervisor).finish()
    assert not (tmp_path / "frequi-install.log").exists()


@pytest.mark.parametrize("script", ["exit 1", "sleep 600"])
def test_a_failed_or_endless_download_is_told_and_left_behind(
    supervisor, monkeypatch, tmp_path, script
):
    fake = tmp_path / "freqtrade"
    fake.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\n{script}\n")
    fake.chmod(0o755)
    monkeypatch.setattr(frequi, "installed_version", lambda: None)
    monkeypatch.setattr(frequi, "program", lambda name: str(tmp_path / name))
    monkeypatch.setattr(frequi, "TIME_LIMIT_SECONDS", 1.0)

    said = frequi.FreqUiInstall(supervisor).finish()

    assert "could not be downloaded" in said
    assert "next start" in said
    assert not is_alive(int((tmp_path / "pid").read_text()))
