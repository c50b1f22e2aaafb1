"""Who hears of a change."""

import logging
from typing import Protocol

logger = logging.getLogger(__name__)


class Alert(Protocol):
    """Tells people. An implementation must not raise: the watch goes on whatever happens to it."""

    def tell(self, text: str, *, is_urgent: bool) -> None:
        """Pass one line on."""


class LogAlert:
    """Tells the log."""

    def tell(self, text: str, *, is_urgent: bool) -> None:
        """Log a line: urgent ones as errors."""
        logger.log(logging.ERROR if is_urgent else logging.INFO, "%s", text)
