"""Put a process on the test's clock: loaded by Python itself, before anything reads the time."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import time_machine

clock_file = Path(os.environ["FRACTAL_TEST_CLOCK"])
travel = time_machine.travel(float(clock_file.read_text()), tick=False)
coordinates = travel.start()


pause = time.sleep


def follow() -> None:
    """Move along with the file; it is replaced, never written in place."""
    shown = clock_file.read_text()
    while True:
        pause(0.005)  # sleeping and monotonic time stay real
        try:
            wanted = clock_file.read_text()
        except OSError:
            return  # the test is over
        if wanted != shown:
            coordinates.move_to(float(wanted))
            shown = wanted


def rest(seconds: float, real: Callable[[float], None] = time.sleep) -> None:
    """Sleep at least a little: a bot without a pause between its loops would take a whole core."""
    real(max(seconds, 0.03))


time.sleep = rest
threading.Thread(target=follow, name="test clock", daemon=True).start()
