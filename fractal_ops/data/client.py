"""Ask an exchange that speaks Hyperliquid's protocol for candles and funding."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

import pandas as pd

from fractal_ops.data.errors import DataError

_TIMEOUT_SECONDS = 60
_FUNDING_ROWS = 500
_TOO_MANY_REQUESTS = 429
_PAUSE_SECONDS = 10.0
"""The real venue refills 1,200 weight a minute: after this pause the next page has room."""
_MOST_PAUSES = 12


class TestnetClient:
    """A client of the exchange's `/info`.

    Parameters
    ----------
    url : str
        Where it listens, such as ``http://127.0.0.1:8484`` or Hyperliquid's own https address.
    sleep : callable
        How to wait, seconds; for tests.

    Raises
    ------
    DataError
        If the address is neither ``http://`` nor ``https://``.
    """

    __test__ = False  # the name starts like a test's

    def __init__(self, url: str, sleep: Callable[[float], None] = time.sleep) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            msg = f"--url {url!r} is no address: give one such as http://127.0.0.1:8484"
            raise DataError(msg)
        self.url = url.rstrip("/")
        self._sleep = sleep

    def _info(self, body: dict[str, Any]) -> Any:
        """Ask, and wait while the exchange says that it was asked too often."""
        pauses = 0
        while True:
            try:
                return self._ask(body)
            except urllib.error.HTTPError as error:
                text = error.read(200).decode(errors="replace")
                if error.code == _TOO_MANY_REQUESTS and pauses < _MOST_PAUSES:
                    pauses += 1
                    self._sleep(_PAUSE_SECONDS)
                    continue
                msg = (
                    f"{self.url} refused {body['type']} with {error.code} ({text}): is it an "
                    "exchange that speaks Hyperliquid's protocol? See its log"
                )
                raise DataError(msg) from error

    def _ask(self, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked above
            f"{self.url}/info",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
                return json.loads(answer.read())
        except urllib.error.HTTPError:
            raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            msg = (
                f"no exchange answers at {self.url} ({reason}): start it with `fractal testnet`, "
                "or name its address with --url"
            )
            raise DataError(msg) from error

    def now_ms(self) -> int:
        """Return the exchange's time, ms UTC."""
        return int(self._info({"type": "exchangeStatus"})["time"])

    def coins(self) -> list[str]:
        """Return the names of the assets that trade there."""
        return [str(asset["name"]) for asset in self._info({"type": "meta"})["universe"]]

    def candles(self, coin: str, interval: str, start_ms: int, now_ms: int) -> pd.DataFrame:
        """Return the closed candles from `start_ms` on.

        Parameters
        ----------
        coin : str
            The venue's name.
        interval : str
            Such as ``2h``.
        start_ms : int
            First open time, ms UTC.
        now_ms : int
            Candles that close after this moment are dropped.

        Returns
        -------
        DataFrame
            Columns date (UTC), open, high, low, close (USDC), volume (base units).
        """
        request = {"coin": coin, "interval": interval, "startTime": start_ms, "endTime": now_ms}
        rows = self._info({"type": "candleSnapshot", "req": request})
        closed = [row for row in rows if row["T"] < now_ms and row["t"] >= start_ms]
        values = {
            name: pd.Series([float(row[key]) for row in closed], dtype="float64")
            for name, key in zip(
                ("open", "high", "low", "close", "volume"), ("o", "h", "l", "c", "v"), strict=True
            )
        }
        return pd.DataFrame({"date": _dates([row["t"] for row in closed]), **values})

    def funding(self, coin: str, start_ms: int, now_ms: int) -> pd.DataFrame:
        """Return the funding settled from `start_ms` to `now_ms`.

        Returns
        -------
        DataFrame
            Columns date (UTC, floored to seconds), funding_rate (ratio per settlement).
        """
        rows: list[dict[str, Any]] = []
        while start_ms <= now_ms:
            page = self._info({"type": "fundingHistory", "coin": coin, "startTime": start_ms})
            rows.extend(page)
            if len(page) < _FUNDING_ROWS:
                break
            start_ms = int(page[-1]["time"]) + 1
        return pd.DataFrame(
            {
                "date": _dates([row["time"] // 1000 * 1000 for row in rows]),
                "funding_rate": pd.Series(
                    [float(row["fundingRate"]) for row in rows], dtype="float64"
                ),
            }
        )


def _dates(ms: list[int]) -> pd.Series[Any]:
    return pd.to_datetime(pd.Series(ms, dtype="int64"), unit="ms", utc=True).dt.as_unit("ms")
