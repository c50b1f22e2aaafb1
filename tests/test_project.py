"""The project's own files: no secret in them, tidy, and scripts and imports by the rules."""

# ruff: noqa: S603, S607  # the tests' own commands, found on PATH as a developer's are

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from freqtrade.configuration.environment_vars import environment_vars_to_dict
from freqtrade.exchange import Exchange

ROOT = Path(__file__).resolve().parents[1]
SECRET_KEYS = {
    "password", "jwt_secret_key", "ws_token", "token", "secret", "key", "api_key",
    "private_key", "privatekey", "wallet_address", "walletaddress", "chat_id",
}  # fmt: skip
# Written in pieces, so that this file does not find itself.
SECRETS = {
    "private key block": re.compile(r"-----BEGIN [A-Z ]*PRIVATE " + "KEY-----"),
    "private key in a setting": re.compile(
        r"(?i)private_?key[\"']?\s*[:=]\s*[\"']?(?:0x)?(?!(?:00|11){8})[0-9a-f]{64}\b"
    ),
    "signing key in a setting": re.compile(r"(?i)jwt_secret_key[\"']?\s*[:=]\s*[\"'][\w-]{43,}"),
    "bot token": re.compile(r"\b\d{8,10}:AA[\w-]{33}\b"),
    "cloud key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
}
TEXT_SUFFIXES = {".py", ".sh", ".md", ".json", ".toml", ".yaml", ".yml", ".txt", ".cfg", ""}


def project_files():
    """Return the files that are, or with the next commit will be, in git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]


@pytest.fixture(scope="module")
def texts():
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout: which files belong to the project is unknown")
    return {
        path.relative_to(ROOT): path.read_text("utf-8")
        for path in project_files()
        if path.suffix in TEXT_SUFFIXES
    }


def test_no_file_holds_a_secret(texts):
    found = [
        f"{path}: {what}"
        for path, text in texts.items()
        for what, pattern in SECRETS.items()
        if pattern.search(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "specimen"),
    [
        ("private key block", "-----BEGIN OPENSSH PRIVATE " + "KEY-----"),
        ("private key in a setting", '"privateKey"' + ': "0x' + "4f" * 32 + '"'),
        ("signing key in a setting", '"jwt_secret_key"' + ': "' + "q9-" * 20 + '"'),
        ("bot token", "12345678" + ":AA" + "x" * 33),
        ("cloud key", "AKIA" + "A1" * 8),
    ],
)
def test_the_search_for_secrets_finds_a_specimen(what, specimen):
    assert SECRETS[what].search(specimen)


def test_the_private_config_and_environment_files_are_ignored_by_git(texts):
    for name in ("user_data/config.private.json", ".env", "user_data/tradesv3.testnet.sqlite"):
        assert subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT).returncode == 0, name
    for name in ("user_data/README.md", "user_data/config.local.json"):
        assert subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT).returncode == 1, name


def settings_of(value):
    """Yield every key, in lower case, with its value, however deep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key.lower(), inner
            yield from settings_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from settings_of(inner)


def test_the_committed_configs_hold_no_secret(texts):
    configs = [p for p in texts if re.fullmatch(r"(user_data/)?config\..*\.json", p.as_posix())]

    assert Path("config.testnet.json") in configs
    for path in configs:
        filled = [
            k
            for k, value in settings_of(json.loads(texts[path]))
            # config.backtest.json shadows the real ones, which freqtrade would export.
            if k in SECRET_KEYS and value and not value.startswith("unused")
        ]
        assert filled == [], path


def test_files_end_with_one_newline_and_lines_with_no_blank(texts):
    untidy = [
        str(path)
        for path, text in texts.items()
        if text
        and (not text.endswith("\n") or text.endswith("\n\n") or re.search(r"[ \t]+$", text, re.M))
    ]
    assert untidy == []


def test_no_file_is_large(texts):
    large = [p for p in project_files() if p.stat().st_size > 2_000_000]
    assert large == []


def test_no_file_names_a_place_of_one_machine(texts):
    places = re.compile(r"/(?:home|Users|root|work)/\w")
    named = [str(p) for p, t in texts.items() if p.name != "test_project.py" and places.search(t)]
    assert named == []


@pytest.mark.parametrize("name", sorted(p.name for p in (ROOT / "scripts").glob("*.sh")))
def test_a_script_parses(name):
    subprocess.run(["bash", "-n", f"scripts/{name}"], cwd=ROOT, check=True)


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
def test_scripts_pass_shellcheck():
    scripts = [*(ROOT / "scripts").glob("*.sh"), ROOT / ".ci/run"]
    checked = subprocess.run(
        ["shellcheck", "--external-sources", *map(str, scripts)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout


def test_imports_point_the_way_of_the_design():
    checked = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout


def test_the_documented_names_of_exchange_keys_reach_the_exchange(monkeypatch):
    text = (ROOT / "user_data/README.md").read_text()
    address, key = "0x" + "00" * 19 + "01", "0x" + "11" * 32
    for name, value in (("WALLET_ADDRESS", address), ("PRIVATE_KEY", key)):
        assert f"export FREQTRADE__EXCHANGE__{name}=" in text
        monkeypatch.setenv(f"FREQTRADE__EXCHANGE__{name}", value)

    settings = {"name": "hyperliquid", **environment_vars_to_dict()["exchange"]}
    stub = SimpleNamespace(_ccxt_params={}, get_option=lambda _: False)
    api = Exchange._init_ccxt(stub, settings, True, {})

    assert api.walletAddress == address
    assert api.privateKey == key
