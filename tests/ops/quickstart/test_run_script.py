"""The whole of run.sh as real processes, with a stand-in for freqtrade and the exchange."""

import json
import os
import signal
import socket
import stat

import pytest

from tests.kit import eventually, is_alive

READY = "Ctrl-C stops everything"


def test_once_prints_the_comparison_and_ends_with_nothing_left(stage):
    run = stage.run("--once")

    assert run.wait() == 0, run.output()
    for name in ("LiquiditySweep", "BosOrderBlock", "FvgFill", "SmcEnsemble"):
        assert name in run.output()
    for figure in ("12", "58.3%", "+12.34%", "1.61", "5.67%", "0.98", "1d 2h"):
        assert figure in run.output()
    assert stage.left_running() == {}
    assert not any(" trade " in line for line in stage.commands())


def test_the_login_is_made_private_and_never_shown(stage):
    run = stage.run()
    run.wait_for_output(READY)

    private = stage.root / "user_data/config.private.json"
    server = json.loads(private.read_text())["api_server"]
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert "user fractal" in run.output()
    assert str(private) in run.output()
    for secret in server.values():
        assert secret not in run.output()


def test_addresses_and_important_log_lines_are_shown(stage):
    run = stage.run()
    run.wait_for_output("something to look at")

    assert f"http://127.0.0.1:{stage.bot_port}" in run.output()
    assert f"http://127.0.0.1:{stage.exchange_port}" in run.output()
    assert "Changing state to: RUNNING" in run.output()
    assert "nobody needs" not in run.output()
    assert "nobody needs" in (stage.root / "user_data/logs/bot.log").read_text()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_bot_first_then_the_exchange(stage, signum):
    run = stage.run()
    run.wait_for_output(READY)

    os.kill(run.pid, signum)

    assert run.wait() == 128 + signum
    assert stage.left_running() == {}
    assert (stage.root / "ends").read_text().split() == ["bot", "exchange"]


def test_a_signal_during_the_backtest_ends_it_too(stage):
    run = stage.run(faults=["backtest hangs"])
    eventually((stage.root / "pids/backtest").exists)

    os.kill(run.pid, signal.SIGINT)

    assert run.wait() == 130
    assert stage.left_running() == {}


def test_a_second_signal_kills_what_ignores_the_first(stage):
    run = stage.run(faults=["bot is stubborn"])
    run.wait_for_output(READY)

    os.kill(run.pid, signal.SIGINT)
    run.wait_for_output("a second Ctrl-C makes it short")
    os.kill(run.pid, signal.SIGINT)

    assert run.wait(8) == 130  # the bot alone would have had 20 s
    assert stage.left_running() == {}


def test_a_helper_that_ignores_signals_does_not_outlive_its_exchange(stage):
    run = stage.run(faults=["exchange has a stubborn helper"])
    run.wait_for_output(READY)
    assert "exchange-helper" in stage.left_running()

    os.kill(run.pid, signal.SIGTERM)

    assert run.wait() == 143
    assert stage.left_running() == {}


def test_the_death_of_quickstart_itself_takes_everything_along(stage):
    run = stage.run(faults=["exchange has a stubborn helper"])
    run.wait_for_output(READY)
    assert set(stage.left_running()) == {"bot", "exchange", "exchange-helper"}

    os.kill(run.pid, signal.SIGKILL)

    eventually(lambda: stage.left_running() == {}, 15, "the end of all processes")


@pytest.mark.parametrize("part", ["bot", "exchange"])
def test_the_death_of_a_child_is_reported_and_ends_the_rest(stage, part):
    run = stage.run()
    run.wait_for_output(READY)

    os.kill(stage.pid(part), signal.SIGKILL)

    assert run.wait(8) == 1
    assert f"{part} was ended by SIGKILL" in run.output()
    assert stage.left_running() == {}


def test_a_bot_that_cannot_start_is_reported_with_the_end_of_its_log(stage):
    run = stage.run(faults=["bot never starts"])

    assert run.wait() == 1
    assert "the bot ended by itself with exit status 3" in run.output()
    assert "the bad thing happened" in run.output()
    assert stage.left_running() == {}


def test_a_failed_backtest_is_reported_with_the_end_of_its_log(stage):
    run = stage.run("--once", faults=["backtest fails"])

    assert run.wait() == 1
    assert "No data found" in run.output()
    assert stage.left_running() == {}


@pytest.mark.parametrize("which", ["bot", "exchange"])
def test_a_busy_port_is_an_error_that_names_port_holder_and_remedy(stage, which):
    port = stage.bot_port if which == "bot" else stage.exchange_port
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port))
        holder.listen()
        run = stage.run()

        assert run.wait() == 2
    assert f"port {port}" in run.output()
    assert f"process {os.getpid()}" in run.output()
    assert f"--{which}-port" in run.output()
    assert "Traceback" not in run.output()
    assert not (stage.root / "pids").exists()


def test_a_second_run_on_the_same_user_data_is_refused(stage):
    first = stage.run()
    first.wait_for_output(READY)
    stage.bot_port, stage.exchange_port = stage.bot_port + 1, stage.exchange_port + 1

    second = stage.run()

    assert second.wait() == 2
    assert f"process {first.pid}" in second.output()
    assert is_alive(first.pid)


def test_a_backtest_without_a_new_result_is_a_failure_not_the_old_figures(stage):
    assert stage.run("--once").wait() == 0

    run = stage.run("--once", "--rerun", faults=["backtest ends without a result"])

    assert run.wait() == 1
    assert "without a new backtest result" in run.output()
    assert "Configuration error: too short" in run.output()
    assert "+12.34%" not in run.output()


def test_a_second_run_reuses_the_backtest_until_something_changes(stage):
    def backtests():
        return sum(" backtesting " in line for line in stage.commands())

    assert stage.run("--once").wait() == 0
    again = stage.run("--once")
    assert again.wait() == 0
    assert backtests() == 1
    assert "not run again" in again.output()
    assert "+12.34%" in again.output()

    (stage.root / "fractal_strategies/smc").mkdir(parents=True)
    (stage.root / "fractal_strategies/smc/changed.py").write_text("X = 1\n")
    assert stage.run("--once").wait() == 0
    assert backtests() == 2

    assert stage.run("--once", "--rerun").wait() == 0
    assert backtests() == 3


def test_an_unreachable_testnet_is_an_error_with_a_remedy(stage):
    # Nobody listens on this port: the answer is the same as without a network.
    run = stage.run(
        "--exchange", "testnet", "--testnet-url", f"http://127.0.0.1:{stage.exchange_port}"
    )

    assert run.wait() == 2
    assert "is not reachable" in run.output()
    assert "--exchange loopback" in run.output()
    assert not (stage.root / "pids").exists()


def test_the_bot_is_always_in_dry_run(stage):
    run = stage.run()
    run.wait_for_output(READY)

    trade = next(line for line in stage.commands() if " trade " in line)
    assert "--dry-run" in trade
    assert "config.local.json" in trade
