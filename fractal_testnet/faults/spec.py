"""What a fault is: its kind, whom it meets, how often, when, and the kind's own numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from fractal_testnet.faults.match import STRICT, Match

Kind = Literal[
    "latency",
    "drop_request",
    "drop_response",
    "rate_limit",
    "server_error",
    "malformed",
    "unknown_order",
    "reject",
    "partial_fill",
    "no_fill",
    "post_only",
    "stale_candles",
    "missing_candle",
    "ws_close",
    "ws_silent",
    "clock_offset",
    "down",
]
Reason = Literal["margin", "tick", "size", "reduce_only", "minimum", "post_only"]

KINDS: tuple[Kind, ...] = get_args(Kind)

_MOST_SECONDS = 10_000_000.0  # 115 days: beyond any test, far below what overflows a time


@dataclass(frozen=True, slots=True)
class _Rule:
    """Which keys a kind takes beside those that all kinds take."""

    takes: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    match: frozenset[str] = frozenset()
    drawn: bool = True


_ORDER = frozenset({"path", "type", "role", "coin", "user"})
_CANDLES = frozenset({"coins", "interval"})

_RULES: dict[Kind, _Rule] = {
    "latency": _Rule(frozenset({"processed"}), frozenset({"seconds"}), _ORDER),
    "drop_request": _Rule(match=_ORDER),
    "drop_response": _Rule(match=_ORDER),
    "rate_limit": _Rule(frozenset({"weight_per_minute"}), match=_ORDER),
    "server_error": _Rule(frozenset({"status", "processed"}), match=_ORDER),
    "malformed": _Rule(match=_ORDER),
    "unknown_order": _Rule(match=frozenset({"user"})),
    "reject": _Rule(needs=frozenset({"reason"}), match=_ORDER),
    "partial_fill": _Rule(frozenset({"ratio"}), match=_ORDER),
    "no_fill": _Rule(match=_ORDER),
    "post_only": _Rule(match=_ORDER),
    "stale_candles": _Rule(_CANDLES),
    "missing_candle": _Rule(_CANDLES),
    "ws_close": _Rule(),
    "ws_silent": _Rule(match=frozenset({"type", "coin"})),
    "clock_offset": _Rule(needs=frozenset({"offset_seconds"})),
    # Half a breakdown is drop_request: this one takes the whole exchange, so it ends by itself.
    "down": _Rule(needs=frozenset({"for_seconds"}), drawn=False),
}
_ALWAYS = frozenset({"kind", "after_seconds", "for_seconds", "seed"})
_DRAWN = frozenset({"probability", "count", "skip"})


class FaultSpec(BaseModel):
    """One fault.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    match : Match
        Whom it meets.
    probability : float, default 1.0
        Chance of each opportunity (ratio).
    count : int, optional
        At most so many hits.
    skip : int, default 0
        Let the first so many opportunities pass.
    after_seconds, for_seconds : float
        It begins so long after it was added, and ends so long after it began, on the
        exchange's clock.
    seed : int, optional
        Draw from this seed instead of from the exchange's and the fault's number, so that a
        fault added twice to one exchange draws the same twice.
    seconds : float
        `latency`: delay on the machine's clock, since that is what clients' timeouts run on.
    processed : bool, default False
        `latency`, `server_error`: strike after the request was processed instead of before.
    status : int, default 502
        `server_error`: HTTP status.
    reason : str
        `reject`: what the exchange claims.
    ratio : float, default 0.5
        `partial_fill`: how much of the order fills.
    offset_seconds : float
        `clock_offset`: how far the exchange's clock is ahead of the truth.
    coins : list of str, default all
        `stale_candles`, `missing_candle`: assets by name.
    interval : str, default all
        `stale_candles`, `missing_candle`: candle interval.
    weight_per_minute : int, default 1200
        `rate_limit`: allowed weight of the matching requests; 0 refuses each of them.

    Notes
    -----
    An opportunity is a request, an order, or for lasting states (stale candles, a silent
    stream) the asset, stream or session that they would touch: that one is drawn once.
    """

    model_config = STRICT

    kind: Kind
    match: Match = Match()
    probability: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0
    count: Annotated[int, Field(ge=1)] | None = None
    skip: Annotated[int, Field(ge=0)] = 0
    after_seconds: Annotated[float, Field(ge=0.0, le=_MOST_SECONDS)] = 0.0
    for_seconds: Annotated[float, Field(gt=0.0, le=_MOST_SECONDS)] | None = None
    seed: Annotated[int, Field(ge=0)] | None = None

    seconds: Annotated[float, Field(gt=0.0, le=600.0)] = 1.0
    processed: bool = False
    status: Annotated[int, Field(ge=500, le=599)] = 502
    reason: Reason = "margin"
    ratio: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5
    offset_seconds: Annotated[float, Field(ge=-_MOST_SECONDS, le=_MOST_SECONDS)] = 0.0
    coins: Annotated[tuple[str, ...], Field(strict=False)] = ()
    interval: str | None = None
    weight_per_minute: Annotated[int, Field(ge=0)] = 1200

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        rule = _RULES[self.kind]
        allowed = _ALWAYS | rule.takes | rule.needs
        if rule.drawn:
            allowed |= _DRAWN
        if rule.match:
            allowed |= {"match"}
        for key in sorted(self.model_fields_set - allowed):
            _refuse(key, f"is not for {self.kind}: leave it away; it takes {_listed(allowed)}")
        for key in sorted(rule.needs):
            if key not in self.model_fields_set or getattr(self, key) is None:
                _refuse(key, f"is missing: {self.kind} needs it")
        for key in sorted(self.match.model_fields_set - rule.match):
            remedy = f"it matches by {_listed(rule.match)}"
            _refuse(f"match.{key}", f"is not for {self.kind}: leave it away; {remedy}")
        if self.kind in ("reject", "partial_fill", "no_fill", "post_only") and (
            self.match.path == "info"
        ):
            _refuse("match.path", f"is 'info', where no orders are: {self.kind} meets orders")
        return self

    def shown(self) -> dict[str, Any]:
        """Return the spec as JSON-ready keys: what was given, and the kind's own numbers."""
        rule = _RULES[self.kind]
        keys = self.model_fields_set | rule.takes | rule.needs | {"kind"}
        return self.model_dump(mode="json", include=set(keys), exclude_none=True) | (
            {"match": self.match.model_dump(exclude_unset=True)} if "match" in keys else {}
        )


def _refuse(key: str, text: str) -> None:
    # The text is data: braces in it are not pydantic's to fill.
    raise PydanticCustomError("fault", "{key} {text}", {"key": key, "text": text})


def _listed(keys: frozenset[str]) -> str:
    return ", ".join(sorted(keys - {"kind"}))
