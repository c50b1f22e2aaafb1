"""The ledger that a person looks at is the one that the bots use."""

import json
import logging
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from freqtrade.configuration import configuration
from freqtrade.enums import RunMode

from fractal_ops.risk.errors import RiskError, without_passwords
from fractal_ops.risk.place import Place, find_place
from fractal_protections.portfolio.guard import PortfolioGuard
from fractal_protections.portfolio.ledger_url import ledger_url
from fractal_protections.portfolio.settings import PortfolioSettings

SHARED = "postgresql://trader:s3cret@db.example/fractal"


class Bot(PortfolioGuard):
    """A strategy that does nothing."""

    timeframe = "1h"
    stoploss = -0.1

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict[str, Any]) -> Any:
        return dataframe

    populate_entry_trend = populate_exit_trend = populate_indicators


def guards_url(path: Path, monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> str:
    """Ask a bot that freqtrade configures."""
    monkeypatch.setattr(configuration, "setup_logging", lambda config: None)
    config = configuration.Configuration({"config": [str(path)], **arguments}).get_config()
    assert config["runmode"] in (RunMode.LIVE, RunMode.DRY_RUN)
    return Bot(config).ledger_url()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "user_data").mkdir()
    (tmp_path / "elsewhere").mkdir()
    return tmp_path


CASES = {
    "defaults": ({}, {}),
    "dry-run": ({"dry_run": True}, {}),
    "live": ({"dry_run": False}, {}),
    "added file decides": ({"add_config_files": ["live.json"]}, {}),
    "user directory in the config": ({"user_data_dir": "elsewhere"}, {}),
    "environment": ({"dry_run": True}, {"FREQTRADE__DRY_RUN": "false"}),
    "shared ledger": ({"fractal": {"portfolio": {"ledger_url": SHARED}}}, {}),
    "shared ledger from the environment": (
        {},
        {"FREQTRADE__FRACTAL__PORTFOLIO__LEDGER_URL": SHARED},
    ),
}


@pytest.mark.parametrize("user_data_dir", [None, "elsewhere"])
@pytest.mark.parametrize(("block", "environment"), CASES.values(), ids=CASES)
def test_url_equals_the_bots_own(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    block: dict[str, Any],
    environment: dict[str, str],
    user_data_dir: str | None,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (here / "live.json").write_text('{"dry_run": false}')
    path = here / "config.json"
    path.write_text(
        json.dumps({"exchange": {"name": "hyperliquid", "pair_whitelist": []}, **block})
    )

    place = find_place([path], None, Path(user_data_dir) if user_data_dir else None)

    assert place.url == guards_url(path, monkeypatch, user_data_dir=user_data_dir)


def test_looking_makes_no_folder_and_no_ledger(here: Path) -> None:
    path = here / "config.json"
    path.write_text("{}")

    with pytest.raises(RiskError, match=r"there is no ledger .*fractal_ledger.dryrun.sqlite"):
        find_place([path]).open_ledger()

    assert list((here / "user_data").iterdir()) == []


def test_the_default_config_is_the_testnets(here: Path) -> None:
    (here / "config.testnet.json").write_text('{"dry_run": false, "stake_currency": "USDT"}')

    place = find_place(None)

    assert place.url.endswith("user_data/fractal_ledger.live.sqlite")
    assert place.stake_currency == "USDT"


def test_a_named_ledger_needs_no_config(here: Path) -> None:
    place = find_place(None, SHARED)

    assert (place.url, place.config) == (SHARED, {})
    assert place.settings == PortfolioSettings()


def test_a_named_ledger_still_takes_the_config_that_is_there(here: Path) -> None:
    (here / "config.testnet.json").write_text('{"fractal": {"limits": {"max_positions": 7}}}')

    assert find_place(None, SHARED).limits().max_positions == 7


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "not found"),
        ('{"password": "s3cret" "b"}', "Parse error"),
        ("[1]", "can not be read"),
        ('{"fractal": {"portfolio": {"x": 1}}}', r"fractal.portfolio.x"),
        ('{"fractal": {"portfolio": "postgresql://a:s3cret@b/c"}}', r"a:\*\*\*@b"),
    ],
    ids=["missing", "no JSON", "no object", "unknown key", "no block"],
)
def test_a_config_that_does_not_fit_is_an_error_without_secrets(
    here: Path, text: str | None, said: str
) -> None:
    path = here / "config.json"
    if text is not None:
        path.write_text(text)

    with pytest.raises(RiskError, match=said) as caught:
        find_place([path])

    assert caught.value.exit_status == 2
    assert "s3cret" not in str(caught.value)


def test_limits_that_do_not_fit_are_an_error() -> None:
    place = Place("", {"fractal": {"limits": {"max_positions": 0}}}, PortfolioSettings())

    with pytest.raises(RiskError, match=r"fractal\.limits\.max_positions = 0") as caught:
        place.limits()

    assert caught.value.exit_status == 2


def test_reading_configs_leaves_logging_alone(here: Path) -> None:
    (here / "config.json").write_text("{}")
    before = logging.getLogger().handlers[:]

    find_place([here / "config.json"])

    assert logging.getLogger().handlers == before


def test_dry_run_and_live_never_share_a_file() -> None:
    settings = PortfolioSettings()

    assert ledger_url(settings, "/data", is_live=True) == (
        "sqlite:////data/fractal_ledger.live.sqlite"
    )
    assert ledger_url(settings, Path("/data"), is_live=False) == (
        "sqlite:////data/fractal_ledger.dryrun.sqlite"
    )


def test_passwords_are_hidden_wherever_they_stand() -> None:
    text = f"{SHARED} and redis://:pw@x and http://nobody@x and 12:30"

    assert without_passwords(text) == (
        "postgresql://trader:***@db.example/fractal and redis://:***@x and http://nobody@x and "
        "12:30"
    )
