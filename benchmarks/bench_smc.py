"""Measure the indicator engine: parity first, then speed, growth, memory and company.

``python benchmarks/bench_smc.py`` measures ours on a generated market and needs nothing but
the project. ``--competitors`` puts it beside smartmoneyconcepts and pyvsmc on real candles
(``pip install -e '.[bench]'``; candles as described in benchmarks/README.md). ``--write``
stores what was measured in benchmarks/results/smc.md.
"""

import argparse
import contextlib
import ctypes
import gc
import importlib.metadata
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

PROJECT_ROOT = Path(__file__).resolve().parents[1]
if str(PROJECT_ROOT) not in sys.path:
    sys.path.insert(0, str(PROJECT_ROOT))  # for the oracle and the markets of the tests

from fractal_strategies.smc import COLUMNS, SmcConfig, detect_all  # noqa: E402
from tests.smc.markets import SHORT, random_walk  # noqa: E402
from tests.smc.oracle import differences  # noqa: E402

LIMIT_NS = 400.0
LIMIT_GROWTH = 11.0
LIMIT_BYTES = 40.0
DATA = PROJECT_ROOT.parent / "shared" / "data" / "binance" / "futures"
RESULTS = PROJECT_ROOT / "benchmarks" / "results" / "smc.md"
WIDTH = 5
"""Swing width of all three packages in the comparison."""

Readings = npt.NDArray[np.float64]
Detector = Callable[[pd.DataFrame], dict[str, Readings]]


def use_one_core() -> None:
    """Stay on one core where the system allows to say so."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def keep_freed_memory() -> None:
    """Let glibc reuse what one run freed for the next, instead of returning it to the kernel.

    Otherwise the kernel has to hand out and clear hundreds of megabytes per run or has not,
    depending on what lies where in the heap, and the clock measures that lottery. What fresh
    memory costs is measured on its own, in a process that has run nothing else.
    """
    if platform.system() == "Linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD
            libc.mallopt(-3, 2**25)  # M_MMAP_THRESHOLD


def check_parity() -> int:
    """Compare with the slow oracle before anything is timed; return the candles compared."""
    compared = 0
    for rows, seed, tick, config in ((1_500, 1, 0.5, SmcConfig()), (1_500, 2, 8.0, SHORT)):
        problems = differences(random_walk(rows, seed, tick), config)
        if problems:
            raise SystemExit(f"no parity with the oracle, so no figures: {problems}")
        compared += rows
    return compared


def seconds(function: Callable[[], object]) -> float:
    """Time one call on its core, without the collector's pauses.

    Processor time, not the clock on the wall: everything here runs in one thread, and other
    processes on the machine shall not count.
    """
    gc.collect()
    gc.disable()
    try:
        start = time.process_time()
        function()
        return time.process_time() - start
    finally:
        gc.enable()


def measure_growth(rows: int, repeats: int) -> tuple[float, float]:
    """Return median ns per candle at `rows`, and by how much a tenth of them is faster."""
    large = random_walk(rows, 1)
    small = large.iloc[: rows // 10].copy()
    detect_all(small.iloc[:2_000])
    detect_all(large)  # the first large run also pays for fresh memory
    times: dict[int, list[float]] = {len(small): [], len(large): []}
    for _ in range(repeats):
        # Interleaved, so that a busy moment of the machine meets both sizes.
        for frame in (small, large):
            times[len(frame)].append(seconds(lambda frame=frame: detect_all(frame)))  # type: ignore[misc]
    slow, fast = statistics.median(times[len(large)]), statistics.median(times[len(small)])
    return slow / len(large) * 1e9, slow / fast


def measure_fresh(rows: int) -> tuple[float, float]:
    """Return ns and peak bytes per candle of the first large run of a fresh process."""
    command = [sys.executable, str(Path(__file__).resolve()), "--fresh", str(rows)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    ns, bytes_ = ran.stdout.split()
    return float(ns), float(bytes_)


def peak_bytes() -> int:
    """Read the process's peak resident memory."""
    if platform.system() == "Linux":
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024


def report_fresh(rows: int) -> None:
    """Print time and peak growth of one run; the process has detected nothing large before."""
    frame = random_walk(rows, 1)
    detect_all(frame.iloc[:2_000])
    gc.collect()
    with contextlib.suppress(OSError):
        # Linux forgets the peak that making the market left behind.
        Path("/proc/self/clear_refs").write_text("5")
    before = peak_bytes()
    time_taken = seconds(lambda: detect_all(frame))
    print(time_taken / rows * 1e9, (peak_bytes() - before) / rows)


