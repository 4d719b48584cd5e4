"""Ten routes, two mailboxes, real servers: every message accounted for, and the figures are the servers' own."""

from pathlib import Path

import pytest

from tests.acceptance.daemon import Daemon, route, write_config
from tests.lab import MailLab

pytestmark = pytest.mark.lab

PLAIN = {f"plain-{number}": route() for number in range(4)}
ODD = {
    "other-mailbox": route("probe1", "probe1"),
    "junk": route("probe2", "probe2"),
    "unknown": route("nobody", "probe1", bounce_mailbox="probe1"),
    "lost": route("blackhole", "probe1", deadline=3, give_up_after=8),
    "double": route("dup", "probe1"),
    "delayed": route("delayed", "probe1", deadline=2, give_up_after=60, interval=4),
}


@pytest.fixture(scope="module")
def ran(lab: MailLab, tmp_path_factory):
    """A daemon that has probed ten routes for a while (each as often as in five minutes at 30 s), and then rested."""
    work = Path(tmp_path_factory.mktemp("round-trips"))
    lab.set_delay(4)
    config = write_config(lab, work, {**PLAIN, **ODD})
    with Daemon(config, "--web.enable-lifecycle") as daemon:
        prometheus = lab.start_prometheus([f"127.0.0.1:{daemon.port}"])
        daemon.wait_until(lambda: sum(daemon.outcomes().values()) >= 90, "ninety ends", 60)
        daemon.rest()
        daemon.wait_until(lambda: daemon.in_flight() == 0, "everything to end", 60)
        yield daemon, prometheus
        prometheus.stop()


def test_every_message_that_was_sent_has_exactly_one_end(ran, lab):
    daemon, _ = ran
    probes = daemon.journal()

    assert [probe for probe in probes if probe["kind"] is None] == []
    assert sum(daemon.outcomes().values()) == len(probes) == len({probe["probe_id"] for probe in probes})
    log = lab.mail_log()
    for probe in probes:
        assert log.journey(probe["submission"]["queue_id"]).accepted_at_ns is not None, probe


def test_each_kind_of_path_gets_its_own_outcome(ran):
    daemon, _ = ran
    kinds = {}
    for probe in daemon.journal():
        kinds.setdefault(probe["route"], set()).add(probe["kind"])

    assert {name: kinds[name] for name in (*PLAIN, *ODD)} == {
        **{name: {"delivered"} for name in PLAIN},
        "other-mailbox": {"delivered"},
        "junk": {"delivered"},
        "unknown": {"bounced"},
        "lost": {"lost"},
        "double": {"delivered"},
        "delayed": {"late"},
    }


def test_the_counters_add_up(ran):
    daemon, _ = ran
    for name in (*PLAIN, *ODD):
        probes = daemon.value("smtp_probe_probes_total", route=name)
        failures = daemon.value("smtp_probe_probe_failures_total", route=name)
        in_time = daemon.value("smtp_probe_outcomes_total", route=name, outcome="delivered")
        assert probes == failures + in_time, name
    doubled = sum(probe["route"] == "double" for probe in daemon.journal())
    assert daemon.value("smtp_probe_duplicate_messages_total", route="double") == doubled
    assert daemon.value("smtp_probe_unobserved_total") == 0


def test_our_messages_are_gone_and_foreign_mail_is_untouched(ran, lab):
    daemon, _ = ran
    daemon.wait_until(lambda: not own_messages(lab), "our messages to be deleted", 15)


def own_messages(lab):
    return [
        path
        for user in ("probe1", "probe2")
        for path in lab.maildir(user).rglob("*")
        if path.is_file() and path.parent.name in ("new", "cur") and b"X-SMTP-Probe" in path.read_bytes()
    ]


def test_prometheus_holds_the_series(ran):
    daemon, prometheus = ran
    total = sum(daemon.outcomes().values())

    assert prometheus.wait_for(f"sum(smtp_probe_outcomes_total) == {total}")
    assert prometheus.wait_for("count(smtp_probe_delivery_duration_seconds_bucket) > 0")
    assert prometheus.wait_for("min(smtp_probe_mailbox_up) == 1")
    assert prometheus.wait_for("smtp_probe_config_last_reload_successful == 1")
