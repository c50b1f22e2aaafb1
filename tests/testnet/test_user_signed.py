"""Actions signed by the account's own key: ccxt's are recovered, changed ones are not."""

import ccxt
import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from fractal_testnet.wire.errors import WireError
from fractal_testnet.wire.signing import Signature
from fractal_testnet.wire.user_signed import USER_SIGNED, recover_user_signer, sign_user_action

KEY = "0x" + "11" * 32
SIGNER = Account.from_key(KEY).address.lower()
AGENT = Account.from_key("0x" + "22" * 32).address
NONCE = 1_750_000_000_123
BUILDER = "0x6530512A6c89C7cfCEbC3BA7fcD9aDa5f30827a6"
APPROVE_AGENT = {
    "type": "approveAgent",
    "hyperliquidChain": "Testnet",
    "signatureChainId": "0x66eee",
    "agentAddress": AGENT,
    "agentName": "fractal valid_until 1765552000123",
    "nonce": NONCE,
}
APPROVE_FEE = {
    "type": "approveBuilderFee",
    "hyperliquidChain": "Testnet",
    "signatureChainId": "0x66eee",
    "maxFeeRate": "0.01%",
    "builder": BUILDER,
    "nonce": NONCE,
}
CCXT_TYPES = {
    "approveAgent": {
        "HyperliquidTransaction:ApproveAgent": [
            {"name": "hyperliquidChain", "type": "string"},
            {"name": "agentAddress", "type": "address"},
            {"name": "agentName", "type": "string"},
            {"name": "nonce", "type": "uint64"},
        ]
    }
}


class QuietClient(ccxt.hyperliquid):
    """ccxt with its requests kept instead of sent."""

    def __init__(self) -> None:
        super().__init__({"privateKey": KEY, "walletAddress": SIGNER})
        self.set_sandbox_mode(True)
        self.sent: list[dict] = []

    def private_post_exchange(self, params=None, *_):
        self.sent.append(params)
        return {"status": "ok"}

    privatePostExchange = private_post_exchange  # noqa: N815  # ccxt's own name


def by_ccxt(action) -> Signature:
    message = {
        field["name"]: action[field["name"]]
        for field in next(iter(CCXT_TYPES["approveAgent"].values()))
    }
    made = QuietClient().sign_user_signed_action(CCXT_TYPES["approveAgent"], message)
    return Signature.from_wire(made)


def test_builder_fee_request_as_ccxt_sends_it_is_recovered() -> None:
    client = QuietClient()
    client.approve_builder_fee(BUILDER, "0.01%")
    request = client.sent[0]

    signer = recover_user_signer(
        request["action"], Signature.from_wire(request["signature"]), request["nonce"]
    )

    assert request["action"]["type"] in USER_SIGNED
    assert signer == SIGNER


@pytest.mark.parametrize("name", ["fractal valid_until 1765552000123", "", "é 🚀", "x" * 300])
def test_agent_approval_signed_by_ccxt_is_recovered(name: str) -> None:
    action = {**APPROVE_AGENT, "agentName": name}

    assert recover_user_signer(action, by_ccxt(action), NONCE) == SIGNER


def test_case_of_an_address_does_not_matter() -> None:
    signature = by_ccxt(APPROVE_AGENT)

    for spelled in (AGENT.lower(), "0x" + AGENT[2:].upper()):
        changed = {**APPROVE_AGENT, "agentAddress": spelled}
        assert recover_user_signer(changed, signature, NONCE) == SIGNER


def test_agent_without_a_name_is_signed_for_with_an_empty_one() -> None:
    signature = by_ccxt({**APPROVE_AGENT, "agentName": ""})
    bare = {key: value for key, value in APPROVE_AGENT.items() if key != "agentName"}

    assert recover_user_signer(bare, signature, NONCE) == SIGNER
    assert recover_user_signer({**bare, "agentName": None}, signature, NONCE) == SIGNER


