"""One clock for several real processes: it stands still until the test moves it."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

SITE = Path(__file__).parent / "clock_site"


class SharedClock:
    """A moment in a file, followed by every process that was started with :meth:`env`.

    Only the time of day is the test's; waiting and monotonic time stay real, so event loops and
    sockets work as ever.
    """

    def __init__(self, path: Path, start: datetime) -> None:
        self._path = path
        self.now = start
        self.set(start)

    def set(self, moment: datetime) -> None:
        """Move the clock; processes follow within a few milliseconds."""
        self.now = moment.astimezone(UTC)
        part = self._path.with_suffix(".part")
        part.write_text(repr(self.now.timestamp()))
        part.replace(self._path)

    def advance(self, by: timedelta) -> datetime:
        self.set(self.now + by)
        return self.now

    def env(self) -> dict[str, str]:
        """Environment of a process on this clock."""
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(SITE), os.environ.get("PYTHONPATH", "")]),
            "FRACTAL_TEST_CLOCK": str(self._path),
            "TZ": "UTC",
        }
