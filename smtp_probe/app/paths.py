"""What a configuration says of paths and clocks, handed to the one who reads them.

In: a configuration. Out: nothing; the reader knows whose hosts are whose, and which hosts share a clock. Reads no mail.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from smtp_probe.config.settings import Config
from smtp_probe.mail.clocks.domains import ClockDomain, DomainRule, find_domain
from smtp_probe.mail.path.division import Sides
from smtp_probe.mail.path.organisations import find_organisation, read_own
from smtp_probe.probes.path_reading import PathReader, RoutePath


def configure_clocks(reader: PathReader, config: Config) -> None:
    """Hand over what holds for all routes. What has been learned stays."""
    reader.rules = _rules(config)
    reader.limits = replace(reader.limits, drift_ppm=config.clocks.max_drift_ppm)


def route_paths(config: Config) -> dict[str, RoutePath]:
    """What may be the path of each route. Pure."""
    rules = _rules(config)
    sending = {name: _own(sender.own_hosts, None) for name, sender in config.senders.items()}
    receiving = {name: _own(each.own_hosts, each.host) for name, each in config.mailboxes.items()}
    clocks = {name: _mailbox_clock(name, each.host, rules) for name, each in config.mailboxes.items()}
    return {
        name: RoutePath(
            sides=Sides(sending=sending[route.sender], receiving=receiving[route.mailbox]),
            mailbox=clocks[route.mailbox],
            uses_greeting=config.senders[route.sender].use_greeting_time,
        )
        for name, route in config.routes.items()
    }


def _rules(config: Config) -> tuple[DomainRule, ...]:
    return tuple(
        DomainRule(suffix=suffix, domain=ClockDomain(name=suffix.lower(), looseness_ns=round(seconds * 1e9)))
        for suffix, seconds in config.clocks.shared.items()
    )


def _own(written: Iterable[str], host: str | None) -> tuple[str, ...]:
    """Hosts and domains as they are compared; where none are given, the organisation of the server, if it shows one."""
    own = tuple(name for text in written if (name := read_own(text)) is not None)
    organisation = find_organisation(host)
    return own if own or organisation is None else (organisation,)


def _mailbox_clock(name: str, host: str, rules: tuple[DomainRule, ...]) -> ClockDomain:
    """The clock of a mailbox's server: by its name; by the mailbox's where it has only an address."""
    return find_domain(host, rules) or ClockDomain(name=f"mailbox:{name.lower()}")
