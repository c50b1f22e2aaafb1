"""eth-account, without what it does to the interpreter.

One of its dependencies, py_ecc, raises Python's recursion limit to 100,000 at import. A request
body of nested brackets would then overflow the C stack and end the process instead of raising
`RecursionError`; so the limit is put back.
"""

from __future__ import annotations

import sys

_limit = sys.getrecursionlimit()
try:
    from eth_account import Account
    from eth_account.messages import SignableMessage, encode_typed_data
    from eth_keys.exceptions import BadSignature
finally:
    sys.setrecursionlimit(_limit)

__all__ = ["Account", "BadSignature", "SignableMessage", "encode_typed_data"]
