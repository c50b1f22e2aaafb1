"""The four words, each rule alone, and the table itself."""

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fractal_ops.walk_forward.statistics import RULES, Evidence, Word, judge

GOOD = Evidence(
    trades=120,
    days=365,
    mean_r=0.25,
    mean_r_low=0.05,
    probabilistic_sharpe=0.99,
    deflated_sharpe=0.96,
    stressed_mean_r=0.1,
    positive_windows=5 / 6,
    random_percentile=98.0,
    overfitting=0.1,
)
BOUNDARY = replace(
    GOOD,
    trades=30,
    days=113,
    probabilistic_sharpe=0.95,
    deflated_sharpe=0.95,
    positive_windows=2 / 3,
    random_percentile=95.0,
)

FAILURES = [
    ({"trades": 29}, Word.TOO_FEW_TRADES, "29 trades"),
    ({"days": 112}, Word.TOO_FEW_TRADES, "112 days"),
    ({"mean_r": 0.0}, Word.NO_EDGE_SHOWN, r"mean R \+0.000"),
    ({"mean_r": math.nan}, Word.NO_EDGE_SHOWN, "mean R"),
    ({"probabilistic_sharpe": 0.949}, Word.NO_EDGE_SHOWN, "PSR 0.949"),
    ({"probabilistic_sharpe": math.nan}, Word.NO_EDGE_SHOWN, "PSR nan"),
    ({"random_percentile": 74.9}, Word.NO_EDGE_SHOWN, "percentile 74.9"),
    ({"random_percentile": math.nan}, Word.NO_EDGE_SHOWN, "percentile nan"),
    ({"random_percentile": 94.9}, Word.WEAK, "percentile 94.9"),
    ({"deflated_sharpe": 0.949}, Word.WEAK, "DSR 0.949"),
    ({"deflated_sharpe": math.nan}, Word.WEAK, "DSR nan"),
    ({"mean_r_low": 0.0}, Word.WEAK, r"lower end \+0.000 R"),
    ({"overfitting": 0.5}, Word.WEAK, "PBO 0.500"),
    ({"overfitting": math.nan}, Word.WEAK, "PBO nan"),
    ({"stressed_mean_r": 0.0}, Word.WEAK, r"mean R \+0.000"),
    ({"positive_windows": 0.5}, Word.WEAK, "50 % of the windows"),
    ({"positive_windows": math.nan}, Word.WEAK, "nan % of the windows"),
]


@pytest.mark.parametrize("evidence", [GOOD, BOUNDARY])
def test_all_rules_of_edge_make_an_edge_and_are_its_reasons(evidence: Evidence) -> None:
    verdict = judge(evidence)

    assert verdict.word is Word.EDGE
    assert len(verdict.reasons) == sum(rule.word is Word.EDGE for rule in RULES)


@pytest.mark.parametrize(("change", "word", "reason"), FAILURES)
def test_one_failure_decides_and_is_the_reason(change, word, reason) -> None:
    verdict = judge(replace(GOOD, **change))

    assert verdict.word is word
    assert len(verdict.reasons) == 1
    assert re.search(reason, verdict.reasons[0])
    assert verdict.reasons[0].startswith("not so: ") is (word is Word.WEAK)


def test_every_rule_has_a_failure_of_its_own_above() -> None:
    decided = {
        reason for change, _, _ in FAILURES for reason in judge(replace(GOOD, **change)).reasons
    }
    for rule in RULES:
        assert any(rule.text in reason for reason in decided), rule.text


def test_without_trials_overfitting_does_not_apply() -> None:
    verdict = judge(replace(GOOD, overfitting=None))

    assert verdict.word is Word.EDGE
    assert not any("overfitting" in reason for reason in verdict.reasons)


def test_too_few_trades_come_before_no_edge() -> None:
    assert judge(replace(GOOD, trades=0, mean_r=math.nan)).word is Word.TOO_FEW_TRADES


def test_all_reasons_of_a_word_are_given() -> None:
    verdict = judge(replace(GOOD, mean_r=-0.1, probabilistic_sharpe=0.2, random_percentile=3.0))

    assert verdict.word is Word.NO_EDGE_SHOWN
    assert len(verdict.reasons) == 3


probability = st.one_of(st.just(math.nan), st.floats(0, 1))


@given(
    st.builds(
        Evidence,
        trades=st.integers(0, 100),
        days=st.integers(0, 400),
        mean_r=st.floats(-1, 1),
        mean_r_low=st.floats(-1, 1),
        probabilistic_sharpe=probability,
        deflated_sharpe=probability,
        stressed_mean_r=st.floats(-1, 1),
        positive_windows=probability,
        random_percentile=st.floats(0, 100),
        overfitting=st.one_of(st.none(), probability),
    )
)
def test_every_verdict_has_a_reason(evidence: Evidence) -> None:
    verdict = judge(evidence)

    assert verdict.word in Word
    assert verdict.reasons


@pytest.mark.parametrize(
    "change",
    [
        {"trades": -1},
        {"days": -1},
        {"probabilistic_sharpe": 1.1},
        {"deflated_sharpe": -0.1},
        {"positive_windows": 66.0},
        {"random_percentile": 101.0},
        {"overfitting": 2.0},
    ],
)
def test_impossible_evidence_is_refused_by_name(change) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(change))} is"):
        replace(GOOD, **change)
