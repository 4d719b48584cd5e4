"""The time in an SMTP greeting, as a reading of the server's clock.

In: the phases of a submission. Out: a sighting, where the server's 220 line has a date with a zone: Exim's does as it comes
(`mx.example.net ESMTP Exim 4.96 Mon, 15 Apr 2024 10:11:12 +0200`), Sendmail's and Microsoft's do too. It was written
between our connecting and our having read the line. A server may answer with a name and a clock of another machine than
the one that stamps the mail; it is one clock only where the names are one.
"""

from __future__ import annotations

from collections.abc import Sequence

from smtp_probe.mail.clocks.domains import DomainRule, find_domain
from smtp_probe.mail.clocks.facts import Sighting
from smtp_probe.mail.clocks.intake import stamp_clock
from smtp_probe.mail.syntax.dates import find_date, parse_date
from smtp_probe.model import Phase, Submission

_DOUBTFUL = frozenset({"no_zone", "unknown_zone", "zone_clamped", "no_seconds"})


def read_greeting(submission: Submission, rules: Sequence[DomainRule] = ()) -> Sighting | None:
    """Give the sighting; None where the greeting names no host or tells no time that is certain."""
    phases = {timing.phase: timing for timing in submission.phases}
    connect, greeting = phases.get(Phase.CONNECT), phases.get(Phase.GREETING)
    if connect is None or greeting is None or greeting.reply is None or greeting.reply.code != 220:
        return None
    text = greeting.reply.text.partition("\n")[0]
    place = find_date(text)
    date = parse_date(text[place:]) if place is not None else parse_date("")
    domain = find_domain(text.partition(" ")[0], rules)
    if date.at_ns is None or domain is None or not _DOUBTFUL.isdisjoint(date.flags):
        return None
    return Sighting(
        stamp=stamp_clock(domain, date.at_ns, date.resolution_seconds or 1.0, None),
        earliest_ns=connect.started_ns,
        latest_ns=greeting.started_ns + round(greeting.duration_seconds * 1e9),
    )
