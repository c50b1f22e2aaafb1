"""A real `freqtrade trade` in dry-run: a setup becomes a trade, the target closes it."""

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e import staged_market
from tests.e2e.conftest import BIN, Workbench
from tests.kit import ProcessRunner, eventually, free_port

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,  # it waits for a candle of 15 minutes
    pytest.mark.xdist_group("e2e-trade"),
    pytest.mark.timeout(900),
]


class Rest:
    """freqtrade's REST API, as FreqUI asks it."""

    def __init__(self, port: int) -> None:
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}/api/v1", auth=("fractal", "e2e"), timeout=10
        )

    def answers(self) -> bool:
        try:
            # /ping answers before the bot has started; /status does not.
            return self.client.get("/status").status_code == 200
        except httpx.TransportError:
            return False

    def get(self, path: str, **params: object) -> Any:
        answer = self.client.get(path, params={k: str(v) for k, v in params.items()})
        answer.raise_for_status()
        return answer.json()


def test_a_break_of_structure_is_entered_drawn_and_taken_to_its_target(
    tmp_path: Path,
    project_root: Path,
    processes: ProcessRunner,
    request: pytest.FixtureRequest,
) -> None:
    scene = staged_market.plan(datetime.now(UTC))
    staged_market.write(tmp_path / "recorded", scene)
    port, rest_port = free_port(), free_port()
    exchange = processes.start(
        [
            *(BIN / "fractal", "testnet", "--port", str(port)),
            *("--replay", tmp_path / "recorded", "--start", f"{datetime.now(UTC):%Y-%m-%d}"),
        ]
    )
    exchange.wait_for_output("ready at", timeout=60)
    (tmp_path / "user_data").mkdir()
    bench = Workbench(project_root, tmp_path, f"http://127.0.0.1:{port}", processes)
    config = bench.config(
        timeframe="15m",
        strategy="BosOrderBlock",
        internals={"process_throttle_secs": 1},
        api_server={
            **json.loads((project_root / "config.testnet.json").read_text())["api_server"],
            "listen_port": rest_port,
            "password": "e2e",
            "jwt_secret_key": "e2e" * 12,
        },
    )
    only_btc = tmp_path / "only-btc.json"
    only_btc.write_text(json.dumps({"exchange": {"pair_whitelist": ["BTC/USDC:USDC"]}}))

    bot = bench.freqtrade("trade", ["--config", config, "--config", only_btc])
    rest = Rest(rest_port)
    request.addfinalizer(rest.client.close)
    eventually(rest.answers, 90, "the bot's REST API")
    wait = (scene.signal_close - datetime.now(UTC)).total_seconds() + 100
    [trade] = eventually(lambda: rest.get("/status"), max(wait, 100), "the entry")

    # The trade is the setup's: direction, tag, and the stop beyond the order block.
    assert (trade["enter_tag"], trade["is_short"], trade["leverage"]) == ("bos_ob_break", False, 3)
    candles = rest.get("/pair_candles", pair="BTC/USDC:USDC", timeframe="15m", limit=400)
    rows = [dict(zip(candles["columns"], row, strict=True)) for row in candles["data"]]
    [setup] = [row for row in rows if row["setup_side"] and row["bos"]][-1:]
    stop = pytest.approx(setup["setup_stop"], rel=1e-4)
    eventually(lambda: rest.get("/status")[0]["stop_loss_abs"] == stop, 20, "the plan's stop")
    candles = rest.get("/pair_candles", pair="BTC/USDC:USDC", timeframe="15m", limit=400)
    # The chart says why: the order block, the break, the stop and the target.
    labels = " | ".join(mark.get("label", "") for mark in candles["annotations"])
    for word in ("bull OB", "BOS up", "stop bos_ob_break", "target bos_ob_break", "liquidity"):
        assert word in labels, labels

    eventually(lambda: not rest.get("/status"), 300, "the exit at the target")
    [trade] = rest.get("/trades")["trades"]
    assert trade["exit_reason"] == "roi"
    target = trade["open_rate"] + 3 * (trade["open_rate"] - setup["setup_stop"])
    assert trade["close_rate"] >= target * (1 - 1e-4)

    bot.popen.terminate()
    # freqtrade says 130 after any stop signal.
    assert bot.wait(60) == 130, bot.output()
    assert "Traceback" not in bot.output()
    assert " - ERROR - " not in bot.output()
    with sqlite3.connect(tmp_path / "trades.sqlite") as database:
        [row] = database.execute(
            "select pair, is_open, exit_reason, open_rate, close_rate, close_profit_abs from trades"
        ).fetchall()
        [plan] = database.execute(
            "select cd_value from trade_custom_data where cd_key = 'fractal_plan'"
        ).fetchall()
    assert row == (
        "BTC/USDC:USDC",
        0,
        "roi",
        trade["open_rate"],
        trade["close_rate"],
        pytest.approx(trade["profit_abs"]),
    )
    assert json.loads(plan[0])["target"] == pytest.approx(target)
