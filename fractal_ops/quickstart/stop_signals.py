"""Notes requests to stop, for a loop that asks at points where nothing is half-done."""

import signal
from collections.abc import Callable
from types import FrameType

from fractal_ops.quickstart.errors import StopRequestedError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_Handler = Callable[[int, FrameType | None], object] | int | None


class StopSignals:
    """Note SIGINT, SIGTERM and SIGHUP instead of acting on them at once."""

    def __init__(self) -> None:
        self._noted: list[int] = []
        self._previous: dict[signal.Signals, _Handler] = {}

    def install(self) -> None:
        """Begin to note signals; under nohup a hang-up stays ignored."""
        for signum in _SIGNALS:
            if signum is signal.SIGHUP and signal.getsignal(signum) is signal.SIG_IGN:
                continue
            self._previous[signum] = signal.signal(signum, self._note)

    def restore(self) -> None:
        """Give the signals back to who had them."""
        for signum, handler in self._previous.items():
            signal.signal(signum, handler)

    def check(self) -> None:
        """Raise StopRequestedError when a request was noted."""
        if self._noted:
            raise StopRequestedError(self._noted[0])

    @property
    def is_impatient(self) -> bool:
        """Whether a second request came: no more waiting for an orderly end."""
        return len(self._noted) > 1

    def _note(self, signum: int, _frame: FrameType | None) -> None:
        self._noted.append(signum)
