"""How the ledger's journal writes amounts: JSON with exact decimals as text."""

import json
from collections.abc import Iterable

from .decisions import Approved
from .drift import DriftMark
from .positions import EntryRequest, Position


def request_detail(request: EntryRequest, approved: Approved) -> str:
    """Describe a reserved entry, with the numbers that it was approved by."""
    return json.dumps(
        {
            **{name: str(value) for name, value in approved.numbers.items()},
            "side": request.side,
            "margin": str(request.margin),
            "notional": str(request.notional),
            "loss_at_stop": str(request.loss_at_stop),
            "is_addition": request.is_addition,
        }
    )


def positions_detail(positions: Iterable[Position]) -> str:
    """Describe everything that a bot holds."""
    return json.dumps(
        [
            {
                "pair": position.pair,
                "side": position.side,
                "margin": str(position.margin),
                "notional": str(position.notional),
            }
            for position in positions
        ]
    )


def drift_detail(mark: DriftMark) -> str:
    """Describe what a venue and its databases disagree about."""
    return json.dumps(
        {
            "account": mark.account,
            "kind": mark.kind,
            "message": mark.message,
            "confirmed": mark.confirmed,
        }
    )
