"""One message at a time on a quiet path: our figures against the servers' own logs, to the millisecond."""

import statistics

import pytest

from tests.acceptance.daemon import Daemon, route, write_config

pytestmark = pytest.mark.lab

PROBES = 20


def test_the_latency_agrees_with_the_servers_own_logs(lab, work):
    """From acceptance to store, by us and by the logs of the first Postfix and of Dovecot: within 5 ms."""
    config = write_config(lab, work, {"quiet": route(interval=0.7)})
    with Daemon(config) as daemon:
        daemon.wait_until(lambda: sum(daemon.outcomes().values()) >= PROBES, f"{PROBES} ends", 60)
    log = lab.mail_log()
    differences = []
    for probe in daemon.journal():
        if probe["kind"] == "delivered":
            submission, arrival = probe["submission"], probe["outcome"]["arrival"]
            journey = log.journey(submission["queue_id"])
            ours = arrival["stored_ns"] - submission["accepted_ns"]
            theirs = journey.stored_at_ns - journey.accepted_at_ns
            differences.append((ours - theirs) / 1e6)

    assert len(differences) >= PROBES
    assert abs(statistics.median(differences)) < 5.0, sorted(differences)


def test_the_way_of_looking_does_not_inflate_the_latency(lab, work):
    """What IDLE would add (500 ms on this server) shows neither in the latency nor in the view of it."""
    config = write_config(lab, work, {"quiet": route(interval=0.7)})
    with Daemon(config) as daemon:
        daemon.wait_until(lambda: sum(daemon.outcomes().values()) >= PROBES, f"{PROBES} ends", 60)
    delivered = [probe["outcome"]["arrival"] for probe in daemon.journal() if probe["kind"] == "delivered"]

    assert {arrival["stamp"] for arrival in delivered} == {"guid"}
    assert (
        statistics.median((arrival["seen_ns"] - arrival["stored_ns"]) / 1e6 for arrival in delivered) < 100.0
    )
