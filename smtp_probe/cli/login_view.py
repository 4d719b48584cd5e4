"""What trying an account came to, for people and for programs. In: a `LoginResult`. Out: lines, or one JSON object. Pure.

A problem is what would keep the probes from working: a failure, a missing right to remove what was judged, a full account.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any

from smtp_probe.app.login_test import LoginResult
from smtp_probe.cli.terminal import Glyphs
from smtp_probe.cli.wording import clean, describe_span, iso_time
from smtp_probe.model import ClockSighting, LoginTrial, MailboxSurvey, QuotaUse, TlsFacts
from smtp_probe.model.words import in_words, say_why

_REMOVAL_RIGHTS = ("te", "d")
"""RFC 4314: to flag as deleted and to expunge; in the letters of RFC 2086 one right."""


def problems_of(result: LoginResult) -> list[str]:
    """What is wrong, in sentences; empty when the account works."""
    found = []
    failure = result.failure
    if failure is not None:
        reply = "" if failure.reply is None else str(failure.reply)
        why = say_why(failure.cause, clean(reply) or "", clean(failure.detail) or "")
        found.append(f"{failure.stage}: {clean(why)}")
    if result.survey is not None:
        found += _problems_of_survey(result.survey, removes=result.after_judgement != "keep")
    return found


def _problems_of_survey(survey: MailboxSurvey, *, removes: bool) -> Iterator[str]:
    for folder in survey.folders:
        rights = folder.rights
        if rights is None:
            continue
        if "r" not in rights:
            yield f"folder {clean(folder.name)}: there is no right to read (r)"
        if removes and not any(set(needed) <= set(rights) for needed in _REMOVAL_RIGHTS):
            yield f"folder {clean(folder.name)}: there is no right to remove messages (t and e)"
    for quota in survey.quotas or ():
        if quota.limit > 0 and quota.used >= quota.limit:
            yield f"the account is full: {_describe_quota(quota)}"


def draw_result(result: LoginResult, glyphs: Glyphs) -> Iterator[str]:
    """A title, a line for each fact, and a line for each problem, or one that says that there is none."""
    yield f"{result.kind} {result.name}  {result.server}"
    facts: list[tuple[str, str]] = []
    if result.trial is not None:
        facts += _trial_lines(result.trial)
    if result.survey is not None:
        facts += _survey_lines(result.survey)
    for title, said in facts:
        yield f"  {title.ljust(9)} {said}"
    problems = problems_of(result)
    for problem in problems:
        yield f"  {glyphs.bad} {problem}"
    if not problems:
        yield f"  {glyphs.good} well"


def fold(line: str, width: int) -> str:
    """Break a line that is wider than the terminal; what follows is indented."""
    if len(line) <= width:
        return line
    return "\n".join(textwrap.wrap(line, width, subsequent_indent=" " * 12, drop_whitespace=True))


def result_to_json(result: LoginResult) -> str:
    """The same as one line, without a line end; the same keys always."""
    trial, survey = result.trial, result.survey
    problems = problems_of(result)
    tls = trial.tls if trial is not None else survey.tls if survey is not None else None
    facts: dict[str, Any] = {
        "kind": result.kind,
        "name": result.name,
        "server": result.server,
        "well": not problems,
        "problems": problems,
        "peer_address": None if trial is None else trial.peer_address,
        "phases": None
        if trial is None
        else [{"phase": t.phase.value, "seconds": round(t.duration_seconds, 9)} for t in trial.phases],
        "tls": None
        if tls is None
        else {
            "version": clean(tls.version),
            "cipher": clean(tls.cipher),
            "certificate_not_after": iso_time(tls.not_after_ns, 1.0),
        },
        "folders": None
        if survey is None
        else [
            {
                "name": clean(f.name),
                "placement": f.placement.value,
                "messages": f.messages,
                "rights": f.rights,
            }
            for f in survey.folders
        ],
        "quotas": None
        if survey is None or survey.quotas is None
        else [{"resource": q.resource, "used": q.used, "limit": q.limit} for q in survey.quotas],
        "clock_offset_seconds": None
        if survey is None or survey.clock is None
        else list(_clock_bounds(survey.clock)),
    }
    return json.dumps(facts, ensure_ascii=True, allow_nan=False)


def _trial_lines(trial: LoginTrial) -> Iterator[tuple[str, str]]:
    for timing in trial.phases:
        reply = "" if timing.reply is None else f"  {clean(str(timing.reply))}"
        yield timing.phase.value, describe_span(timing.duration_seconds) + reply
    if trial.tls is not None:
        yield "TLS", _describe_tls(trial.tls)


def _survey_lines(survey: MailboxSurvey) -> Iterator[tuple[str, str]]:
    if survey.tls is not None:
        yield "TLS", _describe_tls(survey.tls)
    for folder in survey.folders:
        rights = "" if folder.rights is None else f", rights {folder.rights}"
        count = f"{folder.messages} message" + ("" if folder.messages == 1 else "s")
        yield "folder", f"{clean(folder.name)} ({folder.placement.value}): {count}{rights}"
    if survey.quotas is None:
        yield "quota", "the server tells none"
    for quota in survey.quotas or ():
        yield "quota", _describe_quota(quota)
    if survey.clock is None:
        yield "clock", "not read (clock_folder)"
    else:
        low, high = _clock_bounds(survey.clock)
        yield "clock", f"between {low:+.3f} s and {high:+.3f} s from ours"


def _clock_bounds(clock: ClockSighting) -> tuple[float, float]:
    """How far the foreign clock is ahead of ours, at least and at most."""
    end_ns = clock.at_ns + round(clock.resolution_seconds * 1e9)
    return (clock.at_ns - clock.latest_ns) / 1e9, (end_ns - clock.earliest_ns) / 1e9


def _describe_quota(quota: QuotaUse) -> str:
    unit = " KiB" if quota.resource.upper() == "STORAGE" else ""
    part = f" ({quota.used / quota.limit:.0%})" if quota.limit > 0 else ""
    return f"{quota.resource} {quota.used} of {quota.limit}{unit}{part}"


def _describe_tls(tls: TlsFacts) -> str:
    until = iso_time(tls.not_after_ns, 1.0)
    failed = tls.failure and f"failed: {in_words(tls.failure)}"
    known = (failed, clean(tls.version), clean(tls.cipher), until and f"certificate until {until}")
    return ", ".join(filter(None, known))