@dataclass
class Package:
    """A package under comparison: detectors from a frame to arrays, NaN or 0 where silent."""

    name: str
    version: str
    detectors: dict[str, Detector]
    ns_per_candle: dict[int, float] = field(default_factory=dict)
    late: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Readings of a candle, and those that its close did not show."""
    taken_back: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Readings shown in the newest rows at some close, and those changed since."""


def _arrays(found: object, names: str) -> dict[str, Readings]:
    if isinstance(found, pd.DataFrame):
        return {name: found[name].to_numpy(dtype=np.float64) for name in names.split()}
    return {name: np.asarray(getattr(found, name), dtype=np.float64) for name in names.split()}


def ours() -> Package:
    """All detectors in one call: that is how it is used."""
    config = SmcConfig(swing_width=WIDTH)
    groups = {
        "swings": "swing_high swing_low last_swing_high last_swing_low",
        "BOS/CHoCH": "bos choch broken_level trend",
        "order blocks": "ob ob_top ob_bottom ob_bull_top ob_bull_bottom ob_bear_top "
        "ob_bear_bottom ob_mitigated ob_invalidated",
        "fair value gaps": "fvg fvg_top fvg_bottom fvg_bull_top fvg_bull_bottom fvg_bull_fill "
        "fvg_bear_top fvg_bear_bottom fvg_bear_fill fvg_filled",
        "liquidity": "liquidity_high liquidity_low sweep sweep_high_level sweep_low_level",
    }

    def detector(names: str) -> Detector:
        return lambda frame: _arrays(detect_all(frame, config).columns, names)

    version = importlib.metadata.version("fractaltrader")
    return Package(
        "fractaltrader", version, {key: detector(value) for key, value in groups.items()}
    )


def smartmoneyconcepts() -> Package:
    """Wrap joshyattridge/smart-money-concepts; its facts about later candles are left out."""
    os.environ["SMC_CREDIT"] = "0"  # its greeting
    from smartmoneyconcepts import smc  # type: ignore[import-not-found]  # in the bench extra

    def after_swings(function: Callable[..., pd.DataFrame], names: str) -> Detector:
        def run(frame: pd.DataFrame) -> dict[str, Readings]:
            swings = smc.swing_highs_lows(frame, swing_length=WIDTH)
            return _arrays(function(frame, swings), names)

        return run

    detectors: dict[str, Detector] = {
        "swings": lambda frame: _arrays(
            smc.swing_highs_lows(frame, swing_length=WIDTH), "HighLow Level"
        ),
        "BOS/CHoCH": after_swings(smc.bos_choch, "BOS CHOCH Level"),
        "order blocks": after_swings(smc.ob, "OB Top Bottom"),
        "fair value gaps": lambda frame: _arrays(smc.fvg(frame), "FVG Top Bottom"),
        "liquidity": after_swings(smc.liquidity, "Liquidity Level"),
    }
    version = importlib.metadata.version("smartmoneyconcepts")
    return Package("smartmoneyconcepts", version, detectors)


def pyvsmc() -> Package:
    """Wrap pyvsmc."""
    import pyvsmc as vsmc  # type: ignore[import-not-found]  # in the bench extra

    def prices(frame: pd.DataFrame, names: str) -> list[Readings]:
        return [frame[name].to_numpy() for name in names.split()]

    detectors: dict[str, Detector] = {
        "swings": lambda frame: _arrays(
            vsmc.detect_swings(*prices(frame, "high low"), window_size=WIDTH),
            "swing_high_price swing_low_price",
        ),
        "BOS/CHoCH": lambda frame: _arrays(
            vsmc.detect_structure(*prices(frame, "high low close"), window_size=WIDTH),
            "bos_bullish bos_bearish choch_bullish choch_bearish",
        ),
        "order blocks": lambda frame: _arrays(
            vsmc.detect_order_blocks(*prices(frame, "open high low close"), window_size=WIDTH),
            "bullish_ob bearish_ob ob_high ob_low",
        ),
        "fair value gaps": lambda frame: _arrays(
            vsmc.detect_fvg(*prices(frame, "high low")), "bullish bearish"
        ),
        "liquidity": lambda frame: _arrays(
            vsmc.detect_liquidity(*prices(frame, "high low close"), window_size=WIDTH),
            "equal_swing_high equal_swing_low sweep_high sweep_low sweep_level",
        ),
    }
    return Package("pyvsmc", importlib.metadata.version("pyvsmc"), detectors)


