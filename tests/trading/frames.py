"""Small frames of SMC columns, one list per column that a test cares about."""

from typing import Any

import numpy as np
import pandas as pd

NAN = float("nan")

_DEFAULTS: dict[str, tuple[Any, type]] = {
    "open": (100.0, np.float64),
    "high": (101.0, np.float64),
    "low": (99.0, np.float64),
    "close": (100.0, np.float64),
    "volume": (1.0, np.float64),
    "atr": (2.0, np.float64),
    "body_atr": (0.0, np.float64),
    "volume_ratio": (1.0, np.float64),
    "confidence_long": (100.0, np.float64),
    "confidence_short": (100.0, np.float64),
    "bos": (0, np.int8),
    "choch": (0, np.int8),
    "ob": (0, np.int8),
    "ob_top": (NAN, np.float64),
    "ob_bottom": (NAN, np.float64),
    "ob_weak": (0, np.int8),
    "fvg": (0, np.int8),
    "fvg_top": (NAN, np.float64),
    "fvg_bottom": (NAN, np.float64),
    "fvg_size_atr": (NAN, np.float64),
    "sweep": (0, np.int8),
    "sweep_low_extreme": (NAN, np.float64),
    "sweep_high_extreme": (NAN, np.float64),
}


def smc_frame(rows: int, **columns: list[Any]) -> pd.DataFrame:
    """A frame of `rows` quiet candles; the given columns replace the defaults."""
    unknown = set(columns) - set(_DEFAULTS)
    assert not unknown, f"unknown columns {unknown}"
    data = {}
    for name, (value, dtype) in _DEFAULTS.items():
        values = columns.get(name, [value] * rows)
        assert len(values) == rows, f"{name} has {len(values)} values for {rows} rows"
        data[name] = np.array(values, dtype=dtype)
    return pd.DataFrame(data)


def rows_of(side: Any) -> dict[int, int]:
    """Where a reading has setups: row -> side."""
    return {int(t): int(side[t]) for t in np.flatnonzero(side)}
