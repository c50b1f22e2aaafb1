"""The exchange's rules for the traded pairs, asked once and handed to every job.

Each job could ask the exchange by itself; but then a run would need the network for hours, hit
rate limits with many workers, and give other results when a rule changes in its middle.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from freqtrade.data.dataprovider import DataProvider
from freqtrade.exceptions import FreqtradeException
from freqtrade.plugins.pairlistmanager import PairListManager
from freqtrade.resolvers import ExchangeResolver

from fractal_ops.walk_forward.errors import WalkForwardError
from fractal_ops.walk_forward.run_config import kept_logging

_LOCAL = "start `fractal testnet`, and add --config user_data/config.local.json"


@dataclass(frozen=True)
class Markets:
    """What ccxt knows of some pairs.

    Parameters
    ----------
    exchange : str
        freqtrade's name of it.
    pairs : tuple of str
        The resolved whitelist, in its order.
    text : str
        JSON of ``markets`` (ccxt's, one for each pair) and ``helpers`` (options that ccxt's
        exchange classes share with them).
    """

    exchange: str
    pairs: tuple[str, ...]
    text: str

    @classmethod
    def fetch(cls, config: Mapping[str, Any]) -> Self:
        """Ask the exchange, and resolve the whitelist, as ``freqtrade backtesting`` does.

        Raises
        ------
        WalkForwardError
            The exchange does not answer, or the whitelist holds nothing of it.
        """
        config = deepcopy(dict(config))
        name = str(config["exchange"]["name"])
        try:
            with kept_logging():
                exchange = ExchangeResolver.load_exchange(config)
                try:
                    lists = PairListManager(exchange, config, DataProvider(config, exchange))
                    lists.refresh_pairlist()
                    pairs = tuple(lists.whitelist)
                    options = exchange._api_async.options
                    helpers = {key: options.get(key) for key in options.get(_HELPERS, [])}
                    markets = [exchange.markets[pair] for pair in pairs]
                finally:
                    exchange.close()
                    asyncio.set_event_loop(None)
        except FreqtradeException as error:
            raise WalkForwardError(
                f"the markets of {name} can not be read at {_address(config)} ({error}): a "
                "backtest needs their fees and lot sizes. Check the network; on a machine "
                f"without one, {_LOCAL}"
            ) from error
        if not pairs:
            raise WalkForwardError(
                f"the whitelist names no pair that {name} has at {_address(config)}: correct "
                "exchange.pair_whitelist, or give --pairs"
            )
        return cls(name, pairs, json.dumps({"markets": markets, "helpers": helpers}))

    @classmethod
    def remembered(cls, config: Mapping[str, Any], path: Path) -> Self:
        """Read the markets of an earlier run, or fetch and store them.

        An interrupted run goes on with the rules that it began with, and without the network.
        """
        wanted = list(config["exchange"].get("pair_whitelist", []))
        name = str(config["exchange"]["name"])
        if path.is_file():
            stored = json.loads(path.read_text("utf-8"))
            if stored["whitelist"] == wanted and stored["exchange"] == name:
                return cls(name, tuple(stored["pairs"]), json.dumps(stored["content"]))
        found = cls.fetch(config)
        content = {
            "exchange": name,
            "whitelist": wanted,
            "pairs": found.pairs,
            "content": json.loads(found.text),
        }
        write_atomically(path, json.dumps(content, indent=1) + "\n")
        return found

    def put_into(self, config: dict[str, Any]) -> None:
        """Let ccxt answer from here instead of from the network.

        ccxt takes methods out of its config, so freqtrade loads and checks these markets by its
        own code.
        """
        stored = json.loads(self.text)
        markets: list[dict[str, Any]] = stored["markets"]

        async def fetch_markets(params: object = None) -> list[dict[str, Any]]:
            del params
            return deepcopy(markets)

        async def fetch_currencies(params: object = None) -> dict[str, Any]:
            del params
            return {}

        config["exchange"]["pair_whitelist"] = list(self.pairs)
        # Lists that look at volume or age would give other pairs tomorrow: they were asked once.
        config["pairlists"] = [{"method": "StaticPairList"}]
        config["exchange"]["ccxt_async_config"] = {
            "fetch_markets": fetch_markets,
            "fetch_currencies": fetch_currencies,
            "options": stored["helpers"],
        }


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that nobody ever finds half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


_HELPERS = "marketHelperProps"


def _address(config: Mapping[str, Any]) -> str:
    ccxt = config["exchange"].get("ccxt_config", {})
    urls = ccxt.get("urls", {})
    place = urls.get("test" if ccxt.get("sandbox") else "api", {})
    return str(place.get("public") or "its own address") if isinstance(place, dict) else str(place)
