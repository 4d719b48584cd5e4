"""One probe on the terminal: what it waits for while it runs, and the whole of it at the end.

In: the steps of a probe, then its result. Out: on a terminal a live view that is gone when the result stands in its
place; the same result as plain lines where it is not one. Nothing that a server wrote is taken for markup.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from smtp_probe.app.single import SingleResult
from smtp_probe.cli.drawing import WIDEST, draw_facts, draw_sections, wrap
from smtp_probe.cli.rendering import Meaning, meaning_of, verdict
from smtp_probe.cli.steps import Steps
from smtp_probe.cli.terminal import Glyphs, choose_glyphs, is_drawable, open_console
from smtp_probe.cli.waterfall import describe_submission, sections
from smtp_probe.cli.wording import clean, describe_date, iso_time, style_of
from smtp_probe.model import Arrival, Outcome, Phase, Submission
from smtp_probe.model.words import in_words

_FRAMES_PER_SECOND = 8
_STYLES = {Meaning.DELIVERED: "green", Meaning.MAIL_PROBLEM: "red", Meaning.NOT_OBSERVED: "magenta"}


class ProbeView:
    """`with ProbeView(route) as view:` shows the steps that `view.step` is told.

    On a terminal that may be drawn upon they are redrawn in place; on another terminal each is a line on standard error;
    for a pipe, or when `is_silent`, nothing is shown.
    """

    def __init__(
        self,
        route: str,
        *,
        deadline_seconds: float | None = None,
        usual_seconds: float | None = None,
        is_silent: bool = False,
    ) -> None:
        self._steps = Steps(route, deadline_seconds, usual_seconds)
        self._is_silent = is_silent
        self._is_plain = not is_drawable(sys.stdout)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if not self._is_silent and not self._is_plain:
            console = open_console(sys.stdout)
            view = _Frames(self._steps, console, choose_glyphs(sys.stdout))
            live = Live(view, console=console, refresh_per_second=_FRAMES_PER_SECOND, transient=True)
            self._stack.enter_context(live)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def step(self, name: str) -> None:
        """A step begins: `mailbox`, a phase of the submission, `arrival` or `removal`."""
        self._steps.begin(name, time.monotonic())
        if self._is_plain and not self._is_silent and sys.stdout.isatty() and sys.stderr.isatty():
            sys.stderr.write(f"{name}: {self._steps.explain(name)}\n")


class _Frames:
    """What rich asks for a frame: the steps at this moment, in this size."""

    def __init__(self, steps: Steps, console: Console, glyphs: Glyphs) -> None:
        self._steps = steps
        self._console = console
        self._glyphs = glyphs

    def __rich__(self) -> Group:
        width, height = self._console.size
        return Group(*self._steps.draw(time.monotonic(), width - 1, height, self._glyphs))


def print_result(result: SingleResult, stream: TextIO | None = None) -> None:
    """Print a result: waterfall, what the servers said, and the verdict as the last line."""
    stream = sys.stdout if stream is None else stream
    console = open_console(stream)
    for line in draw_result(result, min(console.width, WIDEST), choose_glyphs(stream)):
        console.print(line, soft_wrap=True)


def draw_result(result: SingleResult, width: int, glyphs: Glyphs) -> list[Text]:
    """The lines of a result. Pure."""
    outcome, submission = result.outcome, result.submission
    if outcome is not None:
        submission = outcome.submission
        found = sections(outcome)
    else:
        section = describe_submission(submission)
        found = [] if section is None else [section]
    facts = [*_submission_facts(submission), *_outcome_facts(outcome)]
    return [
        _title(result),
        *draw_sections(found, width, glyphs, with_details=True, gap=True),
        Text(),
        *draw_facts(facts, width),
        *([Text()] if facts else []),
        *_verdict(result, width, glyphs),
    ]


def _title(result: SingleResult) -> Text:
    title = Text().append(result.route, style="bold")
    return title.append(f"  {result.probe.probe_id}", style="dim") if result.probe is not None else title


def _submission_facts(submission: Submission | None) -> Iterator[tuple[str, str]]:
    """Whom we spoke with, how it was secured, and what was said in the end."""
    if submission is None:
        return
    if submission.peer_address:
        yield "server", clean(submission.peer_address, 80) or ""
    tls, replies = submission.tls, {timing.phase: timing.reply for timing in submission.phases}
    if tls is not None:
        until = None if tls.not_after_ns is None else f"certificate until {describe_date(tls.not_after_ns)}"
        failure = None if tls.failure is None else f"failed: {in_words(tls.failure)}"
        said = [clean(tls.version), clean(tls.cipher), until, failure]
        yield "TLS", ", ".join(part for part in said if part) or "no facts"
    elif Phase.EHLO in replies:
        yield "TLS", "none"
    reply = replies.get(Phase.ACCEPT)
    if reply is not None:
        yield "reply", clean(str(reply)) or ""
    if submission.queue_id:
        yield "queue id", clean(submission.queue_id, 80) or ""


def _outcome_facts(outcome: Outcome | None) -> Iterator[tuple[str, str]]:
    """Where it was found, or what came back."""
    if outcome is None:
        return
    if outcome.arrival is not None:
        yield from _arrival_facts(outcome.arrival)
    bounce = outcome.bounce
    if bounce is not None:
        yield "bounce", clean(bounce.diagnostic or bounce.status) or "no reason given"
        if bounce.reporting_mta:
            yield "said by", clean(bounce.reporting_mta, 80) or ""


def _arrival_facts(arrival: Arrival) -> Iterator[tuple[str, str]]:
    folder = clean(arrival.location.folder, 80) or "?"
    yield "folder", f"{folder} ({arrival.placement.value}) of mailbox {arrival.location.mailbox}"
    yield "stored", f"{iso_time(arrival.stored_ns) or '?'} ({in_words(arrival.stamp)})"
    if arrival.found_in:
        yield "tag", f"found in the {arrival.found_in}"
    if arrival.corrupted:
        yield "body", "changed on the way"


def _verdict(result: SingleResult, width: int, glyphs: Glyphs) -> list[Text]:
    meaning = meaning_of(result)
    style = _STYLES[meaning] if result.outcome is None else style_of(result.outcome)
    marks = {
        Meaning.DELIVERED: glyphs.good,
        Meaning.MAIL_PROBLEM: glyphs.bad,
        Meaning.NOT_OBSERVED: glyphs.unknown,
    }
    pieces = wrap(verdict(result), width - 2)
    return [
        Text(f"{' ' if index else marks[meaning]} {piece}", style=f"bold {style}")
        for index, piece in enumerate(pieces)
    ]
