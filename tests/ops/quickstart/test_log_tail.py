import pytest

from fractal_ops.quickstart.log_tail import LogTail, is_important, last_lines

PREFIX = "2026-01-01 00:00:00,000 - freqtrade."


@pytest.mark.parametrize(
    "line",
    [
        "exchange.exchange - WARNING - Could not load markets",
        "worker - ERROR - Please check your configuration",
        "worker - INFO - Changing state to: RUNNING",
        "freqtradebot - INFO - Long signal found: about create a new trade for BTC/USDC:USDC",
        "freqtradebot - INFO - Exit for ETH/USDC:USDC detected. Reason: roi",
        "persistence.trade_model - INFO - LIMIT_SELL has been fulfilled for Trade(id=1)",
    ],
)
def test_problems_and_trade_events_are_important(line):
    assert is_important(PREFIX + line)


@pytest.mark.parametrize(
    "line",
    [
        "worker - INFO - Bot heartbeat. PID=1, version='2026.9', state='RUNNING'",
        "rpc.rpc_manager - INFO - Sending rpc message: *Stoploss:* `-0.6`",
        "resolvers.iresolver - INFO - Using resolved strategy",
        "strategy.interface - INFO - Found no parameter file.",
    ],
)
def test_the_rest_stays_in_the_file(line):
    assert not is_important(PREFIX + line)


def test_a_tail_returns_each_complete_line_once(tmp_path):
    path = tmp_path / "a.log"
    tail = LogTail(path)
    assert tail.new_lines() == []

    path.write_bytes(b"one\ntw")
    assert tail.new_lines() == ["one"]

    with path.open("ab") as file:
        file.write("o\nthr\u00e9e\n".encode())
    assert tail.new_lines() == ["two", "thr\u00e9e"]
    assert tail.new_lines() == []


def test_the_last_lines_of_a_long_log_are_its_end(tmp_path):
    path = tmp_path / "a.log"
    path.write_text("".join(f"line {n}\n" for n in range(20_000)))

    assert last_lines(path, 2) == ["line 19998", "line 19999"]
    assert last_lines(tmp_path / "missing.log") == []
