"""A look as one line of JSON with stable keys."""

import json
from typing import Any

from fractal_ops.recovery.look import Look
from fractal_ops.recovery.plan import Step
from fractal_ops.recovery.repair import Result
from fractal_ops.recovery.tracker import Sighting

VERSION = 1


def json_text(look: Look, results: tuple[Result, ...] = ()) -> str:
    """Write a look and its repair; amounts are exact, as strings."""
    return json.dumps(
        {
            "version": VERSION,
            "at": look.at.isoformat(),
            "account": look.account,
            "verdict": look.verdict,
            "in_ledger": look.in_ledger,
            "drifts": [_drift(seen) for seen in look.sightings],
            "plan": [_step(step) for step in look.steps],
            "repaired": [
                {**_step(result.step), "outcome": result.outcome, "text": result.text}
                for result in results
            ],
        }
    )


def _drift(seen: Sighting) -> dict[str, Any]:
    drift = seen.drift
    return {
        "kind": drift.kind,
        "pair": drift.pair,
        "order_id": drift.order_id or None,
        "message": drift.message,
        "numbers": {name: f"{value}" for name, value in drift.numbers.items()},
        "remedy": drift.remedy.name,
        "advice": drift.advice,
        "since": seen.since.isoformat(),
        "confirmed": seen.confirmed,
    }


def _step(step: Step) -> dict[str, Any]:
    return {"pair": step.pair, "action": step.action, "text": str(step), "reason": step.reason}
