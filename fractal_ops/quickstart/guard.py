"""Ends the processes of a quickstart that died without cleaning up (SIGKILL, crash).

Runs as a process of its own. Its standard input is a pipe from quickstart, which writes
``+PGID`` for every process group it starts and ``-PGID`` when that group has ended.
However quickstart dies, the system closes the pipe, and what is still on the list is
ended here: first politely, then by force. Works on any POSIX system and covers
grandchildren, which Linux's parent-death signal does not.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable

GRACE_SECONDS = 6.0
_POLL_SECONDS = 0.05


def signal_group(group: int, signum: int) -> bool:
    """Send a signal to a process group (0 only asks); False when no member is left."""
    try:
        os.killpg(group, signum)
    except ProcessLookupError:
        return False
    return True


def end_groups(groups: Iterable[int], grace_seconds: float = GRACE_SECONDS) -> None:
    """End process groups: SIGTERM, then SIGKILL for what remains after the grace.

    Parameters
    ----------
    groups : iterable of int
        Process group ids.
    grace_seconds : float
        Time that all of them together have for an orderly end.
    """
    left = [group for group in groups if signal_group(group, signal.SIGTERM)]
    deadline = time.monotonic() + grace_seconds
    while left and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        left = [group for group in left if signal_group(group, 0)]
    for group in left:
        signal_group(group, signal.SIGKILL)


def watch(lines: Iterable[str]) -> set[int]:
    """Follow quickstart's book until it closes; what is then still open is returned."""
    groups: set[int] = set()
    for line in lines:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    return groups


if __name__ == "__main__":
    end_groups(watch(sys.stdin))
