"""A server that cannot hang up says so, instead of sending a made-up answer."""

import asyncio

import httpx
import pytest

from fractal_testnet.faults import FaultBoard, parse_spec
from tests.testnet.faults.exchange import Exchange, build


async def _ask(board: FaultBoard) -> None:
    transport = httpx.ASGITransport(build(board, Exchange()))
    async with httpx.AsyncClient(transport=transport, base_url="http://exchange") as client:
        await client.post("/info", json={"type": "meta"})


def test_server_without_the_protocol_names_the_remedy(board: FaultBoard) -> None:
    board.add(parse_spec({"kind": "drop_request"}))

    with pytest.raises(RuntimeError, match="run uvicorn with http=HangUpProtocol"):
        asyncio.run(_ask(board))
