"""No reply to the final dot, in front of a real server: nobody knows, so it is watched for, by a next process too."""

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


def test_sigterm_does_not_wait_for_a_reply_that_does_not_come(lab, work):
    """Within ten seconds, and what was handed over is remembered as uncertain and found by the next process."""
    with cutting_relay(lab.submission.host, lab.submission.plain_port, holds=True) as relay:
        with Daemon(configure(lab, work, relay.port, recipient="delayed", mailbox="probe1")) as daemon:
            daemon.wait_until(lambda: relay.cuts >= 1, "a message to be handed over")
            code, seconds = daemon.terminate()
            assert code == 0
            assert seconds < 10
            assert "Traceback" not in daemon.log.read_text()
            (probe,) = daemon.journal()
            assert (probe["kind"], probe["submission"]["disposition"]) == (None, "uncertain")
        with daemon:
            daemon.wait_until(lambda: daemon.outcomes()["delivered"] >= 1, "the delivery")
            assert daemon.value("smtp_probe_delivery_duration_seconds_count") >= 1


def test_a_kill_between_the_dot_and_its_reply_does_not_lose_the_latency(lab, work):
    lab.set_delay(4)
    with cutting_relay(lab.submission.host, lab.submission.plain_port, holds=True) as relay:
        config = configure(lab, work, relay.port, recipient="delayed", mailbox="probe1")
        with Daemon(config) as daemon:
            daemon.wait_until(lambda: relay.cuts >= 1, "a message to be handed over")
            daemon.kill()
            (killed,) = daemon.journal()
        with daemon:
            daemon.wait_until(lambda: daemon.outcomes()["delivered"] >= 1, "the delivery")
            daemon.terminate()
            (probe,) = [each for each in daemon.journal() if each["probe_id"] == killed["probe_id"]]

    assert killed["kind"] is None
    assert probe["kind"] == "delivered"
    waited_ns = probe["outcome"]["arrival"]["stored_ns"] - probe["submission"]["final_dot_ns"]
    assert 4 < waited_ns / 1e9 < 8
