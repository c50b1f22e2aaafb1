"""A window's result: the model, and its file, which is the same byte for byte for the same job.

Schema of the file (JSON, one object): the fields of :class:`WindowResult`. Moments are ISO 8601
in UTC, days are ``YYYY-MM-DD``, money is in the stake currency, ratios are of 1, and what is not a
finite number is null. No field tells when or how fast the job ran.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal

from pydantic import ValidationError

from fractal_ops.walk_forward.errors import WalkForwardError
from fractal_ops.walk_forward.span_result import Record, SpanResult

Parameters = dict[str, dict[str, Any]]
"""Space -> name -> value, as in freqtrade's parameter file."""


class Trial(Record):
    """One epoch of the hyperopt, on the training span.

    Parameters
    ----------
    epoch : int
        From 1. Numbers may be missing: freqtrade skips what it has tried before.
    loss : float or None
        freqtrade's; 100000 where there were too few trades.
    trades : int
        How many.
    profit_abs : float
        Sum.
    parameters : dict
        Name -> value of what was varied.
    daily_profits : tuple of float
        As in the in-sample :class:`SpanResult`, and as long.
    """

    epoch: int
    loss: float | None
    trades: int
    profit_abs: float
    parameters: dict[str, Any]
    daily_profits: tuple[float, ...]


class WindowResult(Record):
    """What one job found.

    Parameters
    ----------
    schema_version : int
        Raised with every change of the file's meaning, so that older files are not reused.
    key : str
        SHA-256 of all that the result depends on.
    strategy : str
        Class.
    window : int
        Number of the window.
    train_start, train_end, test_start, test_end : datetime
        The window's half-open spans.
    chosen_by : str
        ``hyperopt``; ``shipped`` without optimisation; ``shipped, no trial qualified`` where
        freqtrade found no best epoch.
    best_epoch : int or None
        The trial that was chosen.
    parameters : dict
        All parameters that both backtests ran with, by space, the fixed ones included.
    trials : tuple of Trial
        Every epoch; empty without optimisation.
    in_sample, out_of_sample : SpanResult
        The backtests on train and test.
    """

    schema_version: Literal[1] = 1
    key: str
    strategy: str
    window: int
    train_start: datetime
    train_end: datetime
    test_start: datetime
    test_end: datetime
    chosen_by: Literal["hyperopt", "shipped", "shipped, no trial qualified"]
    best_epoch: int | None
    parameters: Parameters
    trials: tuple[Trial, ...]
    in_sample: SpanResult
    out_of_sample: SpanResult

    def to_text(self) -> str:
        """Write the file's content."""
        plain = self.model_dump(mode="json")
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False) + "\n"

    @classmethod
    def from_text(cls, text: str) -> WindowResult:
        """Read a file's content.

        Raises
        ------
        WalkForwardError
            It is not such a file, or of another version.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise WalkForwardError(f"this is no window's result: {error}") from error