def real_candles(rows: int) -> pd.DataFrame:
    """Read BTC 15m candles; what is missing comes from ETH, spliced at BTC's last close."""
    frames = []
    for pair in ("BTC", "ETH"):
        path = DATA / f"{pair}_USDT_USDT-15m-futures.feather"
        if not path.exists():
            raise SystemExit(f"{path.name} is not in {DATA}; see benchmarks/README.md")
        frames.append(pd.read_feather(path))
    first, second = frames
    prices = ["open", "high", "low", "close"]
    second[prices] *= first["close"].iloc[-1] / second["open"].iloc[0]
    joined = pd.concat(frames, ignore_index=True).iloc[:rows].reset_index(drop=True)
    joined["date"] = pd.date_range(first["date"].iloc[0], periods=rows, freq="15min")
    return joined


def time_package(package: Package, candles: pd.DataFrame, sizes: tuple[int, ...]) -> None:
    """Time everything that a package detects here; ours needs one call for all of it."""

    def run(frame: pd.DataFrame) -> None:
        if package.name == "fractaltrader":
            detect_all(frame, SmcConfig(swing_width=WIDTH))
            return
        for detector in package.detectors.values():
            detector(frame)

    run(candles.iloc[:2_000])  # compilers
    for size in sizes:
        frame = candles.iloc[:size].reset_index(drop=True)
        best = seconds(lambda frame=frame: run(frame))  # type: ignore[misc]
        for _ in range(4 if best < 2.0 else 0):
            best = min(best, seconds(lambda frame=frame: run(frame)))  # type: ignore[misc]
        package.ns_per_candle[size] = best / size * 1e9


def replay(package: Package, candles: pd.DataFrame, prefixes: range, newest: int = 50) -> None:
    """Read every candle at its close, then again with all candles known."""
    for name, detector in package.detectors.items():
        whole = detector(candles)
        late = late_wrong = shown = gone = 0
        for rows in prefixes:
            part = detector(candles.iloc[:rows].reset_index(drop=True))
            speaks_now = speaks_later = differs = np.zeros(newest, bool)
            for column, values in part.items():
                now, later = values[-newest:], whole[column][rows - newest : rows]
                speaks_now = speaks_now | ((now != 0) & ~np.isnan(now))
                speaks_later = speaks_later | ((later != 0) & ~np.isnan(later))
                differs = differs | ~((now == later) | (np.isnan(now) & np.isnan(later)))
            late += int(speaks_now[-1] or speaks_later[-1])
            late_wrong += int(differs[-1])
            shown += int(speaks_now.sum())
            gone += int((speaks_now & differs).sum())
        package.late[name] = (late, late_wrong)
        package.taken_back[name] = (shown, gone)


def share(pair: tuple[int, int]) -> str:
    """Write a share with what it was counted from."""
    total, part = pair
    return "-" if total == 0 else f"{part / total:.1%} ({part:,} of {total:,})"


def own_table(ns: float, fresh_ns: float, growth: float, bytes_: float, rows: int) -> list[str]:
    """Tabulate what the limits are for."""
    return [
        "| all detectors together, one core | measured | limit |",
        "|---|---|---|",
        f"| time for {rows:,} candles over time for {rows // 10:,} | {growth:.1f} times "
        f"| {LIMIT_GROWTH:.0f} times |",
        f"| peak memory per candle and output column ({len(COLUMNS)} columns) "
        f"| {bytes_:.1f} bytes | {LIMIT_BYTES:.0f} bytes |",
        f"| time per candle at {rows:,} candles | {ns:.0f} ns | {LIMIT_NS:.0f} ns |",
        f"| the same, first run of a process (fresh memory) | {fresh_ns:.0f} ns | |",
    ]


