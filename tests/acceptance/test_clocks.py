"""Real servers on wrong clocks: the daemon finds how wrong each is, and what each hop took in truth."""

from statistics import median

import pytest

from tests.acceptance.wrong_clocks import (
    CLOCK_FOLDER,
    NS,
    QUEUED_SECONDS,
    WRONG,
    probe_wrong_clocks,
    read_truth,
)
from tests.lab import MailLab
from tests.lab.client import mailbox

pytestmark = pytest.mark.lab

PROBES = 24


@pytest.fixture(scope="module")
def ran(lab: MailLab, tmp_path_factory):
    """A daemon that has probed three routes."""
    with probe_wrong_clocks(lab, tmp_path_factory.mktemp("clocks"), PROBES) as daemon:
        yield daemon


def test_what_is_shown_of_a_clock_is_the_truth_within_its_bound(ran):
    for by, seconds in WRONG.items():
        offset = ran.value("smtp_probe_hop_clock_offset_seconds", by=by)
        bound = ran.value("smtp_probe_hop_clock_offset_bound_seconds", by=by)
        assert 0 < bound < 1, by
        assert abs(offset - seconds) <= bound, (by, offset, bound)


def test_every_bound_contains_the_truth_and_the_usual_error_is_milliseconds(ran):
    hops = [hop for reading in read_truth(ran) for hop in reading.hops]
    held = [hop.is_held for hop in hops]
    errors = [hop.error_ns / 1e6 for hop in hops]

    assert len(held) > 6 * PROBES
    assert sum(held) >= 0.99 * len(held), errors
    assert median(errors) < 25, errors


def test_the_hops_add_up_to_the_delivery_and_none_is_negative(ran):
    for reading in read_truth(ran):
        spans = [hop["span"] for hop in reading.timing["hops"]]
        assert sum(span["took_ns"] for span in spans) == reading.timing["delivery"]["took_ns"]
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
    told = list(read_truth(ran))
    longest = max(hop.span["took_ns"] / NS for each in told if each.route == "postfix" for hop in each.hops)
    queued = [each for each in told if each.route == "queued"]
    slow = [
        (hop.by, hop.span["took_ns"] / NS)
        for each in queued
        for hop in each.hops
        if hop.span["took_ns"] > 0.9 * QUEUED_SECONDS * NS
    ]

    assert {by for by, _ in slow} == {"mx1.example.test"}
    assert len(slow) == len(queued) >= PROBES // 2
    assert QUEUED_SECONDS - 0.05 < median(seconds for _, seconds in slow) < QUEUED_SECONDS + 0.5
    assert longest < 0.9 * QUEUED_SECONDS
    assert ran.value("smtp_probe_slowest_hop", route="queued", by="mx1.example.test") == 1


def test_the_mailbox_servers_clock_is_read_and_nothing_is_left_behind(ran, lab):
    with mailbox(lab, "probe2") as box:
        assert box.select(f'"{CLOCK_FOLDER}"', readonly=True) == ("OK", [b"0"])
        assert int(box.response("UIDNEXT")[1][0]) >= 2, "a message was there"
    assert "cannot be read" not in ran.log.read_text()


def shown(daemon, name, *labels, **wanted):
    """Give what the page shows of a gauge, by these of its labels."""
    found = {}
    for (metric, pairs), value in daemon.samples().items():
        told = dict(pairs)
        if metric == name and wanted.items() <= told.items():
            found[tuple(told[label] for label in labels)] = value
    return found


def test_the_page_shows_the_hops_and_legs_of_the_last_message_and_both_add_up_to_it(ran):
    for route_name in ("postfix", "exim", "queued"):
        timing = [each for each in read_truth(ran) if each.route == route_name][-1].timing
        whole = ran.value("smtp_probe_last_delivery_duration_seconds", route=route_name)
        hops = shown(ran, "smtp_probe_hop_last_duration_seconds", "by", route=route_name)
        legs = shown(ran, "smtp_probe_leg_duration_seconds", "leg", route=route_name)
        bounds = shown(ran, "smtp_probe_hop_uncertainty_seconds", "by", route=route_name)

        assert sum(hops.values()) == pytest.approx(whole, abs=1e-9)
        assert sum(legs.values()) == pytest.approx(whole, abs=1e-9)
        assert "inbound" in {leg for (leg,) in legs}
        assert bounds == {
            (hop["by"],): pytest.approx(uncertainty(hop["span"]), abs=1e-9) for hop in timing["hops"]
        }


def uncertainty(span):
    """How far at most the truth is from the shown value, in seconds."""
    return max(span["took_ns"] - span["least_ns"], span["most_ns"] - span["took_ns"]) / NS


def test_the_page_shows_which_hosts_took_the_message_in_over_tls(ran):
    """Dovecot's LMTP is in plaintext here. The client of Exim is on the same host: nothing is said of it."""
    encrypted = {by: value for (by,), value in shown(ran, "smtp_probe_hop_tls", "by").items()}

    assert encrypted == {
        "submit.example.test": 1.0,
        "relay.example.test": 1.0,
        "mx1.example.test": 1.0,
        "imap.example.test": 0.0,
    }
