"""The client against a venue that limits its callers."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from fractal_ops.data.client import TestnetClient
from fractal_ops.data.errors import DataError


@contextmanager
def venue(statuses: list[int]) -> Iterator[str]:
    """Serve these statuses in turn, then 200 with a time."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(statuses.pop(0) if statuses else 200)
            self.end_headers()
            self.wfile.write(json.dumps({"time": 5}).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_too_many_requests_are_waited_out() -> None:
    waits: list[float] = []

    with venue([429, 429]) as url:
        now = TestnetClient(url, waits.append).now_ms()

    assert now == 5
    assert len(waits) == 2


def test_a_venue_that_never_has_room_is_given_up_with_its_answer() -> None:
    waits: list[float] = []

    with (
        venue([429] * 50) as url,
        pytest.raises(DataError, match="refused exchangeStatus with 429"),
    ):
        TestnetClient(url, waits.append).now_ms()

    assert len(waits) == 12


def test_another_refusal_is_not_waited_for() -> None:
    waits: list[float] = []

    with venue([500]) as url, pytest.raises(DataError, match="500"):
        TestnetClient(url, waits.append).now_ms()

    assert waits == []


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:8484", "https://"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(DataError, match="is no address"):
        TestnetClient(url)
