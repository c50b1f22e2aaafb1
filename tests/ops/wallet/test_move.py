"""`fractal testnet move`: a push in one line."""

import pytest

from tests.ops.wallet.stand_in import NOW_MS, StandIn


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["BTC", "-5%"], ("BTC", -0.05, 0)),
        (["BTC", "--", "-5%"], ("BTC", -0.05, 0)),
        (["BTC", "-12.5%", "--over", "10"], ("BTC", -0.125, 10_000)),
        (["--over", "5m", "btc", "+2.5%"], ("BTC", 0.025, 300_000)),
        (["kpepe", "3%", "--over", "1.5h"], ("kPEPE", 0.03, 5_400_000)),
    ],
)
def test_move_pushes_the_price(run, stand_in: StandIn, arguments, expected) -> None:
    result = run("move", "--url", stand_in.url, *arguments)

    assert result.exit_code == 0, result.output
    (made,) = stand_in.market.moves
    assert (made.coin, made.over_ms, made.at_ms) == (expected[0], expected[2], NOW_MS)
    assert made.ratio == pytest.approx(expected[1])
    assert result.output.startswith(f"{expected[0]}: ")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["BTC", "-5"], "write it in percent"),
        (["BTC", "-0.05"], "write it in percent"),
        (["BTC", "-100%"], "above 0 only"),
        (["BTC", "0%"], "above 0 only"),
        (["BTC", "nan%"], "write it in percent"),
        (["BTC", "-5%", "--over", "soon"], "10s, 5m or 1h"),
        (["BTC", "-5%", "--ovr", "10"], "nexpected extra argument"),
        (["NOPE", "-5%"], "choose one of BTC, ETH"),
    ],
)
def test_bad_push_is_refused_with_a_remedy(run, stand_in: StandIn, arguments, text) -> None:
    result = run("move", "--url", stand_in.url, *arguments)

    assert result.exit_code == 2
    assert text in result.output
    assert stand_in.market.moves == ()


def test_push_that_the_exchange_refuses_is_told_with_status_1(run, stand_in: StandIn) -> None:
    result = run("move", "--url", stand_in.url, "BTC", "+999999%")

    assert result.exit_code == 1
    assert "stay within 1000 times" in result.output
