"""Amounts as they are booked: exact, in stake currency, to eight decimals."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

UNIT = Decimal("0.00000001")
"""Smallest amount that is booked."""
ZERO = Decimal(0)


def money(value: float | int | str | Decimal) -> Decimal:
    """Convert an amount to a booked one.

    Parameters
    ----------
    value
        Amount in stake currency. A float is read by its shortest decimal form, so that 0.1 is
        booked as 0.1 and not as the binary number next to it.

    Returns
    -------
    Decimal
        The amount, rounded to :data:`UNIT`.

    Raises
    ------
    ValueError
        `value` is not a finite number, or has more digits than can be booked.
    """
    try:
        amount = value if isinstance(value, Decimal) else Decimal(str(value))
        # NaN passes this, infinity and what has too many digits do not.
        booked = amount.quantize(UNIT, rounding=ROUND_HALF_EVEN)
    except InvalidOperation:
        booked = Decimal("NaN")
    if not booked.is_finite():
        raise ValueError(f"amount {value!r} is not a finite number: nothing can be booked with it")
    return booked
