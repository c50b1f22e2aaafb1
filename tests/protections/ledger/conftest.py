"""Ledgers of each kind; everything that a test opens is closed after it."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from fractal_protections.portfolio.ledger import Ledger
from fractal_protections.portfolio.memory_ledger import MemoryLedger
from fractal_protections.portfolio.sql import SqlLedger, open_ledger
from tests.kit import ProcessRunner, RunningProcess
from tests.protections.ledger.postgres import PostgresServer, programs

# One worker starts the server, the others need none.
ON_POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.xdist_group("postgresql"))
NOBODY = 65534

Opener = Callable[..., SqlLedger]
Child = Callable[..., RunningProcess]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    bin_dir = programs()
    if bin_dir is None:
        pytest.skip("PostgreSQL is not installed: apt install postgresql")
    server = PostgresServer(bin_dir)
    yield server
    server.remove()


@pytest.fixture
def postgresql_url(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", ON_POSTGRESQL])
def url(request: pytest.FixtureRequest) -> str:
    """Where no ledger is yet, on each kind of database."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def opened() -> Iterator[Opener]:
    ledgers: list[SqlLedger] = []

    def open_one(url: str, **options: Any) -> SqlLedger:
        ledgers.append(open_ledger(url, **{"mode": "dry_run", **options}))
        return ledgers[-1]

    yield open_one
    for ledger in ledgers:
        ledger.close()


@pytest.fixture
def sql_ledger(url: str, opened: Opener) -> SqlLedger:
    return opened(url)


@pytest.fixture(params=["memory", "sqlite", ON_POSTGRESQL])
def ledger(request: pytest.FixtureRequest, opened: Opener) -> Ledger:
    """A new ledger of each kind."""
    if request.param == "memory":
        return MemoryLedger()
    return opened(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def child(processes: ProcessRunner, project_root: Path) -> Child:
    """Start another bot's process; see child.py."""

    def start(what: str, url: str) -> RunningProcess:
        module = "tests.protections.ledger.start_child"
        return processes.start([sys.executable, "-m", module, what, url], cwd=project_root)

    return start


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that an ordinary user reaches, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="fractal-ledger-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def ordinary_user() -> Callable[[], AbstractContextManager[None]]:
    """Be somebody whom file permissions bind: root is not."""

    @contextmanager
    def as_nobody() -> Iterator[None]:
        user = os.geteuid()
        if user == 0:
            os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(user)

    return as_nobody
