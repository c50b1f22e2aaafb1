"""Amounts as they are booked."""

from decimal import Decimal

import pytest

from fractal_protections.portfolio.money import money


@pytest.mark.parametrize(
    ("value", "booked"),
    [
        (0.1, "0.1"),
        (0.1 + 0.2, "0.3"),  # binary noise is below the unit
        (5, "5"),
        ("12.5", "12.5"),
        (Decimal("1.234567891"), "1.23456789"),
        (-7.25, "-7.25"),
        (1e-9, "0"),
        ("0.000000005", "0"),  # half to even
        ("0.000000015", "0.00000002"),
        (123456789012.12345678, "123456789012.12346"),  # a float has no more digits than that
    ],
)
def test_an_amount_is_booked_to_eight_decimals(value, booked):
    assert money(value) == Decimal(booked)
    assert money(value).as_tuple().exponent == -8


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        float("-inf"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        "ten",
        "",
        None,
        True,
        1e30,
    ],
)
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(ValueError, match="is not a finite number: nothing can be booked"):
        money(value)
