"""FreqUI: fetched in the background when the network allows, missed without harm."""

import importlib.util
import time
from pathlib import Path

from fractal_ops.quickstart.child import Child
from fractal_ops.quickstart.programs import program
from fractal_ops.quickstart.supervisor import Supervisor

TIME_LIMIT_SECONDS = 60.0


def installed_version(package_dir: Path | None = None) -> str | None:
    """Return the version of FreqUI in this environment.

    Parameters
    ----------
    package_dir : Path, optional
        Directory of the freqtrade package; found by itself when omitted.

    Returns
    -------
    str or None
        None when FreqUI is not, or not completely, installed.
    """
    if package_dir is None:
        spec = importlib.util.find_spec("freqtrade")
        if spec is None or spec.origin is None:
            return None
        package_dir = Path(spec.origin).parent
    # freqtrade writes this file last, so an interrupted download has none.
    marker = package_dir / "rpc/api_server/ui/installed/.uiversion"
    return marker.read_text("utf-8").strip() if marker.is_file() else None


class FreqUiInstall:
    """Run `freqtrade install-ui` beside the other steps.

    Parameters
    ----------
    supervisor : Supervisor
        Starts and stops it.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._deadline = time.monotonic() + TIME_LIMIT_SECONDS
        self._child: Child | None = None
        if installed_version() is None:
            self._child = supervisor.start("frequi install", [program("freqtrade"), "install-ui"])

    def finish(self) -> str:
        """Wait for the rest of its time, and say plainly what came of it.

        Returns
        -------
        str
            One line for the user.
        """
        if self._child is not None:
            while not self._child.has_ended() and time.monotonic() < self._deadline:
                self._supervisor.tick()
            self._supervisor.stop(self._child)
        version = installed_version()
        if version is not None:
            return f"FreqUI {version} is installed"
        log = f" (see {self._child.log})" if self._child else ""
        return (
            f"FreqUI could not be downloaded from api.github.com{log}: the charts in the "
            "browser are missing, the REST API works; the next start tries again"
        )
