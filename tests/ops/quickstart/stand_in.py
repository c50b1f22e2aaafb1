"""Plays `freqtrade` and the loopback exchange, and misbehaves where a test asks for it.

Installed as `bin/freqtrade` and `bin/fractal` of a copied environment. What it does
beyond the ordinary comes from the environment variable STAND_IN, words by comma.
Each process notes its id in the directory `pids`, under the name of its part.
"""

# ruff: noqa: T201  # its output is what the log shows

import http.server
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

FAULTS = set(filter(None, os.environ.get("STAND_IN", "").split(",")))


def note_pid(part: str) -> None:
    Path("pids").mkdir(exist_ok=True)
    Path("pids", part).write_text(str(os.getpid()))


def option(name: str) -> str:
    return sys.argv[sys.argv.index(name) + 1]


def configured_port() -> int:
    port = 8080
    for index, word in enumerate(sys.argv):
        if word == "--config":
            server = json.loads(Path(sys.argv[index + 1]).read_text()).get("api_server", {})
            port = server.get("listen_port", port)
    return port


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_args: object) -> None:
        pass


def serve(part: str, port: int) -> None:
    note_pid(part)
    if f"{part} is stubborn" in FAULTS:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: end(part))
    if f"{part} has a stubborn helper" in FAULTS:
        code = (
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
            "print(1, flush=True); time.sleep(600)"
        )
        helper = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)  # noqa: S603
        helper.stdout.readline()
        Path("pids", f"{part}-helper").write_text(str(helper.pid))
    if f"{part} never starts" in FAULTS:
        print(f"{part}: the bad thing happened", flush=True)
        sys.exit(3)
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def end(part: str) -> None:
    with Path("ends").open("a") as file:
        file.write(f"{part}\n")
    os._exit(0)


def backtest() -> None:
    note_pid("backtest")
    if "backtest fails" in FAULTS:
        print("freqtrade - ERROR - No data found. Terminating.", flush=True)
        sys.exit(2)
    if "backtest ends without a result" in FAULTS:
        # What freqtrade does with an invalid config: a message, and status 0.
        print("freqtrade - ERROR - Configuration error: too short", flush=True)
        return
    if "backtest hangs" in FAULTS:
        time.sleep(600)
    results = Path(option("--userdir"), "backtest_results")
    results.mkdir(exist_ok=True)
    stem = f"backtest-result-{time.time_ns()}"
    figures = {
        "trades": 12, "wins": 7, "draws": 1, "losses": 4, "winrate": 0.583,
        "profit_total": 0.1234, "max_drawdown_account": 0.0567, "profit_factor": 1.61,
        "sharpe": 0.98, "duration_avg": "1 day, 2:30:00",
    }  # fmt: skip
    names = sys.argv[sys.argv.index("--strategy-list") + 1 :]
    details = {
        "backtest_start": "2025-01-01 00:00:00",
        "backtest_end": "2025-06-30 00:00:00",
        "stake_currency": "USDC",
    }
    content = {
        "strategy_comparison": [{"key": name, **figures} for name in names],
        "strategy": dict.fromkeys(names, details),
    }
    with zipfile.ZipFile(results / f"{stem}.zip", "w") as archive:
        archive.writestr(f"{stem}.json", json.dumps(content))
    (results / ".last_result.json").write_text(json.dumps({"latest_backtest": f"{stem}.zip"}))


def trade() -> None:
    print("2026-01-01 00:00:00 - freqtrade.worker - INFO - Changing state to: RUNNING")
    print("2026-01-01 00:00:00 - freqtrade.loader - INFO - a line nobody needs")
    print("2026-01-01 00:00:01 - freqtrade.exchange - WARNING - something to look at", flush=True)
    serve("bot", configured_port())


def main() -> None:
    command = sys.argv[1]
    with Path("commands").open("a") as file:
        file.write(" ".join([Path(sys.argv[0]).name, *sys.argv[1:]]) + "\n")
    if command == "testnet":
        serve("exchange", int(option("--port")))
    elif command == "data":
        print("3 pairs are up to date")
    elif command == "backtesting":
        backtest()
    elif command == "trade":
        trade()
    else:
        sys.exit(f"{command}: no network")


main()
