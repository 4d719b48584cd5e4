"""A connection that is cut after the final dot, in front of a real server: nobody knows, so it is watched for."""

import json

import pytest

from tests.acceptance.cutting_relay import cutting_relay
from tests.acceptance.daemon import Daemon, route, write_config

pytestmark = pytest.mark.lab


def configure(lab, work, port, **settings):
    """One route through the relay that cuts."""
    config = write_config(lab, work, {"r": route(**settings)})
    data = json.loads(config.read_text())
    data["senders"]["submit"] |= {"host": "127.0.0.1", "port": port, "tls": "none", "auth": None}
    config.write_text(json.dumps(data))
    return config


def test_a_message_that_got_through_is_delivered_with_its_true_latency(lab, work):
    with (
        cutting_relay(lab.submission.host, lab.submission.plain_port) as relay,
        Daemon(configure(lab, work, relay.port, interval=0.5)) as daemon,
    ):
        daemon.wait_until(lambda: daemon.outcomes()["delivered"] >= 3, "deliveries")
        daemon.rest()
        daemon.wait_until(lambda: daemon.in_flight() == 0, "everything to end")
        probes = daemon.journal()

        assert set(daemon.outcomes()) == {"delivered"}
        assert {probe["submission"]["disposition"] for probe in probes} == {"uncertain"}
        assert relay.cuts == len(probes)
        mean = daemon.value("smtp_probe_delivery_duration_seconds_sum") / len(probes)
        assert daemon.value("smtp_probe_delivery_duration_seconds_count") == len(probes)
        assert 0 < mean < 5


def test_one_that_did_not_is_overdue_and_then_lost(lab, work):
    settings = {"recipient": "blackhole", "interval": 1, "deadline": 2, "give_up_after": 4}
    with (
        cutting_relay(lab.submission.host, lab.submission.plain_port) as relay,
        Daemon(configure(lab, work, relay.port, **settings)) as daemon,
    ):
        daemon.wait_until(lambda: daemon.outcomes()["lost"] >= 2, "lost messages")

        assert set(daemon.outcomes()) == {"lost"}
        assert daemon.value("smtp_probe_probe_failures_total", reason="overdue") >= 2
