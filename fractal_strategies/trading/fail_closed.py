"""Hooks that answer no when they fail."""

import functools
import logging
from collections.abc import Callable
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

Hook = TypeVar("Hook", bound=Callable[..., Any])


def fail_closed(answer: Any) -> Callable[[Hook], Hook]:
    """Turn any exception inside a strategy hook into `answer`.

    freqtrade wraps the hooks itself, but takes an exception in ``confirm_trade_entry`` as
    consent and one in ``custom_stake_amount`` as the proposed stake. For money the only safe
    default is the refusal, so every exception is caught here, logged with its trace as
    INTERNAL_ERROR, and answered with `answer`.
    """

    def decorate(hook: Hook) -> Hook:
        @functools.wraps(hook)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                return hook(*args, **kwargs)
            except Exception:  # the point: whatever fails, the answer is no
                logger.exception(
                    "INTERNAL_ERROR in %s (pair %s): answering %r",
                    hook.__name__,
                    kwargs.get("pair", "?"),
                    answer,
                )
                return answer

        return guarded  # type: ignore[return-value]

    return decorate
