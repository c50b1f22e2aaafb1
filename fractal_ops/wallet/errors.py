"""The ways a wallet command ends early."""


class WalletError(Exception):
    """Report a problem that the operator can remedy.

    Parameters
    ----------
    problem : str
        What is wrong, naming the thing and its value.
    remedy : str
        What to do about it.
    exit_status : int
        2 for options, files and an exchange that is not there; 1 when the exchange refused.
    """

    def __init__(self, problem: str, remedy: str, *, exit_status: int = 2) -> None:
        super().__init__(f"{problem}: {remedy}")
        self.exit_status = exit_status
