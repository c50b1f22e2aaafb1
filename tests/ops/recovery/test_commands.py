"""`fractal reconcile` on a true config, database and ledger."""

import json
import os
import signal
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fractal_ops.cli import app
from fractal_ops.commands import reconcile as command
from fractal_ops.recovery import client as client_module
from fractal_ops.recovery import setup
from fractal_protections.portfolio.sql import open_ledger
from tests.ops.recovery.conftest import Books, Clock
from tests.ops.recovery.specimens import BTC, d
from tests.ops.recovery.stub_exchange import WALLET, StubExchange

Run = Callable[..., Result]


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> StubExchange:
    clock = Clock()
    stub = StubExchange(now=clock)
    monkeypatch.setattr(client_module, "QuietHyperliquid", lambda given: stub.client(**given))
    monkeypatch.setattr(command, "utc_now", clock)
    monkeypatch.setattr(command, "wait", clock.wait)
    for name in os.environ:
        if name.startswith("FREQTRADE__"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "100")
    return stub


@pytest.fixture
def run(stub: StubExchange, config: Path) -> Run:
    def one(*words: str, answer: str | None = None) -> Result:
        arguments = ["reconcile", "--config", str(config), *words]
        return CliRunner().invoke(app, arguments, input=answer)

    return one


def align(stub: StubExchange, books: Books) -> None:
    stub.hold("BTC", "2")
    stop = stub.add("BTC", "A", "2", "92.15", reduce_only=True, trigger=d(95))
    books.add(orders=(("buy", "1", False, 2.0), ("stoploss", str(stop.oid), True, 0.0)))


def change(config: Path, **values: Any) -> None:
    config.write_text(json.dumps({**json.loads(config.read_text()), **values}))


def test_an_aligned_account_ends_with_0(run: Run, stub: StubExchange, books: Books) -> None:
    align(stub, books)

    result = run()

    assert result.exit_code == 0
    assert "ALIGNED: 1 positions and 1 orders on the venue, 1 open trades" in result.output


def test_a_drift_ends_with_1_and_is_in_the_ledger(
    run: Run, stub: StubExchange, tmp_path: Path
) -> None:
    stub.hold("BTC", "3")

    result = run()

    assert result.exit_code == 1
    assert "UNKNOWN_POSITION" in result.output
    assert stub.requests == []
    ledger = open_ledger(f"sqlite:///{tmp_path / 'fractal_ledger.live.sqlite'}", mode="live")
    assert [(m.account, m.pair) for m in ledger.book(datetime.now().astimezone()).drifts] == [
        (WALLET, BTC)
    ]
    ledger.close()


def test_a_silent_venue_ends_with_2(run: Run, stub: StubExchange) -> None:
    stub.is_down = True

    result = run()

    assert result.exit_code == 2
    assert "VENUE_UNREACHABLE" in result.output
    assert "all pairs" in result.output


def test_a_dry_run_has_no_venue(run: Run, config: Path) -> None:
    change(config, dry_run=True)

    result = run()
    assert (result.exit_code, "there is no venue" in result.output) == (0, True)
    assert json.loads(run("--json").output)["verdict"] == "dry_run"


def test_json_is_one_line_with_stable_keys(run: Run, stub: StubExchange) -> None:
    stub.hold("BTC", "3")

    (line,) = run("--json").output.splitlines()

    found = json.loads(line)
    assert sorted(found) == [
        "account", "at", "drifts", "in_ledger", "plan", "repaired", "verdict", "version",
    ]  # fmt: skip
    (drift,) = found["drifts"]
    assert sorted(drift) == [
        "advice", "confirmed", "kind", "message", "numbers", "order_id", "pair", "remedy", "since",
    ]  # fmt: skip
    assert drift["numbers"] == {"venue": "3", "databases": "0.000"}
    assert found["plan"][0]["action"] == "close"


# repair


