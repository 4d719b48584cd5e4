"""Real servers on wrong clocks: the daemon finds how wrong each is, and what each hop took in truth.

The truth is what the servers stamped, less what was put on their clocks: the machine has one true clock, and every stamp
here is finer than a second.
"""

from itertools import pairwise
from statistics import median

import pytest

from tests.acceptance.daemon import Daemon, account, route, write_config
from tests.lab import MailLab
from tests.lab.client import mailbox
from tests.lab.exim import start_exim
from tests.lab.wrong_clock import set_postfix_clock

pytestmark = pytest.mark.lab

NS = 1_000_000_000
WRONG = {"exim.example.test": 7.3, "relay.example.test": -41.0}
PROBES = 24
QUEUED_SECONDS = 1.4
CLOCK_FOLDER = "smtp-probe-clock"


@pytest.fixture(scope="module")
def ran(lab: MailLab, tmp_path_factory):
    """A daemon that has probed three routes: over a Postfix that is 41 seconds slow, in whose queue mail of one route waits,
    and over an Exim that is 7.3 seconds fast.
    """
    work = tmp_path_factory.mktemp("clocks")
    work.chmod(0o700)
    exim = start_exim(lab, WRONG["exim.example.test"])
    set_postfix_clock(lab, "relay", WRONG["relay.example.test"])
    sender = {
        "host": exim.address,
        "port": exim.port,
        "tls": "none",
        "ehlo_name": "prober.example.test",
        "envelope_from": "probe1@example.test",
        "max_per_minute": 6000,
    }
    lab.set_delay(QUEUED_SECONDS)
    routes = {
        "postfix": route(interval=0.7),
        "exim": route("probe1", "probe1", interval=0.7) | {"sender": "exim"},
        "queued": route("delayed", "probe1", interval=0.7),
    }
    mailboxes = {"probe2": account(lab, "probe2") | {"clock_folder": CLOCK_FOLDER}}
    config = write_config(
        lab, work, routes, senders={"exim": sender}, mailboxes=mailboxes, metrics={"detail": "full"}
    )
    with Daemon(config) as daemon:
        daemon.wait_until(lambda: sum(daemon.outcomes().values()) >= 3 * PROBES, "the ends", 90)
        daemon.rest()
        daemon.wait_until(lambda: daemon.in_flight() == 0, "everything to end", 30)
        yield daemon


def readings(daemon):
    """Of every probe: its route, and for each hop the name, what it was measured to be, and the truth. Nanoseconds."""
    for probe in daemon.journal():
        outcome = probe["outcome"]
        trace, timing = outcome["arrival"]["trace"]["hops"], outcome["timing"]
        ends = [outcome["submission"]["final_dot_ns"]]
        for hop in timing["hops"][:-1]:
            line = trace[hop["last"] - 1]
            ends.append(max(line["at_ns"] - round(WRONG.get(line["by"], 0.0) * NS), ends[0]))
        hops = [
            (hop["by"], hop["span"], after - before)
            for hop, (before, after) in zip(timing["hops"][:-1], pairwise(ends), strict=True)
        ]
        yield probe["route"], hops, timing


def test_what_is_shown_of_a_clock_is_the_truth_within_its_bound(ran):
    for by, seconds in WRONG.items():
        offset = ran.value("smtp_probe_hop_clock_offset_seconds", by=by)
        bound = ran.value("smtp_probe_hop_clock_offset_bound_seconds", by=by)
        assert 0 < bound < 1, by
        assert abs(offset - seconds) <= bound, (by, offset, bound)


def test_every_bound_contains_the_truth_and_the_usual_error_is_milliseconds(ran):
    held, errors = [], []
    for _, hops, _ in readings(ran):
        for _, span, true_ns in hops:
            held.append(span["least_ns"] - 1_000_000 <= true_ns <= span["most_ns"] + 1_000_000)
            errors.append(abs(span["took_ns"] - true_ns) / 1e6)

    assert len(held) > 6 * PROBES
    assert sum(held) >= 0.99 * len(held), errors
    assert median(errors) < 25, errors


def test_the_hops_add_up_to_the_delivery_and_none_is_negative(ran):
    for _, _, timing in readings(ran):
        spans = [hop["span"] for hop in timing["hops"]]
        assert sum(span["took_ns"] for span in spans) == timing["delivery"]["took_ns"]
        assert all(0 <= span["least_ns"] <= span["took_ns"] <= span["most_ns"] for span in spans)


def test_the_chain_is_that_of_our_dialogue_and_no_step_was_invented(ran):
    origins = {
        dict(labels).get("origin")
        for (name, labels), _ in ran.samples().items()
        if name == "smtp_probe_path_info"
    }

    assert origins == {"confirmed"}
    assert ran.value("smtp_probe_hop_clock_steps_total") == 0
    assert ran.value("smtp_probe_path_changes_total") == 0


def test_time_in_a_queue_is_the_time_of_the_hop_that_ends_it(ran):
    """What waited in the slow Postfix shows where it was taken in next, and nowhere else."""
    waits = {
        name: [
            hop[1]["took_ns"] / NS
            for route_name, hops, _ in readings(ran)
            if route_name == name
            for hop in hops
        ]
        for name in ("postfix", "queued")
    }
    slow = [
        (by, span["took_ns"] / NS)
        for name, hops, _ in readings(ran)
        if name == "queued"
        for by, span, _ in hops
        if span["took_ns"] > 0.9 * QUEUED_SECONDS * NS
    ]
    probes = sum(name == "queued" for name, _, _ in readings(ran))

    assert {by for by, _ in slow} == {"mx1.example.test"}
    assert len(slow) == probes >= PROBES // 2
    assert QUEUED_SECONDS - 0.05 < median(seconds for _, seconds in slow) < QUEUED_SECONDS + 0.5
    assert max(waits["postfix"]) < 0.9 * QUEUED_SECONDS
    assert ran.value("smtp_probe_slowest_hop", route="queued", by="mx1.example.test") == 1


def test_the_mailbox_servers_clock_is_read_and_nothing_is_left_behind(ran, lab):
    with mailbox(lab, "probe2") as box:
        assert box.select(f'"{CLOCK_FOLDER}"', readonly=True) == ("OK", [b"0"])
        assert int(box.response("UIDNEXT")[1][0]) >= 2, "a message was there"
    assert "cannot be read" not in ran.log.read_text()
