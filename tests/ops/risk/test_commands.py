"""`fractal risk` on real ledgers, beside an open one as a running bot has it."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fractal_ops.cli import app
from fractal_ops.commands import risk
from fractal_protections.portfolio.book import Fence, TradingState
from fractal_protections.portfolio.decisions import DenialCode, Denied
from fractal_protections.portfolio.ledger import Patience
from fractal_protections.portfolio.sql import SqlLedger, open_ledger
from tests.ops.risk.conftest import Report, Run
from tests.ops.risk.example import BTC, DAY, ETH, MAIN, MINUTE, NOW, SECOND, d, position
from tests.protections.ledger.specimens import approve, request
from tests.protections.ledger.specimens import report as report_of

pytestmark = pytest.mark.usefixtures("ledger")
REAL_NOW = risk.utc_now  # before a fixture stops the clock
REMOTE = "postgresql://trader:s3cret@127.0.0.1:1/fractal"


def flat(text: str) -> str:
    return " ".join(text.split())


def make_doubt(ledger: SqlLedger, pair: str = BTC) -> None:
    """Let an order's outcome stay unknown."""
    ledger.reserve(request(MAIN, pair, NOW - MINUTE), approve, NOW + DAY)
    ledger.report(report_of(MAIN, NOW), Patience(NOW, orders_are_local=False))
    assert ledger.book(NOW).reservations[0].ambiguous


# -- status ----------------------------------------------------------------------------------


def test_status_of_a_healthy_portfolio_is_0(run: Run, report: Report, ledger_path: Path) -> None:
    report(position(MAIN, BTC, 1, "40"), clusters=({BTC: 1, ETH: 1},))

    result = run("status")

    assert result.exit_code == 0, result.output
    assert "Entries possible" in flat(result.stdout)
    # A path may be longer than the line.
    assert str(ledger_path) in "".join(result.stdout.split())
    assert "dry-run trading, read 2026-11-23 14:30:05 UTC" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "\x1b" not in result.stdout
    assert result.stderr == ""


def test_status_is_1_while_entries_are_blocked(run: Run, report: Report) -> None:
    report()
    run("reduce", "--reason", "weekend")

    result = run("status")

    assert result.exit_code == 1
    assert "BLOCKED, REDUCING: set by operator:ann: weekend" in flat(result.stdout)


def test_status_is_1_while_a_bot_is_silent(run: Run, report: Report) -> None:
    report(position(MAIN, BTC, 1, "40"), at=NOW - 5 * MINUTE)
    report(bot=SECOND)

    result = run("status")

    assert result.exit_code == 1
    assert f"{MAIN} holds positions and has not reported" in flat(result.stdout)
    assert "SILENT 5 min ago" in result.stdout


def test_status_shows_denials_newest_first(run: Run, report: Report, ledger: SqlLedger) -> None:
    report()
    for number in range(12):
        denied = Denied(DenialCode.SYMBOL_LIMIT, "held")
        at = NOW - DAY + number * MINUTE
        ledger.deny(MAIN, f"C{number}/USDC:USDC", -1, denied, at, at)

    found = json.loads(run("status", "--json").stdout)["denials"]

    assert [denial["pair"] for denial in found] == [f"C{n}/USDC:USDC" for n in range(11, 1, -1)]
    assert found[0]["code"] == "SYMBOL_LIMIT"


def test_status_as_json_is_one_object_and_nothing_else(run: Run, report: Report) -> None:
    report(position(MAIN, BTC, 1, "40"))
    run("halt", "--reason", "look")

    result = run("status", "--json")

    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert result.stdout.count("\n") == 1
    assert found["trading"] == {
        "state": "HALTED",
        "reason": "look",
        "by": "operator:ann",
        "since": "2026-11-23T14:30:05+00:00",
    }
    assert found["mode"] == "dry_run"
    assert found["positions"][0]["margin"] == "40"
    assert result.stderr == ""


def test_status_takes_limits_and_currency_from_the_config(
    run: Run, report: Report, tmp_path: Path
) -> None:
    report(balance="5000")
    path = tmp_path / "other.json"
    limits = {"max_positions": 5, "risk_per_trade_ratio": 0.02}
    path.write_text(
        json.dumps(
            {
                "user_data_dir": str(tmp_path / "user"),
                "stake_currency": "USDT",
                "fractal": {"limits": limits},
            }
        )
    )

    found = json.loads(run("status", "--json", on=path).stdout)

    caps = {limit["name"]: d(limit["cap"]) for limit in found["limits"]}
    assert (caps["max_positions"], caps["risk_per_trade_ratio"]) == (5, 100)
    assert found["stake_currency"] == "USDT"


