"""Talk to the loopback exchange, and to nothing else."""

from __future__ import annotations

import http.client
import ipaddress
import json
from typing import Any
from urllib.parse import urlsplit

from fractal_ops.wallet.errors import WalletError

DEFAULT_URL = "http://127.0.0.1:8484"
_TIMEOUT_SECONDS = 10.0
_SHOWN = 300  # characters of a refusal


def loopback_url(url: str) -> str:
    """Return the address in its plain form, ``http://HOST:PORT``.

    Parameters
    ----------
    url : str
        As the operator gave it.

    Raises
    ------
    WalletError
        It is not on this machine. Only a literal loopback address or ``localhost`` counts: any
        other name leads to wherever somebody's name server says.
    """
    remedy = f"test keys are for the loopback exchange only: give an address such as {DEFAULT_URL}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
    except ValueError as error:
        raise WalletError(f"{url!r} is no address ({error})", remedy) from error
    if parts.scheme != "http" or parts.username is not None or parts.path not in ("", "/"):
        raise WalletError(f"{url!r} is not of the form http://HOST:PORT", remedy)
    host = "127.0.0.1" if host == "localhost" else host
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise WalletError(f"{url!r} does not lie on this machine", remedy)
    return f"http://[{host}]:{port}" if address.version == 6 else f"http://{host}:{port}"


class Loopback:
    """The loopback exchange at an address.

    Parameters
    ----------
    url : str
        Its address; see `loopback_url`.

    Notes
    -----
    Neither proxies nor redirects are followed: what is sent stays on this machine.
    """

    def __init__(self, url: str = DEFAULT_URL) -> None:
        self.url = loopback_url(url)

    def now_ms(self) -> int:
        """Return the exchange's time, ms UTC.

        Raises
        ------
        WalletError
            Nothing answers, or something that is not the loopback exchange.
        """
        remedy = f"stop that program, or give the exchange's address with --url (not {self.url})"
        try:
            health = self.ask("GET", "/health")
        except WalletError as error:
            if error.exit_status == 1:  # it answered, but not as the exchange does
                raise WalletError(f"no loopback exchange is at {self.url}", remedy) from error
            raise
        is_ours = isinstance(health, dict) and {"market", "seed", "speed"} <= health.keys()
        if not is_ours or type(health.get("now_ms")) is not int:
            raise WalletError(f"no loopback exchange is at {self.url}", remedy)
        now: int = health["now_ms"]
        return now

    def info(self, kind: str, user: str) -> Any:
        """Ask for something about an account."""
        return self.ask("POST", "/info", {"type": kind, "user": user})

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send one request and return the decoded answer.

        Raises
        ------
        WalletError
            Exit status 2: nothing answers, or no JSON. 1: it refused, with its own words.
        """
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request(
                method,
                path,
                None if body is None else json.dumps(body),
                {"Content-Type": "application/json"},
            )
            answer = connection.getresponse()
            status, text = answer.status, answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise WalletError(
                f"no exchange answers at {self.url} ({type(error).__name__})",
                "start it with `fractal testnet` in another terminal, or give its address "
                "with --url",
            ) from error
        finally:
            connection.close()
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        if status != 200 or (isinstance(value, dict) and value.get("status") == "err"):
            raise WalletError(
                f"the exchange refused {method} {path} ({status})", _reason(value, text),
                exit_status=1,
            )  # fmt: skip
        if value is None and text.strip() != "null":
            raise WalletError(f"{self.url}{path} does not answer with JSON", "give another --url")
        return value


def _reason(value: Any, text: str) -> str:
    if isinstance(value, dict):
        for key in ("response", "detail", "error"):
            found = value.get(key)
            if isinstance(found, list) and found and isinstance(found[0], dict):
                place = ".".join(str(part) for part in found[0].get("loc", ())[1:])
                return f"{place}: {found[0].get('msg')}"[:_SHOWN]
            if found:
                return str(found)[:_SHOWN]
    return text.strip()[:_SHOWN] or "no reason given"
