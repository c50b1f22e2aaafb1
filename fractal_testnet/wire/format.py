"""Numbers as the venue writes them: decimal strings, at least one decimal."""

from __future__ import annotations

import hashlib
from decimal import Decimal

from fractal_testnet.market.universe import MAX_DECIMALS, AssetSpec

Number = float | Decimal


def decimal(value: Number, decimals: int) -> str:
    """Return a number with at most `decimals` decimals: ``107140.0``, ``0.00975``."""
    text = f"{value:.{decimals}f}"
    if not text.strip("-0."):
        return "0.0"
    if "." not in text:
        return f"{text}.0"
    text = text.rstrip("0")
    return f"{text}0" if text.endswith(".") else text


def price(value: Number, spec: AssetSpec) -> str:
    """Return a price (USDC) that is already valid, as a string."""
    return decimal(value, spec.price_decimals)


def size(value: Number, spec: AssetSpec) -> str:
    """Return a size (base units) as a string."""
    return decimal(value, spec.sz_decimals)


def rate(value: Number) -> str:
    """Return a funding rate or premium (ratio) as a string of ten decimals at most."""
    return decimal(value, 10)


def average(value: Number, spec: AssetSpec) -> str:
    """Return an average price (USDC), which need not be a valid one."""
    return decimal(value, max(MAX_DECIMALS - spec.sz_decimals, 1))


def digest(*parts: object) -> str:
    """Return what stands for a transaction's hash: 32 bytes made of its parts."""
    text = ":".join(str(part) for part in parts)
    return "0x" + hashlib.sha256(text.encode()).hexdigest()
