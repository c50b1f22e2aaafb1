"""What a quickstart run was asked to do."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

STRATEGIES = ("LiquiditySweep", "BosOrderBlock", "FvgFill", "SmcEnsemble")
DEFAULT_BOT_PORT = 8080
DEFAULT_EXCHANGE_PORT = 8484
DEFAULT_SEED = 1  # of `fractal testnet`
TESTNET_URL = "https://api.hyperliquid-testnet.xyz"


class Exchange(StrEnum):
    """Where candles and prices come from."""

    LOOPBACK = "loopback"
    TESTNET = "testnet"


@dataclass(frozen=True)
class Settings:
    """Hold the choices of one run.

    Parameters
    ----------
    root : Path
        The project's directory, holding `config.testnet.json` and `user_data/`.
    exchange : Exchange
        The loopback exchange on this machine, or Hyperliquid's testnet.
    once : bool
        Stop after the backtest.
    bot_port, exchange_port : int
        Where the bot's REST API and the loopback exchange listen.
    seed : int or None
        Seed of the loopback exchange's market; None takes its default.
    install_ui : bool
        Try to install FreqUI.
    rerun : bool
        Backtest even when nothing has changed since the last one.
    strategies : tuple of str
        Strategy classes to compare.
    testnet_url : str
        Base address of Hyperliquid's testnet.
    """

    root: Path
    exchange: Exchange = Exchange.LOOPBACK
    once: bool = False
    bot_port: int = DEFAULT_BOT_PORT
    exchange_port: int = DEFAULT_EXCHANGE_PORT
    seed: int | None = None
    install_ui: bool = True
    rerun: bool = False
    strategies: tuple[str, ...] = STRATEGIES
    testnet_url: str = TESTNET_URL

    @property
    def user_data(self) -> Path:
        """The user directory of freqtrade."""
        return self.root / "user_data"

    @property
    def state_dir(self) -> Path:
        """Where quickstart keeps what it generates: overlays, the lock, the last run."""
        return self.user_data / "quickstart"

    @property
    def data_dir(self) -> Path:
        """Where this run's candles are: one directory a market, so that none ever mix.

        The default market has freqtrade's own default directory, so that a plain
        `freqtrade backtesting` finds it.
        """
        name = "hyperliquid"
        if self.exchange is Exchange.TESTNET:
            name = "hyperliquid-testnet"
        elif self.seed not in (None, DEFAULT_SEED):
            name = f"hyperliquid-seed-{self.seed}"
        return self.user_data / "data" / name

    @property
    def log_dir(self) -> Path:
        """Where the logs of the started processes go."""
        return self.user_data / "logs"

    @property
    def main_config(self) -> Path:
        """The config that users start from."""
        return self.root / "config.testnet.json"

    @property
    def private_config(self) -> Path:
        """The login of the bot's REST API, which never leaves this machine."""
        return self.user_data / "config.private.json"

    @property
    def bot_url(self) -> str:
        """Address of the bot's REST API and FreqUI."""
        return f"http://127.0.0.1:{self.bot_port}"

    @property
    def exchange_url(self) -> str:
        """Address of the exchange's API."""
        if self.exchange is Exchange.TESTNET:
            return self.testnet_url
        return f"http://127.0.0.1:{self.exchange_port}"
