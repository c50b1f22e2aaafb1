"""Backtest the four strategies on real Hyperliquid candles and write the tables of the docs.

Run it from the repository's root: ``python docs/results/real_backtests.py DATA``, where DATA is a
folder of recorded candles in freqtrade's layout (2h candles and hourly funding of the pairs in
``user_data/config.liquid15.json``). It replays them on a loopback exchange, lets ``fractal data``
and ``freqtrade backtesting`` do what they do for everybody, and writes
``docs/results/real-backtests.md`` and the same tables between the markers in
``docs/strategies.md`` and ``README.md``. Every figure comes from freqtrade's export.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
BIN = Path(sys.executable).parent
STRATEGIES = ("LiquiditySweep", "BosOrderBlock", "FvgFill", "SmcEnsemble")
PAIR_LISTS = {
    "BTC, ETH, SOL (the default list)": None,
    "the 15 pairs of config.liquid15.json": ROOT / "user_data" / "config.liquid15.json",
}
TIMERANGE = "20240701-20250701"
RECORDED_UNTIL = "2025-07-01"
BEGIN, END = "<!-- results: begin (generated) -->", "<!-- results: end -->"


@contextmanager
def replay(data: Path) -> Iterator[str]:
    """Serve the recorded candles with their own dates; yield the address."""
    server = subprocess.Popen(
        [
            *(BIN / "fractal", "testnet", "--port", "0", "--replay", data),
            *("--start", RECORDED_UNTIL, "--keep-dates"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        seen = []
        for line in server.stdout or ():
            seen.append(line)
            if found := re.search(r"ready at (http://[\d.]+:\d+)", line):
                yield found[1]
                break
        else:
            raise RuntimeError("the loopback exchange did not start:\n" + "".join(seen))
    finally:
        server.terminate()
        server.wait(timeout=20)


def overlay(folder: Path, url: str) -> Path:
    """Point freqtrade at the replay; carry a throw-away login, since the config wants one."""
    config = json.loads((ROOT / "user_data" / "config.local.json").read_text())
    urls = config["exchange"]["ccxt_config"]["urls"]["test"]
    urls.update(public=url, private=url, ws={"public": url.replace("http", "ws") + "/ws"})
    path = folder / "replay.json"
    path.write_text(json.dumps(config))
    return path


def backtest(folder: Path, configs: list[Path], datadir: Path) -> dict[str, Any]:
    """Run freqtrade's backtest of all strategies and read its export."""
    command = [BIN / "freqtrade", "backtesting", "--cache", "none", "--timerange", TIMERANGE]
    for config in configs:
        command += ["--config", config]
    command += ["--datadir", datadir, "--backtest-directory", folder]
    command += ["--strategy-list", *STRATEGIES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    # freqtrade ends with status 0 on an invalid config.
    if done.returncode or not (folder / ".last_result.json").exists():
        raise RuntimeError(done.stdout[-3000:] + done.stderr[-3000:])
    latest = json.loads((folder / ".last_result.json").read_text())["latest_backtest"]
    with zipfile.ZipFile(folder / latest) as archive:
        return dict(json.loads(archive.read(Path(latest).with_suffix(".json").name)))


def table(title: str, export: dict[str, Any]) -> list[str]:
    """Lay one backtest out as Markdown."""
    first = export["strategy"][STRATEGIES[0]]
    lines = [
        f"**{title}**, {first['backtest_start'][:10]} to {first['backtest_end'][:10]}, 2h, start "
        f"{first['starting_balance']:.0f} USDC, 3 slots. The market itself (mean of the pairs, "
        f"held): {first['market_change']:+.1%}.",
        "",
        "| strategy | trades | win rate | profit | profit factor | max drawdown | Sharpe | "
        "long / short trades |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in STRATEGIES:
        result = export["strategy"][name]
        row = next(r for r in export["strategy_comparison"] if r["key"] == name)
        lines.append(
            f"| `{name}` | {row['trades']} | {row['winrate']:.1%} | {row['profit_total']:+.2%} "
            f"| {row['profit_factor']:.2f} | {row['max_drawdown_account']:.2%} "
            f"| {row['sharpe']:.2f} | {result['trade_count_long']} / "
            f"{result['trade_count_short']} |"
        )
    return [*lines, ""]


def main() -> None:
    """Run both backtests and write both files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder that holds futures/*.feather")
    data = parser.parse_args().data
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as temporary, replay(data) as url:
        folder = Path(temporary)
        datadir = folder / "data"
        # The backtests need a login in the config only because the same file trades.
        configs = [
            ROOT / "config.testnet.json",
            overlay(folder, url),
            ROOT / "user_data" / "config.backtest.json",
        ]
        fill = [BIN / "fractal", "data", "--from-testnet", "--url", url, "--timeframes", "2h"]
        fill += ["--datadir", datadir, "--config", configs[0]]
        fill += ["--config", PAIR_LISTS["the 15 pairs of config.liquid15.json"]]
        subprocess.run(fill, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        for title, pairs in PAIR_LISTS.items():
            results = folder / f"results{len(lines)}"
            results.mkdir()
            lines += table(
                title, backtest(results, [*configs, *([pairs] if pairs else [])], datadir)
            )
    text = "\n".join(lines).strip()
    head = (
        "# Backtests on real candles\n\n"
        "Generated by `python docs/results/real_backtests.py DATA`; do not edit.\n\n"
        "Real Hyperliquid candles and funding, replayed by the loopback exchange; taker fee on "
        "both sides (freqtrade's worst case), no slippage, shipped defaults, nothing optimised "
        "on this run. The study behind the defaults did look at these months on another "
        "venue, so this is not out-of-sample.\n\n"
    )
    (DOCS / "results" / "real-backtests.md").write_text(head + text + "\n")
    for page in (DOCS / "strategies.md", ROOT / "README.md"):
        before, _, rest = page.read_text().partition(BEGIN)
        _, _, after = rest.partition(END)
        if not after:
            raise RuntimeError(f"{page.name} lacks the markers {BEGIN} and {END}")
        page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
    print(text)


if __name__ == "__main__":
    main()
