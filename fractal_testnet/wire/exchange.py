"""`POST /exchange`: whose request it is, whether it counts, and what it does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from fractal_testnet.account.bank import ZERO
from fractal_testnet.account.exchange import Exchange, Meddling
from fractal_testnet.account.orders import Order, OrderRequest
from fractal_testnet.account.refusal import RefusedError
from fractal_testnet.account.trader import Trader
from fractal_testnet.wire import orders as wire_orders
from fractal_testnet.wire.allowance import Allowance
from fractal_testnet.wire.errors import WireError, malformed
from fractal_testnet.wire.nonces import NonceBook
from fractal_testnet.wire.signing import ZERO_ADDRESS, Signature, action_hash, recover_signer
from fractal_testnet.wire.user_signed import USER_SIGNED, recover_user_signer
from fractal_testnet.wire.venue import MAX_MS, Venue

logger = logging.getLogger(__name__)

MICRO = Decimal("0.000001")
TENTH_OF_BASIS_POINT = Decimal("0.00001")

Action = Mapping[str, Any]
Handler = Callable[[Trader, Action, int], Any]


class Disturbance(Protocol):
    """What faults may do to actions."""

    def clock_offset_ms(self) -> int:
        """Return what the venue's clock shows too much."""
        ...

    def meddle(self, user: str, kind: str, request: OrderRequest) -> Meddling | None:
        """Return what happens to one order."""
        ...


class NoDisturbance:
    """Nothing goes wrong."""

    def clock_offset_ms(self) -> int:
        """Return 0."""
        return 0

    def meddle(self, user: str, kind: str, request: OrderRequest) -> Meddling | None:  # noqa: ARG002
        """Return None."""
        return None


