"""What the lines of a message's way give away besides their times: too many, none, loops, repeated and displaced ones.

In: the passages of a message, the flags of its trace, and the receiver's border. Out: findings. A line is taken at its
word: what a stranger's host wrote is his claim, and a message says so where it matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from smtp_probe.mail.path.clock_disagreement import Disagreement
from smtp_probe.mail.path.legs import Border
from smtp_probe.mail.path.passages import Passage, has_own_name, say_host
from smtp_probe.model import Finding, Severity
from smtp_probe.model.words import spaced

_MANY_HOPS = 25
"""The lowest default limit that is in wide use: Sendmail's MaxHopCount. Exim has 30, Postfix 50."""
_LOOP_VISITS = 3
_MALFORMED = frozenset({"truncated", "not_utf8", "unsafe_characters", "unbalanced", "deep_comment"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """What the checks look at."""

    passages: tuple[Passage, ...]
    flags: tuple[str, ...]
    border: Border
    disagreements: tuple[Disagreement, ...] = ()


def check_path(path: Path) -> Iterator[Finding]:
    """Give all findings of this module, in no order."""
    for check in _CHECKS:
        yield from check(path)


def _check_presence(path: Path) -> Iterator[Finding]:
    if "retrieval_dropped" in path.flags:
        yield _finding(
            "retrieval",
            Severity.INFO,
            "A program like fetchmail took the message out of a mailbox and delivered it again. Its line is no hop; "
            "the time in that mailbox is in the delay of the next hop.",
        )
    if not path.passages:
        yield _finding(
            "no_received",
            Severity.WARNING,
            "There is no Received line: the message was never sent (a draft, a copy in Sent), or a program took "
            "the lines away.",
        )


def _check_count(path: Path) -> Iterator[Finding]:
    count = len(path.passages)
    if "too_many_hops" in path.flags:
        said = f"There are more than {count} Received lines; the topmost {count} are shown"
    elif count > _MANY_HOPS:
        said = f"There are {count} Received lines"
    else:
        return
    limits = "Many servers take that for a loop and send the message back (Sendmail after 25, Exim 30, Postfix 50)."
    yield _finding(
        "hop_limit",
        Severity.ERROR if "too_many_hops" in path.flags else Severity.WARNING,
        f"{said}. {limits}",
    )


def _check_loop(path: Path) -> Iterator[Finding]:
    """A host that was left and entered again, more than once: a list or a forward does that once."""
    visits: dict[str, int] = {}
    before = None
    for passage in path.passages:
        if passage.host is not None and passage.host != before and has_own_name(passage.host):
            visits[passage.host] = visits.get(passage.host, 0) + 1
        before = passage.host or before
    for host, count in visits.items():
        if count >= _LOOP_VISITS:
            yield _finding(
                "loop",
                Severity.WARNING,
                f"The message came to {host} {count} times: hosts hand it to each other in a circle.",
            )


def _check_repetition(path: Path) -> Iterator[Finding]:
    seen: dict[object, Passage] = {}
    for passage in path.passages:
        bare = replace(passage.hop, relay_ids=())
        if bare.by is None or (bare.id is None and bare.at_ns is None):
            continue
        first = seen.setdefault(bare, passage)
        if first is not passage:
            yield _finding(
                "duplicate_hop",
                Severity.WARNING,
                f"{say_host(passage).capitalize()} says the same as hop {first.position}, word for word: "
                "one passage, written down twice.",
                passage,
            )


def _check_order(path: Path) -> Iterator[Finding]:
    """Stamps that go backwards, and a line that names another sender than the line beneath it."""
    if not path.disagreements:
        return
    sources = list(_find_sources(path.passages))
    backwards = sum(source == passage.position + 1 for passage, source in sources)
    if backwards >= 1 and backwards == len(sources):
        yield _finding(
            "order",
            Severity.WARNING,
            "The Received lines seem to stand in the wrong order, the oldest first: each names the one above it as "
            "its source. All delays are backwards then.",
        )
        return
    for passage, source in sources:
        if source not in (passage.position - 1, passage.position):
            yield _finding(
                "order",
                Severity.WARNING,
                f"{say_host(passage).capitalize()} names the host of hop {source} as its source, and not that of "
                "the line beneath it: the lines may have been put into another order.",
                passage,
            )


def _find_sources(passages: Sequence[Passage]) -> Iterator[tuple[Passage, int]]:
    """For each hop whose `from` is the `by` of exactly one other host's line, or of the line beneath: that position."""
    by_host: dict[str, list[int]] = {}
    for passage in passages:
        if passage.host is not None and has_own_name(passage.host):
            by_host.setdefault(passage.host, []).append(passage.position)
    for passage in passages:
        names = {(name or "").rstrip(".").lower() for name in (passage.hop.from_name, passage.hop.from_host)}
        places = [place for name in names for place in by_host.get(name, ()) if passage.host != name]
        if passage.position - 1 in places:
            yield passage, passage.position - 1
        elif len(set(places)) == 1:
            yield passage, places[0]


def _check_lines(path: Path) -> Iterator[Finding]:
    for passage in path.passages:
        flags = passage.hop.flags
        odd = sorted(_MALFORMED.intersection(flags))
        if odd:
            said = ", ".join(spaced(flag) for flag in odd)
            yield _finding(
                "malformed_line",
                Severity.WARNING if "unsafe_characters" in odd else Severity.INFO,
                f"The line of {say_host(passage)} is malformed ({said}): it may have been read wrongly.",
                passage,
            )
        if "may_be_forged" in flags:
            yield _finding(
                "may_be_forged",
                Severity.INFO,
                f"{say_host(passage).capitalize()} could not confirm the name of its client: name and address of "
                f"{passage.hop.from_host or passage.hop.from_name or 'it'} do not lead to each other in DNS.",
                passage,
            )


def _check_border(path: Path) -> Iterator[Finding]:
    border = path.border
    if path.passages and not border.is_assumed and border.first_own_hop is None:
        top = next((each.host for each in reversed(path.passages) if each.host), None)
        yield _finding(
            "own_not_found",
            Severity.WARNING,
            f"None of the hosts that --own names wrote the topmost line ({top or 'it names no host'}): the way "
            "cannot be divided.",
        )


_CHECKS: tuple[Callable[[Path], Iterator[Finding]], ...] = (
    _check_presence,
    _check_count,
    _check_loop,
    _check_repetition,
    _check_order,
    _check_lines,
    _check_border,
)
"""Everything that is looked for. A new check is a new line here."""


def _finding(check: str, severity: Severity, message: str, passage: Passage | None = None) -> Finding:
    position = None if passage is None else passage.position
    return Finding(check=check, severity=severity, message=message, hop=position)
