"""Small HTTP questions with a time limit, never through a proxy on loopback."""

import http.client
import json
import os
import urllib.error
import urllib.request

_LOOPBACK = "127.0.0.1,localhost"
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def answers(url: str, timeout_seconds: float = 1.0) -> bool:
    """Tell whether a server on this machine answers GET with success.

    Parameters
    ----------
    url : str
        Loopback address.
    timeout_seconds : float
        How long to wait for it.

    Returns
    -------
    bool
        True for a 2xx answer.
    """
    try:
        with _direct.open(url, timeout=timeout_seconds):
            return True
    except (OSError, http.client.HTTPException):
        return False  # includes urllib's URLError: not up yet


def why_unreachable(url: str, timeout_seconds: float = 10.0) -> str | None:
    """Ask a Hyperliquid server for its status.

    Parameters
    ----------
    url : str
        Base address, such as that of the testnet.
    timeout_seconds : float
        How long to wait for it.

    Returns
    -------
    str or None
        The reason when it did not answer; None when it did.
    """
    request = urllib.request.Request(  # noqa: S310  # the address is our own constant or option
        f"{url}/info",
        data=json.dumps({"type": "exchangeStatus"}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout_seconds):  # noqa: S310  # as above
            return None
    except urllib.error.URLError as error:
        return str(error.reason)
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__


def direct_to_loopback() -> dict[str, str]:
    """Return the variables that keep loopback off a proxy which the environment names."""
    return {
        name: ",".join(filter(None, (os.environ.get(name), _LOOPBACK)))
        for name in ("NO_PROXY", "no_proxy")
    }
