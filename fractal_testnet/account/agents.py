"""Agent wallets: keys that may trade for an account, but never take its money away."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .refusal import RefusedError

DAY_MS = 86_400_000
MAX_DAYS = 180
NAMED = 3
_VALID_UNTIL = re.compile(r"^(?P<name>.*?) ?valid_until (?P<until>\d{1,16})$")


@dataclass(frozen=True, slots=True)
class Agent:
    """One approved agent wallet.

    Parameters
    ----------
    address : str
        Lower-case address of its key.
    user : str
        The account that it trades for.
    name : str
        Empty for the one agent without a name.
    valid_until_ms : int
        From then on it does not exist for the venue.
    """

    address: str
    user: str
    name: str
    valid_until_ms: int


@dataclass
class AgentBook:
    """Which agent trades for which account.

    Notes
    -----
    A name may carry its own end, ``bot valid_until 1790000000000``; without one, or with a later
    one, an agent lives for 180 days: none is endless. Approving a name again replaces its agent,
    and an address that was an agent once stays one that nobody else can use.
    """

    _by_address: dict[str, Agent] = field(default_factory=dict)

    def approve(self, user: str, address: str, label: str, now_ms: int) -> Agent:
        """Approve an agent.

        Parameters
        ----------
        user, address : str
            Lower-case addresses of the account and of the agent.
        label : str
            Its name, maybe with its end.
        now_ms : int
            The moment.

        Raises
        ------
        RefusedError
            The address is taken, or the account has its three named agents.
        """
        if address in self._by_address or address == user:
            raise RefusedError("Extra agent already used.")
        found = _VALID_UNTIL.match(label)
        name = found["name"] if found else label
        latest = now_ms + MAX_DAYS * DAY_MS
        until = min(int(found["until"]), latest) if found else latest
        if until <= now_ms:
            raise RefusedError("Extra agent expiration must be in the future.")
        others = [agent for agent in self.of(user, now_ms) if agent.name and agent.name != name]
        if name and len(others) >= NAMED:
            raise RefusedError("Too many extra agents.")
        for agent in list(self._by_address.values()):
            if agent.user == user and agent.name == name and agent.valid_until_ms > now_ms:
                self._by_address[agent.address] = Agent(agent.address, user, name, now_ms)
        agent = Agent(address, user, name, until)
        self._by_address[address] = agent
        return agent

    def of(self, user: str, now_ms: int) -> list[Agent]:
        """Return the agents that trade for an account now."""
        return [
            a for a in self._by_address.values() if a.user == user and a.valid_until_ms > now_ms
        ]

    def user_of(self, address: str, now_ms: int) -> str | None:
        """Return the account that an agent trades for; None where it is none, or is no more."""
        agent = self._by_address.get(address)
        return agent.user if agent is not None and agent.valid_until_ms > now_ms else None
