"""Domains, queues and verdicts in an engine: one process looks, all exporters show, and what nobody looks at is not shown as if."""

import json
from functools import partial

import pytest

from tests.engine.cluster import Cluster
from tests.engine.site import Receiver, Site, change_config, wait_until

pytestmark = pytest.mark.lab

ENTRY = {
    "queue_name": "deferred", "queue_id": "4hQx5W2mz1z9s1", "arrival_time": 1_790_000_000, "message_size": 700,
    "sender": "someone@example.test", "recipients": [{"address": "a@example.org", "delay_reason": "timed out"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    work = tmp_path_factory.mktemp("checks")
    listing = work / "postqueue.json"
    listing.write_text(json.dumps(ENTRY) + "\n")

    def add_checks(config):
        config["resolver"] = {"nameservers": ["127.0.0.1"], "port": 1, "timeout": 0.2, "lifetime": 0.4}
        config["domains"] = {"example.test": {"dial": False}}
        config["queues"] = {
            "relay": {"command": ["cat", str(listing)], "interval": 1, "deadline": 1, "retry_check": False}
        }
        config["routes"]["r"]["authentication"] = True

    with (
        Cluster(work / "nats", 1) as cluster,
        Receiver(work / "mx", ["user"]) as receiver,
        Site(cluster, receiver, work / "members", "checks") as made,
    ):
        made.configure({"r": {"user": "user", "interval": 2}})
        change_config(made.config, add_checks)
        yield made


def read_at(exporter):
    return exporter.value("smtp_probe_queue_last_read_timestamp_seconds", queue="relay")


def shows_all(exporter):
    return (
        exporter.is_ready()
        and read_at(exporter)
        and exporter.value("smtp_probe_domain_last_check_timestamp_seconds", domain="example.test")
        and exporter.value("smtp_probe_verdict", route="r", source="own")
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
    assert sum(each.value("smtp_probe_engine_checking") for each in checkers) == 1

    holder, other = sorted(checkers, key=lambda each: -each.value("smtp_probe_engine_checking"))
    holder.kill()
    wait_until(lambda: other.value("smtp_probe_engine_checking"), "the takeover", 15)
    before = read_at(exporters[0])
    wait_until(lambda: all(read_at(each) > before for each in exporters), "a look by the other")

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
