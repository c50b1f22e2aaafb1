"""The order of a quickstart."""

import time
from contextlib import ExitStack

from rich.console import Console

from fractal_ops.quickstart import preflight, steps
from fractal_ops.quickstart.errors import ChildFailedError, QuickstartError, StopRequestedError
from fractal_ops.quickstart.frequi import FreqUiInstall
from fractal_ops.quickstart.private_config import ensure_private_config
from fractal_ops.quickstart.settings import Settings
from fractal_ops.quickstart.supervisor import Supervisor


def run(settings: Settings, console: Console, errors: Console) -> int:
    """Bring everything up, stay until stopped, and take everything down.

    Parameters
    ----------
    settings : Settings
        What was asked for.
    console, errors : rich.console.Console
        Where to write news and problems.

    Returns
    -------
    int
        Exit status: 0 done, 1 something running failed, 2 something stood in the way,
        128 + signal when stopped by one.
    """
    try:
        _run(settings, console)
    except StopRequestedError as stop:
        console.print(f"stopped by {stop}: everything that was started has ended")
        return stop.exit_status
    except QuickstartError as error:
        if isinstance(error, ChildFailedError):
            for line in error.last_lines:
                errors.print(f"  | {line}", style="dim", markup=False, soft_wrap=True)
        errors.print(f"error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        return error.exit_status
    return 0


def _run(settings: Settings, console: Console) -> None:
    started = time.monotonic()
    with ExitStack() as stack:
        steps.check_all(settings)
        stack.enter_context(preflight.take_lock(settings))
        login = ensure_private_config(settings.private_config)
        console.print(f"{login}: {settings.private_config}", soft_wrap=True)
        supervisor = stack.enter_context(Supervisor(settings.root, settings.log_dir))
        try:
            _stay(settings, supervisor, console, started)
        except StopRequestedError:
            console.print("stopping; a second Ctrl-C makes it short")
            raise


def _stay(settings: Settings, supervisor: Supervisor, console: Console, started: float) -> None:
    frequi = FreqUiInstall(supervisor) if settings.install_ui else None
    steps.start_exchange(settings, supervisor, console)
    steps.fill_data(settings, supervisor, console)
    steps.backtest(settings, supervisor, console)
    if frequi:
        console.print(frequi.finish(), soft_wrap=True)
    if settings.once:
        return
    bot = steps.start_bot(settings, supervisor, console)
    console.print(_where_things_are(settings, time.monotonic() - started), soft_wrap=True)
    steps.follow(
        bot,
        supervisor,
        lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True),
    )


def _where_things_are(settings: Settings, seconds: float) -> str:
    return "\n".join(
        (
            f"\nThe bot trades in dry-run (ready after {seconds:.0f} s).",
            f"  FreqUI and REST API  {settings.bot_url}",
            f"  exchange             {settings.exchange_url}",
            f"  login                user fractal, password in {settings.private_config}",
            f"  logs                 {settings.log_dir}",
            "Ctrl-C stops everything.\n",
        )
    )
