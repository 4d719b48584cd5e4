"""An explained message as lines of a width: its header, the waterfall of its hops, and what is to be said of it.

In: an explanation, a width in columns, the signs. Out: rich texts without line ends, none wider than the width. Pure.
The bars run from the stamp before to each hop's own, on one scale that holds all stamps; where clocks disagree they run
backwards, and it is said. `>` marks the hop that took longest for certain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.cells import cell_len
from rich.text import Text

from smtp_probe.cli.authentication_view import describe_authentication
from smtp_probe.cli.drawing import WIDEST, cut, draw_bars, draw_facts, fit, wrap
from smtp_probe.cli.explanation_json import format_instant
from smtp_probe.cli.terminal import ASCII, Glyphs
from smtp_probe.cli.waterfall import Bar
from smtp_probe.cli.wording import UNKNOWN, clean, describe_delay
from smtp_probe.mail.bounce.report import BounceReport
from smtp_probe.mail.explanation.explain import Explanation
from smtp_probe.mail.explanation.finding import arrange_findings
from smtp_probe.mail.explanation.spans import say_limit
from smtp_probe.mail.path.encryption import is_encrypted
from smtp_probe.mail.path.legs import Border
from smtp_probe.mail.path.passages import Passage, measure_doubt
from smtp_probe.mail.tag import hide_tokens
from smtp_probe.model import Authentication, Finding, Severity
from smtp_probe.model.words import spaced

_NS = 1e9
_LEAST_HOST_COLUMNS = 8
_MOST_AMOUNT_COLUMNS = 18
_MOST_PROTOCOL_COLUMNS = 12
_TLS_COLUMNS = 7
_WIDE = 80
_NARROW = 56
_SHORTEST_BAR = 4
_ALIKE_SHOWN = 3
_NAME_CHARACTERS = 80
_SEVERITIES = {
    Severity.CRITICAL: ("critical", "bold red"),
    Severity.ERROR: ("error", "bold red"),
    Severity.WARNING: ("warning", "yellow"),
    Severity.INFO: ("note", "cyan"),
}


def draw_explanation(  # noqa: PLR0913  # two of them are about the terminal
    heading: str,
    found: Explanation,
    width: int,
    glyphs: Glyphs,
    *,
    with_details: bool = False,
    authentication: Authentication = Authentication(),  # noqa: B008  # it is immutable
) -> list[Text]:
    """One message, under a heading that says where it was found."""
    width = min(width, WIDEST)
    facts = [*_facts(found, glyphs), *describe_authentication(authentication)]
    lines = [cut(Text(heading, style="bold"), width), *draw_facts(facts, width)]
    if found.passages:
        lines += [Text(), *_draw_hops(found, width, glyphs, with_details=with_details)]
    findings = arrange_findings([*found.findings, *authentication.findings])
    if findings:
        lines += [Text(), *_draw_findings(findings, width)]
    return lines


def _facts(found: Explanation, glyphs: Glyphs) -> Iterator[tuple[str, str]]:
    """What stands above the waterfall."""
    for name, value in (("subject", found.subject), ("from", found.author), ("to", found.recipients)):
        if value:
            yield name, value
    if found.date:
        yield "date", found.date
    if found.total_seconds is not None:
        doubt = _say_doubt(found.total_uncertainty_seconds, glyphs)
        total = describe_delay(found.total_seconds, found.total_uncertainty_seconds)
        yield "total", f"{total} {doubt} from the first stamp to the last"
    for leg in found.legs:
        leg_doubt = measure_doubt(found.passages[leg.from_hop - 1].hop, found.passages[leg.to_hop - 1].hop)
        yield leg.leg, f"{describe_delay(leg.seconds, leg_doubt)} from hop {leg.from_hop} to hop {leg.to_hop}"
    if found.border.own and found.passages:
        yield "own", _say_border(found.border, len(found.passages))
    if found.bounce is not None:
        yield "bounce", _say_bounce(found.bounce)


def _say_border(border: Border, count: int) -> str:
    said = ", ".join(clean(name, _NAME_CHARACTERS) or UNKNOWN for name in border.own)
    if border.first_own_hop is not None:
        said += (
            f", hops {border.first_own_hop} to {count}" if border.first_own_hop < count else f", hop {count}"
        )
    if border.is_assumed:
        said += " (assumed from the topmost line; --own sets it)"
    if border.first_own_hop is not None and border.first_own_hop > 1:
        others = border.first_own_hop - 1
        said += f"; others' claims: {'hop 1' if others == 1 else f'hops 1 to {others}'}"
    return said


def _say_bounce(report: BounceReport) -> str:
    words = [
        report.action or "bounced",
        report.status,
        f"for {report.recipient}" if report.recipient else None,
    ]
    mta = report.remote_mta or report.reporting_mta
    said = " ".join(word for word in [*words, f"by {mta}" if mta else None] if word)
    return hide_tokens(f"{said}: {report.diagnostic}" if report.diagnostic else said)


def _draw_hops(found: Explanation, width: int, glyphs: Glyphs, *, with_details: bool) -> Iterator[Text]:
    """A line for each hop, and one above them."""
    passages = found.passages
    yield _draw_heading(passages, width)
    table = _Columns(found, width, glyphs)
    for passage, bar in zip(passages, _bars(passages), strict=True):
        yield table.draw(passage, bar)
        if with_details:
            yield from (
                Text("     ").append(piece, style="dim") for piece in wrap(_say_details(passage), width - 5)
            )


def _draw_heading(passages: Sequence[Passage], width: int) -> Text:
    """What the numbers are worth."""
    disagree = any(passage.is_certainly_negative for passage in passages)
    note, brief = "raw, each by its own host's clock", "raw, own clocks"
    if disagree:
        note, brief = "these clocks disagree: not all delays are real", "clocks disagree"
    heading = Text().append("hops", style="bold").append("  oldest first; ", style="dim")
    heading.append(brief if width < _NARROW else note, style="yellow" if disagree else "dim")
    return cut(heading, width)


class _Columns:
    """How wide each column of the waterfall is, and a row of it."""

    def __init__(self, found: Explanation, width: int, glyphs: Glyphs) -> None:
        self._width = width
        self._glyphs = glyphs
        self._slowest = found.slowest
        self._plain = {finding.hop for finding in found.findings if finding.check == "plaintext"}
        passages = found.passages
        self._number = len(str(len(passages)))
        protocols = max(cell_len(_say_protocol(passage)) for passage in passages)
        self._protocol = min(protocols, _MOST_PROTOCOL_COLUMNS) if width >= _WIDE else 0
        self._tls = _TLS_COLUMNS if width >= _NARROW else 0
        amounts = [self._amount(passage) for passage in passages]
        self._amount_columns = min(max(map(cell_len, amounts)), _MOST_AMOUNT_COLUMNS)
        columns = (self._number, self._protocol, self._tls, self._amount_columns)
        room = width - sum(column + 1 for column in columns if column) - 1 - max(width // 5, _SHORTEST_BAR)
        longest = max(cell_len(_say_name(passage)) for passage in passages)
        self._host = min(longest, max(room, _LEAST_HOST_COLUMNS))

    def draw(self, passage: Passage, bar: Bar | None) -> Text:
        """One hop."""
        is_slowest = passage.position == self._slowest
        line = Text().append(">" if is_slowest else " ", style="bold yellow")
        line.append(f"{passage.position:>{self._number}} ", style="dim")
        line.append(_shorten(_say_name(passage), self._host), style="bold" if is_slowest else "")
        if self._protocol:
            line.append(f" {fit(_say_protocol(passage), self._protocol)}", style="dim")
        if self._tls:
            style = "yellow" if passage.position in self._plain else "dim"
            line.append(f" {fit(_say_tls(passage), self._tls)}", style=style)
        line.append(f" {self._amount(passage):>{self._amount_columns}}", style=_style(passage, is_slowest))
        room = self._width - line.cell_len - 1
        if bar is not None and room >= _SHORTEST_BAR:
            line.append(" ").append(draw_bars([bar], room, self._glyphs), style=_style(passage, is_slowest))
        return cut(line, self._width)

    def _amount(self, passage: Passage) -> str:
        if passage.delay_seconds is None:
            return "first" if passage.hop.at_ns is not None else "no time"
        said = describe_delay(passage.delay_seconds, passage.uncertainty_seconds)
        return f"{said} {_say_doubt(passage.uncertainty_seconds, self._glyphs)}"


def _style(passage: Passage, is_slowest: bool) -> str:
    if passage.is_certainly_negative:
        return "yellow"
    if is_slowest:
        return "bold yellow"
    seconds, doubt = passage.delay_seconds, passage.uncertainty_seconds
    return "blue" if seconds is not None and seconds > (doubt or 0.0) else "dim blue"


def _bars(passages: Sequence[Passage]) -> Iterator[Bar | None]:
    """From the stamp before to each hop's own, as fractions of the whole."""
    stamps = [passage.hop.at_ns for passage in passages if passage.hop.at_ns is not None]
    first_ns, span = (min(stamps), (max(stamps) - min(stamps)) / _NS) if stamps else (0, 0.0)
    for passage in passages:
        if passage.hop.at_ns is None:
            yield None
            continue
        end = (passage.hop.at_ns - first_ns) / _NS
        begin = end - (passage.delay_seconds or 0.0)
        yield Bar(begin=begin / span, end=end / span) if span > 0 else Bar(begin=0.0, end=0.0)


