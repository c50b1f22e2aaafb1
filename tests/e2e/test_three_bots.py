"""Three real bots in dry-run, one per strategy, share one ledger and never exceed the budget."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e import fleet
from tests.e2e.fleet import Fleet
from tests.kit import ProcessRunner

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.xdist_group("e2e-bots"),
    pytest.mark.timeout(600),
]

STRATEGIES = ("LiquiditySweep", "BosOrderBlock", "FvgFill")
START = datetime(2026, 5, 4, 0, 0, 3, tzinfo=UTC)
CANDLE = timedelta(hours=2)
CANDLES = 18
LIMITS = {
    # Smaller and more positions than by default, so that more of them come and go.
    "min_confidence": 0,
    "max_positions": 6,
    "max_position_ratio": 0.02,
    "max_total_exposure_ratio": 0.10,
    "max_correlated_exposure_ratio": 0.25,
}


@pytest.fixture(scope="module")
def bots(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Iterator[Fleet]:
    """The bots after a day and a half of candles."""
    folder = tmp_path_factory.mktemp("three-bots")
    (folder / "logs").mkdir()
    runner = ProcessRunner(folder / "logs")
    try:
        running = fleet.start(runner, folder, project_root, START, STRATEGIES, LIMITS)
        running.settle(2)
        for number in range(1, CANDLES + 1):
            # In steps that no report gets stale in; the last one closes the candle.
            for minutes_left, loops in ((65, 1), (10, 1), (0, 2)):
                running.clock.set(START + number * CANDLE - timedelta(minutes=minutes_left))
                running.settle(loops)
        yield running
        running.close()
    finally:
        runner.close()


def test_the_budget_holds_at_every_step(bots: Fleet) -> None:
    held: dict[str, list[dict[str, Any]]] = {}
    reserved: dict[tuple[str, str], dict[str, Any]] = {}
    steps = 0
    for event in bots.ledger.events():
        detail = json.loads(event.detail)
        key = (event.bot, event.pair or "")
        if event.kind == "positions":
            held[event.bot] = detail
        elif event.kind in ("matched", "released"):
            del reserved[key]
        elif event.kind == "reserved":
            reserved[key] = {"pair": event.pair, **detail}
            steps += 1
            everything = [*(p for own in held.values() for p in own), *reserved.values()]
            equity = Decimal(detail["equity"])
            margins = [Decimal(p["margin"]) for p in everything]
            assert len(everything) <= LIMITS["max_positions"]
            assert len({p["pair"] for p in everything}) == len(everything)
            assert sum(margins) <= Decimal("0.10") * equity
            assert Decimal(detail["margin"]) <= Decimal("0.02") * equity
            assert Decimal(detail["correlated"]) <= Decimal("0.25") * equity
            # Whatever moves together: it can not be more than everything on one side.
            assert Decimal(detail["correlated"]) <= sum(Decimal(p["notional"]) for p in everything)
            assert Decimal(detail["loss_at_stop"]) <= Decimal("0.01") * equity
            assert Decimal(detail["total_margin"]) == sum(margins)
    assert steps >= 10, "the stretch has too few signals to prove anything"


def test_the_budget_was_contested(bots: Fleet) -> None:
    denials = bots.ledger.denials(1000)
    codes = {denial.code.value for denial in denials}

    assert codes & {"CORRELATED_EXPOSURE", "TOTAL_EXPOSURE", "POSITION_COUNT"}, codes
    assert "SYMBOL_LIMIT" in codes
    assert len({denial.bot for denial in denials}) >= 2
    # Nothing failed inside, and no input was missing.
    assert not codes & {"INTERNAL_ERROR", "LEDGER_UNAVAILABLE", "STALE_DATA", "AMBIGUOUS_ORDER"}


def test_ledger_and_trade_databases_agree(bots: Fleet) -> None:
    book = bots.ledger.book(bots.clock.now)
    assert book.reservations == ()
    for name in STRATEGIES:
        trades = bots.trades(name)
        [bot] = [known for known in book.bots if known.endswith(f"/{name}")]
        still_open = {t["pair"]: t["stake_amount"] for t in trades if t["is_open"]}
        in_ledger = {p.pair: p.margin for p in book.positions if p.bot == bot}
        assert set(in_ledger) == set(still_open)
        for pair, margin in in_ledger.items():
            assert float(margin) == pytest.approx(still_open[pair], abs=1e-6)
        events = [event for event in bots.ledger.events() if event.bot == bot]
        # Every trade had its budget, and every finished one its result.
        approved = [event.pair for event in events if event.kind == "reserved"]
        assert len(approved) >= len(trades)
        assert {t["pair"] for t in trades} <= set(approved)
        closed = {json.loads(e.detail)["trade_id"] for e in events if e.kind == "closed"}
        assert closed == {t["id"] for t in trades if not t["is_open"]}


def test_a_forced_entry_meets_the_same_gate(bots: Fleet) -> None:
    book = bots.ledger.book(bots.clock.now)
    name = STRATEGIES[0]
    held = {position.pair for position in book.positions}
    pair = next(p for p in ("SUI/USDC:USDC", "BTC/USDC:USDC", "ETH/USDC:USDC") if p not in held)
    before = len(bots.trades(name))

    answer = httpx.post(
        f"http://127.0.0.1:{bots.ports[name]}/api/v1/forceenter",
        json={"pair": pair, "side": "long", "stakeamount": 500.0},
        auth=("fractal", "e2e"),
        timeout=30,
    )

    assert answer.status_code != 200
    assert f"Failed to enter position for {pair}" in answer.json()["error"]
    assert len(bots.trades(name)) == before
    [denial] = [d for d in bots.ledger.denials(1000) if d.pair == pair and d.bot.endswith(name)][:1]
    assert denial.last_at == bots.clock.now


def test_the_bots_log_no_error(bots: Fleet) -> None:
    for process in bots.bots.values():
        lines = [line for line in process.output().splitlines() if " - ERROR - " in line]
        # The forced entry above is refused, which freqtrade calls an error.
        assert [line for line in lines if "Failed to enter" not in line] == []
