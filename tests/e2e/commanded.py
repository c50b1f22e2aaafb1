"""A real bot that enters and leaves at a test's command, see `commanded_strategy`."""

import json
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from fractal_ops.wallet import account
from fractal_ops.wallet.loopback import Loopback
from tests.e2e.conftest import BIN, Workbench
from tests.kit import ProcessRunner, RunningProcess, eventually, free_port
from tests.kit.telegram_api import TOKEN, TelegramApi

BTC, ETH, SOL = "BTC/USDC:USDC", "ETH/USDC:USDC", "SOL/USDC:USDC"
PAIRS = (BTC, ETH, SOL)


@dataclass
class CommandedBot:
    """A running bot, its REST API, its database and its commands."""

    process: RunningProcess
    bench: Workbench
    port: int
    wallet: str | None
    """Address of the account that it trades on; None in dry-run."""
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}/api/v1", auth=("fractal", "e2e"), timeout=15
        )

    # -- what it shall do --------------------------------------------------------------------

    def command(self, entries: Mapping[str, str] | None = None, exits: Sequence[str] = ()) -> None:
        """Signal these entries (pair to side) and exits from now on, and no others."""
        part = self.bench.folder / "user_data" / "commands.part"
        part.write_text(json.dumps({**(entries or {}), "exit": list(exits)}))
        part.replace(part.with_suffix(".json"))

    def settle(self, loops: int = 2) -> None:
        """Wait until as many loops have begun and ended, all after this call."""
        # The loop that runs now does not count, and a loop is over when the next one begins.
        wanted = self.loops + loops + 1
        eventually(lambda: self._is_up() and self.loops >= wanted, 60, f"loop {wanted}")

    @property
    def loops(self) -> int:
        """Loops begun since the bot's start."""
        counter = self.bench.folder / "user_data" / "loops"
        return int(counter.read_text()) if counter.exists() else 0

    def _is_up(self) -> bool:
        ended = self.process.popen.poll()
        assert ended is None, f"the bot ended ({ended}):\n{self.process.output()[-5000:]}"
        return True

    def stop(self) -> str:
        """End the bot as a person does, before its exchange ends; return what it logged."""
        self.client.close()
        self.process.popen.terminate()
        self.process.wait(60)
        return self.process.output()

    # -- what it is asked --------------------------------------------------------------------

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: object = None) -> Any:
        answer = self.client.post(path, json=body)
        answer.raise_for_status()
        return answer.json()

    def answers(self) -> bool:
        try:
            # /ping answers before the bot has started; /status does not.
            return self._is_up() and self.client.get("/status").status_code == 200
        except httpx.TransportError:
            return False

    @property
    def state(self) -> str:
        return str(self.get("/show_config")["state"])

    def open_pairs(self) -> set[str]:
        """Pairs that the bot holds with nothing left to fill, by its REST API."""
        trades = self.get("/status")
        return {
            trade["pair"] for trade in trades if trade["amount"] and not trade["has_open_orders"]
        }

    def locked_pairs(self) -> set[str]:
        return {lock["pair"] for lock in self.get("/locks")["locks"]}

    def cooling_pairs(self) -> set[str]:
        """Pairs that the strategy's own protection has locked after an exit."""
        locks = self.get("/locks")["locks"]
        return {
            lock["pair"]
            for lock in locks
            if lock["active"] and lock["reason"].startswith("Cooldown period")
        }

    # -- what is so --------------------------------------------------------------------------

    def trades(self) -> list[dict[str, Any]]:
        """Every trade in the bot's database."""
        with sqlite3.connect(self.bench.folder / "trades.sqlite") as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute("select * from trades order by id")]

    def positions_on_exchange(self) -> dict[str, float]:
        """Positions on the exchange, coin to signed size; in dry-run there are none."""
        account = self._ask_exchange("clearinghouseState") or {"assetPositions": []}
        positions = [entry["position"] for entry in account["assetPositions"]]
        return {p["coin"]: float(p["szi"]) for p in positions if float(p["szi"])}

    def orders_on_exchange(self) -> list[dict[str, Any]]:
        """Orders that rest on the exchange, stops too; in dry-run there are none."""
        return self._ask_exchange("frontendOpenOrders") or []

    def _ask_exchange(self, kind: str) -> Any:
        if self.wallet is None:
            return None
        body = {"type": kind, "user": self.wallet}
        answer = httpx.post(f"{self.bench.exchange_url}/info", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def is_flat(self) -> bool:
        """Whether REST, database and exchange all say that nothing is held."""
        return (
            not self.get("/status")
            and not any(trade["is_open"] for trade in self.trades())
            and not self.positions_on_exchange()
            and not self.orders_on_exchange()
        )


def start(
    runner: ProcessRunner,
    folder: Path,
    root: Path,
    *,
    telegram: TelegramApi | None = None,
    chat_id: int = 0,
    authorized_users: Sequence[int] | None = None,
    money: Decimal | None = None,
    exchange_url: str | None = None,
    **overrides: Any,
) -> CommandedBot:
    """Start the bot, and the loopback exchange unless one runs already.

    Parameters
    ----------
    runner, folder, root
        Of its processes, of its files, of the project.
    telegram, chat_id, authorized_users
        Bot API that it polls, and whom it obeys there; no Telegram by default.
    money
        Mock USDC of an account to trade with (``dry_run: false``); dry-run by default.
    exchange_url
        Exchange that runs already.
    overrides
        Keys of the config, such as ``fractal``.
    """
    plugins = folder / "strategies"
    plugins.mkdir()
    (folder / "user_data").mkdir()
    shutil.copy(root / "tests" / "e2e" / "commanded_strategy.py", plugins)
    if exchange_url is None:
        port = free_port()
        exchange = runner.start([BIN / "fractal", "testnet", "--port", str(port)])
        exchange.wait_for_output("ready at", timeout=60)
        exchange_url = f"http://127.0.0.1:{port}"
    bench = Workbench(root, folder, exchange_url, runner)
    path = bench.config(
        strategy="Commanded",
        strategy_path=str(plugins),
        internals={"process_throttle_secs": 1},
        **overrides,
    )
    config = json.loads(path.read_text())
    del config["timeframe"]  # the strategy's own
    port = config["api_server"]["listen_port"] = free_port()
    if telegram is not None:
        config["telegram"] = {"enabled": True, "token": TOKEN, "chat_id": str(chat_id)}
        if authorized_users is not None:
            config["telegram"]["authorized_users"] = [str(user) for user in authorized_users]
    address = None
    if money is not None:
        env_file = folder / "loopback.env"
        wallet = account.new(Loopback(exchange_url), env_file, money, 180, overwrite=False)
        address = wallet.address
        config["dry_run"] = False
        config["exchange"].update(wallet_address=address, private_key=wallet.agent_key)
    path.write_text(json.dumps(config))
    env = None if telegram is None else telegram.env()
    process = bench.freqtrade("trade", ["--config", path], env)
    bot = CommandedBot(process, bench, port, address)
    eventually(bot.answers, 90, "the bot's REST API")
    if telegram is not None:
        telegram.wait_for_bot()
    return bot
