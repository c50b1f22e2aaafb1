"""Is a port free, and if not, who has it."""

import errno
import socket
from pathlib import Path

from fractal_ops.quickstart.errors import QuickstartError

_LISTEN = "0A"  # state column of /proc/net/tcp


def require_free_port(port: int, what: str, option: str) -> None:
    """Raise unless something could listen on 127.0.0.1:port now.

    Parameters
    ----------
    port : int
        Port to be taken soon.
    what : str
        Who will listen there, for the message.
    option : str
        The command-line option that chooses another port.

    Raises
    ------
    QuickstartError
        The port is taken, or may not be taken by this user.
    """
    with socket.socket() as probe:
        # As servers do, so that connections of a previous run do not look busy.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno == errno.EACCES:
                raise QuickstartError(
                    f"port {port} for {what} needs more rights than you have",
                    f"choose one from 1024 with {option} PORT",
                ) from error
            holder = find_listener(port)
            by = f" by {holder}" if holder else ""
            raise QuickstartError(
                f"port {port} for {what} is taken{by}",
                f"stop that process, or choose another port with {option} PORT",
            ) from error


def find_listener(port: int) -> str | None:
    """Name the process that listens on a local IPv4 port, where Linux tells.

    Parameters
    ----------
    port : int
        Port in question.

    Returns
    -------
    str or None
        For instance ``"python3 (process 4711)"``; None when it cannot be known.
    """
    try:
        inodes = _listening_inodes(port)
    except OSError:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        try:
            targets = {str(fd.readlink()) for fd in (process / "fd").iterdir()}
            if targets & inodes:
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:
            # It ended meanwhile, or belongs to another user.
            continue
    return None


def _listening_inodes(port: int) -> set[str]:
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {
        f"socket:[{row[9]}]"
        for row in rows
        if row[3] == _LISTEN and int(row[1].rpartition(":")[2], 16) == port
    }
