"""What tests of real processes share: waiting for a condition, ports, processes."""

from tests.kit.processes import ProcessRunner, RunningProcess, group_members, is_alive
from tests.kit.waiting import eventually, free_port

__all__ = [
    "ProcessRunner",
    "RunningProcess",
    "eventually",
    "free_port",
    "group_members",
    "is_alive",
]
