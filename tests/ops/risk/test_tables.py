"""What a person reads."""

import io
from dataclasses import replace
from datetime import timedelta

import pytest

from fractal_ops.risk.tables import age, plain_console, print_status
from fractal_ops.risk.view import Status
from fractal_protections.portfolio.book import Book, Fence, StateChange, TradingState
from tests.ops.risk.example import (
    BOOK,
    BTC,
    DAY,
    DOGE,
    MAIN,
    NOW,
    SECOND,
    WIF,
    bot,
    d,
    position,
    rendered,
    reservation,
    status,
    track,
)


def words(shown: Status) -> str:
    return " ".join(rendered(shown).split())


def huge() -> Status:
    """Nothing that anybody trades with is longer."""
    names = ("a-rather-long-bot-name-of-somebody/LiquiditySweep", "other/LiquiditySweep")
    pair = "1000BONK/USDC:USDC"
    account = track("0x" + "a" * 40, "1234567.89", "2345678.90", "1345678.90", NOW)
    return status(
        Book(
            at=NOW,
            positions=tuple(position(name, pair, -1, "234567.89") for name in names),
            reservations=(reservation(names[0], pair, "99999.99", NOW, ambiguous=True),),
            tracks=(account,),
            bots={
                name: bot(
                    name, NOW - 50 * DAY, balance=d("1234567.89"), open_profit=d("-123456.78"),
                    account="0x" + "a" * 40,
                )
                for name in names
            },
            state=StateChange(TradingState.HALTED, "x" * 100, "operator:" + "n" * 30, NOW),
            fences={pair: Fence(pair, "AMBIGUOUS_ORDER", "y" * 90, names[0], NOW)},
        )
    )  # fmt: skip


@pytest.mark.parametrize("shown", [status(), huge()], ids=["example", "huge"])
def test_nothing_is_cut_on_a_terminal_of_80_columns(shown: Status) -> None:
    text = rendered(shown)

    assert max(len(line) for line in text.splitlines()) <= 80
    assert "…" not in text
    for whole in ("total exposure (margin)", "Available", "AMBIGUOUS"):
        assert whole in text
    for row in (*shown.positions, *shown.fences, *shown.denials):
        assert row.pair in text


def test_no_colour_code_reaches_a_file() -> None:
    assert "\x1b" not in rendered(huge())


def test_a_terminal_shows_a_silent_bot_in_red() -> None:
    console = plain_console(
        file=io.StringIO(), width=80, force_terminal=True, color_system="standard"
    )

    print_status(huge(), console)

    assert isinstance(console.file, io.StringIO)
    assert "\x1b[31mSILENT 50 d ago" in console.file.getvalue()


def test_the_headline_names_who_and_why() -> None:
    state = StateChange(TradingState.HALTED, "venue down", "operator:ann", NOW)

    text = words(status(replace(BOOK, state=state)))

    assert "HALTED since 2026-11-23 14:30 UTC by operator:ann: venue down" in text
    assert "BLOCKED, HALTED: set by operator:ann: venue down" in text


def test_a_state_set_by_nobody_in_particular_says_so() -> None:
    text = words(status(replace(BOOK, state=StateChange(TradingState.ACTIVE, "", "", NOW))))

    assert "ACTIVE since 2026-11-23 14:30 UTC by ?: no reason given" in text


def test_a_new_portfolio_is_just_active() -> None:
    money = (track("wallet", "1000", "1000", "1000", NOW),)

    text = rendered(status(Book(at=NOW, tracks=money)))

    assert text.startswith("Portfolio  ACTIVE\nEntries    possible\n")


def test_full_slots_are_told_though_nothing_is_wrong() -> None:
    assert "every position slot is taken" in rendered(status())


def test_silent_accounts_are_shown_beside_the_equity_that_counts() -> None:
    silent = track("gone", "500", "500", "500", NOW - DAY)

    text = words(status(replace(BOOK, tracks=(*BOOK.tracks, silent))))

    assert "5,247.42 USDC (all accounts, silent ones included: 5,747.42)" in text


def test_reservations_tell_what_they_hold() -> None:
    old = reservation(MAIN, DOGE, "10", NOW - 2 * DAY, ambiguous=True)
    fresh = reservation(MAIN, BTC, "10", NOW)

    text = words(status(replace(BOOK, reservations=(old, fresh))))

    assert "AMBIGUOUS frees capital" in text
    assert "reserved" in text


def test_a_bet_beyond_five_caps_is_not_spelled_out() -> None:
    small = (track("wallet", "10", "10", "10", NOW),)

    assert "> 500%" in rendered(status(replace(BOOK, tracks=small)))


def test_bots_of_one_strategy_keep_their_full_names() -> None:
    other = position("second/SmcEnsemble", WIF, 1, "10")

    text = rendered(status(replace(BOOK, positions=(*BOOK.positions, other))))

    assert "second/SmcEnsemble" in text


def test_a_reason_can_not_command_the_terminal() -> None:
    evil = StateChange(TradingState.HALTED, "\x1b[2J[red]gone[/red] :x:", "operator:ann", NOW)

    text = rendered(status(replace(BOOK, state=evil)))

    assert "\x1b" not in text
    assert "[red]gone[/red] :x:" in text


def test_a_bots_name_is_shown_as_it_is() -> None:
    name = "[bold]a:x:/Fvg[i]Fill"
    book = replace(BOOK, bots={**BOOK.bots, name: bot(name, NOW)})

    text = rendered(status(replace(book, positions=(position(name, WIF, 1, "10"),))))

    assert "\n[bold]a:x:/ " in text
    assert text.count("Fvg[i]Fill") == 2


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(seconds=-2), "-2 s"),
        (timedelta(seconds=119), "119 s"),
        (timedelta(seconds=120), "2 min"),
        (timedelta(minutes=119), "119 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(days=2), "2 d"),
    ],
)
def test_ages_are_short(length: timedelta, text: str) -> None:
    assert age(length.total_seconds()) == text


def test_a_wallet_is_shortened_and_a_paper_account_is_called_so() -> None:
    book = replace(BOOK, bots={**BOOK.bots, "x": bot("x", NOW, account="main")})

    text = rendered(status(book))

    for shown in ("0x5aed...67de", "paper", "main"):
        assert shown in text
    assert SECOND not in text.split("Bots")[0]
