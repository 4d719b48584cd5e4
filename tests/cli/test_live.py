"""One probe on the terminal."""

from dataclasses import replace

import pytest
from rich.cells import cell_len

from smtp_probe.app.single import SingleResult
from smtp_probe.cli.live import ProbeView, draw_result, print_result
from smtp_probe.cli.terminal import LINES
from smtp_probe.model import OutcomeKind, Phase, PhaseTiming
from tests.cli.views import HOSTILE, Page, is_plain, outcome, shown, submission, trace
from tests.report.samples import START_NS, make_bounce, make_outcome, make_probe, make_submission, refused


def result(made=None, **facts):
    probe = None if made is None else made.probe
    return SingleResult(route="inbound", **{"outcome": made, "probe": probe, **facts})


def draw(made, width=100):
    return shown(draw_result(made, width, LINES), width)


def test_a_delivery_ends_with_its_verdict():
    text = draw(result(outcome()))

    assert text.startswith("inbound  probe0001\n\nsubmission ")
    assert text.endswith(
        """
server    192.0.2.1
TLS       TLSv1.3, TLS_AES_256_GCM_SHA384, certificate until 2026-12-20
reply     250 2.0.0 Ok: queued as 4jYG3M6jDtzyN4
queue id  4jYG3M6jDtzyN4
folder    INBOX (inbox) of mailbox inbox
stored    2026-09-21T14:13:23.640000Z (by the store's X-GUID, to the microsecond)
tag       found in the header

✓ delivered in 2.64 s
"""
    )


def test_a_bounce_tells_whose_words_they_are():
    bounce = make_bounce(
        action="failed", reporting_mta="relay.example.net", diagnostic="550 5.1.1 user unknown"
    )
    text = draw(result(outcome(OutcomeKind.BOUNCED, bounce=bounce)))

    assert "bounce    550 5.1.1 user unknown\nsaid by   relay.example.net\n" in text
    assert text.endswith("✗ bounced by relay.example.net: 550 5.1.1 user unknown\n")


def test_a_refusal_shows_the_phase_with_the_reply_beneath_it():
    text = draw(result(make_outcome(OutcomeKind.REFUSED)))

    assert "    550 5.7.1 blocked by policy\n" in text
    assert "hops" not in text


def test_a_connection_that_was_never_made_says_nothing_of_tls():
    phase = PhaseTiming(phase=Phase.CONNECT, started_ns=START_NS, duration_seconds=0.01)
    unreachable = submission(phases=(phase,), tls=None, queue_id=None, peer_address=None)

    assert "TLS" not in draw(result(make_outcome(OutcomeKind.UNREACHABLE, submission=unreachable)))


def test_a_session_in_the_clear_says_so():
    assert "TLS       none\n" in draw(result(outcome(sent=submission(tls=None))))


def test_an_overdue_probe_shows_the_submission_and_what_may_come():
    text = draw(result(probe=make_probe(), submission=make_submission(), is_overdue=True))

    assert text.endswith("✗ overdue: not arrived within 5 min; it may still come\n")
    assert "submission" in text


def test_what_could_not_be_observed_is_a_question_and_not_a_failure():
    assert draw(result(unobserved="mailbox inbox: login: refused")).endswith(
        "? not observed: mailbox inbox: login: refused\n"
    )


def test_a_body_that_was_changed_is_told():
    made = outcome()
    assert "body      changed on the way\n" in draw(
        result(replace(made, arrival=replace(made.arrival, corrupted=True)))
    )


@pytest.mark.parametrize("width", [20, 40, 79])
@pytest.mark.parametrize("kind", OutcomeKind)
def test_no_line_is_wider_than_the_terminal_and_no_reply_is_cut(kind, width):
    text = draw(result(outcome(kind)), width)

    assert max(map(cell_len, text.splitlines())) <= width
    if kind is OutcomeKind.DELIVERED and width >= 40:
        assert "Ok: queued as 4jYG3M6jDtzyN4" in " ".join(text.split())


def test_texts_of_servers_do_nothing_but_stand_there():
    made = outcome(sent=submission(HOSTILE, queue_id=HOSTILE), way=trace(hosts=(HOSTILE, "b", "c", "d")))
    texts = [
        draw(result(made)),
        draw(result(make_outcome(OutcomeKind.REFUSED, submission=refused(550, text=HOSTILE)))),
        draw(result(unobserved=HOSTILE)),
    ]

    assert all(is_plain(text) and "[red]a[/red]" in text for text in texts)


def test_a_pipe_gets_plain_lines(monkeypatch):
    expected = draw(result(outcome()))
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    page = Page()

    print_result(result(outcome()), page)

    assert page.getvalue() == expected
    assert is_plain(page.getvalue())


def test_no_color_is_obeyed_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    page = Page(is_terminal=True)

    print_result(result(outcome()), page)

    assert is_plain(page.getvalue())


def test_a_terminal_gets_colours(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    page = Page(is_terminal=True)

    print_result(result(outcome()), page)

    assert "\x1b[1;32m✓ delivered in 2.64 s" in page.getvalue()


def take_streams(monkeypatch, term="xterm-256color"):
    """Make standard output and standard error terminals."""
    out, err = Page(is_terminal=True), Page(is_terminal=True)
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    monkeypatch.setenv("TERM", term)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return out, err


def test_the_live_view_shows_the_steps_and_leaves_nothing_behind(monkeypatch):
    out, err = take_streams(monkeypatch)
    with ProbeView("inbound", deadline_seconds=60.0) as view:
        view.step("mailbox")
        view.step("arrival")

    text = out.getvalue()
    assert "watching the mailbox for the message, at most 60.00 s" in text
    assert text.index("\x1b[?25l") < text.index("\x1b[?25h"), "the cursor is back"
    assert text.rstrip("\r").endswith("\x1b[2K"), "and the last frame is erased"
    assert err.getvalue() == ""


def test_the_terminal_is_given_back_after_an_error(monkeypatch):
    out, _ = take_streams(monkeypatch)
    with pytest.raises(RuntimeError), ProbeView("inbound") as view:
        view.step("mailbox")
        raise RuntimeError

    assert out.getvalue().rfind("\x1b[?25h") > out.getvalue().rfind("\x1b[?25l")


def test_a_simple_terminal_gets_a_line_for_each_step(monkeypatch):
    out, err = take_streams(monkeypatch, term="dumb")
    with ProbeView("inbound") as view:
        view.step("mailbox")

    assert out.getvalue() == ""
    assert err.getvalue() == "mailbox: opening the mailbox: nothing is sent before it is in view\n"


def test_for_json_nothing_else_is_shown(monkeypatch):
    streams = take_streams(monkeypatch)
    with ProbeView("inbound", is_silent=True) as view:
        view.step("mailbox")

    assert [stream.getvalue() for stream in streams] == ["", ""]
