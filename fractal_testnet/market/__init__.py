"""What trades on the loopback exchange: time, assets, prices, books, funding."""

from fractal_testnet.market.base import Market, NoPriceError
from fractal_testnet.market.candles import Bars
from fractal_testnet.market.clock import Clock, MarketClock
from fractal_testnet.market.path import Knots
from fractal_testnet.market.path_market import PathMarket
from fractal_testnet.market.universe import UNIVERSE, AssetSpec

__all__ = [
    "UNIVERSE",
    "AssetSpec",
    "Bars",
    "Clock",
    "Knots",
    "Market",
    "MarketClock",
    "NoPriceError",
    "PathMarket",
]
