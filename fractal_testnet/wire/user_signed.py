"""Actions that the account's own key signs, in words that a wallet can show: EIP-712 messages.

Unlike orders, which an agent may sign as a packed hash, each kind of these has a message type of
its own. The chain that the wallet stands on is named by the action itself (`signatureChainId`), so
a signature counts whatever chain that is; `hyperliquidChain` is what tells testnet from mainnet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fractal_testnet.wire.errors import malformed
from fractal_testnet.wire.eth import Account, BadSignature, SignableMessage, encode_typed_data
from fractal_testnet.wire.signing import MAX_NONCE, ZERO_ADDRESS, Signature

CHAIN = "Testnet"

_Field = tuple[str, str]
_TYPES: dict[str, tuple[str, tuple[_Field, ...]]] = {
    "approveAgent": (
        "ApproveAgent",
        (
            ("hyperliquidChain", "string"),
            ("agentAddress", "address"),
            ("agentName", "string"),
            ("nonce", "uint64"),
        ),
    ),
    "approveBuilderFee": (
        "ApproveBuilderFee",
        (
            ("hyperliquidChain", "string"),
            ("maxFeeRate", "string"),
            ("builder", "address"),
            ("nonce", "uint64"),
        ),
    ),
}

USER_SIGNED = frozenset(_TYPES)
"""The action types that are signed so."""


def recover_user_signer(
    action: Mapping[str, Any], signature: Signature, nonce: object
) -> str | None:
    """Recover the address that signed an action of the account.

    Parameters
    ----------
    action : mapping
        The action as it came; its `type` is one of `USER_SIGNED`.
    signature : Signature
        From the request.
    nonce : object
        The request's own nonce, which must be the action's.

    Returns
    -------
    str or None
        Lower-case address; None where no key can have made the signature. A wrong signature is
        somebody else's address.

    Raises
    ------
    WireError
        422 if a field is missing or of another kind, if the action is for another chain than the
        testnet, or if the nonces differ.
    """
    if action.get("hyperliquidChain") != CHAIN:
        raise malformed(f"hyperliquidChain is {action.get('hyperliquidChain')!r}, not {CHAIN!r}")
    if type(nonce) is not int or action.get("nonce") != nonce:
        raise malformed(f"the action's nonce is {action.get('nonce')!r}, the request's {nonce!r}")
    message = _message(action)
    try:
        address = Account.recover_message(message, vrs=(signature.v, signature.r, signature.s))
    except (BadSignature, ValueError):
        return None
    return str(address).lower()


def sign_user_action(private_key: str, action: Mapping[str, Any]) -> dict[str, Any]:
    """Sign an action with the account's own key, as a client does.

    Parameters
    ----------
    private_key : str
        Hexadecimal, of the account (not of an agent).
    action : mapping
        A complete action; its `type` is one of `USER_SIGNED`.

    Returns
    -------
    dict
        The `signature` of the request: r, s, v.

    Raises
    ------
    WireError
        422 if the action is none that the venue would take.
    """
    signed = Account.sign_message(_message(action), private_key)
    return {"r": f"0x{signed.r:064x}", "s": f"0x{signed.s:064x}", "v": signed.v}


def _message(action: Mapping[str, Any]) -> SignableMessage:
    kind = action.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise malformed(f"{kind!r} is no action that the account's key signs")
    name, fields = _TYPES[kind]
    primary = f"HyperliquidTransaction:{name}"
    domain = {
        "name": "HyperliquidSignTransaction",
        "version": "1",
        "chainId": _chain_id(action.get("signatureChainId")),
        "verifyingContract": ZERO_ADDRESS,
    }
    types = {primary: [{"name": field, "type": kind} for field, kind in fields]}
    try:
        return encode_typed_data(
            domain, types, {field: _value(action, field, kind) for field, kind in fields}
        )
    except UnicodeEncodeError as error:  # half a surrogate pair is JSON, but no text
        raise malformed(f"{kind} holds what is no text: {error}") from error


def _chain_id(value: object) -> int:
    if not isinstance(value, str) or not value.startswith("0x") or len(value) > 18:
        raise malformed(f"signatureChainId is {value!r}, not hexadecimal text such as '0x66eee'")
    try:
        return int(value, 16)
    except ValueError as error:
        raise malformed(f"signatureChainId is {value!r}, not hexadecimal text") from error


def _value(action: Mapping[str, Any], field: str, kind: str) -> str | int:
    value = action.get(field)
    if kind == "uint64":
        if type(value) is not int or not 0 <= value < MAX_NONCE:
            raise malformed(f"{field} is {value!r}, not a number of milliseconds")
        return value
    if field == "agentName" and value is None:
        return ""  # the one agent without a name is signed for with an empty one
    if not isinstance(value, str):
        raise malformed(f"{field} is {value!r}, not a text")
    # Letters in an address may be of either case: a checksum is the wallets' business.
    return _address(field, value) if kind == "address" else value


def _address(field: str, value: str) -> str:
    text = value.lower()
    digits = text.removeprefix("0x")
    if len(text) != 42 or len(digits) != 40 or set(digits) - set("0123456789abcdef"):
        raise malformed(f"{field} is {value!r}, not an address")
    return text
