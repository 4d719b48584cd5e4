"""Received lines for the tests of what is explained: ids that tell no time, hosts that are named at will."""

from __future__ import annotations

from smtp_probe.mail.path.clock_disagreement import find_disagreements
from smtp_probe.mail.path.passages import read_passages
from smtp_probe.mail.trace import read_trace


def line(
    by="mx.example.net",
    at="08:00:00",
    *,
    source="client.example.org",
    ip="192.0.2.1",
    with_="ESMTPS",
    id_="x-1",
):
    """One line. `at` is a time of day of 1 September 2026, a whole date, or empty for none."""
    date = f"; Tue, 1 Sep 2026 {at} +0000" if len(at) == 8 else at and f"; {at}"
    told = f"from {source} ({source} [{ip}])\r\n " if source else ""
    return f"Received: {told}by {by} with {with_} id {id_}{date}\r\n".encode()


def chain(*hops, **options):
    """A header from `(by, at)` pairs, oldest first; each line names the host before it as its source."""
    lines, source = [], options.pop("source", "client.example.org")
    for by, at in hops:
        lines.append(line(by, at, source=source, **options))
        source = by
    return b"".join(reversed(lines))


def passages(header):
    return read_passages(read_trace(header))


def told(header):
    """The passages of a header and the pairs of them that contradict each other."""
    found = passages(header)
    return found, find_disagreements(found)
