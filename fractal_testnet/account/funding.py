"""Hourly funding of open positions."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from fractal_testnet.market import AssetSpec, Market
from fractal_testnet.market.rounding import round_price

from .journal import Journal
from .rules import exact
from .trader import FundingPayment, FundingSum, Trader

RATE_UNIT = Decimal("0.0000000001")


def settle(
    market: Market, spec: AssetSpec, traders: Iterable[Trader], journal: Journal, at_ms: int
) -> bool:
    """Let every position in a contract pay or receive an hour's funding.

    Parameters
    ----------
    market : Market
        Knows the rate.
    spec : AssetSpec
        The contract.
    traders : iterable of Trader
        All accounts.
    journal : Journal
        Is told every payment.
    at_ms : int
        The full hour, ms UTC.

    Returns
    -------
    bool
        Whether anybody's margin has changed.

    Notes
    -----
    Size times oracle price times rate, out of the position's margin; a long pays a positive rate.
    """
    holders = [trader for trader in traders if spec.name in trader.account.positions]
    if not holders:
        return False
    rows = market.funding(spec.name, at_ms, at_ms, at_ms, 1)
    if not rows:
        return False
    rate = exact(rows[0].rate).quantize(RATE_UNIT)
    mark = market.mark(spec.name, at_ms)
    oracle = exact(round_price(mark / (1.0 + rows[0].premium), spec))
    for trader in holders:
        size = trader.account.positions[spec.name].size
        paid = trader.account.pay_funding(at_ms, spec.name, rate, oracle)
        trader.funding.append(FundingPayment(at_ms, spec.name, -paid, size, rate))
        sums = trader.funding_sums.setdefault(spec.name, FundingSum())
        sums.all_time += paid
        sums.since_open += paid
        journal.write(
            "funding",
            at_ms,
            user=trader.address,
            coin=spec.name,
            usdc=-paid,
            szi=size,
            rate=rate,
            oracle_px=oracle,
        )
    return True
