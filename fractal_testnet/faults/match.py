"""Whom a fault meets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Role = Literal["entry", "stop", "exit"]

STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
"""Of every part of a fault: no unknown key, no silent conversion."""


class Match(BaseModel):
    """Whom a fault meets; what is not given meets everything.

    Parameters
    ----------
    path : {"info", "exchange", "*"}
        Which of the two addresses.
    type : str, optional
        Type of an info request (``l2Book``), of an action (``order``, ``cancel``) or, for
        `ws_silent`, of a stream (``candle``).
    role : {"entry", "stop", "exit"}, optional
        An order with a trigger is a stop, another that only reduces an exit, any other an entry.
    coin : str, optional
        Asset by name; in a batch, any order of it counts.
    user : str, optional
        Address of the account, in any case.
    """

    model_config = STRICT

    path: Literal["info", "exchange", "*"] = "*"
    type: Annotated[str, Field(min_length=1)] | None = None
    role: Role | None = None
    coin: Annotated[str, Field(min_length=1)] | None = None
    user: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")] | None = None
