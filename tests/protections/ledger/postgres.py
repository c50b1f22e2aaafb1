"""A PostgreSQL server of the tests' own: Debian's programs, a socket in a temporary folder."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.kit import eventually

USER = "fractal"


def programs() -> Path | None:
    """Return the folder of the newest server's programs, None if there is no server."""
    found = [p for p in Path("/usr/lib/postgresql").glob("*/bin") if (p / "initdb").exists()]
    return max(found, key=lambda path: float(path.parent.name), default=None)


class PostgresServer:
    """A server that only this machine's root and tests reach; gone with `remove`."""

    def __init__(self, bin_dir: Path) -> None:
        self.bin_dir = bin_dir
        # Not pytest's folder: a socket's path is limited to about 100 characters.
        self.folder = Path(tempfile.mkdtemp(prefix="fractal-pg-"))
        self._as_user: dict[str, Any] = {}
        if os.geteuid() == 0:  # the server refuses to run as root
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self._as_user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self._run("initdb", "--pgdata", self.folder / "data", "--username", USER,
                  "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")  # fmt: skip
        self.start()

    def _command(self, program: str, *arguments: str | Path) -> list[str]:
        return [str(self.bin_dir / program), *map(str, arguments)]

    def _run(self, program: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(  # noqa: S603  # the tests' own command
            self._command(program, *arguments),
            cwd=self.folder, capture_output=True, text=True, check=False, **self._as_user,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def start(self) -> None:
        log = self.folder / "server.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603  # the tests' own command
                self._command(
                    "postgres", "-D", self.folder / "data", "-k", self.folder,
                    "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=40",
                    "-c", "shared_buffers=16MB",
                ),
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, **self._as_user,
            )  # fmt: skip
        eventually(self._answers, 30, f"start of PostgreSQL, see {log}")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "server.log").read_text()
        asked = subprocess.run(  # noqa: S603  # the tests' own command
            self._command("pg_isready", "-q", "-h", self.folder), check=False
        )
        return asked.returncode == 0

    def stop(self) -> None:
        """End the server at once, and with it every connection."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # its "fast" shutdown
            self._process.wait(30)
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def sql(self, statement: str, database: str = "postgres") -> str:
        return self._run(
            "psql", "-qAtX", "-h", self.folder, "-U", USER, "-c", statement, database
        ).stdout.strip()

    def new_database(self) -> str:
        """Make an empty database and return its URL."""
        self._databases += 1
        name = f"ledger_{self._databases}"
        self.sql(f"CREATE DATABASE {name}")
        return f"postgresql://{USER}@/{name}?host={self.folder}"