def test_status_reads_while_a_bot_holds_the_writers_lock(
    run: Run, report: Report, ledger_path: Path
) -> None:
    report()
    bot = sqlite3.connect(ledger_path, isolation_level=None)
    bot.execute("BEGIN IMMEDIATE")
    try:
        assert run("status").exit_code == 0
        halted = run("halt", "--reason", "stuck")
    finally:
        bot.close()

    assert halted.exit_code == 3
    assert "is locked" in halted.stderr


# -- a ledger that can not be read -----------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("status", "--json"),
        ("halt", "--reason", "x"),
        ("reduce", "--reason", "x"),
        ("resume",),
        ("clear", BTC, "--yes"),
        ("forget", MAIN, "--yes"),
    ],
    ids=" ".join,
)
def test_a_missing_ledger_is_3_and_is_not_made(run: Run, tmp_path: Path, words) -> None:
    path = tmp_path / "none.sqlite"

    result = run(*words, "--ledger", f"sqlite:///{path}")

    assert result.exit_code == 3
    assert result.stdout == ""
    assert f"there is no ledger {path}: start a bot" in result.stderr
    assert not path.exists()


def test_a_damaged_ledger_is_3_with_its_name_and_remedy(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bad.sqlite"
    path.write_bytes(b"this is no database at all" * 100)

    result = run("status", "--ledger", f"sqlite:///{path}")

    assert result.exit_code == 3
    assert str(path) in result.stderr
    assert "correct the ledger's URL" in result.stderr


def test_a_value_that_no_bot_writes_is_3(run: Run, report: Report, ledger_path: Path) -> None:
    report(clusters=({BTC: 1},))
    with sqlite3.connect(ledger_path) as vandal:
        vandal.execute("UPDATE bots SET clusters = '[{\"BTC/USDC:USDC\": 7}]'")
    vandal.close()

    result = run("status")

    assert result.exit_code == 3
    assert "the ledger holds what no bot could have written" in result.stderr


@pytest.mark.parametrize("url", [REMOTE, "mysql://trader:s3cret@h/d", "trader:s3cret@h"])
def test_no_password_is_ever_printed(run: Run, url: str) -> None:
    for words in (("status",), ("halt", "--reason", "x"), ("clear", BTC, "--yes")):
        result = run(*words, "--ledger", url)

        assert result.exit_code == 3
        assert "s3cret" not in result.output
        assert result.stderr.startswith("error: ")


def test_a_bad_config_is_2(run: Run, tmp_path: Path) -> None:
    result = run("status", on=tmp_path / "none.json")

    assert result.exit_code == 2
    assert "none.json can not be read" in result.stderr


def test_bad_limits_stop_status_but_never_a_halt(
    run: Run, ledger: SqlLedger, tmp_path: Path
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(
        json.dumps({"user_data_dir": str(tmp_path / "user"), "fractal": {"limits": {"x": 1}}})
    )

    assert run("status", on=path).exit_code == 2
    assert run("halt", "--reason", "now", on=path).exit_code == 0
    assert ledger.book(NOW).state.state is TradingState.HALTED


def test_an_emergency_needs_the_ledgers_url_only(
    ledger: SqlLedger, ledger_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "user")

    words = ["risk", "halt", "--reason", "fire", "--ledger", f"sqlite:///{ledger_path}"]
    result = CliRunner().invoke(app, words)

    assert result.exit_code == 0, result.output
    assert ledger.book(NOW).state.state is TradingState.HALTED


# -- halt and reduce -------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "state"), [("halt", "HALTED"), ("reduce", "REDUCING")])
def test_state_is_set_with_reason_name_and_time(
    run: Run, ledger: SqlLedger, command: str, state: str
) -> None:
    result = run(command, "--reason", "venue is down")

    assert result.exit_code == 0, result.output
    assert f"portfolio: ACTIVE -> {state} by operator:ann: venue is down" in result.stdout
    found = ledger.book(NOW).state
    assert (found.state, found.reason, found.by, found.at) == (
        TradingState(state), "venue is down", "operator:ann", NOW,
    )  # fmt: skip


@pytest.mark.parametrize("words", [(), ("--reason", ""), ("--reason", "  ")])
@pytest.mark.parametrize("command", ["halt", "reduce"])
def test_without_a_reason_nothing_is_changed(
    run: Run, ledger: SqlLedger, command: str, words: tuple[str, ...]
) -> None:
    result = run(command, *words, answer="a reason\n")

    assert result.exit_code == 2
    assert "--reason" in result.stderr
    assert ledger.book(NOW).state.state is TradingState.ACTIVE


def test_what_is_said_is_shown_as_it_was_typed(run: Run) -> None:
    result = run("halt", "--reason", "[red]x[/red] :x: \x1b[2J\nend")

    assert "by operator:ann: [red]x[/red] :x:  [2J end\n" in result.stdout


def test_halting_twice_keeps_the_first_time(
    run: Run, ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("halt", "--reason", "x")
    events = ledger.events()
    monkeypatch.setattr(risk, "utc_now", lambda: NOW + DAY)

    result = run("halt", "--reason", "x")

    assert result.exit_code == 0
    assert "HALTED already since 2026-11-23 14:30 UTC, nothing was changed" in result.stdout
    assert ledger.events() == events


def test_a_new_reason_shows_the_one_before(run: Run, ledger: SqlLedger) -> None:
    run("halt", "--reason", "first")

    result = run("reduce", "--reason", "second")

    assert "portfolio: HALTED -> REDUCING by operator:ann: second" in result.stdout
    assert "before: HALTED by operator:ann: first" in result.stdout


@pytest.mark.parametrize("error", [OSError, KeyError, ImportError])
def test_a_user_without_a_name_can_halt(
    run: Run, ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def nobody() -> str:
        raise error

    monkeypatch.setattr(risk, "getuser", nobody)

    assert run("halt", "--reason", "x").exit_code == 0
    assert ledger.book(NOW).state.by == "operator:unknown"


def test_the_clock_of_the_command_is_utc() -> None:
    now = REAL_NOW()

    assert now.utcoffset() == timedelta()
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


# -- resume ----------------------------------------------------------------------------------


def test_resume_activates_and_explains_the_new_peak(
    run: Run, report: Report, ledger: SqlLedger
) -> None:
    report(balance="1000", at=NOW - 2 * DAY)
    report(balance="790", at=NOW)
    run("halt", "--reason", "drawdown")

    result = run("resume", "--reason", "looked at it")

    assert result.exit_code == 0, result.output
    assert "portfolio: HALTED -> ACTIVE by operator:ann: looked at it" in result.stdout
    assert "drawdown is now measured from 790.00 USDC" in flat(result.stdout)
    assert "the peak was 1,000.00" in flat(result.stdout)
    assert ledger.book(NOW).tracks[0].peak_equity == 790


def test_resume_says_that_todays_loss_still_blocks(run: Run, report: Report) -> None:
    report(balance="1000", at=NOW - MINUTE)
    report(balance="950", at=NOW)
    run("halt", "--reason", "x")

    result = run("resume")

    assert "entries stay blocked, DAILY_LOSS: today's loss is 5.00 %" in flat(result.stdout)
    assert run("status").exit_code == 1


def test_resume_after_a_transfer_begins_the_day_anew(
    run: Run, report: Report, ledger: SqlLedger
) -> None:
    report(balance="1000", at=NOW - MINUTE)
    report(balance="600", at=NOW)
    ledger.mark_daily_loss(NOW)

    result = run("resume", "--after-transfer")

    assert result.exit_code == 0
    assert "ACTIVE already" in result.stdout
    assert "today's loss begins anew: 0.00 USDC; it was 400.00" in flat(result.stdout)
    assert "stay blocked" not in result.stdout
    (track,) = ledger.book(NOW).tracks
    assert (track.peak_equity, track.day_start_equity) == (600, 600)


def test_resuming_an_active_portfolio_forgives_no_loss(
    run: Run, report: Report, ledger: SqlLedger
) -> None:
    report(balance="1000", at=NOW - 2 * DAY)
    report(balance="900", at=NOW)
    events = ledger.events()

    result = run("resume")

    assert result.exit_code == 0
    assert "portfolio: ACTIVE already, nothing was changed" in result.stdout
    assert "the peak equity stays" in result.stdout
    assert ledger.book(NOW).tracks[0].peak_equity == 1000
    assert ledger.events() == events


def test_resume_mends_a_drawdown_that_no_bot_has_judged_yet(
    run: Run, report: Report, ledger: SqlLedger
) -> None:
    report(balance="1000", at=NOW - 2 * DAY)
    report(balance="700", at=NOW)

    run("resume")

    assert ledger.book(NOW).tracks[0].peak_equity == 700


def test_resume_warns_of_an_equity_that_is_old(run: Run, report: Report) -> None:
    report(at=NOW - 2 * DAY)
    run("halt", "--reason", "x")

    result = run("resume")

    assert "that equity is of 2026-11-21 14:30 UTC" in result.stdout
    assert "entries stay blocked, STALE_DATA" in result.stdout


# -- clear -----------------------------------------------------------------------------------


def test_clear_opens_a_fenced_pair(run: Run, ledger: SqlLedger) -> None:
    ledger.fence(Fence(ETH, "POSITION_DRIFT", "venue short 2", MAIN, NOW - MINUTE))

    result = run("clear", ETH, "--yes")

    assert result.exit_code == 0, result.output
    assert f"{ETH}: POSITION_DRIFT since 2026-11-23 14:29 UTC by {MAIN}: venue short 2" in flat(
        result.stdout
    )
    assert f"{ETH} is open again, by operator:ann" in result.stdout
    assert ledger.book(NOW).fences == {}
    assert ledger.events()[-1].bot == "operator:ann"


def test_clear_drops_an_order_of_unknown_outcome(run: Run, ledger: SqlLedger) -> None:
    make_doubt(ledger)

    result = run("clear", BTC, "--yes")

    assert result.exit_code == 0, result.output
    assert "without a known outcome: long, margin 10.00" in flat(result.stdout)
    assert ledger.book(NOW).reservations == ()


def test_clear_of_an_open_pair_lists_the_closed_ones(run: Run, ledger: SqlLedger) -> None:
    ledger.fence(Fence(ETH, "POSITION_DRIFT", "x", MAIN, NOW))
    make_doubt(ledger)

    result = run("clear", "SOL/USDC:USDC", "--yes")

    assert result.exit_code == 1
    assert f"(closed pairs: {BTC}, {ETH})" in result.stderr


def test_clear_without_anything_closed_says_none(run: Run) -> None:
    result = run("clear", BTC, "--yes")

    assert result.exit_code == 1
    assert "(closed pairs: none)" in result.stderr


def test_clear_leaves_an_order_on_its_way_alone(run: Run, ledger: SqlLedger) -> None:
    ledger.reserve(request(MAIN, BTC, NOW), approve, NOW + DAY)

    result = run("clear", BTC, "--yes")

    assert result.exit_code == 1
    assert len(ledger.book(NOW).reservations) == 1


def test_clear_never_asks_where_nobody_can_answer(run: Run, ledger: SqlLedger) -> None:
    ledger.fence(Fence(ETH, "POSITION_DRIFT", "x", MAIN, NOW))

    result = run("clear", ETH, answer="y\n")

    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert ETH in ledger.book(NOW).fences


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_clear_asks_a_person(
    run: Run, ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    monkeypatch.setattr(risk, "stdin_is_terminal", lambda: True)
    ledger.fence(Fence(ETH, "POSITION_DRIFT", "x", MAIN, NOW))

    result = run("clear", ETH, answer=answer)

    assert result.exit_code == status
    assert (ETH in ledger.book(NOW).fences) is bool(status)


# -- forget ----------------------------------------------------------------------------------


def test_forget_drops_a_silent_bot(run: Run, report: Report, ledger: SqlLedger) -> None:
    report(position(MAIN, BTC, 1, "40"), at=NOW - DAY)
    report(bot=SECOND)

    result = run("forget", MAIN, "--yes")

    assert result.exit_code == 0, result.output
    assert f"1 positions ({BTC}; margin 40.00), 0 reservations" in flat(result.stdout)
    assert f"{MAIN} is forgotten, by operator:ann" in result.stdout
    book = ledger.book(NOW)
    assert (list(book.bots), book.positions) == ([SECOND], ())
    assert run("status").exit_code == 0


def test_forget_of_an_unknown_bot_lists_the_known_ones(run: Run, report: Report) -> None:
    report()

    result = run("forget", "nobody", "--yes")

    assert result.exit_code == 1
    assert f"(known bots: {MAIN})" in result.stderr


def test_forget_refuses_a_bot_that_still_reports(
    run: Run, report: Report, ledger: SqlLedger
) -> None:
    report(position(MAIN, BTC, 1, "40"), at=NOW - timedelta(seconds=30))

    result = run("forget", MAIN, "--yes")

    assert result.exit_code == 1
    assert "reported 30 s ago, so it is running: stop it" in flat(result.stderr)
    assert MAIN in ledger.book(NOW).bots


def test_forget_looks_again_after_the_answer(
    run: Run, report: Report, ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    report(at=NOW - DAY)

    def came_back() -> bool:
        report()
        return True

    monkeypatch.setattr(risk, "stdin_is_terminal", came_back)

    result = run("forget", MAIN, answer="y\n")

    assert result.exit_code == 1
    assert "so it is running" in result.stderr
    assert MAIN in ledger.book(NOW).bots


# -- PostgreSQL and the rest -----------------------------------------------------------------


def test_the_ledger_option_wins_over_the_config(run: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'other.sqlite'}"
    other = open_ledger(url, mode="live")

    run("halt", "--reason", "x", "--ledger", url)

    assert other.book(NOW).state.state is TradingState.HALTED
    other.close()


def test_userdir_wins_over_the_config(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "second"
    folder.mkdir()

    result = run("status", "--userdir", str(folder))

    assert result.exit_code == 3
    assert str(folder / "fractal_ledger.dryrun.sqlite") in result.stderr


@pytest.mark.parametrize("command", ["status", "halt", "reduce", "resume", "clear", "forget"])
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(app, ["risk", command, "--help"])

    assert result.exit_code == 0
    for option in ("--config", "--ledger", "--userdir"):
        assert option in result.stdout
    assert "config.testnet.json" in result.stdout
