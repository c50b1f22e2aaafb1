"""What quickstart does once nothing stands in the way, one function a step."""

from collections.abc import Callable

from rich.console import Console

from fractal_ops.quickstart import overlays, preflight, programs
from fractal_ops.quickstart.child import Child
from fractal_ops.quickstart.comparison import comparison_table, latest_export, read_comparison
from fractal_ops.quickstart.errors import ChildFailedError, QuickstartError
from fractal_ops.quickstart.log_tail import LogTail, is_important
from fractal_ops.quickstart.reuse import LastBacktest, fingerprint
from fractal_ops.quickstart.settings import Exchange, Settings
from fractal_ops.quickstart.supervisor import Supervisor
from fractal_ops.quickstart.web import answers, why_unreachable

_MARKET_NOTES = {
    Exchange.LOOPBACK: "The market is a random one: the figures show that all works, not an edge.",
    Exchange.TESTNET: "Testnet prices are not those of the real market.",
}
_EXCHANGE_SECONDS = 60.0
_BOT_SECONDS = 120.0


def check_all(settings: Settings) -> None:
    """Find what would fail later; raises `QuickstartError` on the first thing."""
    preflight.check_python()
    preflight.check_project(settings.root)
    preflight.prepare_directories(settings)
    preflight.check_disk(settings.user_data)
    preflight.check_ports(settings)


def start_exchange(settings: Settings, supervisor: Supervisor, console: Console) -> None:
    """Start the loopback exchange and wait for its health, or check the testnet's."""
    if settings.exchange is Exchange.TESTNET:
        reason = why_unreachable(settings.exchange_url)
        if reason:
            raise QuickstartError(
                f"Hyperliquid's testnet at {settings.exchange_url} is not reachable ({reason})",
                "check the network, or use --exchange loopback, which needs none",
            )
        console.print(f"Hyperliquid's testnet answers at {settings.exchange_url}")
        return
    child = supervisor.start(
        "loopback exchange", programs.loopback_exchange(settings), must_live=True
    )
    supervisor.wait_until(
        lambda: answers(f"{settings.exchange_url}/health"),
        _EXCHANGE_SECONDS,
        child,
        f"the loopback exchange's answer at {settings.exchange_url}/health",
    )
    console.print(f"loopback exchange is up at {settings.exchange_url}")


def fill_data(settings: Settings, supervisor: Supervisor, console: Console) -> None:
    """Fetch the candles that are missing."""
    with console.status("fetching the candles that are missing"):
        child = supervisor.run("candle download", programs.download(settings))
    said = child.last_lines(1)
    console.print(said[0] if said else f"candles are in {settings.data_dir}")


def backtest(settings: Settings, supervisor: Supervisor, console: Console) -> None:
    """Backtest all strategies and print the comparison, or reprint it when all is the same."""
    configs = overlays.backtest_configs(settings)
    now = fingerprint(settings.root, configs, settings.data_dir, settings.strategies)
    last = LastBacktest(settings.state_dir / "last_backtest.json")
    export = None if settings.rerun else last.find(now)
    if export:
        console.print(f"code, configs and candles are those of {export.name}: not run again")
    else:
        command = programs.freqtrade(
            "backtesting", settings, configs,
            "--datadir", str(settings.data_dir), "--cache", "none", "--export", "trades",
            "--strategy-list", *settings.strategies,
        )  # fmt: skip
        results = settings.user_data / "backtest_results"
        before = latest_export(results)
        with console.status(f"backtesting {len(settings.strategies)} strategies"):
            child = supervisor.run("backtest", command)
        export = latest_export(results)
        # freqtrade ends with status 0 on an invalid config; an older result is not this one's.
        if export is None or export == before:
            raise ChildFailedError(
                "freqtrade ended without a new backtest result", f"see {child.log}",
                child.last_lines(),
            )  # fmt: skip
        last.remember(now, export)
    console.print(comparison_table(read_comparison(export), _MARKET_NOTES[settings.exchange]))
    console.print(f"details: {export}", soft_wrap=True)


def start_bot(settings: Settings, supervisor: Supervisor, console: Console) -> Child:
    """Start the dry-run bot and wait until its REST API answers."""
    bot = supervisor.start(
        "bot",
        programs.freqtrade("trade", settings, overlays.trade_configs(settings), "--dry-run"),
        must_live=True,
        grace_seconds=20.0,
    )
    with console.status("starting the bot"):
        supervisor.wait_until(
            lambda: answers(f"{settings.bot_url}/api/v1/ping"),
            _BOT_SECONDS,
            bot,
            f"the bot's answer at {settings.bot_url}",
        )
    return bot


def follow(bot: Child, supervisor: Supervisor, say: Callable[[str], None]) -> None:
    """Show the bot's important log lines until someone stops us or a process dies."""
    tail = LogTail(bot.log)
    while True:
        for line in tail.new_lines():
            if is_important(line):
                say(line)
        supervisor.tick()
