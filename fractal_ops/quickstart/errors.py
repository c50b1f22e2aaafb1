"""The ways a quickstart ends early, by what the caller does about each."""

import signal


class QuickstartError(Exception):
    """Report a problem that the user can remedy.

    Parameters
    ----------
    problem : str
        What is wrong, naming the thing and its value.
    remedy : str
        What to do about it.
    exit_status : int
        2 when nothing was started yet, 1 when something running failed.
    """

    def __init__(self, problem: str, remedy: str, *, exit_status: int = 2) -> None:
        super().__init__(f"{problem}: {remedy}")
        self.problem = problem
        self.remedy = remedy
        self.exit_status = exit_status


class ChildFailedError(QuickstartError):
    """Report a process of ours that ended by itself or failed at its task."""

    def __init__(self, problem: str, remedy: str, last_lines: list[str]) -> None:
        super().__init__(problem, remedy, exit_status=1)
        self.last_lines = last_lines


class StopRequestedError(Exception):
    """A person or the system asked us to stop; not a failure.

    Parameters
    ----------
    signum : int
        The signal that was received.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum

    @property
    def exit_status(self) -> int:
        """The shell's convention for an end by signal: 128 + its number."""
        return 128 + self.signum
