"""One drill's stage: exchange, bot and reconciler as real processes in a scratch folder."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from fractal_ops.drills.config import PASSWORD, USER, drill_config
from fractal_ops.drills.errors import DrillFailedError, DrillSkippedError
from fractal_ops.drills.hand import Hand
from fractal_ops.drills.processes import BIN, DrillProcess, free_port
from fractal_ops.drills.venue import DrillVenue, coin_of
from fractal_ops.drills.waiting import until
from fractal_ops.wallet import account
from fractal_ops.wallet.loopback import Loopback
from fractal_protections.portfolio.sql import SqlLedger, open_ledger

MONEY = Decimal(10_000)
RECONCILE_SECONDS = 5

Prices = tuple[float, ...]


class Stage:
    """Start, break and watch the processes of one drill.

    Parameters
    ----------
    folder : Path
        Scratch folder; everything the drill writes is in it.
    config : dict
        The user's config.
    """

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        self.folder = folder
        self.user_data = folder / "user_data"
        self.user_data.mkdir(parents=True)
        self._processes: list[DrillProcess] = []
        self.at_end = ExitStack()
        """What is to be undone once every process has ended."""
        self._port = free_port()
        exchange_port = free_port()
        journal = folder / "journal.jsonl"
        self.exchange = self._start(
            "exchange",
            [BIN / "fractal", "testnet", "--port", str(exchange_port), "--journal", journal],
        )
        self.exchange.wait_for("ready at")
        url = f"http://127.0.0.1:{exchange_port}"
        wallet = account.new(Loopback(url), folder / "loopback.env", MONEY, 180, overwrite=False)
        self.venue = DrillVenue(url, wallet.address, journal)
        self.config = drill_config(
            config, folder, url, self._port, (wallet.address, wallet.agent_key)
        )
        self.config_path = folder / "config.json"
        self.write_config()
        self.pair: str = self.config["exchange"]["pair_whitelist"][0]
        self.bot: DrillProcess | None = None
        self.reconciler: DrillProcess | None = None
        self._rest = httpx.Client(
            base_url=f"http://127.0.0.1:{self._port}/api/v1", auth=(USER, PASSWORD), timeout=15.0
        )

    def write_config(self) -> None:
        """Write the bot's config as `self.config` stands."""
        self.config_path.touch(0o600)
        self.config_path.write_text(json.dumps(self.config, indent=1), "utf-8")

    @property
    def second_pair(self) -> str:
        """A pair beside the first.

        Raises
        ------
        DrillSkippedError
            The config trades one pair only.
        """
        pairs: list[str] = self.config["exchange"]["pair_whitelist"]
        if len(pairs) < 2:
            raise DrillSkippedError("the config trades one pair only: this needs a second one")
        return pairs[1]

    @property
    def database(self) -> Path:
        """The bot's database."""
        return Path(str(self.config["db_url"]).removeprefix("sqlite:///"))

    # Processes -------------------------------------------------------------------------------

    def start_bot(
        self,
        *,
        wrapper: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        wait: bool = True,
    ) -> DrillProcess:
        """Start the bot, and wait until it is in its loop."""
        bot = self.spawn_bot("bot", wrapper=wrapper, env=env)
        self.bot = bot
        if wait:
            bot.wait_for("Changing state to: RUNNING")
            until(self._answers, "answer of the bot's REST API", 60)
            self.settle()
        return bot

    def spawn_bot(
        self,
        name: str,
        *,
        wrapper: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        config: Path | None = None,
        userdir: Path | None = None,
    ) -> DrillProcess:
        """Start a bot's process and wait for nothing; by default the bot itself."""
        (self.user_data / "loops").unlink(missing_ok=True)
        command: list[str | Path] = [
            *wrapper,
            *(BIN / "freqtrade", "trade", "--config", config or self.config_path),
            *("--userdir", userdir or self.user_data),
        ]
        return self._start(name, command, {**(env or {}), "COLUMNS": "300"})

    def restart_bot(self) -> DrillProcess:
        """Start the bot again after its end."""
        return self.start_bot()

    def start_reconciler(self, *, wrapper: Sequence[str] = ()) -> DrillProcess:
        """Start the reconciler beside the bot, allowed to repair."""
        self.reconciler = self.spawn_reconciler("reconciler", wrapper=wrapper)
        return self.reconciler

    def spawn_reconciler(self, name: str, *, wrapper: Sequence[str] = ()) -> DrillProcess:
        """Start a reconciler's process and wait for nothing."""
        command: list[str | Path] = [
            *wrapper,
            *(BIN / "fractal", "reconcile", "--watch", "--repair", "--yes"),
            *("--interval", str(RECONCILE_SECONDS), "--config", self.config_path),
            *("--userdir", self.user_data),
        ]
        return self._start(name, command)

    def switch_off(self) -> None:
        """End bot and reconciler, as when their machine is shut down."""
        for process in (self.bot, self.reconciler):
            if process is not None:
                process.stop()

    def switch_on(self, *, wrapper: Sequence[str] = ()) -> None:
        """Start the reconciler, and once it has looked, the bot."""
        self.start_reconciler(wrapper=wrapper).wait_for(" UTC ")
        self.start_bot(wrapper=wrapper)

    def hand(self) -> Hand:
        """Return a person's hand on the account."""
        return Hand(self.config, self.venue)

    def close(self) -> None:
        """End every process that this stage has started, the last one first."""
        self._rest.close()
        self.venue.close()
        for process in reversed(self._processes):
            process.stop()
        self.at_end.close()

    def _start(
        self, name: str, command: Sequence[str | Path], env: Mapping[str, str] | None = None
    ) -> DrillProcess:
        process = DrillProcess(name, command, self.folder / f"{name}.log", self.folder, env)
        self._processes.append(process)
        return process

    # The bot ---------------------------------------------------------------------------------

    def enter(self, pair: str | None = None, side: str = "long", **setup: Any) -> None:
        """Signal an entry from now on."""
        self._command({pair or self.pair: {"side": side, "enter": True, **setup}})

    def hold(self) -> None:
        """Signal nothing more; setups stay known."""
        path = self.user_data / "commands.json"
        commands = json.loads(path.read_text("utf-8")) if path.exists() else {}
        for setup in commands.values():
            if isinstance(setup, dict):
                setup["enter"] = False
        commands.pop("exit", None)
        self._command(commands)

    def leave(self, pair: str | None = None) -> None:
        """Signal an exit from now on."""
        self.hold()
        path = self.user_data / "commands.json"
        commands = json.loads(path.read_text("utf-8"))
        self._command({**commands, "exit": [pair or self.pair]})

    def _command(self, commands: dict[str, Any]) -> None:
        part = self.user_data / "commands.part"
        part.write_text(json.dumps(commands), "utf-8")
        part.replace(part.with_suffix(".json"))

    @property
    def loops(self) -> int:
        """Loops that the bot has begun since its start."""
        counter = self.user_data / "loops"
        return int(counter.read_text() or 0) if counter.exists() else 0

    def settle(self, loops: int = 2) -> None:
        """Wait until the bot has been through so many whole loops."""
        wanted = self.loops + loops + 1
        until(lambda: self.loops >= wanted, f"loop {wanted} of the bot", 90)

    def rest(self, method: str, path: str, body: object = None) -> Any:
        """Ask the bot's REST API."""
        answer = self._rest.request(method, path, json=body)
        if answer.status_code >= 400:
            raise DrillFailedError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()

    def _answers(self) -> bool:
        try:
            return self._rest.get("/status").status_code == 200
        except httpx.TransportError:
            return False

    def candles(self, pair: str) -> dict[int, list[Prices]]:
        """Return the candles that the bot has taken for the last closed one, by open time, ms UTC.

        Each with its open, high, low and close, as often as those have changed.
        """
        path = self.user_data / "candles.jsonl"
        found: dict[int, list[Prices]] = {}
        for line in path.read_text("utf-8").splitlines() if path.exists() else ():
            known, opened_ms, *prices = json.loads(line)
            if known == pair:
                found.setdefault(opened_ms, []).append(tuple(prices))
        return found

    # What is so ------------------------------------------------------------------------------

    def open_position(self, side: str = "long", **setup: Any) -> Decimal:
        """Let the bot enter, and wait for position, stop and database; return the signed size."""
        self.enter(side=side, **setup)
        self.wait_protected()
        self.hold()
        return self.venue.position(self.pair)

    def wait_protected(self, seconds: float = 60.0, pair: str | None = None) -> None:
        """Wait until position, stop and database agree on one open trade."""
        held = pair or self.pair
        until(lambda: self.venue.position(held) != 0, f"position in {held}", seconds)
        until(lambda: self.venue.stops(held), f"stop of {held}", seconds)
        until(lambda: len(self.open_trades()) == 1, "open trade in the database", seconds)

    def wait_open(self, pair: str, seconds: float = 60.0) -> None:
        """Wait for a position in any pair and its stop."""
        until(lambda: self.venue.position(pair), f"position in {pair}", seconds)
        until(lambda: self.venue.stops(pair), f"stop of {pair}", seconds)

    def wait_flat(self, seconds: float = 60.0) -> None:
        """Wait until neither the venue nor the database has anything open."""
        until(
            lambda: self.venue.is_flat() and not self.open_trades(),
            "flat venue and flat database",
            seconds,
        )

    def trades(self) -> list[dict[str, Any]]:
        """Return every trade in the bot's database, oldest first."""
        return self._rows("select * from trades order by id")

    def open_trades(self) -> list[dict[str, Any]]:
        """Return the open trades that hold something."""
        return [trade for trade in self.trades() if trade["is_open"] and trade["amount"]]

    def orders(self) -> list[dict[str, Any]]:
        """Return every order in the bot's database, oldest first."""
        return self._rows("select * from orders order by id")

    def _rows(self, query: str) -> list[dict[str, Any]]:
        if not self.database.exists():
            return []
        source = f"file:{self.database}?mode=ro"
        with sqlite3.connect(source, uri=True, timeout=10.0) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query)]

    def ledger(self) -> SqlLedger:
        """Open the portfolio's ledger; the caller closes it."""
        url = self.config["fractal"]["portfolio"]["ledger_url"]
        return open_ledger(url, mode=None, create=False)

    def denials(self) -> set[str]:
        """Return the codes of the entries that were denied so far."""
        ledger = self.ledger()
        try:
            return {denial.code.value for denial in ledger.denials(1_000)}
        finally:
            ledger.close()

    def drifts(self) -> dict[str, str]:
        """Return the kind of drift of every pair that the reconciler keeps closed."""
        ledger = self.ledger()
        try:
            return {mark.pair: mark.kind for mark in ledger.book(datetime.now(UTC)).drifts}
        finally:
            ledger.close()

    def wait_drift(self, kind: str, pair: str | None = None, seconds: float = 60.0) -> None:
        """Wait until the reconciler keeps a pair closed for a reason."""
        wanted = pair or self.pair
        until(lambda: self.drifts().get(wanted) == kind, f"{kind} of {wanted}", seconds)

    def wait_aligned(self, seconds: float = 60.0) -> None:
        """Wait until the reconciler keeps no pair closed."""
        until(lambda: not self.drifts(), "look of the reconciler that is aligned", seconds)

    def unlock(self, pair: str | None = None) -> None:
        """Take freqtrade's locks off a pair; its exits set them."""
        self.rest("POST", "/locks/delete", {"pair": pair or self.pair})

    def heed_advice(self) -> None:
        """Do what the reconciler tells a person, until nothing is left to be done."""

        def heeded() -> bool:
            for pair, kind in self.drifts().items():
                if kind in ("MISSING_POSITION", "WRONG_SIZE"):
                    self._heed(pair)
            return not self.drifts()

        until(heeded, "end of all drifts by the advised commands", 120)

    def _heed(self, pair: str) -> None:
        """`/reload_trade` a pair's trade; where that is not enough, `/delete` it."""
        for trade in self.open_trades():
            if trade["pair"] != pair:
                continue
            self.rest("POST", f"/trades/{trade['id']}/reload")
            still_open = any(other["id"] == trade["id"] for other in self.open_trades())
            if still_open and self.venue.position(pair) == 0:
                self.rest("DELETE", f"/trades/{trade['id']}")

    def wait_advice(self, words: str) -> None:
        """Wait until the reconciler's log tells a person what is wrong, or what to do."""
        if self.reconciler is None:
            raise DrillFailedError("there is no reconciler to advise anybody")
        self.reconciler.wait_for(words, 60)

    def disagreements(self) -> list[str]:
        """Say where the bot's database and the venue differ; nothing where they agree."""
        recorded: dict[str, Decimal] = {}
        for trade in self.open_trades():
            size = Decimal(repr(trade["amount"])) * (-1 if trade["is_short"] else 1)
            coin = coin_of(trade["pair"])
            recorded[coin] = recorded.get(coin, Decimal(0)) + size
        held = {
            entry["position"]["coin"]: Decimal(entry["position"]["szi"])
            for entry in self.venue.info("clearinghouseState")["assetPositions"]
        }
        return [
            f"{coin}: database {recorded.get(coin, 0)}, venue {held.get(coin, 0)}"
            for coin in sorted(recorded.keys() | held.keys())
            if recorded.get(coin, Decimal(0)) != held.get(coin, Decimal(0))
        ]
