"""Measure what the portfolio's gate costs: parity first, then backtests and live decisions.

``python benchmarks/bench_gate.py DATA`` backtests the four strategies with the gate off and on,
in turns, on recorded 2h candles of BTC, ETH and SOL in freqtrade's layout, and times live
decisions against a ledger of three bots, 30 pairs and 1,000 finished trades. ``--write`` stores
what was measured in benchmarks/results/gate.md.
"""

import argparse
import contextlib
import gc
import logging
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
from freqtrade.configuration import TimeRange

PROJECT_ROOT = Path(__file__).resolve().parents[1]
if str(PROJECT_ROOT) not in sys.path:
    sys.path.insert(0, str(PROJECT_ROOT))  # for the offline exchange of the tests

from fractal_protections.portfolio.book import BotReport  # noqa: E402
from fractal_protections.portfolio.gate import Entry, Gate  # noqa: E402
from fractal_protections.portfolio.limits import RiskLimits  # noqa: E402
from fractal_protections.portfolio.money import money  # noqa: E402
from fractal_protections.portfolio.positions import ClosedTrade, Position  # noqa: E402
from fractal_protections.portfolio.settings import PortfolioSettings  # noqa: E402
from fractal_protections.portfolio.sizing import EntryTerms  # noqa: E402
from fractal_protections.portfolio.sql import open_ledger  # noqa: E402
from tests.strategies.backtests import offline_backtesting  # noqa: E402
from tests.strategies.bots import STRATEGIES  # noqa: E402

LIMIT_SHARE = 0.15
LIMIT_P95_MS = 30.0
COINS = ("BTC", "ETH", "SOL")
RESULTS = PROJECT_ROOT / "benchmarks" / "results" / "gate.md"
ROOMY = {
    # Nothing is denied and positions are as large as without the gate, so that both backtests
    # trade the same.
    "max_positions": 10,
    "max_positions_per_symbol": 2,  # a backtest may turn a position around within one candle
    "max_total_exposure_ratio": 1.0,
    "max_correlated_exposure_ratio": 1.0,
    "max_position_ratio": 1.0,
    "daily_loss_ratio": 0.98,
    "max_drawdown_ratio": 0.99,
    "risk_per_trade_ratio": 0.001,
    "min_confidence": 0,
}


def candles(data: Path) -> dict[str, pd.DataFrame]:
    """Read the recorded candles by pair."""
    return {
        f"{coin}/USDC:USDC": pd.read_feather(data / f"{coin}_USDC_USDC-2h-futures.feather")
        for coin in COINS
    }


@contextlib.contextmanager
def backtest_of(strategy: str, pairs: list[str], *, gate: bool) -> Iterator[Any]:
    """Prepare freqtrade's own backtest, offline."""
    fractal = {"limits": ROOMY, "portfolio": {"gate": gate}, "strategy": {"leverage": 1}}
    with offline_backtesting(
        strategy, pairs=pairs, timeframe="2h", stake_amount=1000.0, fractal=fractal
    ) as testing:
        yield testing


def timed_run(testing: Any, frames: dict[str, pd.DataFrame]) -> tuple[float, pd.DataFrame]:
    """Run analysis and backtest as freqtrade does; processor time, which other work leaves be."""
    dates = next(iter(frames.values()))["date"]
    span = TimeRange("date", None, int(dates.iloc[400].timestamp()), 0)
    testing.timerange = span
    testing.required_startup = 400
    copies = {pair: frame.copy() for pair, frame in frames.items()}
    gc.collect()
    started = time.process_time()
    processed = testing.strategy.advise_all_indicators(copies)
    content = testing.backtest(
        processed, dates.iloc[400].to_pydatetime(), dates.iloc[-1].to_pydatetime()
    )
    return time.process_time() - started, content["results"]


def measure_backtests(data: Path, rounds: int) -> list[tuple[str, int, float, float, float]]:
    """Time every strategy with the gate off and on, in turns; check that both trade the same."""
    frames = candles(data)
    rows = []
    for name in STRATEGIES:
        times: dict[bool, list[float]] = {False: [], True: []}
        trades: dict[bool, list[tuple[Any, ...]]] = {}
        with (
            backtest_of(name, list(frames), gate=False) as off,
            backtest_of(name, list(frames), gate=True) as on,
        ):
            for _ in range(rounds + 1):
                for gate, testing in ((False, off), (True, on)):
                    seconds, results = timed_run(testing, frames)
                    times[gate].append(seconds)
                    columns = ["pair", "open_date", "close_date", "open_rate", "close_rate"]
                    trades[gate] = list(results[columns].itertuples(index=False, name=None))
        if trades[False] != trades[True]:
            both = len(set(trades[False]) & set(trades[True]))
            raise SystemExit(
                f"{name}: {len(trades[False])} trades without the gate, {len(trades[True])} with "
                f"it, {both} in common: not the same backtest"
            )
        # The first round compiles and warms caches.
        shares = [on_s / off_s - 1.0 for on_s, off_s in zip(times[True], times[False], strict=True)]
        rows.append(
            (
                name,
                len(trades[True]),
                statistics.median(times[False][1:]),
                statistics.median(times[True][1:]),
                statistics.median(shares[1:]),
            )
        )
    return rows


