"""Numbers as the venue writes them: decimal strings, at least one decimal."""

from __future__ import annotations

from fractal_testnet.market.universe import AssetSpec


def decimal(value: float, decimals: int) -> str:
    """Return a number with at most `decimals` decimals: ``107140.0``, ``0.00975``."""
    text = f"{value:.{decimals}f}"
    if "." not in text:
        return f"{text}.0"
    text = text.rstrip("0")
    return f"{text}0" if text.endswith(".") else text


def price(value: float, spec: AssetSpec) -> str:
    """Return a price (USDC) that is already valid, as a string."""
    return decimal(value, spec.price_decimals)


def size(value: float, spec: AssetSpec) -> str:
    """Return a size (base units) as a string."""
    return decimal(value, spec.sz_decimals)


def rate(value: float) -> str:
    """Return a funding rate or premium (ratio) as a string of ten decimals at most."""
    return decimal(value, 10)
