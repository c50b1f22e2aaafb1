"""`fractal testnet wallet`: keys that only the loopback exchange knows, and nobody sees."""

import json
import os
import re
import stat
import subprocess
from pathlib import Path

import pytest
from eth_account import Account
from freqtrade.configuration import Configuration
from freqtrade.configuration.environment_vars import environment_vars_to_dict

from fractal_ops.wallet import envfile
from fractal_ops.wallet.errors import WalletError
from fractal_ops.wallet.loopback import Loopback, loopback_url
from tests.kit import free_port
from tests.ops.wallet.stand_in import NOW_MS, StandIn

ROOT = Path(__file__).resolve().parents[3]
DAY_MS = 86_400_000


def values(path: Path) -> dict[str, str]:
    """What a shell gets from the file, and nothing but the file."""
    made = subprocess.run(  # noqa: S603  # our own fixed commands
        ["sh", "-c", 'set -a; . "$1"; set +a; env', "sh", path],  # noqa: S607  # the system's
        env={}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return dict(line.split("=", 1) for line in made.stdout.splitlines() if "=" in line)


@pytest.fixture
def env_file(run, stand_in: StandIn, userdir: Path) -> Path:
    result = run("wallet", "new", "--url", stand_in.url, "--userdir", userdir)
    assert result.exit_code == 0, result.output
    return userdir / "loopback.env"


def test_new_funds_the_account_then_has_its_agent_approved_for_180_days(
    env_file: Path, stand_in: StandIn
) -> None:
    found = values(env_file)
    user = found["FREQTRADE__EXCHANGE__WALLET_ADDRESS"]
    agent = Account.from_key(found["FREQTRADE__EXCHANGE__PRIVATE_KEY"]).address.lower()

    assert stand_in.paths == ["/admin/fund", "/exchange"]
    assert stand_in.money == {user: 10_000}
    assert stand_in.agents == {
        user: [{"address": agent, "name": "fractal", "validUntil": NOW_MS + 180 * DAY_MS}]
    }


def test_keys_are_the_owners_alone_and_the_accounts_own_stays_out_of_the_environment(
    env_file: Path,
) -> None:
    wallet = envfile.read(env_file)

    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    assert Account.from_key(wallet.main_key).address.lower() == wallet.address
    assert wallet.main_key not in values(env_file).values()
    assert list(env_file.parent.iterdir()) == [env_file]
    assert wallet.main_key not in repr(wallet)
    assert wallet.agent_key not in repr(wallet)


def test_no_command_prints_a_private_key(run, stand_in: StandIn, userdir: Path) -> None:
    output = "".join(
        run("wallet", *arguments, "--url", stand_in.url, "--userdir", userdir).output
        for arguments in (["new"], ["new"], ["show"], ["fund", "5"], ["new", "--force"], ["show"])
    )

    assert not re.search(r"[0-9a-fA-F]{64}", output)
    assert "account 0x" in output


def test_freqtrade_reads_the_keys_and_is_bound_to_loopback_whatever_its_config_says(
    env_file: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in values(env_file).items():
        if name.startswith("FREQTRADE__"):
            monkeypatch.setenv(name, value)

    read = environment_vars_to_dict()["exchange"]
    config = Configuration.from_files([str(ROOT / "user_data/config.analysis.json")])

    for exchange in (read, config["exchange"]):
        ws = stand_in.url.replace("http", "ws") + "/ws"
        assert exchange["ccxt_config"]["sandbox"] is True
        assert exchange["ccxt_config"]["urls"]["test"] == {
            "public": stand_in.url, "private": stand_in.url, "ws": {"public": ws},
        }  # fmt: skip
    assert read["wallet_address"] == envfile.read(env_file).address
    assert read["private_key"] == envfile.read(env_file).agent_key


def test_second_new_changes_nothing_without_force(
    run, env_file: Path, stand_in: StandIn, userdir: Path
) -> None:
    before, asked = env_file.read_bytes(), list(stand_in.paths)

    refused = run("wallet", "new", "--url", stand_in.url, "--userdir", userdir)
    assert (refused.exit_code, env_file.read_bytes()) == (2, before)
    assert "--force" in refused.output
    assert stand_in.paths == asked

    forced = run("wallet", "new", "--force", "--url", stand_in.url, "--userdir", userdir)
    assert forced.exit_code == 0
    assert env_file.read_bytes() != before
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600


def test_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "loopback.env"
    path.write_text("mine")

    with pytest.raises(WalletError, match="holds keys already"):
        envfile.write(path, envfile.TestWallet("0x1", "0x2", "0x3", "http://127.0.0.1:1"))
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_days_and_amount_are_passed_on(run, stand_in: StandIn, userdir: Path) -> None:
    result = run("wallet", "new", "--days", 7, "--amount", "250.5", "--url", stand_in.url,
                 "--userdir", userdir)  # fmt: skip

    assert result.exit_code == 0
    assert [str(money) for money in stand_in.money.values()] == ["250.5"]
    (agents,) = stand_in.agents.values()
    assert agents[0]["validUntil"] == NOW_MS + 7 * DAY_MS


def test_show_tells_agent_end_money_and_use(run, env_file: Path, userdir: Path) -> None:
    wallet = envfile.read(env_file)

    result = run("wallet", "show", "--userdir", userdir)

    assert result.exit_code == 0
    assert wallet.address in result.output
    assert Account.from_key(wallet.agent_key).address.lower() in result.output
    assert "2027-05-22 11:30 UTC (180 days)" in result.output
    assert "withdrawable  10,000 USDC" in result.output
    assert f"set -a; . {env_file}; set +a; freqtrade trade" in result.output
    assert "config.loopback-live.json" in result.output


def test_fund_adds_to_the_wallets_account(run, env_file: Path, userdir: Path) -> None:
    result = run("wallet", "fund", "500", "--userdir", userdir)

    assert result.exit_code == 0
    assert "has 10,500" in result.output


def test_agent_that_the_exchange_forgot_is_told_with_status_1(
    run, env_file: Path, stand_in: StandIn, userdir: Path
) -> None:
    stand_in.agents.clear()

    result = run("wallet", "show", "--userdir", userdir)

    assert result.exit_code == 1
    assert "wallet new --force" in result.output


def test_keys_that_others_may_read_are_told(run, env_file: Path, userdir: Path) -> None:
    env_file.chmod(0o644)

    assert f"chmod 600 {env_file}" in run("wallet", "show", "--userdir", userdir).output


def test_refused_approval_writes_nothing_and_says_why(
    run, stand_in: StandIn, userdir: Path
) -> None:
    stand_in.refuses = "Too many extra agents.\x1b[2J"

    result = run("wallet", "new", "--url", stand_in.url, "--userdir", userdir)

    assert result.exit_code == 1
    assert "Too many extra agents." in result.output
    assert "\x1b" not in result.output
    assert list(userdir.iterdir()) == []


def test_without_an_exchange_nothing_is_written_and_the_remedy_is_told(run, userdir: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"

    result = run("wallet", "new", "--url", url, "--userdir", userdir)

    assert result.exit_code == 2
    assert result.output.startswith(f"error: no exchange answers at {url}")
    assert "`fractal testnet`" in result.output
    assert len(result.output.splitlines()) == 1
    assert list(userdir.iterdir()) == []


@pytest.mark.parametrize("health", [{"status": "ok"}, {"market": 1, "seed": 1, "speed": 1}])
def test_other_program_on_the_port_is_asked_nothing_more(
    run, stand_in: StandIn, userdir: Path, health: dict
) -> None:
    stand_in.health = health

    result = run("wallet", "new", "--url", stand_in.url, "--userdir", userdir)

    assert result.exit_code == 2
    assert "no loopback exchange is at" in result.output
    assert stand_in.paths == []


@pytest.mark.parametrize(
    "url",
    [
        "https://api.hyperliquid.xyz",
        "http://api.hyperliquid-testnet.xyz",
        "http://127.0.0.1@api.hyperliquid.xyz",
        "http://127.0.0.1.nip.io:8484",
        "http://10.0.0.1:8484",
        "http://0.0.0.0:8484",
        "https://127.0.0.1:8484",
        "http://127.0.0.1:8484/proxy",
        "http://127.0.0.1:notaport",
        "127.0.0.1:8484",
        "http://[::1",
        "",
    ],
)
def test_address_that_is_not_on_this_machine_is_refused(run, url: str, userdir: Path) -> None:
    for command in (["wallet", "new", "--userdir", userdir], ["move", "BTC", "-5%"]):
        result = run(*command, "--url", url)
        assert result.exit_code == 2, result.output
        assert "loopback exchange only" in result.output
    assert list(userdir.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("http://localhost:8484/", "http://127.0.0.1:8484"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://[::1]:8484", "http://[::1]:8484"),
    ],
)
def test_address_on_this_machine_is_taken_in_its_plain_form(url: str, plain: str) -> None:
    assert loopback_url(url) == plain


def test_redirect_is_not_followed(stand_in: StandIn) -> None:
    with pytest.raises(WalletError) as refusal:
        Loopback(stand_in.url).ask("GET", "/health/")  # FastAPI redirects to /health

    assert "(307)" in str(refusal.value)


def test_keys_for_another_address_in_the_file_are_not_used(run, env_file, userdir: Path) -> None:
    changed = re.sub(r"http://127[^\n]*", "https://api.hyperliquid.xyz", env_file.read_text())
    env_file.write_text(changed)

    result = run("wallet", "fund", "--userdir", userdir)

    assert result.exit_code == 2
    assert "loopback exchange only" in result.output


@pytest.mark.parametrize("amount", ["0", "-1", "nan", "inf", "many", "1e12", "0.0000001"])
def test_absurd_amount_is_refused(run, amount: str, stand_in: StandIn, userdir: Path) -> None:
    result = run("wallet", "new", f"--amount={amount}", "--url", stand_in.url, "--userdir", userdir)

    assert result.exit_code == 2
    assert "the amount is" in result.output
    assert stand_in.paths == []


@pytest.mark.parametrize("content", ["", "FREQTRADE__EXCHANGE__WALLET_ADDRESS=0x1", "\ud800"])
def test_broken_file_is_told_without_its_text(run, content: str, userdir: Path) -> None:
    path = userdir / "loopback.env"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))

    result = run("wallet", "show", "--userdir", userdir)

    assert result.exit_code == 2
    assert "--force" in result.output


def test_key_that_is_none_is_not_printed(run, env_file: Path, userdir: Path) -> None:
    env_file.write_text(re.sub(r"(PRIVATE_KEY=0x)\w+", r"\1secretnonsense", env_file.read_text()))

    result = run("wallet", "show", "--userdir", userdir)

    assert result.exit_code == 2
    assert "secretnonsense" not in result.output


def test_missing_wallet_and_missing_directory_are_told(run, stand_in, userdir: Path) -> None:
    missing = run("wallet", "show", "--userdir", userdir)
    nowhere = run("wallet", "new", "--url", stand_in.url, "--userdir", userdir / "no")

    assert (missing.exit_code, nowhere.exit_code) == (2, 2)
    assert "`fractal testnet wallet new`" in missing.output
    assert "--userdir" in nowhere.output


@pytest.mark.parametrize(
    ("name", "status"), [("loopback.env", 0), ("config.loopback-live.json", 1)]
)
def test_git_ignores_the_keys_and_keeps_the_overlay(name: str, status: int) -> None:
    command = ["git", "check-ignore", "-q", f"user_data/{name}"]

    assert subprocess.run(command, cwd=ROOT).returncode == status  # noqa: S603  # fixed, as above


def test_overlay_is_the_loopback_one_for_live_orders_with_a_database_of_its_own() -> None:
    live, local = (
        json.loads((ROOT / "user_data" / f"config.{name}.json").read_text())
        for name in ("loopback-live", "local")
    )

    assert live.pop("exchange") == local["exchange"]
    assert live == {
        "dry_run": False,
        "db_url": "sqlite:///user_data/tradesv3.loopback-live.sqlite",
        "cancel_open_orders_on_exit": False,
    }


def test_proxy_of_the_environment_is_not_used(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert os.environ["http_proxy"]

    assert Loopback(stand_in.url).now_ms() == NOW_MS
