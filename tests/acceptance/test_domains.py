"""The daemon's checks of domains, beside its probes: what they say, and that nothing waits for them."""

from __future__ import annotations

import socket

import pytest

from tests.acceptance.daemon import Daemon, route, write_config

pytestmark = pytest.mark.lab

QUICK = {"interval": "10s", "exchanger_interval": "10s", "private_addresses": True}


def test_findings_and_exchangers_are_metrics_and_each_question_goes_out_once(lab, tmp_path):
    options = {**QUICK, "ca_file": str(lab.ca_file), "recipient": lab.mail_address("probe1")}
    config = write_config(
        lab,
        tmp_path,
        {"quick": route(interval=5)},
        resolver={"nameservers": [lab.dns.host], "port": lab.dns.port},
        domains={"example.test": options, "two-spf.test": {**QUICK, "dial": False}},
    )
    with Daemon(config) as daemon:
        daemon.wait_until(
            lambda: (
                daemon.value("smtp_probe_domain_last_check_timestamp_seconds", domain="example.test")
                and daemon.value("smtp_probe_domain_last_check_timestamp_seconds", domain="two-spf.test")
            ),
            "both domains to be looked at",
            60,
        )
        assert (
            daemon.value("smtp_probe_finding", domain="two-spf.test", check="spf_multiple", severity="error")
            == 1
        )
        assert daemon.value("smtp_probe_finding", domain="example.test", severity="error") == 0
        assert daemon.value("smtp_probe_exchanger_up", domain="example.test") == 2
        assert daemon.value("smtp_probe_spf_lookups_left", domain="example.test") == 9
        assert (
            daemon.value(
                "smtp_probe_exchanger_phase_duration_seconds", domain="example.test", phase="starttls"
            )
            > 0
        )
        asked = daemon.value("smtp_probe_dns_queries_total", status="found")
        begun = daemon.value("smtp_probe_domain_last_check_timestamp_seconds", domain="example.test")
        daemon.wait_until(
            lambda: (
                daemon.value("smtp_probe_domain_last_check_timestamp_seconds", domain="example.test") > begun
            ),
            "a second look",
        )
        assert daemon.value("smtp_probe_dns_queries_total", status="found") == asked  # the TTL is a minute
        _, page = daemon.get("/metrics", Accept="text/plain")
        assert 'smtp_probe_check_up{check="mx",domain="example.test"} 1.0' in page.replace(
            'domain="example.test",check="mx"', 'check="mx",domain="example.test"'
        )


def test_a_resolver_that_says_nothing_holds_up_no_probe_and_loses_no_domain(lab, tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        config = write_config(
            lab,
            tmp_path,
            {"quick": route(interval=3)},
            resolver={
                "nameservers": ["127.0.0.1"],
                "port": silent.getsockname()[1],
                "timeout": 1,
                "lifetime": 2,
            },
            domains={f"d{number}.test": QUICK for number in range(40)},
        )
        with Daemon(config) as daemon:
            daemon.wait_until(lambda: daemon.outcomes()["delivered"] >= 5, "five deliveries", 60)
            daemon.wait_until(
                lambda: daemon.value("smtp_probe_dns_queries_total", status="timeout") > 20, "questions"
            )
            assert set(daemon.outcomes()) == {"delivered"}
            assert daemon.value("smtp_probe_schedule_missed_total") == 0
            assert daemon.value("smtp_probe_scheduler_lag_seconds") < 0.5
            assert daemon.value("smtp_probe_finding") == 0
            daemon.wait_until(
                lambda: any(name == "smtp_probe_check_up" for name, _ in daemon.samples()),
                "a domain looked at",
            )
            assert daemon.value("smtp_probe_check_up", check="mx") == 0
