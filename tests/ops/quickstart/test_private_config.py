import json
import os
import stat
import threading

import pytest

from fractal_ops.quickstart.errors import QuickstartError
from fractal_ops.quickstart.private_config import ensure_private_config

GOOD = {"api_server": {"password": "kept", "jwt_secret_key": "k" * 32}}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "config.private.json"


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_holds_random_secrets_and_is_for_the_owner_only(path):
    said = ensure_private_config(path)

    server = json.loads(path.read_text())["api_server"]
    assert mode_of(path) == 0o600
    assert len(server["password"]) >= 24
    assert len(server["jwt_secret_key"]) >= 32
    assert server["password"] not in said
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_two_new_files_share_no_secret(tmp_path):
    files = [tmp_path / name for name in ("one.json", "two.json")]
    for file in files:
        ensure_private_config(file)

    one, two = (set(json.loads(f.read_text())["api_server"].values()) for f in files)
    assert not one & two


def test_the_file_is_private_from_its_creation_under_an_open_umask(path, monkeypatch):
    modes = []
    real_open = os.open

    def watching_open(name, flags, mode=0o777, **kwargs):
        descriptor = real_open(name, flags, mode, **kwargs)
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    monkeypatch.setattr(os, "open", watching_open)
    previous = os.umask(0)
    try:
        ensure_private_config(path)
    finally:
        os.umask(previous)

    assert modes[0] == 0o600
    assert mode_of(path) == 0o600


def test_an_existing_file_is_never_overwritten(path):
    path.write_text(json.dumps(GOOD))
    path.chmod(0o600)
    before = (path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns)

    ensure_private_config(path)

    assert (path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns) == before


def test_of_many_at_once_one_writes_and_all_see_its_file(path):
    said = []
    threads = [
        threading.Thread(target=lambda: said.append(ensure_private_config(path))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(said) == 8
    assert sum("wrote" in line for line in said) == 1
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_looser_permissions_are_tightened_and_told(path):
    path.write_text(json.dumps(GOOD))
    path.chmod(0o644)

    said = ensure_private_config(path)

    assert mode_of(path) == 0o600
    assert "0644" in said


def test_what_freqtrade_accepts_is_accepted(path):
    path.write_text(
        '// mine\n{"api_server": {"password": "p", "jwt_secret_key": "%s",},}' % ("k" * 32)
    )

    assert "kept" in ensure_private_config(path)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("{", "JSON"),
        ("", "JSON"),
        ("[]", "api_server.password"),
        ('{"api_server": 3}', "api_server.password"),
        ('{"api_server": {"jwt_secret_key": "%s"}}' % ("k" * 32), "api_server.password"),
        ('{"api_server": {"password": "geheim"}}', "api_server.jwt_secret_key"),
        ('{"api_server": {"password": "geheim", "jwt_secret_key": "short"}}', "jwt_secret_key"),
        ('{"api_server": {"password": "geheim", }, "broken"', "JSON"),
    ],
)
def test_an_unusable_file_is_an_error_with_a_remedy_and_stays(path, content, named):
    path.write_text(content)

    with pytest.raises(QuickstartError, match=named) as caught:
        ensure_private_config(path)

    assert "move it away" in str(caught.value)
    assert "geheim" not in str(caught.value)
    assert path.read_text() == content


def test_a_full_disk_leaves_nothing_half_written(path, monkeypatch):
    def no_space(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)

    with pytest.raises(QuickstartError, match=r"No space left.*free disk space"):
        ensure_private_config(path)

    assert list(path.parent.iterdir()) == []
