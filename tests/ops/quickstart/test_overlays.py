import json

import pytest
from freqtrade.configuration.load_config import load_from_files

from fractal_ops.quickstart.overlays import backtest_configs, trade_configs
from fractal_ops.quickstart.settings import Exchange, Settings


@pytest.fixture
def root(tmp_path, project_root):
    (tmp_path / "user_data/quickstart").mkdir(parents=True)
    for name in ("config.testnet.json", "user_data/config.local.json"):
        (tmp_path / name).write_bytes((project_root / name).read_bytes())
    private = {
        "api_server": {"password": "p", "jwt_secret_key": "secret" * 8, "ws_token": "secret"}
    }
    (tmp_path / "user_data/config.private.json").write_text(json.dumps(private))
    return tmp_path


def loaded(configs):
    return load_from_files([str(path) for path in configs])


def test_default_ports_need_no_generated_overlay(root):
    names = [path.name for path in trade_configs(Settings(root))]

    assert names == ["config.testnet.json", "config.local.json"]


def test_other_ports_reach_what_freqtrade_loads(root):
    config = loaded(trade_configs(Settings(root, bot_port=18080, exchange_port=18484)))

    test_urls = config["exchange"]["ccxt_config"]["urls"]["test"]
    assert config["api_server"]["listen_port"] == 18080
    assert test_urls["public"] == test_urls["private"] == "http://127.0.0.1:18484"
    assert test_urls["ws"]["public"] == "ws://127.0.0.1:18484/ws"


def test_the_testnet_is_not_pointed_at_loopback(root):
    config = loaded(trade_configs(Settings(root, exchange=Exchange.TESTNET, exchange_port=18484)))

    assert "urls" not in config["exchange"]["ccxt_config"]
    assert config["exchange"]["ccxt_config"]["sandbox"] is True


def test_a_backtest_does_not_get_the_real_keys(root):
    # freqtrade writes them into the export, which people share.
    assert loaded(trade_configs(Settings(root)))["api_server"]["jwt_secret_key"] == "secret" * 8

    config = loaded(backtest_configs(Settings(root)))

    assert "secret" not in config["api_server"]["jwt_secret_key"]
    assert "secret" not in config["api_server"]["ws_token"]
    assert len(config["api_server"]["jwt_secret_key"]) >= 32


def test_the_projects_backtest_overlay_is_used_when_there_is_one(root):
    assert "config.backtest.json" not in [p.name for p in backtest_configs(Settings(root))]

    (root / "user_data/config.backtest.json").write_text("{}")

    assert "config.backtest.json" in [p.name for p in backtest_configs(Settings(root))]
