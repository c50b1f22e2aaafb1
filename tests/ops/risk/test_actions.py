"""Races that a command line can not stage."""

from datetime import datetime

import pytest

from fractal_ops.risk import actions
from fractal_ops.risk.errors import RiskError
from fractal_protections.portfolio.book import Fence
from fractal_protections.portfolio.drift import AccountLook, SeenDrift
from fractal_protections.portfolio.memory_ledger import MemoryLedger
from tests.ops.risk.example import BTC, MAIN, NOW


class Contested(MemoryLedger):
    """A ledger where somebody else is always a moment earlier."""

    def clear(self, pair: str, by: str, now: datetime) -> bool:
        return False

    def forget(self, bot: str, by: str, now: datetime) -> bool:
        return False


def test_a_pair_that_somebody_else_opened_was_not_cleared() -> None:
    with pytest.raises(RiskError, match="is not closed, so nothing was changed") as caught:
        actions.clear(Contested(), BTC, "operator:ann", NOW)

    assert caught.value.exit_status == 1


def test_a_pair_that_was_closed_anew_stays_closed() -> None:
    ledger = Contested()
    ledger.fence(Fence(BTC, "POSITION_DRIFT", "x", MAIN, NOW))

    with pytest.raises(RiskError, match="closed anew meanwhile") as caught:
        actions.clear(ledger, BTC, "operator:ann", NOW)

    assert caught.value.exit_status == 1


def test_a_bot_that_somebody_else_dropped_was_not_forgotten() -> None:
    with pytest.raises(RiskError, match="dropped by somebody else") as caught:
        actions.forget(Contested(), MAIN, "operator:ann", NOW)

    assert caught.value.exit_status == 1


def test_a_drift_keeps_a_pair_closed_and_is_cleared_like_a_fence() -> None:
    ledger = MemoryLedger()
    drift = SeenDrift(BTC, "NO_STOP", "long 1 without a stop", confirmed=True)
    ledger.take_look(AccountLook("0xabc", NOW, "reconciler", "drift", (drift,), True, None))

    (doubt,) = actions.doubts_about(ledger.book(NOW), BTC)
    assert doubt == (
        "POSITION_DRIFT since 2026-11-23 14:30 UTC in 0xabc: NO_STOP: long 1 without a stop"
    )

    actions.clear(ledger, BTC, "operator:ann", NOW)
    assert ledger.book(NOW).drifts == ()
