"""The status as one JSON object with stable keys: those of the model in :mod:`.view`."""

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fractal_ops.risk.view import Status


def json_text(status: Status) -> str:
    """Write the status as one line of JSON.

    Amounts are exact, as strings; moments are ISO 8601 in UTC.
    """
    return json.dumps(_plain(status))


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return f"{value:f}"  # str() would write 0E-8
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value
