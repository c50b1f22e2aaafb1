"""Run the loopback exchange on a port of 127.0.0.1."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn

from fractal_testnet.account.journal import Journal
from fractal_testnet.app import create_app
from fractal_testnet.faults import HangUpProtocol
from fractal_testnet.market import Clock, Market, MarketClock, PathMarket
from fractal_testnet.market.clock import wall_ms

HOST = "127.0.0.1"
DEFAULT_PORT = 8484


class PortError(OSError):
    """The port cannot be had; the text names it, and the remedy."""


def open_market(
    *,
    seed: int = 1,
    speed: float = 1.0,
    replay: Path | None = None,
    start_ms: int | None = None,
    keep_dates: bool = False,
) -> tuple[Market, Clock]:
    """Make the market and the clock that the options describe.

    Parameters
    ----------
    seed : int, default 1
        Seed of everything that is drawn.
    speed : float, default 1.0
        Market seconds per second.
    replay : Path, optional
        Folder of recorded candles; without it the market is synthetic.
    start_ms : int, optional
        Recorded moment (ms UTC) that now stands for; only with `replay`.
    keep_dates : bool, default False
        Let the clock stand at `start_ms` instead of shifting the recording onto now.

    Raises
    ------
    ValueError
        If the options do not fit each other, or (`RecordingError`) the data do not.
    """
    if replay is None:
        if start_ms is not None or keep_dates:
            option = "--start" if start_ms is not None else "--keep-dates"
            msg = f"{option} only fits recorded candles: add --replay DIR"
            raise ValueError(msg)
        from fractal_testnet.market.synthetic import EPOCH_MS, SyntheticSource

        clock = MarketClock(speed=speed)
        if clock.now_ms() < EPOCH_MS + 420 * 86_400_000:
            msg = (
                f"this machine's clock stands at {clock.now_ms()} ms, less than 420 days after "
                "the synthetic market's first day, 2024-07-01: set the clock"
            )
            raise ValueError(msg)
        return PathMarket(SyntheticSource(seed)), clock
    if start_ms is None:
        msg = "--replay needs to know which recorded day is now: add --start DATE"
        raise ValueError(msg)
    from fractal_testnet.market.replay import load_replay

    clock = MarketClock(start_ms=start_ms if keep_dates else None, speed=speed)
    source = load_replay(replay, start_ms, wall_ms(), keep_dates=keep_dates, seed=seed)
    return PathMarket(source), clock


def bind(port: int) -> socket.socket:
    """Take the port on 127.0.0.1; 0 takes any free one.

    Raises
    ------
    PortError
        If another program has it, or it may not be used.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            msg = (
                f"port {port} on {HOST} is taken by another program: stop it, or choose another "
                f"with --port (and put it into user_data/config.local.json)"
            )
        else:
            msg = f"port {port} on {HOST} cannot be used ({error.strerror}): choose another"
        raise PortError(msg) from error
    return listener


def serve(
    market: Market,
    clock: Clock,
    listener: socket.socket,
    ready: Callable[[], None],
    journal: Journal | None = None,
) -> None:
    """Serve until the process is told to stop (SIGINT, SIGTERM).

    Parameters
    ----------
    market, clock : Market, Clock
        From `open_market`.
    listener : socket
        From `bind`.
    ready : callable
        Called once, when requests are answered.
    journal : Journal, optional
        Where everything that happens is written down.
    """
    app = create_app(market, clock, journal=journal)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        http=HangUpProtocol,
        ws="websockets-sansio",
        ws_ping_interval=None,  # the venue leaves keeping alive to its clients
        timeout_keep_alive=75,  # longer than clients pause, so none meets a closing line
        timeout_graceful_shutdown=2,
    )

    class _Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                ready()

    _Server(config).run(sockets=[listener])
