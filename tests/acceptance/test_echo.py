"""Recipients that answer by themselves: a program that quotes the header, and Sieve's vacation, which quotes the tag alone."""

from __future__ import annotations

import pytest

from tests.acceptance.daemon import Daemon, route, write_config
from tests.acceptance.test_options import own_messages
from tests.lab import MailLab
from tests.lab.client import send, wait_for_mail, write

pytestmark = pytest.mark.lab

ROUTES = {
    "quoting": route("echo", "probe1", interval=1, echo=True),
    "vacation": route("away", "probe1", interval=1, echo=True, echo_from=["away@example.test"]),
    "mistrusted": route("echo", "probe1", interval=1, deadline=1, give_up_after=1.5, echo=True, echo_from=["other.test"]),
    "ordinary": route("echo", "probe1", interval=1, deadline=1, give_up_after=1.5),
    "nobody": route("nobody", "probe1", interval=1, echo=True, bounce_mailbox="probe1"),
}  # fmt: skip


@pytest.fixture(scope="module")
def daemon(lab: MailLab, tmp_path_factory):
    foreign = send(lab, write("probe1@example.test", "Re: somebody else's mail"))
    wait_for_mail(lab, "probe1", foreign)
    config = write_config(lab, tmp_path_factory.mktemp("echo"), ROUTES)
    with Daemon(config) as running:
        running.wait_until(
            lambda: all(running.value("smtp_probe_outcomes_total", route=name) >= 2 for name in ROUTES),
            "two ends on each route",
            60,
        )
        running.rest()
        running.wait_until(lambda: running.in_flight() == 0, "everything to end")
        yield running


def ends(daemon, name):
    return [row["outcome"] for row in daemon.journal() if row["route"] == name and row["outcome"]]


@pytest.mark.parametrize("name", ["quoting", "vacation"])
def test_a_probe_arrives_with_its_answer(daemon, name):
    for outcome in ends(daemon, name):
        assert outcome["kind"] == "delivered"
        assert outcome["arrival"]["found_in"] == "quoted"
        assert outcome["arrival"].get("corrupted") is None
    assert daemon.value("smtp_probe_duplicate_messages_total", route=name) == 0


def test_the_way_there_is_read_from_what_the_answer_quotes(daemon):
    for outcome in ends(daemon, "quoting"):
        hops = [hop["by"] for hop in outcome["arrival"]["trace"]["hops"]]
        outbound = outcome["arrival"]["echo"]["outbound_hops"]
        assert hops[:outbound] == ["submit.example.test", "relay.example.test", "mx1.example.test"]
        assert hops[outbound] == "relay.example.test"
        assert outcome["path"]["origin"] == "confirmed"
        legs = {leg["leg"]: leg["span"]["took_ns"] for leg in outcome["path"]["legs"]}
        assert sum(legs.values()) == outcome["timing"]["delivery"]["took_ns"]
        assert set(legs) == {"outbound", "return"}
        assert all(took_ns > 0 for took_ns in legs.values())


def test_where_nothing_is_quoted_the_answers_first_stamp_divides(daemon):
    for outcome in ends(daemon, "vacation"):
        assert outcome["arrival"]["echo"]["outbound_hops"] == 0
        assert outcome["path"].get("origin") is None
        assert outcome["path"].get("egress") is None
        assert {role["leg"] for role in outcome["path"]["roles"]} == {"return"}
    for leg in ("outbound", "return"):
        assert daemon.value("smtp_probe_leg_duration_seconds", route="vacation", leg=leg) > 0


def test_an_answer_is_no_delivery_where_none_is_waited_for_or_another_writes_it(daemon):
    assert {each["kind"] for each in ends(daemon, "ordinary")} == {"lost"}
    assert {each["kind"] for each in ends(daemon, "mistrusted")} == {"lost"}


def test_a_bounce_is_no_answer(daemon):
    assert {each["kind"] for each in ends(daemon, "nobody")} == {"bounced"}


def test_nobody_is_said_to_have_authenticated_an_answer(daemon):
    shown = {dict(labels).get("route") for (name, labels) in daemon.samples() if "authentication" in name}
    assert not {"quoting", "vacation"} & shown


def test_answers_that_counted_are_deleted_and_nothing_else(daemon, lab):
    def kept():
        texts = [
            path.read_bytes() for part in ("new", "cur") for path in (lab.maildir("probe1") / part).iterdir()
        ]
        subjects = [line for text in texts for line in text.splitlines() if line.startswith(b"Subject:")]
        return sorted(set(subjects)), len(texts)

    lost = len(ends(daemon, "mistrusted")) + len(ends(daemon, "ordinary"))
    daemon.wait_until(
        lambda: kept() == ([b"Subject: Re: somebody else's mail", b"Subject: Your message"], 1 + lost),
        "the answers that counted to go",
    )
    assert not own_messages(lab, "probe1", "INBOX")
