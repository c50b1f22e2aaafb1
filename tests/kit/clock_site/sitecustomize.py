"""Put a process on the test's clock: loaded by Python itself, before anything reads the time."""

import os
import threading
import time
from pathlib import Path

import time_machine

clock_file = Path(os.environ["FRACTAL_TEST_CLOCK"])
travel = time_machine.travel(float(clock_file.read_text()), tick=False)
coordinates = travel.start()


def follow() -> None:
    """Move along with the file; it is replaced, never written in place."""
    shown = clock_file.read_text()
    while True:
        time.sleep(0.002)  # sleeping and monotonic time stay real
        try:
            wanted = clock_file.read_text()
        except OSError:
            return  # the test is over
        if wanted != shown:
            coordinates.move_to(float(wanted))
            shown = wanted


threading.Thread(target=follow, name="test clock", daemon=True).start()
