"""The 3x criterion, and when it has no meaning."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fractal_ops.walk_forward.statistics import stability


@pytest.mark.parametrize(
    ("sharpes", "ratio", "passes"),
    [([1.0, 2.0, 3.0], 3.0, True), ([1.0, 3.1], 3.1, False), ([2.0, 2.0], 1.0, True)],
)
def test_the_ratio_is_held_against_three(sharpes, ratio, passes) -> None:
    result = stability(sharpes)

    assert result.ratio == pytest.approx(ratio)
    assert result.passes is passes
    assert ("within" in result.meaning) is passes
    assert result.positive_share == 1.0


@pytest.mark.parametrize(
    ("sharpes", "share", "meaning"),
    [
        ([1.0, -0.5, 2.0], 2 / 3, "signs differ: the ratio has no meaning"),
        ([-1.0, -2.0], 0.0, "no window has a Sharpe above 0"),
        ([-1.0, 0.0], 0.0, "no window has a Sharpe above 0"),
        ([1.0, 0.0], 0.5, "a window has a Sharpe of 0"),
        ([1.0, math.nan], 0.5, "a window has no defined Sharpe"),
        ([math.nan, math.nan], 0.0, "a window has no defined Sharpe"),
        ([1.0], 1.0, "1 window: a ratio needs two"),
    ],
)
def test_a_ratio_without_meaning_fails_and_says_so(sharpes, share, meaning) -> None:
    result = stability(sharpes)

    assert math.isnan(result.ratio)
    assert not result.passes
    assert meaning in result.meaning
    assert result.positive_share == pytest.approx(share)


def test_no_windows_have_no_share() -> None:
    result = stability([])

    assert result.windows == 0
    assert math.isnan(result.positive_share)
    assert not result.passes


@given(st.lists(st.floats(0.1, 5), min_size=2, max_size=12), st.randoms())
def test_the_order_of_windows_does_not_matter(sharpes, random) -> None:
    shuffled = list(sharpes)
    random.shuffle(shuffled)

    one, other = stability(sharpes), stability(shuffled)

    assert (one.ratio, one.passes, one.meaning) == (other.ratio, other.passes, other.meaning)


@pytest.mark.parametrize("sharpes", [[[1.0]], [math.inf, 1.0]])
def test_what_is_no_list_of_sharpes_is_refused(sharpes) -> None:
    with pytest.raises(ValueError, match="one Sharpe per window"):
        stability(sharpes)
