"""Wait for conditions instead of sleeping, and find ports that nobody uses."""

import socket
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(condition: Callable[[], T], timeout: float = 10.0, what: str = "condition") -> T:
    """Return the condition's value once it is true; fail when that takes too long."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} was not met within {timeout} s")
        time.sleep(0.02)
    return value


def free_port() -> int:
    """Return a port on 127.0.0.1 that the system has just found free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
