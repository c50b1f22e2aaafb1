"""The drill's hand on the loopback exchange: break it, push its prices, read its journal."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from fractal_ops.drills.errors import DrillFailedError
from fractal_ops.drills.verdict import History, Row, read_history
from fractal_testnet.market import UNIVERSE


class DrillVenue:
    """A running loopback exchange and one account on it.

    Parameters
    ----------
    url : str
        The exchange.
    user : str
        The account's address.
    journal : Path
        The exchange's journal.
    """

    def __init__(self, url: str, user: str, journal: Path) -> None:
        self.url = url
        self.user = user.lower()
        self._journal = journal
        self._http = httpx.Client(base_url=url, timeout=10.0)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    # What is done to it ----------------------------------------------------------------------

    def fault(self, kind: str, **spec: Any) -> int:
        """Let something go wrong; return the fault's number."""
        return int(self._ask("POST", "/admin/faults", {"kind": kind, **spec})["id"])

    def heal(self) -> None:
        """Take all faults off."""
        self._ask("DELETE", "/admin/faults")

    def lift(self, number: int) -> None:
        """Take one fault off."""
        self._ask("DELETE", f"/admin/faults/{number}")

    def hits(self, number: int) -> int:
        """Return how often a fault has struck."""
        return int(self._fault(number).get("hits", 0))

    def is_over(self, number: int) -> bool:
        """Tell whether a fault will not strike any more."""
        return self._fault(number).get("state", "over") in ("spent", "over")

    def _fault(self, number: int) -> dict[str, Any]:
        faults = self._ask("GET", "/admin/faults")["faults"]
        return next((fault for fault in faults if fault["id"] == number), {})

    def fund(self, usdc: int) -> None:
        """Give the account money; below zero it goes out again."""
        self._ask("POST", "/admin/fund", {"user": self.user, "amount": str(usdc)})

    def move(self, pair: str, ratio: float, over_seconds: float = 0.0) -> None:
        """Push a price; at once it is a gap."""
        body = {"coin": coin_of(pair), "ratio": ratio, "over_seconds": over_seconds}
        self._ask("POST", "/admin/market/move", body)

    # What it says ----------------------------------------------------------------------------

    def info(self, kind: str, **more: Any) -> Any:
        """Ask about the account, as any client would."""
        return self._ask("POST", "/info", {"type": kind, "user": self.user, **more})

    def position(self, pair: str) -> Decimal:
        """Return the signed size of a position."""
        for entry in self.info("clearinghouseState")["assetPositions"]:
            if entry["position"]["coin"] == coin_of(pair):
                return Decimal(entry["position"]["szi"])
        return Decimal(0)

    def is_flat(self) -> bool:
        """Tell whether the account has neither position nor order."""
        state = self.info("clearinghouseState")
        return not state["assetPositions"] and not self.info("frontendOpenOrders")

    def stops(self, pair: str) -> list[dict[str, Any]]:
        """Return the reduce-only orders of a pair that wait for their trigger."""
        return [
            order
            for order in self.info("frontendOpenOrders")
            if order["coin"] == coin_of(pair) and order["isTrigger"] and order["reduceOnly"]
        ]

    def price(self, pair: str) -> float:
        """Return the mark price."""
        return float(self._ask("GET", "/admin/market")["prices"][coin_of(pair)])

    def now_ms(self) -> int:
        """Return the exchange's time, ms UTC."""
        return int(self._ask("GET", "/health")["now_ms"])

    def candles(self, pair: str, timeframe: str, count: int) -> dict[int, tuple[float, ...]]:
        """Return open, high, low and close of the latest candles by their open time, ms UTC."""
        now = self.now_ms()
        asked = {"coin": coin_of(pair), "interval": timeframe, "endTime": now}
        # Longer than `count` candles of any interval that a drill can wait for.
        asked["startTime"] = now - count * 60 * 60_000
        bars = self._ask("POST", "/info", {"type": "candleSnapshot", "req": asked})[-count:]
        return {bar["t"]: tuple(float(bar[key]) for key in "ohlc") for bar in bars}

    def requests(self) -> int:
        """Return how many lines the journal has: every request adds one or more."""
        with self._journal.open("rb") as journal:
            return sum(1 for _ in journal)

    def rows(self) -> list[Row]:
        """Return the whole journal."""
        return [json.loads(line) for line in self._journal.read_text("utf-8").splitlines()]

    def actions(self, kind: str) -> list[Row]:
        """Return the journal's accepted actions of a kind."""
        return [
            row
            for row in self.rows()
            if row["event"] == "action" and row["action"]["type"] == kind and row["status"] == "ok"
        ]

    def accepted(self, role: str) -> list[Row]:
        """Return the orders that the venue took, oldest first, by their first row.

        A role is ``entry``, ``stop`` (it has a trigger) or ``exit`` (it only reduces).
        """
        rows: dict[int, Row] = {}
        for row in self.rows():
            if row["event"] == "order" and row.get("user") == self.user:
                rows.setdefault(row["oid"], row)
        return [row for row in rows.values() if _role(row) == role]

    def history(self) -> History:
        """Return what happened to the account's positions so far."""
        self.info("clearinghouseState")  # lets the exchange reach the present
        return read_history(self.rows(), self.user, self.now_ms())

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise DrillFailedError(f"the loopback exchange does not answer {path}: {error}") from (
                error
            )
        if answer.status_code >= 400:
            raise DrillFailedError(f"the loopback exchange refuses {path}: {answer.text[:300]}")
        return answer.json()


def _role(row: Row) -> str:
    if row["trigger_px"] is not None:
        return "stop"
    return "exit" if row["reduce_only"] else "entry"


def coin_of(pair: str) -> str:
    """Return the exchange's name of a pair: ccxt's codes are in upper case, unlike ``kPEPE``."""
    code = pair.split("/", maxsplit=1)[0]
    return next((spec.name for spec in UNIVERSE if spec.name.upper() == code.upper()), code)
