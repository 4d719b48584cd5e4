"""What the bounded words are called in sentences, and that every sentence uses them."""

import importlib
import logging
import pkgutil
import re
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import aiohttp
import pytest

import smtp_probe
from smtp_probe.app.login_test import LoginResult
from smtp_probe.app.single import SingleResult
from smtp_probe.cli.live import draw_result
from smtp_probe.cli.login_view import draw_result as draw_login
from smtp_probe.cli.plugin_output import plugin_line
from smtp_probe.cli.terminal import LINES
from smtp_probe.errors import MailboxError
from smtp_probe.model import Alteration, Cause, Failure, OutcomeKind, Stamp, TlsFacts, TlsFailure, TokenResult
from smtp_probe.model.words import cause_in_words, in_words, say_why
from smtp_probe.report.event_log import log_event
from tests.cli.views import shown
from tests.report.samples import life_of, make_submission
from tests.report.web.stage import STATES, Stage, delivery, ending, lives, routes_config

SOURCES = Path(smtp_probe.__file__).parent


def enumerations():
    for module in pkgutil.walk_packages(smtp_probe.__path__, "smtp_probe."):
        if not module.name.endswith("__main__"):
            for found in vars(importlib.import_module(module.name)).values():
                if isinstance(found, type) and issubclass(found, StrEnum) and found.__module__ == module.name:
                    yield found


LABELS = sorted({value for each in enumerations() for value in each if "_" in value})
LABEL = re.compile(rf'(?<![\w"./-])(?:{"|".join(LABELS)})(?![\w"-])')
"""One that is quoted is the word of a server (RFC 6749), or stands in code or in an address."""


def endings():
    """A probe for every cause, every fault of TLS, every stamp and every alteration."""
    failures = [Failure(stage="connect", cause=cause) for cause in Cause]
    failures += [Failure(stage="tls", cause=Cause.TLS_FAILED, tls_failure=fault) for fault in TlsFailure]
    number = 0
    for failure in failures:
        tls = None if failure.tls_failure is None else TlsFacts(version=None, failure=failure.tls_failure)
        for kind in (OutcomeKind.UNREACHABLE, OutcomeKind.UNOBSERVED):
            number += 1
            submission = replace(make_submission(failure=failure), tls=tls)
            yield ending(kind, number, submission=submission, failure=failure)
    for stamp in Stamp:
        number += 1
        made = delivery(number)
        yield replace(
            made, arrival=replace(made.arrival, stamp=stamp, corrupted=True, alterations=tuple(Alteration))
        )


def test_there_are_labels_to_look_for():
    assert {"connect_refused", "self_signed", "invalid_grant", "file_time"} <= set(LABELS)
    assert LABEL.search("login: auth_refused: no")


@pytest.mark.parametrize("value", [value for each in enumerations() for value in each], ids=repr)
def test_every_bounded_word_can_be_said(value):
    assert in_words(value)
    assert "_" not in in_words(value)


def test_a_cause_from_the_journal_is_said_as_one_of_ours():
    assert cause_in_words("connect_refused") == "connection refused"
    assert cause_in_words("not_a_cause") == "not a cause"


def test_nothing_is_said_twice():
    assert say_why(Cause.CONNECT_REFUSED, "192.0.2.1: Connection refused") == "192.0.2.1: Connection refused"
    assert say_why(Cause.AUTH_REFUSED, "", "NO wrong") == "the login was refused: NO wrong"


def test_no_other_place_makes_words_of_names():
    """Two places that make words are two vocabularies."""
    found = {
        str(path.relative_to(SOURCES))
        for path in (*SOURCES.rglob("*.py"), *SOURCES.rglob("*.html"))
        if re.search(r"""replace\((["'])_\1, \1 \1\)""", path.read_text())
    }

    assert found == {"model/words.py", "config/schema.py"}  # the titles of the schema are made of keys


def test_no_line_of_a_terminal_or_a_log_says_a_label(caplog):
    caplog.set_level(logging.DEBUG)
    for made in endings():
        result = SingleResult(route="example", outcome=made, probe=made.probe, submission=made.submission)
        said = shown(draw_result(result, 100, LINES)) + plugin_line(result, None, None)
        for event in life_of(made):
            log_event(event)
        assert LABEL.search(said) is None, said
    for cause in Cause:
        failed = LoginResult(
            kind="sender", name="relay", server="mx.example.net:25", after_judgement="keep",
            failure=Failure(stage="auth", cause=cause),
        )  # fmt: skip
        assert LABEL.search("\n".join(draw_login(failed, LINES))) is None
        assert LABEL.search(str(MailboxError("login", cause, detail="no"))) is None

    assert [record.getMessage() for record in caplog.records if LABEL.search(record.getMessage())] == []


async def _pages(stage, *more):
    async with stage.serve() as address, aiohttp.ClientSession(f"http://{address}") as session:
        for path in (
            "/",
            "/routes/example",
            "/domains",
            "/exchangers",
            "/queue",
            "/drills",
            "/feed.atom",
            *more,
        ):
            async with session.get(path) as response:
                yield path, await response.text()


@pytest.mark.slow
@pytest.mark.parametrize("state", STATES)
async def test_no_page_says_a_label(state, tmp_path):
    stage = await Stage.build(state, tmp_path, **{"count": 3, "probes": 3} if state == "many" else {})
    async for path, text in _pages(stage, "/routes/to-gmail", "/probes/newsletter-00050"):
        assert LABEL.search(text) is None, path


@pytest.mark.slow
async def test_no_page_says_a_label_whatever_the_cause(tmp_path):
    stage = Stage(tmp_path, routes_config(("example",)))
    ends = list(endings())
    await stage.tell(*lives(ends))
    stage.telemetry.observations.mailbox_state(
        "inbox", up=False, why=str(MailboxError("login", Cause.AUTH_REFUSED))
    )
    seen = 0
    async for path, text in _pages(stage, *(f"/probes/{end.probe.probe_id}" for end in ends)):
        seen += 1
        assert LABEL.search(text) is None, (path, LABEL.search(text))

    assert seen == len(ends) + 7


def test_the_results_of_tokens_are_sentences():
    assert in_words(TokenResult.NETWORK) == "the authorization server was not reached"
