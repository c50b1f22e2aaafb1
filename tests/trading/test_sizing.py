"""The stake of a new position."""

import pytest

from fractal_strategies.trading.sizing import fixed_share_stake


@pytest.mark.parametrize(
    ("equity", "ratio", "least", "most", "stake"),
    [
        (1000.0, 0.05, 10.0, 500.0, 50.0),
        (1000.0, 0.05, None, 500.0, 50.0),
        (1000.0, 0.05, 50.0, 500.0, 50.0),
        (1000.0, 0.05, 50.1, 500.0, 0.0),  # freqtrade would raise it; we skip the trade
        (1000.0, 0.90, 10.0, 500.0, 500.0),
        (1000.0, 0.90, 600.0, 500.0, 0.0),  # more is needed than there is
        (0.0, 0.05, None, 500.0, 0.0),
        (-50.0, 0.05, None, 500.0, 0.0),
        (1000.0, 0.05, 10.0, 0.0, 0.0),
    ],
)
def test_a_fixed_share_within_the_bounds_or_no_trade(equity, ratio, least, most, stake):
    assert fixed_share_stake(equity, ratio, least, most) == stake
