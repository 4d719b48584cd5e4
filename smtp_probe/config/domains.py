"""Domains in the settings: whose DNS and exchangers are checked, and how far a check may go.

Reads nothing. The name of the section is the domain itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from smtp_probe.config.section import Settings
from smtp_probe.config.values import Address, DomainName, Flag, Host, IpAddress, Seconds, Selector


class Domain(Settings):
    """A domain whose DNS and exchangers are checked, beside the routes and without a message."""

    interval: Seconds = Field(
        300.0,
        description="Time between two checks; chance adds a tenth at most. DNS is asked again only when a TTL is over.",
    )
    selectors: tuple[Selector, ...] = Field((), description="DKIM selectors to look at.")
    egress: tuple[IpAddress, ...] = Field(
        (), description="Addresses from which its mail leaves, beside those seen on delivered probes."
    )
    ehlo_name: Host | None = Field(
        None, description="EHLO name with which its mail leaves; default: as seen on delivered probes."
    )
    sender: Address | None = Field(None, description="An envelope sender, where its domain is another one.")
    dial: Flag = Field(
        True, description="Whether its MX hosts are connected to, and its MTA-STS policy is fetched."
    )
    exchanger_interval: Seconds = Field(900.0, description="Time between two visits to its MX hosts.")
    recipient: Address | None = Field(
        None, description="Somebody for whom its MX hosts take mail: RCPT is asked, and no message follows."
    )
    route_recipient: Flag = Field(
        False,
        description="Whether to ask with RCPT for the recipient of a route in this domain, where `recipient` names none.",
    )
    relay_test: Flag = Field(
        False, description="Whether to try if a host is an open relay, and VRFY. Only on hosts of your own."
    )
    private_addresses: Flag = Field(
        False,
        description="Whether private addresses of its MX hosts are as they should be.",
    )
    authority: Flag = Field(False, description="Whether the zone's own name servers are asked one by one.")
    dnsbl: tuple[DomainName, ...] = Field(
        (),
        max_length=20,
        description="Block lists to ask about its egress addresses, every 15 minutes at most. Mind their terms of use.",
    )
    rhsbl: tuple[DomainName, ...] = Field(
        (), max_length=20, description="Block lists to ask about the domain, its sender's and its EHLO name."
    )
    ca_file: Path | None = Field(
        None,
        description="PEM file of the authorities to trust instead of the system's; revocation lists in it are heeded.",
    )

    @model_validator(mode="after")
    def _intervals_in_order(self) -> Self:
        self._require_order("interval", "exchanger_interval")
        return self
