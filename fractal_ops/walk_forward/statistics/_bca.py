"""Bias-corrected and accelerated (BCa) bootstrap intervals.

References
----------
B. Efron, "Better Bootstrap Confidence Intervals", Journal of the American Statistical
Association 82(397), 1987. For dependent values the acceleration leaves out blocks: F. Goetze and
H. R. Kuensch, "Second-Order Correctness of the Blockwise Bootstrap", Annals of Statistics 24(5),
1996.
"""

from collections.abc import Callable

import numpy as np

from ._checks import Floats
from .sharpe import NORMAL


def bca_tails(tails: Floats, drawn: Floats, estimate: float, speed: float) -> Floats:
    """Move the `tails` by the bias of the resamples and by the acceleration `speed`."""
    share = float(np.mean(drawn < estimate) + np.mean(drawn == estimate) / 2.0)
    edge = 0.5 / len(drawn)
    bias = NORMAL.inv_cdf(min(max(share, edge), 1.0 - edge))
    shifted = [bias + NORMAL.inv_cdf(float(tail)) for tail in tails]
    return np.array([NORMAL.cdf(bias + z / (1.0 - speed * z)) for z in shifted])


def acceleration(values: Floats, figure: Callable[[Floats], Floats], length: float) -> float:
    """Measure skewness by leaving out one block at a time; of length 1, one value."""
    n = len(values)
    size = min(max(1, round(length)), n // 2)
    left = np.array(
        [
            figure(np.delete(values, slice(at, at + size))[np.newaxis])[0]
            for at in range(0, n - size + 1, size)
        ]
    )
    gaps = left.mean() - left
    spread = float(np.sum(gaps**2)) ** 1.5
    return float(np.sum(gaps**3)) / (6.0 * spread) if spread > 0 else 0.0