def _shorten(name: str, columns: int) -> str:
    """A host's name in exactly so many columns: what is too much is taken out of its middle, where it tells least."""
    end = ".".join(name.split(".")[-2:])
    room = columns - cell_len(end) - 1
    if cell_len(name) <= columns or room < _LEAST_HOST_COLUMNS:
        return fit(name, columns)
    return fit(f"{name[:room]}…{end}", columns)


def _say_name(passage: Passage) -> str:
    return clean(passage.host, _NAME_CHARACTERS) or (
        f"({passage.hop.software})" if passage.hop.software else "?"
    )


def _say_protocol(passage: Passage) -> str:
    return clean(passage.hop.with_, _NAME_CHARACTERS) or UNKNOWN


def _say_tls(passage: Passage) -> str:
    """The version, `TLS` where the line tells of none, `plain` where it says so by its protocol; or nothing."""
    hop = passage.hop
    encrypted = is_encrypted(hop)
    if encrypted:
        return hop.tls_version or "TLS"
    return "plain" if encrypted is False and not (hop.with_ or "").startswith(("LMTP", "UTF8LMTP")) else ""


def _say_details(passage: Passage) -> str:
    """What an administrator looks for in the logs of that host."""
    hop = passage.hop
    client = " ".join(
        part for part in (hop.from_name, f"({hop.from_host})" if hop.from_host else None) if part
    )
    said = (
        ("at", format_instant(hop.at_ns, hop.resolution_seconds)),
        ("id", hop.id),
        ("from", f"{client} [{hop.from_ip}]".strip() if hop.from_ip else client or None),
        ("with", hop.with_),
        ("cipher", hop.tls_cipher),
        ("for", hop.for_),
    )
    told = [f"{word} {clean(hide_tokens(value))}" for word, value in said if value]
    if hop.stamp_source not in (None, "date"):
        told.append(f"(time from {spaced(hop.stamp_source)})")
    return " ".join(told)


def _say_doubt(seconds: float | None, glyphs: Glyphs) -> str:
    if seconds is None:
        return ""
    sign, limit = (
        ("+-", say_limit(seconds).replace("µ", "u")) if glyphs is ASCII else ("±", say_limit(seconds))
    )
    return f"{sign}{limit}"


def _draw_findings(findings: Sequence[Finding], width: int) -> Iterator[Text]:
    """Each in plain words. Of many alike only the first are shown, and how many there are."""
    columns = max((len(_SEVERITIES[finding.severity][0]) for finding in findings), default=0)
    columns = max(columns, len(_SEVERITIES[Severity.WARNING][0])) + 2
    for (_, severity), alike in groupby(findings, key=lambda each: (each.check, each.severity)):
        word, style = _SEVERITIES[severity]
        said = [finding.message for finding in alike]
        hidden = len(said) - _ALIKE_SHOWN
        if hidden > 1:
            said[_ALIKE_SHOWN:] = [f"The same of {hidden} more hops."]
        for message in said:
            for index, piece in enumerate(wrap(message, max(width - columns, 1))):
                line = Text().append(fit("" if index else word, columns), style=style)
                yield line.append(piece)
