"""The glue between the numbers and freqtrade: setups become entries, stops, targets, charts.

A strategy plugin subclasses :class:`SmcStrategy` and answers one question: where is a setup?
Everything else, and everything that may go wrong with money, is here once.
"""

from .settings import StrategySettings
from .setups import SETUP_COLUMNS, Reading, Setup, combine
from .strategy import SmcStrategy

__all__ = [
    "SETUP_COLUMNS",
    "Reading",
    "Setup",
    "SmcStrategy",
    "StrategySettings",
    "combine",
]
