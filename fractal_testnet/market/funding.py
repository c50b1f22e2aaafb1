"""Hourly funding: the venue's formula on a premium."""

from __future__ import annotations

from typing import NamedTuple

INTEREST_8H = 0.0001
CLAMP_8H = 0.0005
HOURLY_CAP = 0.04
BASE_HOURLY = INTEREST_8H / 8


class FundingRow(NamedTuple):
    """One hour's funding.

    `time_ms` is the settlement (ms UTC), `rate` the ratio of the notional that longs pay
    to shorts for the hour, `premium` that of the perp over its oracle.
    """

    time_ms: int
    rate: float
    premium: float


def hourly_rate(premium: float) -> float:
    """Return the hourly funding rate of a premium.

    Parameters
    ----------
    premium : float
        Average premium of the perp over the oracle (ratio).

    Returns
    -------
    float
        (premium + clamp(0.01 % - premium, -0.05 %, 0.05 %)) / 8, within +-4 % an hour,
        as the venue documents it.
    """
    eight_hours = premium + min(max(INTEREST_8H - premium, -CLAMP_8H), CLAMP_8H)
    return min(max(eight_hours / 8, -HOURLY_CAP), HOURLY_CAP)


def premium_of(rate: float) -> float:
    """Return a premium that has the hourly `rate`; where many have, the interest's."""
    eight_hours = rate * 8
    if abs(eight_hours - INTEREST_8H) < 1e-12:
        return INTEREST_8H
    return eight_hours + CLAMP_8H if eight_hours > INTEREST_8H else eight_hours - CLAMP_8H
