"""The ways a risk command ends early."""

import re

_PASSWORD = re.compile(r"(://[^:/@\s]*):[^@\s]*@")


def without_passwords(text: str) -> str:
    """Hide the password of every URL in a text."""
    return _PASSWORD.sub(r"\1:***@", text)


class RiskError(Exception):
    """Report a problem that the operator can remedy.

    Parameters
    ----------
    text : str
        What is wrong, naming the thing, its value and the remedy. Passwords in URLs are hidden.
    exit_status : int
        1 when there is nothing to do or it must not be done, 2 for options and config, 3 when the
        ledger can not answer.
    """

    def __init__(self, text: str, *, exit_status: int) -> None:
        super().__init__(without_passwords(text))
        self.exit_status = exit_status
