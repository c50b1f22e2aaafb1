"""The assets that trade on the loopback exchange.

Size decimals and maximum leverage are the real venue's as best known in mid 2025. The
rest (base price, volatility, beta, turnover) feeds the synthetic market only, and was
set by hand near what these assets did between March 2024 and June 2025.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_DECIMALS = 6  # a perp's price has at most MAX_DECIMALS - sz_decimals decimals
SIGNIFICANT_FIGURES = 5


@dataclass(frozen=True, slots=True)
class AssetSpec:
    """One perpetual contract.

    Parameters
    ----------
    name : str
        The venue's name, such as ``BTC`` or ``kPEPE``.
    sz_decimals : int
        Decimals of a size.
    max_leverage : int
        Highest leverage.
    base_price : float
        USDC; the level the synthetic price starts at and slowly reverts to.
    beta : float
        Sensitivity to the market factor.
    own_vol : float
        Annual volatility beside the factor (ratio).
    turnover_usdc : float
        Typical turnover of one minute in USDC.
    """

    name: str
    sz_decimals: int
    max_leverage: int
    base_price: float
    beta: float
    own_vol: float
    turnover_usdc: float

    @property
    def price_decimals(self) -> int:
        """Most decimals a price may have."""
        return MAX_DECIMALS - self.sz_decimals


UNIVERSE: tuple[AssetSpec, ...] = (
    AssetSpec("BTC", 5, 40, 95_000.0, 1.00, 0.12, 440_000.0),
    AssetSpec("ETH", 4, 25, 3_100.0, 1.20, 0.28, 310_000.0),
    AssetSpec("SOL", 2, 20, 165.0, 1.45, 0.47, 125_000.0),
    AssetSpec("DOGE", 0, 10, 0.22, 1.60, 0.70, 20_000.0),
    AssetSpec("kPEPE", 0, 10, 0.0125, 1.85, 1.10, 24_000.0),
    AssetSpec("WLD", 1, 10, 1.60, 1.60, 1.00, 5_000.0),
    AssetSpec("AVAX", 2, 10, 28.0, 1.40, 0.65, 5_500.0),
    AssetSpec("WIF", 0, 5, 1.40, 1.90, 1.25, 9_000.0),
    AssetSpec("ARB", 1, 10, 0.62, 1.35, 0.72, 2_500.0),
    AssetSpec("INJ", 1, 10, 18.0, 1.45, 0.85, 2_200.0),
    AssetSpec("SUI", 1, 10, 2.60, 1.40, 0.92, 17_000.0),
    AssetSpec("SEI", 0, 5, 0.34, 1.40, 0.90, 2_200.0),
    AssetSpec("APT", 2, 10, 7.40, 1.25, 0.80, 2_200.0),
    AssetSpec("BNB", 3, 10, 620.0, 0.80, 0.40, 4_500.0),
    AssetSpec("FIL", 1, 10, 4.10, 1.30, 0.70, 900.0),
)

_BY_NAME = {spec.name: spec for spec in UNIVERSE}


def spec_of(name: str) -> AssetSpec | None:
    """Return the asset of that exact name, or None."""
    return _BY_NAME.get(name)
