"""Prices of five significant figures, sizes of szDecimals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fractal_testnet.market.rounding import floor_size, round_price, round_prices, tick
from fractal_testnet.market.universe import UNIVERSE, AssetSpec, spec_of
from fractal_testnet.wire import format as fmt

specs = st.sampled_from(UNIVERSE)
prices = st.floats(1e-4, 9e5)


def is_valid_price(text: str, spec: AssetSpec) -> bool:
    """Say whether the venue would take a price, from its written form."""
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    if not fraction:
        return True
    figures = len((whole + fraction).lstrip("0"))
    return figures <= 5 and len(fraction) <= 6 - spec.sz_decimals


@given(spec=specs, price=prices)
def test_rounded_price_is_valid_and_next_to_the_price(spec: AssetSpec, price: float) -> None:
    rounded = round_price(price, spec)

    assert is_valid_price(fmt.price(rounded, spec), spec)
    assert abs(rounded - price) <= 0.5000001 * tick(price, spec)


@given(spec=specs, values=st.lists(prices, min_size=1, max_size=20))
def test_array_rounding_equals_scalar_rounding(spec: AssetSpec, values: list[float]) -> None:
    rounded = round_prices(np.array(values), spec)

    assert [fmt.price(x, spec) for x in rounded] == [
        fmt.price(round_price(x, spec), spec) for x in values
    ]


@pytest.mark.parametrize(
    ("coin", "price", "text"),
    [
        ("BTC", 107_140.49, "107140.0"),  # integers are valid whatever their length
        ("BTC", 67_123.44, "67123.0"),
        ("ETH", 2_485.149, "2485.1"),
        ("SOL", 154.7949, "154.79"),
        ("kPEPE", 0.00974349, "0.009743"),  # six decimals come before five figures
    ],
)
def test_known_prices_round_as_the_venue_shows_them(coin: str, price: float, text: str) -> None:
    spec = spec_of(coin)
    assert spec is not None

    assert fmt.price(round_price(price, spec), spec) == text


def test_size_is_floored_and_keeps_a_decimal() -> None:
    btc, doge = spec_of("BTC"), spec_of("DOGE")
    assert btc is not None
    assert doge is not None

    assert fmt.size(floor_size(0.1234599, btc), btc) == "0.12345"
    assert fmt.size(floor_size(17.9, doge), doge) == "17.0"
