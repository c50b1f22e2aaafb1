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
    default is the refusal, so every exception is caught here, logged with its trace, and
    answered with `answer`. An object with a method ``hook_failed(name, arguments, error)`` is
    told, so that it can count and announce.
    """

    def decorate(hook: Hook) -> Hook:
        @functools.wraps(hook)
        def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                return hook(self, *args, **kwargs)
            except Exception as error:  # the point: whatever fails, the answer is no
                logger.error(  # noqa: TRY400  # the trace is shown when it is news
                    "INTERNAL_ERROR in %s (pair %s): %s: %s; answering %r",
                    hook.__name__,
                    kwargs.get("pair", "?"),
                    type(error).__name__,
                    error,
                    answer,
                    exc_info=_is_news(self, hook.__name__, error),
                )
                _tell(self, hook.__name__, kwargs, error)
                return answer

        return guarded  # type: ignore[return-value]

    return decorate


def _is_news(owner: Any, name: str, error: Exception) -> bool:
    """Whether the trace is worth its lines: a hook that fails in every loop repeats it."""
    shown: dict[str, str] = owner.__dict__.setdefault("_shown_failures", {})
    text = f"{type(error).__name__}: {error}"
    is_news = shown.get(name) != text
    shown[name] = text
    return is_news


def _tell(owner: Any, name: str, arguments: dict[str, Any], error: Exception) -> None:
    listener = getattr(owner, "hook_failed", None)
    if listener is None:
        return
    try:
        listener(name, arguments, error)
    except Exception:  # the refusal stands, whatever happens to the news of it
        logger.exception("could not report the failure of %s", name)
