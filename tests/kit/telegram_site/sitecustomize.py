"""Point python-telegram-bot at the test's Bot API: loaded by Python itself, at a process' start."""

import importlib.util
import os
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any


def run_shadowed() -> None:
    """Run the sitecustomize that this one hides, such as the test clock's.

    Python imports only the first one on its path.
    """
    here = Path(__file__).parent
    others = [entry for entry in sys.path if Path(entry or ".").resolve() != here]
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


run_shadowed()  # first: a test clock wants to stand before anything else reads the time

from telegram.ext import ApplicationBuilder  # noqa: E402  # needs the line above

plain_init = ApplicationBuilder.__init__


def init(self: "ApplicationBuilder[Any, Any, Any, Any, Any, Any]") -> None:
    """Begin with the test's address instead of api.telegram.org."""
    plain_init(self)
    self.base_url(os.environ["FRACTAL_TEST_TELEGRAM"])


ApplicationBuilder.__init__ = init  # type: ignore[method-assign]  # what this file is for
