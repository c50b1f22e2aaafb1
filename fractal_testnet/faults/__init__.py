"""What goes wrong on the loopback exchange, when a test or a drill wants it to."""

from fractal_testnet.faults.admin import create_admin_router, refuse_web_pages
from fractal_testnet.faults.board import FaultBoard
from fractal_testnet.faults.fault import Fault
from fractal_testnet.faults.hangup import HangUpProtocol, cut, hang_up
from fractal_testnet.faults.market import FaultedMarket
from fractal_testnet.faults.match import Match, Role
from fractal_testnet.faults.middleware import FaultMiddleware
from fractal_testnet.faults.problems import FaultSpecError, Problem, parse_spec
from fractal_testnet.faults.spec import KINDS, FaultSpec, Kind
from fractal_testnet.faults.tags import OrderTag, RequestTag, tag_of
from fractal_testnet.faults.ws import WsFaults

__all__ = [
    "KINDS",
    "Fault",
    "FaultBoard",
    "FaultMiddleware",
    "FaultSpec",
    "FaultSpecError",
    "FaultedMarket",
    "HangUpProtocol",
    "Kind",
    "Match",
    "OrderTag",
    "Problem",
    "RequestTag",
    "Role",
    "WsFaults",
    "create_admin_router",
    "cut",
    "hang_up",
    "parse_spec",
    "refuse_web_pages",
    "tag_of",
]
