"""Which pairs to fetch, and what the exchange calls them."""

from __future__ import annotations

from pathlib import Path

from freqtrade.configuration.load_config import load_config_file
from freqtrade.exceptions import FreqtradeException

from fractal_ops.data.errors import DataError


def whitelist(configs: list[Path]) -> list[str]:
    """Return `exchange.pair_whitelist` of the last config that has one.

    Raises
    ------
    DataError
        If a file is missing or no JSON, or none has a whitelist.
    """
    pairs: list[str] = []
    for path in configs:
        try:
            config = load_config_file(str(path))
        except FreqtradeException as error:
            text = " ".join(str(error).split())
            msg = f"--config {path} cannot be read ({text}): name freqtrade's config"
            raise DataError(msg) from error
        pairs = config.get("exchange", {}).get("pair_whitelist") or pairs
    if not pairs:
        names = ", ".join(map(str, configs))
        msg = f"{names} has no exchange.pair_whitelist: name the pairs with --pairs"
        raise DataError(msg)
    return pairs


def market_pair(pair: str) -> str:
    """Return a pair as freqtrade's markets call it: ``kPEPE/…`` -> ``KPEPE/USDC:USDC``.

    ccxt writes currencies in capitals, so a file of any other name is never read.
    """
    return pair.upper()


def coin_of(pair: str, coins: list[str]) -> str:
    """Return the exchange's name of a pair's base: ``KPEPE/USDC:USDC`` -> ``kPEPE``.

    Raises
    ------
    DataError
        If the pair is not ``COIN/USDC:USDC`` or the exchange does not have it.
    """
    base, _, rest = pair.partition("/")
    if rest != "USDC:USDC":
        msg = f"pair {pair!r} is no USDC perpetual: write it as BTC/USDC:USDC"
        raise DataError(msg)
    for coin in coins:
        if coin.upper() == base.upper():
            return coin
    msg = f"pair {pair!r} does not trade on the exchange, which has {', '.join(coins)}"
    raise DataError(f"{msg}: change --pairs or the whitelist")
