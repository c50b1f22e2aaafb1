"""The venue's objects: candles, books, prints, contexts, as JSON-ready values."""

from __future__ import annotations

import hashlib
from typing import Any

from fractal_testnet.market import AssetSpec, Bars
from fractal_testnet.market.book import Book, coarsen
from fractal_testnet.market.intervals import next_open_ms
from fractal_testnet.market.rounding import round_price
from fractal_testnet.market.trades import Print
from fractal_testnet.wire import format as fmt
from fractal_testnet.wire.errors import malformed
from fractal_testnet.wire.venue import Request, Venue

_USDC_A_TRADE = 2_500.0  # typical size of one trade, to count trades of a candle


def candles(bars: Bars, spec: AssetSpec, interval: str) -> list[dict[str, Any]]:
    """Return candles as `candleSnapshot` lists them."""
    rows = zip(*(x.tolist() for x in (bars.t, bars.o, bars.h, bars.l, bars.c, bars.v)), strict=True)
    return [
        {
            "t": t,
            "T": next_open_ms(interval, t) - 1,
            "s": spec.name,
            "i": interval,
            "o": fmt.price(o, spec),
            "c": fmt.price(c, spec),
            "h": fmt.price(h, spec),
            "l": fmt.price(low, spec),
            "v": fmt.size(v, spec),
            "n": 1 + int(v * c / _USDC_A_TRADE) if v > 0 else 0,
        }
        for t, o, h, low, c, v in rows
    ]


def book(made: Book, spec: AssetSpec, figures: int | None, mantissa: int | None) -> dict[str, Any]:
    """Return a book as `l2Book` gives it, merged where fewer figures are asked for."""
    if figures is not None:
        made = coarsen(made, figures, mantissa or 1)
    levels = [
        [
            {"px": fmt.price(level.px, spec), "sz": fmt.size(level.sz, spec), "n": level.n}
            for level in side
        ]
        for side in (made.bids, made.asks)
    ]
    return {"coin": spec.name, "time": made.time_ms, "levels": levels}


def book_precision(request: Request) -> tuple[int | None, int | None]:
    """Return nSigFigs and mantissa of a request.

    Raises
    ------
    WireError
        422 for what the venue does not offer: figures 2 to 5 or null; mantissa 1, 2 or
        5, and only with 5 figures.
    """
    figures, mantissa = request.get("nSigFigs"), request.get("mantissa")
    if figures is not None and (type(figures) is not int or figures not in {2, 3, 4, 5}):
        raise malformed(f"nSigFigs is {figures!r}, not 2 to 5 or null")
    if mantissa is not None and (
        type(mantissa) is not int or mantissa not in {1, 2, 5} or figures != 5
    ):
        raise malformed(f"mantissa is {mantissa!r}, not 1, 2 or 5 beside nSigFigs 5")
    return figures, mantissa


def prints(made: list[Print], spec: AssetSpec) -> list[dict[str, Any]]:
    """Return public trades, with two made-up parties each."""
    rows = []
    for one in made:
        digest = hashlib.sha256(f"{spec.name}:{one.tid}".encode()).hexdigest()
        rows.append(
            {
                "coin": spec.name,
                "side": one.side,
                "px": fmt.price(one.px, spec),
                "sz": fmt.size(one.sz, spec),
                "time": one.time_ms,
                "hash": f"0x{digest}",
                "tid": one.tid,
                "users": [f"0x{digest[:40]}", f"0x{digest[24:]}"],
            }
        )
    return rows


def asset_context(venue: Venue, spec: AssetSpec, now_ms: int) -> dict[str, Any]:
    """Return an asset's context: prices, funding, volume of the last day."""
    market = venue.market
    mark = market.mark(spec.name, now_ms)
    day = market.day_before(spec.name, now_ms)
    funding = market.funding_now(spec.name, now_ms)
    top = market.book(spec.name, now_ms)
    oracle = round_price(mark / (1.0 + funding.premium), spec)
    best = (
        [fmt.price(top.bids[0].px, spec), fmt.price(top.asks[0].px, spec)]
        if top.bids and top.asks
        else None
    )
    return {
        "funding": fmt.rate(funding.rate),
        "openInterest": fmt.size(day.volume * 0.6, spec),
        "prevDayPx": fmt.price(round_price(day.open, spec), spec),
        "dayNtlVlm": fmt.decimal(day.volume * day.close, 6),
        "premium": fmt.rate(funding.premium),
        "oraclePx": fmt.price(oracle, spec),
        "markPx": fmt.price(mark, spec),
        "midPx": fmt.price(mark, spec),
        "impactPxs": best,
        "dayBaseVlm": fmt.size(day.volume, spec),
    }


def mids(venue: Venue, now_ms: int) -> dict[str, str]:
    """Return the mid price of every asset, by name."""
    return {
        spec.name: fmt.price(venue.market.mark(spec.name, now_ms), spec)
        for spec in venue.market.assets
    }


def meta(venue: Venue) -> dict[str, Any]:
    """Return the assets and their rules, as `meta` gives them."""
    leverages = sorted({spec.max_leverage for spec in venue.market.assets})
    return {
        "universe": [
            {
                "szDecimals": spec.sz_decimals,
                "name": spec.name,
                "maxLeverage": spec.max_leverage,
                "marginTableId": spec.max_leverage,
            }
            for spec in venue.market.assets
        ],
        "marginTables": [
            [
                leverage,
                {
                    "description": "",
                    "marginTiers": [{"lowerBound": "0.0", "maxLeverage": leverage}],
                },
            ]
            for leverage in leverages
        ],
        "collateralToken": 0,
    }
