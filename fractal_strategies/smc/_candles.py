"""Validated candles: the door between DataFrames and kernels."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ._kernel import kernel

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Directions = npt.NDArray[np.int8]

PRICE_COLUMNS = ("open", "high", "low", "close")
_REQUIRED = ("date", *PRICE_COLUMNS, "volume")

_OK, _NOT_FINITE, _NOT_POSITIVE, _INVERTED, _OUTSIDE = range(5)


@dataclass(frozen=True, slots=True)
class Candles:
    """Open, high, low, close and volume of one pair, oldest first.

    Parameters
    ----------
    open, high, low, close
        Prices, float64 arrays of shape (n,), finite and above zero, in quote currency.
    volume
        Traded volume in base currency, float64 of shape (n,), finite and not negative.

    Notes
    -----
    Build it with :meth:`from_frame`, which checks all of this. Zero-volume candles and flat
    candles (open = high = low = close) are legal: thin markets print them.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __len__(self) -> int:
        return self.close.size

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> "Candles":
        """Check a freqtrade candle frame and take its numbers out.

        Parameters
        ----------
        frame
            Columns ``date`` (strictly increasing), ``open``, ``high``, ``low``, ``close``,
            ``volume``; any index.

        Returns
        -------
        Candles
            Contiguous float64 arrays; the frame itself is not changed.

        Raises
        ------
        ValueError
            A column is missing or not numeric; a date is missing, repeated or out of order; a
            price is NaN, infinite or not positive; the low is above the high, or open or close
            lies outside low..high; a volume is NaN, infinite or negative. The message names
            the column and the first bad row (counted from 0).
        """
        missing = [name for name in _REQUIRED if name not in frame.columns]
        if missing:
            raise ValueError(
                f"candles lack the column {missing[0]!r} (have: {list(map(str, frame.columns))}); "
                f"expected {', '.join(_REQUIRED)}"
            )
        _check_dates(frame["date"])
        arrays = {name: _numbers(frame, name) for name in (*PRICE_COLUMNS, "volume")}
        candles = cls(**arrays)
        row, column, problem = first_bad_row_nb(
            candles.open, candles.high, candles.low, candles.close, candles.volume
        )
        if problem != _OK:
            _raise_bad_row(candles, row, (*PRICE_COLUMNS, "volume")[column], problem)
        return candles


def _numbers(frame: pd.DataFrame, name: str) -> Floats:
    column = frame[name]
    # Always a copy: pandas hands out read-only views, for which numba would compile every
    # kernel a second time. Only pandas' own types have a missing value to translate.
    try:
        if isinstance(column.dtype, np.dtype):
            return np.array(column, dtype=np.float64)
        return np.array(column.to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"column {name!r} is not numeric (dtype {column.dtype}): {error}"
        ) from error


def _check_dates(dates: "pd.Series[pd.Timestamp]") -> None:
    """Refuse dates that are missing, repeated or out of order."""
    if not pd.api.types.is_datetime64_any_dtype(dates):
        raise ValueError(
            f"column 'date' holds {dates.dtype}, not timestamps; convert it with pd.to_datetime"
        )
    stamps = pd.DatetimeIndex(dates).asi8
    ascends = stamps[1:] > stamps[:-1]
    missing = dates.isna().to_numpy()
    if missing.any():
        raise ValueError(f"column 'date' has no value in row {int(missing.argmax())}")
    if ascends.all():
        return
    row = int(ascends.argmin()) + 1
    word = "repeats" if stamps[row] == stamps[row - 1] else "lies before"
    raise ValueError(
        f"column 'date' {word} row {row - 1} in row {row} ({dates.iloc[row]}); "
        "sort the candles by date and drop duplicates"
    )


def _raise_bad_row(candles: Candles, row: int, column: str, problem: int) -> None:
    value = getattr(candles, column)[row]
    if problem == _NOT_FINITE:
        what = f"is {value}"
    elif problem == _NOT_POSITIVE:
        what = f"is {value}, below the lowest legal value"
    elif problem == _INVERTED:
        what = f"is {value}, above the high of {candles.high[row]}"
    else:
        what = f"is {value}, outside low..high = {candles.low[row]}..{candles.high[row]}"
    raise ValueError(f"column {column!r} {what} in row {row}; repair or drop that candle")


@kernel
def first_bad_row_nb(
    open_: Floats, high: Floats, low: Floats, close: Floats, volume: Floats
) -> tuple[int, int, int]:
    """Find the first illegal candle: (row, column number, problem), (-1, -1, 0) if none."""
    for t in range(close.size):
        lowest = min(open_[t], high[t], low[t], close[t])
        # One comparison chain on the fast path; NaN makes it false.
        if (
            lowest > 0.0
            and low[t] == lowest
            and high[t] >= open_[t]
            and high[t] >= close[t]
            and high[t] < np.inf
            and 0.0 <= volume[t] < np.inf
        ):
            continue
        values = (open_[t], high[t], low[t], close[t], volume[t])
        for column in range(5):
            if not np.isfinite(values[column]):
                return t, column, _NOT_FINITE
        for column in range(4):
            if values[column] <= 0.0:
                return t, column, _NOT_POSITIVE
        if volume[t] < 0.0:
            return t, 4, _NOT_POSITIVE
        if low[t] > high[t]:
            return t, 2, _INVERTED
        for column in (0, 3):
            if values[column] < low[t] or values[column] > high[t]:
                return t, column, _OUTSIDE
    return -1, -1, _OK
