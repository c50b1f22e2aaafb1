"""Smart Money Concepts as numbers: candles in, columns out, and never a look ahead.

Every detector obeys one law: the value in row ``t`` depends on rows ``<= t`` only. A swing of
width ``n`` at row ``i`` therefore exists from row ``i + n`` on, a fair value gap from its third
candle, an order block from the candle whose close breaks structure. ``tests/smc`` proves it
on every prefix.

Use :func:`detect` for all columns at once, or one concept's function on :class:`Candles`.
"""

from ._candles import Candles
from ._config import SmcConfig
from ._engine import COLUMNS, Detection, detect, detect_all
from .atr import average_true_range
from .confidence import FACTORS, confidence
from .displacement import displacement
from .fair_value_gaps import fair_value_gaps
from .liquidity import liquidity
from .order_blocks import order_blocks
from .premium_discount import premium_discount
from .structure import structure
from .swings import swings
from .zones import EndReason, Zones

__all__ = [
    "COLUMNS",
    "FACTORS",
    "Candles",
    "Detection",
    "EndReason",
    "SmcConfig",
    "Zones",
    "average_true_range",
    "confidence",
    "detect",
    "detect_all",
    "displacement",
    "fair_value_gaps",
    "liquidity",
    "order_blocks",
    "premium_discount",
    "structure",
    "swings",
]
