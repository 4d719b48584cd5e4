"""The daemon watches a real queue: our own probes are named in it, and what cannot be read is absent, never zero."""

from __future__ import annotations

import json

import pytest

from tests.acceptance.daemon import Daemon, route, write_config

pytestmark = pytest.mark.lab


def test_our_probes_are_seen_in_the_queue_of_a_server_whose_next_one_is_down(lab, tmp_path):
    def retry(instance):
        return ["postconf", "-c", str(lab.layout.path(instance, "conf")), "-x"]

    def showq(instance):
        return str(lab.layout.path(instance, "queue", "public", "showq"))

    quick = {"method": "showq", "interval": "500ms", "deadline": "500ms"}
    config = write_config(
        lab,
        tmp_path,
        {"held": route(interval=1, deadline=1)},
        queues={
            "relay": {**quick, "path": showq("relay"), "retry_command": retry("relay")},
            "nowhere": {**quick, "path": str(tmp_path / "showq"), "retry_check": False},
        },
    )
    lab.stop_part("mx")
    try:
        with Daemon(config) as daemon:
            daemon.wait_until(
                lambda: daemon.value("smtp_probe_queue_probes", queue="relay") >= 2, "two probes in the queue"
            )
            seen = {
                (name.removeprefix("smtp_probe_queue_"), dict(labels)["queue"])
                for name, labels in daemon.samples()
                if name.startswith("smtp_probe_queue_") and "queue" in dict(labels)
            }
            assert daemon.value("smtp_probe_queue_up", queue="relay") == 1
            assert ("messages", "relay") in seen
            assert {name for name, queue in seen if queue == "nowhere"} == {
                "info",
                "up",
                "read_failures_total",
            }
            assert daemon.value("smtp_probe_queue_up", queue="nowhere") == 0
            assert (
                daemon.value("smtp_probe_queue_read_failures_total", queue="nowhere", reason="missing") >= 1
            )
            daemon.wait_until(
                lambda: daemon.value("smtp_probe_queue_messages", queue="relay", state="deferred") >= 2,
                "the two to be put off: at the last look they were on their way",
            )
            assert daemon.value("smtp_probe_queue_deferred_messages", queue="relay", reason="network") >= 2
            assert daemon.value("smtp_probe_queue_finding", queue="relay", check="retry_too_soon") == 1
            known = {probe["probe_id"] for probe in daemon.journal()}
            _, text = daemon.get("/api/v1/queue")
            subjects = {subject["name"]: subject for subject in json.loads(text)["subjects"]}
            named = {
                key.removeprefix("probe ") for key in subjects["relay"]["facts"] if key.startswith("probe ")
            }
            assert named
            assert named <= known
            probe_id = min(named)
            _, text = daemon.get(f"/api/v1/probes/{probe_id}")
            assert [place["queue"] for place in json.loads(text)["queued"]] == ["relay"]
            _, page = daemon.get(f"/probes/{probe_id}")
            assert "In the queue of relay" in page
            assert subjects["nowhere"]["state"] == "unobserved"
            lab.start_part("mx")
            daemon.rest()
            daemon.wait_until(
                lambda: daemon.value("smtp_probe_queue_messages", queue="relay") == 0,
                "the queue to be empty",
                60,
            )
            assert daemon.value("smtp_probe_queue_probes", queue="relay") == 0
    finally:
        lab.start_part("mx")
