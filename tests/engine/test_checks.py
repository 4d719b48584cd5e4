"""Domains, queues and verdicts in an engine: one process looks, all exporters show, and what nobody looks at is not shown as if."""

import json
from functools import partial

import pytest

from tests.engine.cluster import Cluster
from tests.engine.site import Receiver, Site, change_config, wait_until

pytestmark = pytest.mark.lab

EGRESS = "198.51.100.25"
ENTRY = {
    "queue_name": "deferred", "queue_id": "4hQx5W2mz1z9s1", "arrival_time": 1_790_000_000, "message_size": 700,
    "sender": "someone@example.test", "recipients": [{"address": "a@example.org", "delay_reason": "timed out"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    work = tmp_path_factory.mktemp("checks")
    drill = {"sender": "lab", "recipient": "user@example.test", "interval": 2, "checks": ["relay"]}
    listing = work / "postqueue.json"
    listing.write_text(json.dumps(ENTRY) + "\n")

    def add_checks(config):
        config["resolver"] = {"nameservers": ["127.0.0.1"], "port": 1, "timeout": 0.2, "lifetime": 0.4}
        config["domains"] = {"example.test": {"dial": False}}
        config["queues"] = {
            "relay": {"command": ["cat", str(listing)], "interval": 1, "deadline": 1, "retry_check": False}
        }
        config["routes"]["r"]["authentication"] = True
        config["drills"] = {"lab": True, "rejection": {"refused": drill}}

    with (
        Cluster(work / "nats", 1) as cluster,
        Receiver(work / "mx", ["user"]) as receiver,
        Site(cluster, receiver, work / "members", "checks") as made,
    ):
        (work / "mx" / "relayed").touch()
        made.configure({"r": {"user": "user", "interval": 2}})
        change_config(made.config, add_checks)
        yield made


def read_at(exporter):
    return exporter.value("smtp_probe_queue_last_read_timestamp_seconds", queue="relay")


def knows_egress(exporter):
    """Whether the egress that only a watcher sees, on what arrives, is among what the checker could not look up."""
    return EGRESS in exporter.get("/api/v1/domains")[1]


def drilled_at(exporter):
    return exporter.value("smtp_probe_drill_last_run_timestamp_seconds", drill="refused")


def shows_all(exporter):
    return (
        exporter.is_ready()
        and read_at(exporter)
        and exporter.value("smtp_probe_domain_last_check_timestamp_seconds", domain="example.test")
        and exporter.value("smtp_probe_verdict", route="r", source="own")
        and drilled_at(exporter)
    )


def says_nobody_looks(exporter):
    return (
        "smtp_probe_queue_up" in {name for name, _ in exporter.samples()}
        and exporter.value("smtp_probe_queue_up", queue="relay") == 0
    )


def test_one_checker_looks_and_all_exporters_show(site):
    for role in ("controller", "worker", "watcher"):
        site.start(role, role)
    checkers = [site.start("checker", f"checker{number}") for number in range(2)]
    exporters = [site.start("exporter", f"exporter{number}") for number in range(2)]
    for exporter in exporters:
        wait_until(partial(shows_all, exporter), "what was looked at", 30)
        assert exporter.value("smtp_probe_queue_up", queue="relay") == 1
        assert exporter.value("smtp_probe_engine_checked") == 1
        assert exporter.value("smtp_probe_queue_messages", queue="relay", state="deferred") == 1
        assert exporter.value("smtp_probe_check_up", domain="example.test", check="spf") == 0
        # The receiver of these tests takes mail for anybody.
        assert exporter.value("smtp_probe_drill_healthy", drill="refused") == 0
        assert exporter.value("smtp_probe_drill_finding", drill="refused") == 1
        wait_until(
            partial(knows_egress, exporter), "that the checker looks at the address that mail shows", 20
        )
    assert sum(each.value("smtp_probe_engine_checking") for each in checkers) == 1

    holder, other = sorted(checkers, key=lambda each: -each.value("smtp_probe_engine_checking"))
    holder.kill()
    wait_until(lambda: other.value("smtp_probe_engine_checking"), "the takeover", 15)
    before, drilled = read_at(exporters[0]), drilled_at(exporters[0])
    wait_until(lambda: all(read_at(each) > before for each in exporters), "a look by the other")
    wait_until(lambda: all(drilled_at(each) > drilled for each in exporters), "a drill by the other")

    other.kill()
    for exporter in exporters:
        wait_until(partial(says_nobody_looks, exporter), "nobody looks", 15)
        names = {name for name, _ in exporter.samples()}
        assert "smtp_probe_queue_messages" not in names
        assert exporter.value("smtp_probe_engine_checked") == 0
    late = site.start("exporter", "late")
    wait_until(
        lambda: late.is_ready() and late.value("smtp_probe_verdict", route="r", source="own"), "it", 20
    )
    wait_until(lambda: late.value("smtp_probe_queue_up", queue="relay") == 0, "that it says so, too", 15)
    for member in site.members:
        assert "Traceback" not in member.log.read_text(), member.log