def test_a_repair_shows_its_plan_and_asks(
    run: Run, stub: StubExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.hold("BTC", "3")
    monkeypatch.setattr(command, "stdin_is_terminal", lambda: True)

    refused = run("--repair", answer="n\n")
    assert refused.exit_code == 1
    assert "sell 3 reduce-only" in refused.output
    assert stub.requests == []

    accepted = run("--repair", answer="y\n")
    assert accepted.exit_code == 0
    assert accepted.output.index("Plan of the repair") < accepted.output.index("Repaired")
    assert "ALIGNED" in accepted.output
    assert stub.positions["BTC"] == 0


def test_a_repair_that_can_ask_nobody_wants_yes(run: Run, stub: StubExchange) -> None:
    stub.hold("BTC", "3")

    result = run("--repair")
    assert result.exit_code == 2
    assert "add --yes" in result.output
    assert stub.requests == []

    assert run("--repair", "--yes", "--json").exit_code == 0
    assert stub.positions["BTC"] == 0


def test_an_aligned_account_needs_no_repair(run: Run) -> None:
    result = run("--repair")

    assert (result.exit_code, "nothing to repair" in result.output) == (0, True)


def test_slippage_is_bounded_by_the_option(run: Run, stub: StubExchange) -> None:
    stub.hold("BTC", "3")

    run("--repair", "--yes", "--max-slippage", "0.01")

    assert stub.requests[0]["orders"][0]["p"] == "99"


# several bots on one account


def test_another_bots_database_is_named_beside(
    run: Run, stub: StubExchange, tmp_path: Path
) -> None:
    other = Books(tmp_path / "other.sqlite")
    align(stub, other)
    assert run().exit_code == 1

    assert run("--db-url", other.url).exit_code == 0


# bad options


@pytest.mark.parametrize(
    ("changes", "words", "said"),
    [
        ({}, ["--watch", "--repair"], "add --yes"),
        ({"exchange": {"name": "hyperliquid"}}, [], "exchange.wallet_address is missing"),
        ({"db_url": "sqlite://"}, [], "in the bot's memory"),
        ({"exchange": {"name": "kraken", "wallet_address": "0x1"}}, [], "hyperliquid only"),
        (
            {"order_types": {"stoploss_on_exchange_limit_ratio": 99}},
            [],
            "stoploss_on_exchange_limit_ratio is 99: give 0.5 to 1",
        ),
        ({"fractal": {"portfolio": {"ledger_url": "sqlite://"}}}, [], "names no file"),
    ],
)
def test_bad_options_end_with_2_and_a_remedy(
    run: Run, config: Path, changes: dict[str, Any], words: list[str], said: str
) -> None:
    change(config, **changes)

    result = run(*words)

    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


def test_without_a_key_nothing_can_be_repaired(run: Run, config: Path, stub: StubExchange) -> None:
    exchange = json.loads(config.read_text())["exchange"]
    del exchange["private_key"]
    change(config, exchange=exchange)

    assert run().exit_code == 0
    result = run("--repair")
    assert (result.exit_code, "exchange.private_key is missing" in result.output) == (2, True)


def test_beside_another_reconciler_nothing_is_written_or_repaired(
    run: Run, stub: StubExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "_is_alone", lambda *_: False)

    looked = run()
    assert (looked.exit_code, "not written to the ledger" in looked.output) == (0, True)
    for words in (["--repair"], ["--watch"]):
        result = run(*words)
        assert result.exit_code == 2
        assert "another `fractal reconcile`" in result.output


# watch


def test_a_watch_ends_with_its_last_look(
    run: Run, stub: StubExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    stub.hold("BTC", "3")
    waited: list[float] = []

    class Event(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout or 0.0)
            command.utc_now.wait(timeout)  # type: ignore[attr-defined]
            if len(waited) == 4:
                os.kill(os.getpid(), signal.SIGTERM)
            return self.is_set()

    monkeypatch.setattr(command.threading, "Event", Event)
    try:
        result = run("--watch", "--repair", "--yes", "--interval", "30")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

    assert result.exit_code == 0
    assert waited == [5.0, 5.0, 30.0, 30.0]
    lines = [line for line in result.output.splitlines() if "UTC" in line]
    assert [line.split("UTC ")[1].split(":")[0] for line in lines] == ["drift", "aligned"]
