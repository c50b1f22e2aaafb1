"""The shared ledger in SQL: one SQLite file, or PostgreSQL where bots live on several machines."""

from .equity_history import EquityPoint
from .ledger import SqlLedger, open_ledger

__all__ = ["EquityPoint", "SqlLedger", "open_ledger"]
