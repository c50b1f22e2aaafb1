"""The venue's rules for a price and a size, on exact numbers."""

from __future__ import annotations

from decimal import Decimal

from fractal_testnet.market.universe import SIGNIFICANT_FIGURES, AssetSpec

MIN_NOTIONAL = Decimal(10)
MAX_DEVIATION = Decimal("0.8")
"""How far from the mark a limit price may lie (ratio)."""


def is_valid_price(price: Decimal, spec: AssetSpec) -> bool:
    """Tell whether a price has a place on the contract's grid.

    Parameters
    ----------
    price : Decimal
        USDC.
    spec : AssetSpec
        The contract.

    Returns
    -------
    bool
        At most five significant figures and at most ``6 - szDecimals`` decimals; an integer is
        always valid.
    """
    if price <= 0:
        return False
    plain = price.normalize()
    exponent = int(plain.as_tuple().exponent)
    if exponent >= 0:
        return True
    return -exponent <= spec.price_decimals and len(plain.as_tuple().digits) <= SIGNIFICANT_FIGURES


def is_valid_size(size: Decimal, spec: AssetSpec) -> bool:
    """Tell whether a size is a whole number of the contract's smallest units."""
    return size > 0 and size == size.quantize(size_unit(spec))


def size_unit(spec: AssetSpec) -> Decimal:
    """Return the smallest size."""
    return Decimal(1).scaleb(-spec.sz_decimals)


def exact(value: float) -> Decimal:
    """Return a market's number exactly as it is written."""
    return Decimal(repr(value))
