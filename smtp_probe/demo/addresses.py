"""Who lives in the domain of the demo: one recipient for each scenario, and the sender to whom bounces return.

In: the chosen scenarios. Out: for an address, its mailbox and its scenario; None for everybody else, so that the
path never takes mail for the world outside. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from smtp_probe.demo.scenarios import SCENARIOS, Scenario

DOMAIN = "example.test"
"""The only domain that the path delivers to (RFC 6761 keeps `.test` for such uses)."""
SENDER = f"prober@{DOMAIN}"
"""The envelope sender of the probes, and the login name of the mailbox to which bounces return."""
RECIPIENT_LOGIN = f"recipient@{DOMAIN}"
"""The login name of the mailbox to which the recipients of all scenarios are aliases."""

_LOCAL_ADDRESS = re.compile(
    r"([A-Za-z0-9._-]{1,64})(?:\+[A-Za-z0-9._=-]{0,64})?@" + re.escape(DOMAIN), re.IGNORECASE
)
_ANY_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")


@dataclass(frozen=True, slots=True)
class Resident:
    """Where the mail for one address goes, and how it is treated on the way."""

    mailbox: str
    scenario: Scenario


def recipient_of(scenario: Scenario) -> str:
    """The address whose mail is treated as the scenario says."""
    return f"{scenario.name}@{DOMAIN}"


def is_well_formed(address: str) -> bool:
    """Whether an envelope address is of the plain form that may be copied into a header."""
    return _ANY_ADDRESS.fullmatch(address) is not None


class AddressBook:
    """The residents of the domain, for one chain of hosts."""

    def __init__(self, scenarios: Iterable[Scenario]) -> None:
        self._residents = {
            scenario.name.lower(): Resident(RECIPIENT_LOGIN, scenario) for scenario in scenarios
        }
        self._residents[SENDER.partition("@")[0]] = Resident(SENDER, SCENARIOS["on-time"])

    def find(self, address: str) -> Resident | None:
        """The resident with this address; what stands after a `+` is ignored. None for everybody else."""
        match = _LOCAL_ADDRESS.fullmatch(address)
        return self._residents.get(match[1].lower()) if match else None

    def is_sender(self, address: str) -> bool:
        """Whether this is the prober's own address, with or without a `+` part."""
        resident = self.find(address)
        return resident is not None and resident.mailbox == SENDER
