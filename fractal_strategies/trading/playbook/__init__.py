"""The setups themselves: small pure functions from SMC columns to readings.

One module a strategy, so that a plugin and the ensemble trade the very same setup. Textbook and
displacement readings stand side by side; docs/strategies.md has the evidence for either.
"""

from .bos_order_block import bos_order_block
from .fvg_fill import fvg_fill
from .liquidity_sweep import liquidity_sweep

__all__ = ["bos_order_block", "fvg_fill", "liquidity_sweep"]