@pytest.mark.parametrize("action", [APPROVE_AGENT, APPROVE_FEE], ids=lambda a: a["type"])
@pytest.mark.parametrize("chain", ["0x66eee", "0xa4b1", "0x1", "0x66EEE"])
def test_what_we_sign_is_recovered_on_any_chain(action: dict, chain: str) -> None:
    action = {**action, "signatureChainId": chain}

    signature = Signature.from_wire(sign_user_action(KEY, action))

    assert recover_user_signer(action, signature, NONCE) == SIGNER


def test_our_signature_is_ccxts_own() -> None:
    assert Signature.from_wire(sign_user_action(KEY, APPROVE_AGENT)) == by_ccxt(APPROVE_AGENT)


@settings(max_examples=25, deadline=None)
@given(name=st.text(st.characters(codec="utf-8"), max_size=40), nonce=st.integers(0, 2**64 - 1))
def test_every_approval_we_sign_is_recovered(name: str, nonce: int) -> None:
    action = {**APPROVE_AGENT, "agentName": name, "nonce": nonce}
    signature = Signature.from_wire(sign_user_action(KEY, action))

    assert recover_user_signer(action, signature, nonce) == SIGNER


@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        (APPROVE_AGENT, "agentAddress", "0x" + "33" * 20),
        (APPROVE_AGENT, "agentName", "fractal valid_until 1965552000123"),
        (APPROVE_AGENT, "signatureChainId", "0x1"),
        (APPROVE_FEE, "maxFeeRate", "1%"),
        (APPROVE_FEE, "builder", "0x" + "33" * 20),
        (APPROVE_FEE, "signatureChainId", "0xa4b1"),
    ],
)
def test_changed_field_is_somebody_elses(action: dict, field: str, value: str) -> None:
    signature = Signature.from_wire(sign_user_action(KEY, action))

    assert recover_user_signer({**action, field: value}, signature, NONCE) != SIGNER


def test_nonce_changed_in_action_and_request_is_somebody_elses() -> None:
    signature = Signature.from_wire(sign_user_action(KEY, APPROVE_AGENT))

    changed = {**APPROVE_AGENT, "nonce": NONCE + 1}
    assert recover_user_signer(changed, signature, NONCE + 1) != SIGNER


def test_approval_of_one_kind_does_not_count_as_the_other() -> None:
    action = {**APPROVE_AGENT, **APPROVE_FEE}
    signature = Signature.from_wire(sign_user_action(KEY, action))

    assert recover_user_signer({**action, "type": "approveAgent"}, signature, NONCE) != SIGNER


def test_signature_that_no_key_can_have_made_is_nobodys() -> None:
    assert recover_user_signer(APPROVE_AGENT, Signature(0, 0, 27), NONCE) is None


@pytest.mark.parametrize(
    "change",
    [
        {"hyperliquidChain": "Mainnet"},
        {"hyperliquidChain": None},
        {"nonce": NONCE + 1},
        {"nonce": str(NONCE)},
        {"nonce": float(NONCE)},
        {"type": "usdSend"},
        {"type": ["approveAgent"]},
        {"signatureChainId": 421614},
        {"signatureChainId": "66eee"},
        {"signatureChainId": "0xzz"},
        {"signatureChainId": "0x" + "f" * 17},
        {"agentAddress": "0x12"},
        {"agentAddress": "0x" + "g" * 40},
        {"agentAddress": "0X" + "0x" + "1" * 38},
        {"agentAddress": "11" * 21},
        {"agentAddress": None},
        {"agentName": 5},
        {"agentName": "\ud800"},
    ],
)
def test_malformed_action_is_refused(change: dict) -> None:
    with pytest.raises(WireError) as refusal:
        recover_user_signer({**APPROVE_AGENT, **change}, Signature(1, 1, 27), NONCE)

    assert refusal.value.status == 422


@pytest.mark.parametrize("nonce", [None, -1, 1 << 64, True])
def test_malformed_nonce_is_refused(nonce: object) -> None:
    action = {**APPROVE_AGENT, "nonce": nonce}

    with pytest.raises(WireError):
        recover_user_signer(action, Signature(1, 1, 27), nonce)
