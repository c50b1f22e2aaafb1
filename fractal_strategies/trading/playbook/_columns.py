"""Column access shared by the setups."""

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]


def column(frame: pd.DataFrame, name: str) -> Floats:
    """Take a column as float64."""
    return frame[name].to_numpy(dtype=np.float64)


def previous(values: Floats) -> Floats:
    """Shift values to the next row: row t holds what was known in row t - 1."""
    shifted = np.full(values.size, np.nan)
    shifted[1:] = values[:-1]
    return shifted


def unknown_choice(what: str, value: object, choices: tuple[str, ...]) -> ValueError:
    """Describe a reading that does not exist."""
    return ValueError(f"{what} is {value!r}; choose one of {', '.join(choices)}")
