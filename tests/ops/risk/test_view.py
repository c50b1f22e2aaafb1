"""The status model on books made by hand."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date, timedelta
from typing import Any, get_args, get_type_hints

import pytest

from fractal_ops.risk.json_text import json_text
from fractal_ops.risk.view import LimitUse, Status, clusters_of
from fractal_protections.portfolio.book import Book, StateChange, TradingState
from fractal_protections.portfolio.drift import DriftMark, LookStatus
from tests.ops.risk.example import (
    BOOK,
    BTC,
    DAY,
    DOGE,
    ETH,
    MAIN,
    MINUTE,
    NOW,
    SECOND,
    SOL,
    bot,
    d,
    position,
    rendered,
    reservation,
    status,
    track,
)

FRESH = {name: bot(name, NOW) for name in (MAIN, SECOND)}
MONEY = (track("wallet", "1000", "1000", "1000", NOW),)


def limit(shown: Status, name: str) -> LimitUse:
    return next(use for use in shown.limits if use.name == name)


def codes(shown: Status) -> list[str]:
    return [block.code for block in shown.blocked_by]


def test_limits_of_a_calm_portfolio_are_exact() -> None:
    held = (position(MAIN, BTC, 1, "40"), position(SECOND, ETH, -1, "30"))

    shown = status(Book(at=NOW, positions=held, tracks=MONEY, bots=FRESH))

    assert shown.blocked_by == ()
    uses = {use.name: (use.cap, use.used, use.available) for use in shown.limits}
    assert uses == {
        "max_total_exposure_ratio": (d("200"), d("70"), d("130")),
        # Unknown pairs count gross: 3 * 40 + 3 * 30.
        "max_correlated_exposure_ratio": (d("300"), d("210"), d("90")),
        "max_positions": (3, 2, 1),
        "max_positions_per_symbol": (1, 1, 1),
        "max_position_ratio": (d("50"), d("40"), d("50")),
        "risk_per_trade_ratio": (d("10"), None, d("10")),
        "daily_loss_ratio": (d("30"), d("0"), d("30")),
        "max_drawdown_ratio": (d("200"), d("0"), d("200")),
    }


def test_two_orders_of_one_position_are_one_slot_and_one_margin() -> None:
    held = (position(MAIN, BTC, 1, "30"),)
    more = (reservation(MAIN, BTC, "20", NOW),)

    shown = status(Book(at=NOW, positions=held, reservations=more, tracks=MONEY, bots=FRESH))

    assert limit(shown, "max_positions").used == 1
    assert limit(shown, "max_position_ratio").used == 50
    assert limit(shown, "max_total_exposure_ratio").used == 50


def test_a_doubt_whose_time_is_over_holds_no_capital_but_is_shown() -> None:
    old = reservation(MAIN, DOGE, "50", NOW - 2 * DAY, ambiguous=True)

    shown = status(Book(at=NOW, reservations=(old,), tracks=MONEY))

    assert limit(shown, "max_total_exposure_ratio").used == 0
    (found,) = shown.reservations
    assert (found.is_ambiguous, found.holds_capital) == (True, False)


def test_every_block_is_named_and_nothing_is_available() -> None:
    lost = (track("wallet", "700", "1000", "1000", NOW),)
    stale = (track("other", "100", "100", "100", NOW - DAY),)
    book = Book(
        at=NOW,
        positions=(position(SECOND, BTC, 1, "10"),),
        tracks=lost + stale,
        bots={SECOND: bot(SECOND, NOW - DAY)},
        state=StateChange(TradingState.REDUCING, "weekend", "operator:ann", NOW),
    )

    shown = status(book)

    assert codes(shown) == ["REDUCING", "DRAWDOWN", "DAILY_LOSS", "STALE_DATA"]
    for name in (
        "max_total_exposure_ratio", "max_correlated_exposure_ratio", "max_positions",
        "max_positions_per_symbol", "max_position_ratio", "risk_per_trade_ratio",
    ):  # fmt: skip
        assert limit(shown, name).available == 0, name
    assert limit(shown, "max_drawdown_ratio").available == 0
    # The silent account is not in what limits are shares of, but in the losses.
    assert (shown.equity.equity, shown.equity.total) == (d("700"), d("800"))


def test_a_loss_limit_that_was_reached_today_blocks_after_a_recovery() -> None:
    shown = status(Book(at=NOW, tracks=MONEY, daily_loss_on=date(2026, 11, 23)))

    assert codes(shown) == ["DAILY_LOSS"]


def test_an_empty_ledger_blocks_since_nobody_reports_money() -> None:
    shown = status(Book(at=NOW))

    assert codes(shown) == ["STALE_DATA"]
    assert shown.equity.drawdown_ratio == 0
    assert "no account has reported any money" in " ".join(rendered(shown).split())


def test_clusters_are_those_of_the_freshest_bot_that_has_any() -> None:
    bots = {
        "old": bot("old", NOW - MINUTE, clusters=({BTC: 1},)),
        "new": bot("new", NOW - MINUTE / 2, clusters=({BTC: 1, ETH: -1},)),
        "none": bot("none", NOW),
    }
    held = (position(MAIN, BTC, 1, "20"), position(MAIN, ETH, 1, "10"), position("x", DOGE, 1, "1"))

    shown = status(Book(at=NOW, positions=held, tracks=MONEY, bots=bots))

    assert (shown.clusters.bot, shown.clusters.age_seconds) == ("new", 30.0)
    (cluster,) = shown.clusters.held
    assert [(m.pair, m.sign, m.notional) for m in cluster.members] == [
        (BTC, 1, d("60")), (DOGE, None, d("3")), (ETH, -1, d("30")),
    ]  # fmt: skip
    assert (cluster.net, cluster.gross, cluster.value) == (d("30"), d("3"), d("33"))
    assert (cluster.cap, cluster.used_ratio) == (d("300"), d("0.11"))


def test_without_clusters_all_held_pairs_are_one_unknown_bet() -> None:
    held = (position(MAIN, BTC, 1, "20"), position(SECOND, SOL, -1, "20"))
    book = Book(at=NOW, positions=held, tracks=MONEY, bots=FRESH)

    shown = status(book)

    assert clusters_of(book) is None
    (cluster,) = shown.clusters.held
    assert cluster.value == d("120")
    assert {member.sign for member in cluster.members} == {None}
    assert "all count as one bet" in rendered(shown)


def test_without_equity_a_bet_has_no_share() -> None:
    shown = status(Book(at=NOW, positions=(position(MAIN, BTC, 1, "20"),)))

    assert shown.clusters.held[0].used_ratio is None
    assert rendered(shown)


def test_rows_have_an_order_that_does_not_depend_on_the_storage() -> None:
    turned = replace(
        BOOK, positions=BOOK.positions[::-1], bots=dict(reversed(list(BOOK.bots.items())))
    )

    assert status(turned) == status()


# -- JSON ------------------------------------------------------------------------------------


def keys_of(value: Any, path: str = "") -> set[str]:
    if isinstance(value, dict):
        nested = (keys_of(item, f"{path}.{key}".lstrip(".")) for key, item in value.items())
        return {path, *(key for keys in nested for key in keys)} - {""}
    if isinstance(value, list):
        return {path, *(key for item in value for key in keys_of(item, f"{path}[]"))}
    return {path}


def model_keys(model: type, path: str = "") -> Iterator[str]:
    for field in fields(model):
        name = f"{path}.{field.name}".lstrip(".")
        yield name
        kind = get_type_hints(model)[field.name]
        inner = next((arg for arg in get_args(kind) if is_dataclass(arg)), None)
        if is_dataclass(kind):
            yield from model_keys(kind, name)
        elif inner is not None:
            yield f"{name}[]"
            yield from model_keys(inner, f"{name}[]")


def test_json_has_every_key_of_the_model_and_no_other() -> None:
    halted = StateChange(TradingState.HALTED, "", "operator:ann", NOW)

    found = json.loads(json_text(status(replace(BOOK, state=halted))))

    assert keys_of(found) == set(model_keys(Status))


def test_json_keys_of_this_version_stay() -> None:
    """Whoever takes a key away, or gives it another meaning, raises VERSION in view.py."""
    assert status().version == 1
    assert sorted(json.loads(json_text(status()))) == [
        "at", "blocked_by", "bots", "clusters", "denials", "drifts", "equity", "fences",
        "ledger", "limits", "looks", "mode", "positions", "reservations", "stake_currency",
        "trading", "version",
    ]  # fmt: skip


def test_json_amounts_are_exact_texts_and_moments_are_utc() -> None:
    tiny = (track("wallet", "1000.00000001", "1000.00000001", "1000", NOW),)

    found = json.loads(json_text(status(Book(at=NOW, tracks=tiny))))

    assert found["equity"]["equity"] == "1000.00000001"
    assert found["equity"]["drawdown"] == "0.00000000"
    assert found["at"] == "2026-11-23T14:30:05+00:00"
    assert found["limits"][5] == {
        "name": "risk_per_trade_ratio", "share": "0.01", "cap": "10.0000000001", "used": None,
        "available": "10.0000000001",
    }  # fmt: skip


@pytest.mark.parametrize("amount", ["0E-8", "1E+3"])
def test_json_never_writes_exponents(amount: str) -> None:
    tracks = (track("wallet", amount, "1000", "1000", NOW),)

    assert "E" not in json.loads(json_text(status(Book(at=NOW, tracks=tracks))))["equity"]["total"]


def test_a_drift_of_all_pairs_blocks_and_one_of_a_pair_does_not() -> None:
    def of(pair: str) -> Status:
        mark = DriftMark("w", pair, "NO_STOP", "long 1", NOW, NOW, confirmed=True)
        return status(Book(at=NOW, tracks=MONEY, bots=FRESH, drifts=(mark,)))

    assert codes(of("*")) == ["POSITION_DRIFT"]
    assert codes(of(BTC)) == []
    assert of(BTC).drifts[0].kind == "NO_STOP"


@pytest.mark.parametrize(
    ("interval", "age", "is_late"), [(15.0, 60, False), (15.0, 61, True), (None, 9999, False)]
)
def test_a_watch_that_has_stopped_looking_is_late(interval, age, is_late) -> None:
    look = LookStatus("w", NOW - timedelta(seconds=age), "reconciler", "aligned", interval)

    shown = status(looks=(look,)).looks[0]

    assert (shown.age_seconds, shown.is_late) == (age, is_late)
