"""`/admin/faults`: add faults, look at them, take them off."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import JSONResponse

from fractal_testnet.faults.answers import MAX_BODY_BYTES
from fractal_testnet.faults.board import FaultBoard
from fractal_testnet.faults.fault import Fault
from fractal_testnet.faults.problems import FaultSpecError, Problem, parse_spec


def refuse_web_pages(request: Request) -> None:
    """Refuse what a browser sends for a page: it says so in `Origin`, and no tool of ours does.

    Raises
    ------
    HTTPException
        403.
    """
    if "origin" in request.headers:
        raise HTTPException(403, "requests of web pages (with an Origin header) are refused")


def create_admin_router(board: FaultBoard) -> APIRouter:
    """Return the routes that drive a board.

    Parameters
    ----------
    board : FaultBoard
        The exchange's faults.
    """
    router = APIRouter(prefix="/admin", dependencies=[Depends(refuse_web_pages)])

    @router.post("/faults")
    async def add(request: Request) -> JSONResponse:
        try:
            number = board.add(parse_spec(await _decoded(request)))
        except FaultSpecError as error:
            problems = [problem._asdict() for problem in error.problems]
            return JSONResponse({"detail": str(error), "problems": problems}, 422)
        return JSONResponse(_shown(board, board.faults[-1]) | {"id": number}, 201)

    @router.get("/faults")
    async def listed() -> JSONResponse:
        faults = [_shown(board, fault) for fault in board.faults]
        return JSONResponse({"now_ms": board.now_ms(), "faults": faults})

    @router.delete("/faults/{number}")
    async def remove(number: str) -> JSONResponse:
        # A text, so that one answer covers all that is no number of a fault.
        if not (number.isascii() and number.isdigit() and board.remove(int(number))):
            raise HTTPException(404, f"there is no fault {number!r}: GET /admin/faults lists them")
        return JSONResponse({"removed": 1})

    @router.delete("/faults")
    async def clear() -> JSONResponse:
        return JSONResponse({"removed": board.clear()})

    return router


async def _decoded(request: Request) -> object:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise FaultSpecError([Problem("body", f"is longer than {MAX_BODY_BYTES} bytes")])
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FaultSpecError([Problem("body", f"is not JSON: {error}")]) from error


def _shown(board: FaultBoard, fault: Fault) -> dict[str, Any]:
    return {
        "id": fault.number,
        "state": fault.state(board.now_ms()),
        "hits": fault.hits,
        "seen": fault.seen,
        "start_ms": fault.start_ms,
        "end_ms": fault.end_ms,
        "spec": fault.spec.shown(),
    }
