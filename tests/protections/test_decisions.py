"""Decisions, and the stable codes of denials."""

import dataclasses
from decimal import Decimal

import pytest

from fractal_protections.portfolio.decisions import Approved, DenialCode, Denied


def test_the_codes_are_the_words_that_logs_and_alerts_go_by():
    assert {code.value for code in DenialCode} == {
        "TOTAL_EXPOSURE",
        "CORRELATED_EXPOSURE",
        "SYMBOL_LIMIT",
        "POSITION_COUNT",
        "POSITION_SIZE",
        "RISK_PER_TRADE",
        "MIN_CONFIDENCE",
        "BELOW_MINIMUM",
        "DAILY_LOSS",
        "DRAWDOWN",
        "REDUCING",
        "HALTED",
        "AMBIGUOUS_ORDER",
        "POSITION_DRIFT",
        "STALE_DATA",
        "NO_SETUP",
        "LEDGER_UNAVAILABLE",
        "INTERNAL_ERROR",
    }


@pytest.mark.parametrize("code", DenialCode)
def test_every_code_has_a_name_like_its_word_and_a_meaning_for_people(code):
    assert code.name == code.value == str(code)
    assert code.meaning.endswith(".")
    assert "\n" not in code.meaning


def test_a_denial_reads_as_its_code_and_its_sentence():
    assert str(Denied(DenialCode.HALTED, "set by anna: lunch")) == "HALTED: set by anna: lunch"


@pytest.mark.parametrize("decision", [Approved(Decimal(5)), Denied(DenialCode.HALTED, "why")])
def test_a_decision_does_not_change_and_has_numbers_even_without_any(decision):
    assert decision.numbers == {}
    with pytest.raises(dataclasses.FrozenInstanceError):
        decision.numbers = {"margin": Decimal(9)}
