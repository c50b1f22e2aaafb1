"""The venue's price and size rules, on numbers.

A price has at most five significant figures and at most ``6 - szDecimals`` decimals;
integers are always valid. A size has ``szDecimals`` decimals.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from fractal_testnet.market.universe import SIGNIFICANT_FIGURES, AssetSpec

Floats = npt.NDArray[np.float64]


def price_decimals(price: float, spec: AssetSpec, figures: int = SIGNIFICANT_FIGURES) -> int:
    """Return how many decimals a valid price near `price` may have (never negative)."""
    if not price > 0:
        return spec.price_decimals
    magnitude = math.floor(math.log10(price) + 1e-12)
    return max(0, min(spec.price_decimals, figures - 1 - magnitude))


def tick(price: float, spec: AssetSpec) -> float:
    """Return the smallest valid step at `price`, in USDC."""
    return float(10.0 ** -price_decimals(price, spec))


def round_price(price: float, spec: AssetSpec) -> float:
    """Return the valid price nearest to `price`."""
    return round(price, price_decimals(price, spec))


def round_prices(prices: Floats, spec: AssetSpec) -> Floats:
    """Return the valid price nearest to each price.

    Parameters
    ----------
    prices : ndarray of float64
        Prices in USDC, above 0.
    spec : AssetSpec
        The asset whose rule counts.

    Returns
    -------
    ndarray of float64, same shape

    Notes
    -----
    Rounding is monotone, so the maximum of rounded prices is the rounded maximum: that
    is why candles of every interval agree.
    """
    magnitude = np.floor(np.log10(prices) + 1e-12)
    decimals = np.clip(SIGNIFICANT_FIGURES - 1 - magnitude, 0, spec.price_decimals)
    scale = 10.0**decimals
    rounded: Floats = np.rint(prices * scale) / scale
    return rounded


def floor_size(size: float, spec: AssetSpec) -> float:
    """Return the largest valid size not above `size`."""
    scale = 10.0**spec.sz_decimals
    return math.floor(size * scale + 1e-9) / scale
