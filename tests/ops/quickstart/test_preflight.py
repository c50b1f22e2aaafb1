import shutil
import socket
from collections import namedtuple

import pytest

from fractal_ops.quickstart import preflight
from fractal_ops.quickstart.errors import QuickstartError
from fractal_ops.quickstart.ports import find_listener, require_free_port
from fractal_ops.quickstart.settings import Settings
from tests.kit import free_port

DiskUsage = namedtuple("DiskUsage", "total used free")


def test_little_disk_is_an_error_that_names_place_amounts_and_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: DiskUsage(10**9, 10**9, 12 << 20))

    with pytest.raises(QuickstartError, match=r"12 MB .* 300 MB: free some space") as caught:
        preflight.check_disk(tmp_path)

    assert str(tmp_path) in str(caught.value)
    assert caught.value.exit_status == 2


def test_a_directory_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "user_data").write_text("a file in its place")

    with pytest.raises(QuickstartError, match=r"cannot write into .*user_data"):
        preflight.prepare_directories(Settings(tmp_path))


def test_an_old_python_is_an_error_that_names_its_version():
    with pytest.raises(QuickstartError, match=r"Python 3\.10\.13.*3\.11 or later"):
        preflight.check_python((3, 10, 13))


def test_another_directory_is_an_error_that_names_it(tmp_path):
    with pytest.raises(QuickstartError, match=r"holds no config\.testnet\.json"):
        preflight.check_project(tmp_path)


def test_one_port_for_both_is_an_error(tmp_path):
    port = free_port()

    with pytest.raises(QuickstartError, match=f"both {port}"):
        preflight.check_ports(Settings(tmp_path, bot_port=port, exchange_port=port))


def test_a_port_of_a_closed_connection_counts_as_free():
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()  # the server's side goes to TIME_WAIT

    require_free_port(port, "a test", "--port")


def test_the_listener_of_a_free_port_is_unknown():
    assert find_listener(free_port()) is None


def test_the_lock_is_free_again_after_its_holder_closed_it(tmp_path):
    settings = Settings(tmp_path)
    (tmp_path / "user_data").mkdir()
    preflight.prepare_directories(settings)

    with preflight.take_lock(settings), pytest.raises(QuickstartError, match="another quickstart"):
        preflight.take_lock(settings)
    preflight.take_lock(settings).close()
