"""Whose signature is it: the venue's way of recovering a signer from an action.

An action is packed with MessagePack in the order of its keys, hashed with its nonce, and the hash
signed as an EIP-712 message of a "phantom agent" whose source tells mainnet ("a") from testnet
("b"). The venue never asks who signed: it recovers an address, and a wrong signature is simply the
address of nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgpack
from eth_utils.crypto import keccak

from fractal_testnet.wire.errors import malformed
from fractal_testnet.wire.eth import Account, BadSignature, encode_typed_data

TESTNET_SOURCE = "b"
ZERO_ADDRESS = "0x" + "00" * 20
MAX_NONCE = 1 << 64

_DOMAIN = {
    "name": "Exchange",
    "version": "1",
    "chainId": 1337,
    "verifyingContract": ZERO_ADDRESS,
}
_TYPES = {
    "Agent": [{"name": "source", "type": "string"}, {"name": "connectionId", "type": "bytes32"}]
}


@dataclass(frozen=True, slots=True)
class Signature:
    """An ECDSA signature over secp256k1.

    Parameters
    ----------
    r, s : int
        The two numbers, 256 bits.
    v : int
        27 or 28: which of two keys it belongs to.
    """

    r: int
    s: int
    v: int

    @classmethod
    def from_wire(cls, value: object) -> Signature:
        """Read the `signature` of a request.

        Raises
        ------
        WireError
            422 if it is no object of r and s (hexadecimal text) and v (27 or 28).
        """
        if not isinstance(value, Mapping):
            raise malformed(f"signature is {value!r}, not an object of r, s and v")
        v = value.get("v")
        if v not in (27, 28) or isinstance(v, bool):
            raise malformed(f"signature.v is {v!r}, not 27 or 28")
        return cls(_number(value, "r"), _number(value, "s"), v)


def action_hash(
    action: Mapping[str, Any],
    nonce: int,
    vault: str | None = None,
    expires_after: int | None = None,
) -> bytes:
    """Hash what is signed: the packed action, its nonce, and for whom and until when it counts.

    Parameters
    ----------
    action : mapping
        The action as it came, keys in its own order.
    nonce : int
        Milliseconds, chosen by the client.
    vault : str, optional
        Address of the account that is traded for.
    expires_after : int, optional
        Milliseconds after which the action must not be executed.

    Returns
    -------
    bytes
        32 bytes, Keccak-256.

    Raises
    ------
    WireError
        422 if the action can not be packed, or a number does not fit into 64 bits.
    """
    try:
        packed: bytes = msgpack.packb(dict(action))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise malformed(f"the action can not be packed: {error}") from error
    data = packed + _eight_bytes("nonce", nonce)
    data += b"\x00" if vault is None else b"\x01" + _address_bytes(vault)
    if expires_after is not None:
        data += b"\x00" + _eight_bytes("expiresAfter", expires_after)
    return bytes(keccak(data))


def recover_signer(digest: bytes, signature: Signature, source: str = TESTNET_SOURCE) -> str | None:
    """Recover the address that signed an action.

    Parameters
    ----------
    digest : bytes
        From `action_hash`.
    signature : Signature
        From the request.
    source : str, default "b"
        "a" for mainnet, "b" for testnet; a signature for the other one is somebody else's.

    Returns
    -------
    str or None
        Lower-case address; None where no key can have made the signature.
    """
    message = encode_typed_data(_DOMAIN, _TYPES, {"source": source, "connectionId": digest})
    try:
        address = Account.recover_message(message, vrs=(signature.v, signature.r, signature.s))
    except (BadSignature, ValueError):
        return None
    return str(address).lower()


def _number(value: Mapping[str, Any], name: str) -> int:
    text = value.get(name)
    if not isinstance(text, str) or not text.startswith("0x"):
        raise malformed(f"signature.{name} is {text!r}, not hexadecimal text")
    try:
        number = int(text, 16)
    except ValueError as error:
        raise malformed(f"signature.{name} is {text!r}, not hexadecimal text") from error
    if number >> 256:
        raise malformed(f"signature.{name} has more than 256 bits")
    return number


def _eight_bytes(name: str, value: int) -> bytes:
    # A request is JSON, whatever the annotation says.
    if type(value) is not int or not 0 <= value < MAX_NONCE:
        raise malformed(f"{name} is {value!r}, not a number of milliseconds")
    return value.to_bytes(8, "big")


def _address_bytes(address: str) -> bytes:
    try:
        raw = bytes.fromhex(address.removeprefix("0x"))
    except ValueError as error:
        raise malformed(f"{address!r} is not an address") from error
    if len(raw) != 20:
        raise malformed(f"{address!r} is not an address of 20 bytes")
    return raw
