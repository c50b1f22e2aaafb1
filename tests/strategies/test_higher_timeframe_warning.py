"""An option that a strategy does not read is not ignored in silence."""

import logging

import pytest

from tests.strategies.bots import load

OPTION = {"fractal": {"strategy": {"higher_timeframe_alignment": True}}}


@pytest.mark.parametrize("name", ["LiquiditySweep", "FvgFill", "SmcEnsemble"])
def test_alignment_on_a_strategy_without_it_warns(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        load(name, **OPTION)

    assert f"{name} does not use it" in caplog.text


def test_alignment_on_bos_order_block_does_not_warn(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        load("BosOrderBlock", **OPTION)

    assert "does not use it" not in caplog.text
