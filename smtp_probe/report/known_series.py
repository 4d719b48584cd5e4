"""Which samples a configuration makes known beforehand: those that exist at zero from the start.

In: a configuration. Out: labels, for each durable counter and histogram. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from smtp_probe.config.settings import Config, Sender, TlsMode
from smtp_probe.model import Phase, Placement
from smtp_probe.report.label_words import STATUS_CLASSES
from smtp_probe.report.metric import Metric
from smtp_probe.report.metrics import (
    BOUNCE_DURATION,
    BOUNCE_REASONS,
    BOUNCES,
    CLOCK_STEPS,
    DELAYS,
    HOP_DURATION,
    PHASE_DURATION,
    PLACEMENTS,
    RECORD_CHANGES,
    RETRIES,
    SMTP_REPLIES,
    STRAYS,
)
from smtp_probe.report.series import Labels

_TLS_PHASES = {Phase.TLS: TlsMode.IMPLICIT, Phase.STARTTLS: TlsMode.STARTTLS}
_KNOWN_WHEN_SEEN = (SMTP_REPLIES, HOP_DURATION, CLOCK_STEPS, BOUNCES, BOUNCE_REASONS, DELAYS)


def phases_of(sender: Sender) -> tuple[Phase, ...]:
    """Name the phases that a transaction of this sender can have, in order."""
    return tuple(
        phase
        for phase in Phase
        if _TLS_PHASES.get(phase, sender.tls) is sender.tls
        and (phase is not Phase.AUTH or sender.auth is not None)
    )


def known_labels(metric: Metric, config: Config) -> Iterator[Labels]:
    """Give the label values of the samples that this metric has before anything happened."""
    if metric in _KNOWN_WHEN_SEEN:
        return
    if metric is PHASE_DURATION:
        for name in senders_in_use(config):
            yield from ((name, phase.value) for phase in phases_of(config.senders[name]))
    elif metric is STRAYS:
        yield from ((name,) for name in mailboxes_in_use(config))
    elif metric is RETRIES:
        yield from ((name,) for name in senders_in_use(config))
    elif metric is BOUNCE_DURATION:
        yield from ((word,) for word in STATUS_CLASSES)
    elif metric is PLACEMENTS:
        yield from ((name, word) for name in config.routes for word in _placements_of(name, config))
    elif metric is RECORD_CHANGES:
        yield from ((domain, word) for domain in config.domains for word in metric.known)
    elif "route" in metric.labels:
        for route in config.routes:
            yield from ((route, word) for word in metric.known) if metric.known else ((route,),)
    else:
        yield from ((word,) for word in metric.known) if metric.known else ((),)


def _placements_of(route: str, config: Config) -> Iterator[str]:
    """Name the kinds of folders that are watched for a route."""
    mailbox = config.mailboxes[config.routes[route].mailbox]
    yield Placement.INBOX.value
    if mailbox.junk is not None:
        yield Placement.JUNK.value
    if mailbox.quarantine:
        yield Placement.OTHER.value


def senders_in_use(config: Config) -> tuple[str, ...]:
    """Name the senders of at least one route, sorted."""
    return tuple(sorted({route.sender for route in config.routes.values()}))


def mailboxes_in_use(config: Config) -> tuple[str, ...]:
    """Name the mailboxes of at least one route, for arrivals or for bounces, sorted."""
    routes = config.routes.values()
    names = {name for route in routes for name in (route.mailbox, route.bounce_mailbox)}
    return tuple(sorted(name for name in names if name is not None))


def credentials_in_use(config: Config) -> tuple[str, ...]:
    """Name the OAuth2 credentials with which a sender or mailbox of a route or a drill logs in, sorted."""
    drills = config.drills.by_name.values()
    senders = {*senders_in_use(config), *(getattr(drill, "sender", None) for drill in drills)}
    fields = ("mailbox", "other_mailbox")
    mailboxes = {*mailboxes_in_use(config), *(getattr(each, key, None) for each in drills for key in fields)}
    logins = [config.senders[name].auth for name in senders if name is not None]
    logins += [config.mailboxes[name].auth for name in mailboxes if name is not None]
    return tuple(sorted({auth.oauth for auth in logins if auth is not None and auth.oauth is not None}))


def endpoint_name(host: str, port: int) -> str:
    """Name a server, as the label `endpoint` does."""
    return f"{host}:{port}"
