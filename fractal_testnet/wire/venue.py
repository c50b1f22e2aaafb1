"""What every handler works on: the market, at the clock's moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fractal_testnet.market import AssetSpec, Clock, Market
from fractal_testnet.wire.errors import malformed, unknown_coin

Request = Mapping[str, Any]

MAX_MS = 1 << 53


@dataclass(frozen=True)
class Venue:
    """A market and its clock.

    Parameters
    ----------
    market : Market
        What trades.
    clock : Clock
        The market's time.
    """

    market: Market
    clock: Clock
    _specs: dict[str, AssetSpec] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._specs.update({spec.name: spec for spec in self.market.assets})

    def now_ms(self) -> int:
        """Return the market's time, ms UTC."""
        return self.clock.now_ms()

    def spec(self, coin: object) -> AssetSpec:
        """Return an asset by the name a request gave.

        Raises
        ------
        WireError
            422 if it is no text, 500 if there is no such asset.
        """
        if not isinstance(coin, str):
            raise malformed(f"coin is {coin!r}, not a text")
        if coin not in self._specs:
            raise unknown_coin(coin)
        return self._specs[coin]


def integer(request: Request, name: str, default: int | None = None) -> int:
    """Return a moment (ms) of a request; `default` where it is absent or null.

    Raises
    ------
    WireError
        422 if it is missing without a default, no integer, negative or absurd.
    """
    value = request.get(name)
    if value is None and default is not None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_MS:
        raise malformed(f"{name} is {value!r}, not a moment in milliseconds")
    return value