def company_tables(packages: list[Package], sizes: tuple[int, ...], replayed: int) -> list[str]:
    """Tabulate the comparison, ratios first."""
    base = packages[0].ns_per_candle
    heads = [f"{package.name} {package.version}" for package in packages]
    rule = "|---" * (len(packages) + 1) + "|"
    lines = ["", "| swings, structure, order blocks, gaps, liquidity | " + " | ".join(heads) + " |"]
    lines.append(rule)
    for size in sizes:
        cells = [f"{package.ns_per_candle[size] / base[size]:,.1f} times" for package in packages]
        lines.append(f"| time at {size:,} candles, ours = 1 | " + " | ".join(cells) + " |")
    for title, attribute in (
        ("Readings that differ from what was known at the candle's close", "late"),
        ("Readings of the newest 50 candles, shown at a close, that changed later", "taken_back"),
    ):
        lines += ["", f"{title} ({replayed:,} closes replayed):", ""]
        lines += ["| detector | " + " | ".join(heads) + " |", rule]
        for name in packages[0].detectors:
            cells = [share(getattr(package, attribute)[name]) for package in packages]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "| on the machine that ran this | " + " | ".join(heads) + " |", rule]
    for size in sizes:
        cells = [f"{package.ns_per_candle[size]:,.0f} ns" for package in packages]
        lines.append(f"| time per candle at {size:,} candles | " + " | ".join(cells) + " |")
    return lines


def compare(sizes: tuple[int, ...], closes: int) -> list[str]:
    """Run the comparison and tabulate it."""
    try:
        packages = [ours(), smartmoneyconcepts(), pyvsmc()]
    except ImportError as error:
        raise SystemExit(f"{error}; install them with: pip install -e '.[bench]'") from error
    candles = real_candles(max(sizes))
    start = 1_000
    history = candles.iloc[: start + closes + 100].reset_index(drop=True)
    for package in packages:
        time_package(package, candles, sizes)
        replay(package, history, range(start, start + closes))
        print(f"measured {package.name}", file=sys.stderr)
    lines = company_tables(packages, sizes, closes)
    lines += [
        "",
        f"Real candles: Binance BTC/USDT perpetual, 15m, from {candles['date'].iloc[0]:%Y-%m-%d}. "
        "The file holds 52,512; beyond them, ETH/USDT candles follow, scaled to BTC's last "
        f"close. Swing width {WIDTH} for all, everything else at its default. Ours computes "
        f"{len(COLUMNS)} columns in that time, more than are compared. A reading counts where "
        "either pass shows something, and differs when any of its marks or prices does; columns "
        "that name a later row (mitigated, broken, swept at) are left out of theirs. Theirs "
        "stamp an event on its origin, for charts: reading it there in a backtest is the error, "
        "drawing it there is not. The second table does not punish that: it counts only what had "
        "been shown and was then taken back or altered.",
    ]
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and say by the exit status whether the limits are kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000, help="candles of the large run")
    parser.add_argument("--repeats", type=int, default=7, help="interleaved repeats")
    parser.add_argument("--competitors", action="store_true", help="compare on real candles")
    parser.add_argument("--closes", type=int, default=1_000, help="closes replayed for it")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    parser.add_argument("--fresh", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    use_one_core()
    if options.fresh:
        report_fresh(options.fresh)
        return 0

    keep_freed_memory()
    compared = check_parity()
    ns, growth = measure_growth(options.rows, options.repeats)
    fresh_ns, fresh_bytes = measure_fresh(options.rows)
    bytes_ = fresh_bytes / len(COLUMNS)
    lines = own_table(ns, fresh_ns, growth, bytes_, options.rows)
    if options.competitors:
        lines += compare((10_000, 80_000), options.closes)
    print("\n".join(lines))
    if options.write:
        flags = " --competitors" if options.competitors else ""
        versions = ", ".join(
            f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "numba", "pandas")
        )
        header = [
            "# Benchmark of the indicator engine",
            "",
            f"`python benchmarks/bench_smc.py{flags} --write`, {datetime.now(UTC):%Y-%m-%d}; "
            f"Python {platform.python_version()}, {versions}, {platform.machine()}. Parity with "
            f"the slow oracle checked on {compared:,} candles first. Medians of "
            f"{options.repeats} interleaved repeats of processor time after warm-up.",
            "",
        ]
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text("\n".join([*header, *lines]) + "\n", encoding="utf-8")
    kept = ns <= LIMIT_NS and growth <= LIMIT_GROWTH and bytes_ <= LIMIT_BYTES
    if not kept:
        print("a limit is exceeded", file=sys.stderr)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
