"""Finished results by a hash of all that they depend on."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import fractal_protections
import fractal_strategies
from fractal_ops.walk_forward.errors import WalkForwardError
from fractal_ops.walk_forward.jobs import Job
from fractal_ops.walk_forward.markets import write_atomically
from fractal_ops.walk_forward.result import WindowResult
from fractal_ops.walk_forward.run_config import normalised
from fractal_ops.walk_forward.settings import RunSettings

_PACKAGES = ("freqtrade", "ccxt", "numpy", "pandas", "numba", "TA-Lib", "optuna", "fractaltrader")
_OWN = (
    "backtest", "isolation", "job", "markets", "optimise", "result", "run_config", "settings",
    "span_result",
)  # fmt: skip
# A parameter file is JSON beside its strategy.
_SOURCES = ("*.py", "*.json")
_KEY_IN_NAME = 16


def job_key(settings: RunSettings, job: Job) -> str:
    """Hash what a job's result depends on.

    Returns
    -------
    str
        SHA-256 in hexadecimal of: the normalised config, the markets, the strategy's name and
        folder, all of ``fractal_strategies`` and ``fractal_protections``, the user's losses, the
        runner itself, versions, the data files, the window, detail timeframes and optimisation.
        No path and no secret takes part, so that machines agree.
    """
    window = job.window
    told = {
        "schema": WindowResult.model_fields["schema_version"].default,
        "config": normalised(settings.config),
        "markets": settings.markets.text,
        "pairs": settings.pairs,
        "strategy": job.facts.name,
        "window": [
            window.number,
            *(
                moment.isoformat()
                for moment in (
                    window.train_start,
                    window.train_end,
                    window.test_start,
                    window.test_end,
                )
            ),
        ],
        "detail": [job.train_detail, job.test_detail],
        "optimisation": asdict(settings.optimisation) if settings.optimisation else None,
        "versions": _versions(),
        "sources": _sources_digest(settings, job),
        "data": {path.name: _file_digest(path) for path in job.data_files},
    }
    text = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class ResultStore:
    """Results in a folder, one file each.

    Parameters
    ----------
    folder : Path
        Made when the first result comes.
    """

    folder: Path

    def path(self, job: Job, key: str) -> Path:
        """Return where a job's result is, or will be."""
        return self.folder / f"{job.name}-{key[:_KEY_IN_NAME]}.json"

    def find(self, job: Job, key: str) -> WindowResult | None:
        """Return a finished result; None if there is none that can be used."""
        try:
            found = WindowResult.from_text(self.path(job, key).read_text("utf-8"))
        except (OSError, UnicodeDecodeError, WalkForwardError):
            return None  # it is made anew, which is always right
        return found if found.key == key else None

    def keep(self, job: Job, key: str, text: str) -> WindowResult:
        """Check and store what a worker has sent."""
        result = WindowResult.from_text(text)
        write_atomically(self.path(job, key), text)
        return result


@lru_cache(maxsize=1)
def _versions() -> dict[str, str]:
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def _sources_digest(settings: RunSettings, job: Job) -> str:
    digest = hashlib.sha256()
    own = Path(__file__).parent
    # The folder of the user's strategy, since it may import its neighbours.
    roots = {job.facts.file.parent: "strategy"}
    if settings.optimisation:
        roots[Path(settings.config["user_data_dir"]) / "hyperopts"] = "hyperopts"
    for package in (fractal_strategies, fractal_protections):
        roots[Path(str(package.__file__)).parent] = package.__name__
    for root, name in sorted(roots.items(), key=lambda item: item[1]):
        _add(digest, name, root, _sources(root))
    _add(digest, "runner", own, (own / f"{name}.py" for name in _OWN))
    return digest.hexdigest()


def _sources(root: Path) -> Iterator[Path]:
    for pattern in _SOURCES:
        yield from sorted(root.rglob(pattern))


def _add(digest: hashlib._Hash, name: str, root: Path, files: Iterable[Path]) -> None:
    for path in files:
        digest.update(f"{name}/{path.relative_to(root).as_posix()}\0".encode())
        digest.update(_file_digest(path).encode())


def _file_digest(path: Path) -> str:
    try:
        state = path.stat()
    except FileNotFoundError:
        return "absent"
    return _digest_of_state(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4096)
def _digest_of_state(path: Path, _mtime_ns: int, _size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
