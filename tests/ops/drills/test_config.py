"""A drill takes the user's own config, and changes what must not reach the world."""

import json
from pathlib import Path

import pytest

from fractal_ops.drills.config import PASSWORD, drill_config, read_config
from fractal_ops.drills.errors import DrillError

KEYS = ("0xabc", "key")
URL = "http://127.0.0.1:1234"


def write(folder: Path, name: str, **content: object) -> Path:
    path = folder / name
    path.write_text(json.dumps(content))
    return path


def test_files_are_merged_and_logins_that_are_not_there_do_not_matter(tmp_path):
    (tmp_path / "user_data").mkdir()
    main = write(tmp_path, "a.json", max_open_trades=3, add_config_files=["user_data/missing.json"])
    overlay = write(tmp_path, "b.json", max_open_trades=5)

    assert read_config([main, overlay])["max_open_trades"] == 5


def test_what_is_no_config_is_an_error_that_names_it(tmp_path):
    path = tmp_path / "broken.json"
    path.write_text("{")
    with pytest.raises(DrillError, match=r"broken\.json"):
        read_config([path])


def test_the_users_limits_stay_and_nothing_reaches_people_or_money(tmp_path):
    base = {
        "fractal": {"limits": {"max_positions": 1}, "portfolio": {"ledger_url": "postgresql://x"}},
        "telegram": {"enabled": True, "token": "tg-token", "chat_id": "1"},
        "webhook": {"enabled": True, "url": "http://example.org"},
        "db_url": "sqlite:///mine.sqlite",
        "api_server": {"password": "mine", "listen_ip_address": "0.0.0.0"},  # noqa: S104
        "exchange": {
            "pair_whitelist": ["NOPE/USDC:USDC", "SOL/USDC:USDC"],
            "private_key": "real",
            "ccxt_config": {"sandbox": False, "urls": {"test": {"public": "https://x"}}},
        },
    }
    config = drill_config(base, tmp_path, URL, 5555, KEYS)

    assert config["fractal"]["limits"] == {"max_positions": 1}
    assert config["fractal"]["portfolio"]["ledger_url"] == f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    assert config["exchange"]["pair_whitelist"] == ["SOL/USDC:USDC"]
    assert config["exchange"]["private_key"] == "key"
    assert config["exchange"]["ccxt_config"]["sandbox"] is True
    assert config["exchange"]["ccxt_config"]["urls"]["test"]["public"] == URL
    assert config["telegram"]["enabled"] is False
    assert "webhook" not in config
    assert config["api_server"]["password"] == PASSWORD
    assert config["api_server"]["listen_ip_address"] == "127.0.0.1"
    text = json.dumps(config)
    for secret in ("real", "tg-token", "mine", "postgresql", "example.org"):
        assert secret not in text
    # The user's own is left as it was.
    assert base["exchange"]["private_key"] == "real"


def test_without_a_pair_of_the_exchange_there_is_no_drill(tmp_path):
    with pytest.raises(DrillError, match="pair_whitelist"):
        drill_config({"exchange": {"pair_whitelist": ["X/Y:Y"]}}, tmp_path, URL, 1, KEYS)