def measure_decisions(count: int) -> dict[str, float]:
    """Time sizing, confirming and reporting of a live bot on a busy SQLite ledger, ms."""
    now = datetime(2025, 6, 1, tzinfo=UTC)
    settings = PortfolioSettings(max_report_age_seconds=3600)
    limits = RiskLimits(max_correlated_exposure_ratio=Decimal(1))
    pairs = [f"C{number}/USDC:USDC" for number in range(30)]
    dates = pd.date_range(now - timedelta(hours=2 * 720), now, freq="2h", inclusive="left")
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.sqlite'}"
        gates = []
        for number in range(3):
            gate = Gate(
                f"bot-{number}",
                limits,
                settings,
                open_ledger(url, mode="dry_run"),
                timedelta(hours=2),
                orders_are_local=True,
                instant_orders=False,
                announce=len,
                log_denials=False,
            )
            for index, pair in enumerate(pairs):
                walk = 100.0 + pd.Series(range(len(dates))).mul(0.37 + index).mod(7.0 + index)
                gate.observe(pair, dates, walk.to_numpy(dtype=float))
            gates.append(gate)
        thousand = [
            ClosedTrade("bot-0", n, pairs[n % 30], now - timedelta(hours=n), money(n % 7 - 3))
            for n in range(1000)
        ]
        for number, gate in enumerate(gates):
            held = Position(
                gate.bot, pairs[number], 1, money(50), money(150), now - timedelta(hours=5)
            )
            own = BotReport(gate.bot, gate.bot, now, money(3000), money(0), money(0), (held,))
            gate.report(own, thousand if number == 0 else [])
        gate = gates[2]
        terms = EntryTerms(1, 100.0, 97.0, 80.0, 0.02, 0.02, 0.0005)
        times: dict[str, list[float]] = {"decision": [], "report": []}
        for step in range(count):
            at = now + timedelta(milliseconds=step)
            pair = pairs[5 + step % 20]
            entry = Entry(pair, terms, Decimal(3), at)
            gate._view = None  # the dearest case: the first decision on a new candle
            started = time.perf_counter()
            gate.size(entry, money(5), money(900))
            gate.confirm(entry, 1.0, 100.0)
            times["decision"].append(1000 * (time.perf_counter() - started))
            started = time.perf_counter()
            gate.report(BotReport(gate.bot, gate.bot, at, money(3000), money(0), money(0), (held,)))
            times["report"].append(1000 * (time.perf_counter() - started))
        for gate in gates:
            gate.ledger.close()
    found = {}
    for name, values in times.items():
        ordered = sorted(values)
        found[f"{name} median"] = statistics.median(ordered)
        found[f"{name} p95"] = ordered[int(0.95 * len(ordered))]
    return found


def report(
    rows: list[tuple[str, int, float, float, float]], decisions: dict[str, float], rounds: int
) -> str:
    """Lay out what was measured."""
    lines = [
        "# What the portfolio's gate costs",
        "",
        "Generated by `python benchmarks/bench_gate.py DATA --write`; do not edit.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {rounds} rounds, off "
        "and on in turns. Both backtests trade the same (checked first); the share is the median "
        f"of the rounds' ratios, the limit {LIMIT_SHARE:.0%}.",
        "",
        "| strategy | trades | gate off, s | gate on, s | share of the gate |",
        "|---|---|---|---|---|",
    ]
    for name, trades, off, on, share in rows:
        lines.append(f"| `{name}` | {trades} | {off:.2f} | {on:.2f} | {share:+.1%} |")
    off_sum, on_sum = (sum(row[index] for row in rows) for index in (2, 3))
    lines += [
        f"| all four | | {off_sum:.2f} | {on_sum:.2f} | {on_sum / off_sum - 1:+.1%} |",
        "",
        "A live decision (size and reserve) with 3 bots, 30 pairs and 1,000 finished trades in a "
        f"SQLite ledger, correlation computed anew: median {decisions['decision median']:.1f} ms, "
        f"p95 {decisions['decision p95']:.1f} ms (limit {LIMIT_P95_MS:g} ms). A report, once a "
        f"loop: median {decisions['report median']:.1f} ms, p95 {decisions['report p95']:.1f} ms.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and print; exit status 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with *-2h-futures.feather")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--decisions", type=int, default=300)
    parser.add_argument("--write", action="store_true", help="store the report")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    rows = measure_backtests(arguments.data, arguments.rounds)
    decisions = measure_decisions(arguments.decisions)
    text = report(rows, decisions, arguments.rounds)
    print(text)
    if arguments.write:
        RESULTS.write_text(text)
    share = sum(row[3] for row in rows) / sum(row[2] for row in rows) - 1.0
    if share > LIMIT_SHARE or decisions["decision p95"] > LIMIT_P95_MS:
        raise SystemExit("a limit is missed")


if __name__ == "__main__":
    main()
