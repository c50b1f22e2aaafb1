"""Whether the last backtest still says what a new one would.

freqtrade's own cache looks at the config and the strategy's file; it does not see a
change in the modules that the strategy imports, nor in the candles. So we ask it for
none and keep a fingerprint of everything a result depends on.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

_SOURCE_PACKAGES = ("fractal_strategies", "fractal_protections")


def fingerprint(root: Path, configs: Iterable[Path], data: Path, words: Iterable[str]) -> str:
    """Digest everything that a backtest's result depends on.

    Parameters
    ----------
    root : Path
        The project, with the strategies' code.
    configs : iterable of Path
        Configs of the backtest, in order.
    data : Path
        Directory with the candles.
    words : iterable of str
        What else matters, such as the strategy list.

    Returns
    -------
    str
        Hexadecimal SHA-256.
    """
    digest = hashlib.sha256(f"freqtrade {version('freqtrade')}\0".encode())
    for word in words:
        digest.update(f"{word}\0".encode())
    sources = (
        path
        for package in _SOURCE_PACKAGES
        for pattern in ("*.py", "*.json")  # a strategy's hyperopt result is a JSON beside it
        for path in sorted((root / package).rglob(pattern))
    )
    for path in (*configs, *sources, *sorted(data.rglob("*.feather"))):
        digest.update(f"{path}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@dataclass(frozen=True)
class LastBacktest:
    """Remember the last backtest of a quickstart between runs.

    Parameters
    ----------
    path : Path
        Where it is kept.
    """

    path: Path

    def find(self, wanted: str) -> Path | None:
        """Return the export that has this fingerprint, if it is still there."""
        try:
            kept = json.loads(self.path.read_text("utf-8"))
            export = Path(kept["export"])
            matches = kept["fingerprint"] == wanted
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None  # nothing usable kept: the backtest runs, which is always right
        return export if matches and export.is_file() else None

    def remember(self, fingerprint: str, export: Path) -> None:
        """Keep the export of a finished backtest."""
        content = {"fingerprint": fingerprint, "export": str(export)}
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(content, indent=4) + "\n", "utf-8")
        part.replace(self.path)
