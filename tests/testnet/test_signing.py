"""Signatures: what ccxt signs is recovered as its signer, and nothing else is."""

import subprocess
import sys

import ccxt
import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from fractal_testnet.wire.errors import WireError
from fractal_testnet.wire.signing import Signature, action_hash, recover_signer

KEY = "0x" + "11" * 32
SIGNER = Account.from_key(KEY).address.lower()
NONCE = 1_750_000_000_123
ORDER = {
    "type": "order",
    "orders": [
        {"a": 0, "b": True, "p": "95000", "s": "0.01", "r": False, "t": {"limit": {"tif": "Gtc"}}}
    ],
    "grouping": "na",
}


def client(*, sandbox: bool = True) -> ccxt.hyperliquid:
    return ccxt.hyperliquid({"privateKey": KEY, "walletAddress": SIGNER, "sandbox": sandbox})


def signed(action, nonce=NONCE, *, sandbox=True, **extra) -> Signature:
    return Signature.from_wire(client(sandbox=sandbox).sign_l1_action(action, nonce, **extra))


def test_what_ccxt_signs_is_recovered_as_its_signer():
    assert recover_signer(action_hash(ORDER, NONCE), signed(ORDER)) == SIGNER


@pytest.mark.parametrize("expires", [None, NONCE + 60_000])
@pytest.mark.parametrize("vault", [None, "ab" * 20])
def test_vault_and_expiry_are_part_of_what_is_signed(vault, expires):
    signature = signed(ORDER, vaultAdress=vault, expiresAfter=expires)

    assert recover_signer(action_hash(ORDER, NONCE, vault, expires), signature) == SIGNER
    assert recover_signer(action_hash(ORDER, NONCE, "cd" * 20, expires), signature) != SIGNER
    assert recover_signer(action_hash(ORDER, NONCE, vault, NONCE + 1), signature) != SIGNER


@settings(max_examples=25, deadline=None)
@given(
    price=st.decimals(1, 200_000, places=1).map(str),
    asset=st.integers(0, 20_000),
    nonce=st.integers(1_600_000_000_000, 1_900_000_000_000),
)
def test_every_order_of_ccxt_is_recovered(price, asset, nonce):
    action = {**ORDER, "orders": [{**ORDER["orders"][0], "p": price, "a": asset}]}

    assert recover_signer(action_hash(action, nonce), signed(action, nonce)) == SIGNER


@pytest.mark.parametrize(
    "changed",
    [
        {**ORDER, "grouping": "normalTpsl"},
        {**ORDER, "orders": [{**ORDER["orders"][0], "s": "0.02"}]},
        {"orders": ORDER["orders"], "type": "order", "grouping": "na"},  # another order of keys
    ],
)
def test_a_changed_action_is_somebody_elses(changed):
    assert recover_signer(action_hash(changed, NONCE), signed(ORDER)) != SIGNER


def test_another_nonce_is_somebody_elses():
    assert recover_signer(action_hash(ORDER, NONCE + 1), signed(ORDER)) != SIGNER


def test_a_signature_for_mainnet_is_somebody_elses_on_the_testnet():
    signature = signed(ORDER, sandbox=False)

    assert recover_signer(action_hash(ORDER, NONCE), signature) != SIGNER
    assert recover_signer(action_hash(ORDER, NONCE), signature, source="a") == SIGNER


def test_a_signature_that_no_key_can_have_made_is_nobodys():
    assert recover_signer(action_hash(ORDER, NONCE), Signature(0, 0, 27)) is None


@pytest.mark.parametrize(
    "wire",
    [
        None,
        [],
        {},
        {"r": "0x1", "s": "0x1", "v": 26},
        {"r": "0x1", "s": "0x1", "v": True},
        {"r": "1", "s": "0x1", "v": 27},
        {"r": "0xzz", "s": "0x1", "v": 27},
        {"r": "0x1", "s": 5, "v": 27},
        {"r": "0x1" + "0" * 64, "s": "0x1", "v": 27},
    ],
)
def test_a_malformed_signature_is_refused(wire):
    with pytest.raises(WireError) as refusal:
        Signature.from_wire(wire)

    assert refusal.value.status == 422


@pytest.mark.parametrize(
    ("action", "nonce", "vault"),
    [
        ({"x": object()}, NONCE, None),
        (ORDER, -1, None),
        (ORDER, 1 << 64, None),
        (ORDER, True, None),
        (ORDER, NONCE, "0x12"),
        (ORDER, NONCE, "no address"),
    ],
)
def test_what_can_not_be_hashed_is_refused(action, nonce, vault):
    with pytest.raises(WireError) as refusal:
        action_hash(action, nonce, vault)

    assert refusal.value.status == 422


def test_importing_the_signatures_leaves_the_recursion_limit_alone():
    # A dependency raises it so far that nested brackets would overflow the C stack.
    code = (
        "import sys; before = sys.getrecursionlimit(); import fractal_testnet.app; "
        "sys.exit(sys.getrecursionlimit() != before)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603
