"""What tests of real processes share: waiting for a condition, ports, processes."""

from tests.kit.clock import SharedClock
from tests.kit.processes import ProcessRunner, RunningProcess, group_members, is_alive
from tests.kit.waiting import eventually, free_port

__all__ = [
    "ProcessRunner",
    "RunningProcess",
    "SharedClock",
    "eventually",
    "free_port",
    "group_members",
    "is_alive",
]
