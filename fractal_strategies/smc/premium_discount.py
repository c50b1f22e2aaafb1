"""Premium and discount: where price stands in its dealing range."""

import numpy as np

from ._candles import Candles, Floats
from .swings import Swings


def premium_discount(candles: Candles, found: Swings) -> Floats:
    """Place each close in the range between the newest confirmed swing low and swing high.

    Parameters
    ----------
    candles
        Validated candles of shape (n,).
    found
        The swings of the same candles.

    Returns
    -------
    numpy.ndarray
        float64 of shape (n,): 0 at the swing low, 0.5 at equilibrium, 1 at the swing high; below
        0.5 is discount, above is premium, outside 0..1 price has left the range. NaN until both
        swings are known, or while the newest high is not above the newest low.

    Notes
    -----
    Row t uses rows <= t. O(n).
    """
    height = found.last_swing_high - found.last_swing_low
    position: Floats = np.full(len(candles), np.nan)
    np.divide(candles.close - found.last_swing_low, height, out=position, where=height > 0.0)
    return position
