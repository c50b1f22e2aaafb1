"""Why a fault is refused: key, value and remedy, for people and programs alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from fractal_testnet.faults.match import Match
from fractal_testnet.faults.spec import FaultSpec
from fractal_testnet.market.intervals import INTERVALS_MS


class Problem(NamedTuple):
    """What is wrong with one key; `text` continues a sentence that begins with `key`."""

    key: str
    text: str


class FaultSpecError(ValueError):
    """A fault that cannot be added.

    Parameters
    ----------
    problems : iterable of Problem
        Everything that is wrong with it.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{key} {text}" for key, text in self.problems))


def parse_spec(data: object) -> FaultSpec:
    """Read a fault from decoded JSON.

    Raises
    ------
    FaultSpecError
        If a key is unknown, missing, out of range, or not for that kind.
    """
    if not isinstance(data, dict):
        raise FaultSpecError([Problem("fault", f"is {type(data).__name__}, not an object of keys")])
    try:
        return FaultSpec.model_validate(data)
    except ValidationError as error:
        raise FaultSpecError(_problem(detail) for detail in error.errors()) from None


def check_names(spec: FaultSpec, assets: Sequence[str]) -> None:
    """Refuse a fault about an asset or an interval that does not exist: it never could hit.

    Raises
    ------
    FaultSpecError
        With what might have been meant.
    """
    named = [("coins", coin) for coin in spec.coins]
    if spec.match.coin is not None:
        named.append(("match.coin", spec.match.coin))
    problems = []
    for key, coin in named:
        if coin not in assets:
            near = get_close_matches(coin, assets, 1)
            remedy = f"did you mean {near[0]}?" if near else f"these do: {', '.join(assets)}"
            problems.append(Problem(key, f"names {coin!r}, which does not trade here: {remedy}"))
    if spec.interval is not None and spec.interval not in INTERVALS_MS:
        known = ", ".join(INTERVALS_MS)
        problems.append(Problem("interval", f"is {spec.interval!r}: it must be one of {known}"))
    if problems:
        raise FaultSpecError(problems)


def _problem(detail: ErrorDetails) -> Problem:
    context: dict[str, Any] = detail.get("ctx", {})
    if detail["type"] == "fault":
        return Problem(context["key"], context["text"])
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "missing":
        return Problem(key, "is missing")
    if detail["type"] == "extra_forbidden":
        fields = Match.model_fields if detail["loc"][0] == "match" else FaultSpec.model_fields
        near = get_close_matches(str(detail["loc"][-1]), fields, 1)
        remedy = f"did you mean {near[0]}?" if near else f"known are {', '.join(fields)}"
        return Problem(key, f"is unknown: {remedy}")
    value = f"{detail['input']!r:.80}"
    if detail["type"] == "literal_error":
        return Problem(key, f"is {value}: it must be {context['expected']}")
    message = detail["msg"]
    return Problem(key, f"is {value}: {message[:1].lower()}{message[1:]}")
