"""The portfolio's risk budget: pure decisions, a shared ledger, and the gate between them."""

from .config_block import read_block
from .decisions import Approved, Decision, DenialCode, Denied
from .fail_closed import fail_closed
from .guard import PortfolioGuard
from .limits import RiskLimits
from .risk_manager import PortfolioRiskManager
from .settings import PortfolioSettings
from .sizing import EntryTerms

__all__ = [
    "Approved",
    "Decision",
    "DenialCode",
    "Denied",
    "EntryTerms",
    "PortfolioGuard",
    "PortfolioRiskManager",
    "PortfolioSettings",
    "RiskLimits",
    "fail_closed",
    "read_block",
]