class ExchangeRouter:
    """Answer action requests, whoever carries them (REST, or a WebSocket's `post`).

    Parameters
    ----------
    venue : Venue
        The market and its clock.
    exchange : Exchange
        The matching engine.
    disturbance : Disturbance, optional
        Faults.
    """

    def __init__(
        self, venue: Venue, exchange: Exchange, disturbance: Disturbance | None = None
    ) -> None:
        self._venue = venue
        self._exchange = exchange
        self._disturbance = disturbance or NoDisturbance()
        self._nonces = NonceBook()
        self._allowance = Allowance()
        self._specs = list(venue.market.assets)
        self._handlers: dict[str, Handler] = {
            "order": self._order,
            "cancel": self._cancel,
            "cancelByCloid": self._cancel_by_cloid,
            "modify": self._modify,
            "batchModify": self._batch_modify,
            "updateLeverage": self._update_leverage,
            "updateIsolatedMargin": self._update_margin,
            "scheduleCancel": self._schedule_cancel,
            "setReferrer": self._nothing,
            "noop": self._nothing,
            "approveAgent": self._approve_agent,
            "approveBuilderFee": self._approve_builder_fee,
        }

    def user_of(self, body: object) -> str | None:
        """Return the account that a request acts for; None where it can not be told."""
        try:
            action, nonce, signature, vault, expires = _parts(body)
            kind = str(action.get("type"))
            signer = self._signer(kind, action, nonce, signature, vault, expires)
            return self._user(kind, signer, self._venue.now_ms())
        except WireError:
            return None

    def answer(self, body: object) -> dict[str, Any]:
        """Return the JSON-ready answer to a request.

        Parameters
        ----------
        body : object
            Any decoded JSON value; a request has action, nonce and signature.

        Raises
        ------
        WireError
            422 for everything that is no valid request. What is refused for another reason is an
            answer with status ``err``.
        """
        now_ms = self._venue.now_ms()
        action, nonce, signature, vault, expires = _parts(body)
        kind = action.get("type")
        handler = self._handlers.get(kind) if isinstance(kind, str) else None
        if handler is None or not isinstance(kind, str):
            raise malformed(f"unknown action {kind!r}")
        signer = self._signer(kind, action, nonce, signature, vault, expires)
        user = self._user(kind, signer, now_ms)
        if user is None:
            return self._refuse(signer, action, f"User or API Wallet {signer} does not exist.")
        try:
            self._admit(signer, user, kind, action, nonce, vault, expires, now_ms)
            data = handler(self._exchange.trader(user), action, now_ms)
        except RefusedError as error:
            return self._refuse(user, action, error.text)
        shape = "cancel" if kind == "cancelByCloid" else "order" if "odify" in kind else kind
        response: dict[str, Any] = {"type": "default"}
        if data is not None:
            response = {"type": shape, "data": {"statuses": data}}
        self._journal(user, action, "ok", data)
        return {"status": "ok", "response": response}

    # Who is it -------------------------------------------------------------------------------

    def _signer(
        self,
        kind: str,
        action: Action,
        nonce: int,
        signature: Signature,
        vault: str | None,
        expires: int | None,
    ) -> str:
        if kind in USER_SIGNED:
            found = recover_user_signer(action, signature, nonce)
        else:
            found = recover_signer(action_hash(action, nonce, vault, expires), signature)
        return found or ZERO_ADDRESS

    def _user(self, kind: str, signer: str, now_ms: int) -> str | None:
        """Return the account that is acted for; an agent may not approve anything."""
        trader = self._exchange.find(signer)
        if trader is not None and trader.transfers:
            return signer
        return None if kind in USER_SIGNED else self._exchange.agents.user_of(signer, now_ms)

    def _admit(
        self,
        signer: str,
        user: str,
        kind: str,
        action: Action,
        nonce: int,
        vault: str | None,
        expires: int | None,
        now_ms: int,
    ) -> None:
        shown_ms = now_ms + self._disturbance.clock_offset_ms()
        if (reason := self._nonces.take(signer, nonce, shown_ms)) is not None:
            raise RefusedError(reason)
        if vault is not None:
            raise RefusedError(f"Vault not registered: {vault}")
        if expires is not None and expires < shown_ms:
            raise RefusedError(f"Action expired: {expires} is before {shown_ms}")
        batch = next((v for v in action.values() if isinstance(v, list)), [])
        trader = self._exchange.trader(user)
        if (reason := self._allowance.charge(trader, kind, len(batch), now_ms)) is not None:
            raise RefusedError(reason)

    # What it does ----------------------------------------------------------------------------

    def _order(self, trader: Trader, action: Action, now_ms: int) -> Any:
        if action.get("grouping") != "na":
            raise RefusedError(
                f"Grouping {action.get('grouping')!r} is not offered by the loopback exchange: "
                "send the stop and the target as orders of their own"
            )
        ratio = self._builder_ratio(trader, action.get("builder"))
        wanted = [
            wire_orders.order_request(wire, self._specs, ratio) for wire in _batch(action, "orders")
        ]
        return [self._place(trader, "order", request, now_ms) for request in wanted]

    def _place(
        self,
        trader: Trader,
        kind: str,
        request: OrderRequest,
        now_ms: int,
        replaced: Order | None = None,
    ) -> Any:
        meddling = self._disturbance.meddle(trader.address, kind, request)
        try:
            if kind == "order":
                order = self._exchange.place(trader.address, request, now_ms, meddling)
            else:
                order = self._exchange.modify(trader.address, replaced, request, now_ms, meddling)
        except RefusedError as error:
            return {"error": error.text}
        return wire_orders.placed(order, self._exchange.specs[request.coin])

    def _batch_modify(self, trader: Trader, action: Action, now_ms: int) -> Any:
        wanted = []
        for entry in _batch(action, "modifies"):
            if not isinstance(entry, Mapping):
                raise malformed(f"a modification is {entry!r}, not an object")
            request = wire_orders.order_request(entry.get("order"), self._specs, ZERO)
            wanted.append((self._find(trader, entry.get("oid")), request))
        return [
            self._place(trader, "batchModify", request, now_ms, replaced)
            for replaced, request in wanted
        ]

    def _modify(self, trader: Trader, action: Action, now_ms: int) -> Any:
        one = {name: value for name, value in action.items() if name != "type"}
        [answer] = self._batch_modify(trader, {"modifies": [one]}, now_ms)
        if "error" in answer:
            raise RefusedError(answer["error"])
        return None

    def _cancel(self, trader: Trader, action: Action, now_ms: int) -> Any:
        return self._cancel_each(trader, _batch(action, "cancels"), "a", "o", now_ms)

    def _cancel_by_cloid(self, trader: Trader, action: Action, now_ms: int) -> Any:
        return self._cancel_each(trader, _batch(action, "cancels"), "asset", "cloid", now_ms)

    def _cancel_each(
        self, trader: Trader, batch: Sequence[object], asset_key: str, id_key: str, now_ms: int
    ) -> Any:
        wanted = []
        for entry in batch:
            if not isinstance(entry, Mapping):
                raise malformed(f"a cancellation is {entry!r}, not an object")
            asset = wire_orders.asset_index(entry.get(asset_key), self._specs)
            wanted.append((self._find(trader, entry.get(id_key)), asset))
        answers: list[Any] = []
        for order, asset in wanted:
            try:
                self._exchange.cancel(trader.address, order, asset, now_ms)
                answers.append("success")
            except RefusedError as error:
                answers.append({"error": error.text})
        return answers

    def _find(self, trader: Trader, wanted: object) -> Order | None:
        if isinstance(wanted, str):
            cloid = wire_orders.cloid(wanted)
            return None if cloid is None else trader.by_cloid(cloid)
        if type(wanted) is not int:
            raise malformed(f"order id {wanted!r} is neither a number nor a client order id")
        return trader.order(wanted)

    def _update_leverage(self, trader: Trader, action: Action, now_ms: int) -> None:
        spec = self._specs[wire_orders.asset_index(action.get("asset"), self._specs)]
        leverage, is_cross = action.get("leverage"), action.get("isCross")
        if type(leverage) is not int or not isinstance(is_cross, bool):
            raise malformed(f"leverage is {leverage!r} and isCross {is_cross!r}")
        self._exchange.set_leverage(trader.address, spec.name, leverage, now_ms, is_cross=is_cross)

    def _update_margin(self, trader: Trader, action: Action, now_ms: int) -> None:
        spec = self._specs[wire_orders.asset_index(action.get("asset"), self._specs)]
        millionths = action.get("ntli")
        if type(millionths) is not int:
            raise malformed(f"ntli is {millionths!r}, not millionths of a USDC")
        self._exchange.move_margin(trader.address, spec.name, millionths * MICRO, now_ms)

    def _schedule_cancel(self, trader: Trader, action: Action, now_ms: int) -> None:
        time_ms = action.get("time")
        if time_ms is not None and (type(time_ms) is not int or not 0 <= time_ms <= MAX_MS):
            raise malformed(f"time is {time_ms!r}, not a moment in milliseconds")
        self._exchange.advance(now_ms)
        self._exchange.schedule.set(trader.address, time_ms, now_ms, trader.traded)

    def _approve_agent(self, trader: Trader, action: Action, now_ms: int) -> None:
        name = action.get("agentName") or ""
        if not isinstance(name, str):
            raise malformed(f"agentName is {name!r}, not a text")
        address = str(action["agentAddress"]).lower()
        self._exchange.agents.approve(trader.address, address, name, now_ms)

    def _approve_builder_fee(self, trader: Trader, action: Action, now_ms: int) -> None:  # noqa: ARG002
        text = str(action["maxFeeRate"])
        ratio = wire_orders.number(text.removesuffix("%"), "maxFeeRate") / 100
        if not text.endswith("%") or not 0 <= ratio <= Decimal("0.001"):
            raise RefusedError(f"Invalid builder fee {text}: 0% to 0.1%")
        trader.approved_builders[str(action["builder"]).lower()] = ratio

    def _nothing(self, trader: Trader, action: Action, now_ms: int) -> None:
        """Accept what has no meaning here."""

    def _builder_ratio(self, trader: Trader, builder: object) -> Decimal:
        if builder is None:
            return ZERO
        if not isinstance(builder, Mapping) or type(builder.get("f")) is not int:
            raise malformed(f"builder is {builder!r}, not an object of b and f")
        ratio: Decimal = builder["f"] * TENTH_OF_BASIS_POINT
        approved = trader.approved_builders.get(str(builder.get("b")).lower())
        if approved is None or not 0 <= ratio <= approved:
            raise RefusedError("Builder fee has not been approved.")
        return ratio

    # What is written down --------------------------------------------------------------------

    def _refuse(self, user: str, action: Action, text: str) -> dict[str, Any]:
        logger.warning("/exchange: %s of %s refused: %s", action.get("type"), user, text)
        self._journal(user, action, "err", text)
        return {"status": "err", "response": text}

    def _journal(self, user: str, action: Action, status: str, answer: object) -> None:
        self._exchange.journal.write(
            "action",
            self._venue.now_ms(),
            user=user,
            action=dict(action),
            status=status,
            answer=answer,
        )


def _parts(
    body: object,
) -> tuple[Action, int, Signature, str | None, int | None]:
    """Return action, nonce, signature, vault address and expiry of a request."""
    if not isinstance(body, Mapping):
        raise malformed(f"the body is {type(body).__name__}, not an object")
    action, nonce = body.get("action"), body.get("nonce")
    if not isinstance(action, Mapping):
        raise malformed(f"action is {action!r}, not an object")
    if type(nonce) is not int or not 0 <= nonce <= MAX_MS:
        raise malformed(f"nonce is {nonce!r}, not a number of milliseconds")
    vault, expires = body.get("vaultAddress"), body.get("expiresAfter")
    if vault is not None and not isinstance(vault, str):
        raise malformed(f"vaultAddress is {vault!r}, not an address")
    if expires is not None and type(expires) is not int:
        raise malformed(f"expiresAfter is {expires!r}, not a number of milliseconds")
    return action, nonce, Signature.from_wire(body.get("signature")), vault, expires


def _batch(action: Action, name: str) -> Sequence[object]:
    entries = action.get(name)
    if not isinstance(entries, list) or not entries:
        raise malformed(f"{name} is {entries!r}, not a list with something in it")
    return entries
