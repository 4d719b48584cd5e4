"""The daemon's checks of domains, beside its probes: what they say, and that nothing waits for them."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import dns.message
import pytest

from tests.acceptance.daemon import Daemon, route, write_config
from tests.zones.nameserver import serve, serve_anew

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


@contextlib.contextmanager
def _bad_resolver() -> Iterator[int]:
    """A name server that in turn says nothing, answers another question, under another number, too late, or with noise."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as serving:
        serving.bind(("127.0.0.1", 0))
        serving.settimeout(0.2)
        late: list[threading.Timer] = []

        def serve_badly() -> None:
            for number in itertools.count():
                try:
                    data, client = serving.recvfrom(4096)
                except TimeoutError:
                    continue
                except OSError:  # closed: the test is over
                    return
                asked = dns.message.from_wire(data)
                reply = dns.message.make_response(asked)
                other = dns.message.make_response(dns.message.make_query("other.test", "A", id=asked.id))
                lies = (
                    None,
                    other.to_wire(),
                    bytes(2) + reply.to_wire()[2:],
                    os.urandom(60),
                    data[:2] + b"\x81\x80",
                )
                if number % 6 == 5:
                    late.append(
                        threading.Timer(1.5, lambda to=client, said=reply: _send(serving, said.to_wire(), to))
                    )
                    late[-1].start()
                elif (lie := lies[number % 6]) is not None:
                    _send(serving, lie, client)

        thread = threading.Thread(target=serve_badly, daemon=True)
        thread.start()
        try:
            yield serving.getsockname()[1]
        finally:
            for timer in late:
                timer.cancel()


def _send(serving: socket.socket, data: bytes, client: tuple[str, int]) -> None:
    with contextlib.suppress(OSError):
        serving.sendto(data, client)


def test_a_resolver_that_is_slow_lies_or_says_nothing_holds_up_no_probe(lab, tmp_path):
    with _bad_resolver() as port:
        config = write_config(
            lab,
            tmp_path,
            {"quick": route(interval=3)},
            resolver={
                "nameservers": ["127.0.0.1"],
                "port": port,
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


def _zone(lab, key: str = "", mx: str = "mx1") -> str:
    """The lab's zone for a name server of our own: short times to live, and as wanted another key and MX record."""
    text = re.sub(
        r"^\$TTL .*$", "$TTL 1", lab.layout.path("dns", "example.test.zone").read_text(), flags=re.MULTILINE
    )
    assert "$TTL 1\n" in text
    text = text.replace("10 mx1\n", f"10 {mx}\n")
    return (
        re.sub(r"^lab1\._domainkey.*$", f"lab1._domainkey IN TXT {key}", text, flags=re.MULTILINE)
        if key
        else text
    )


def test_a_delivered_probe_shows_its_verdicts_and_a_broken_key_is_found_at_once(lab, tmp_path):
    """The receiver's filter has its own copy of the key: when that in DNS is broken, it and we disagree."""
    zones = tmp_path / "zones"
    zones.mkdir()
    with serve({"example.test": _zone(lab)}, zones) as port:
        config = write_config(
            lab,
            tmp_path,
            {"quick": route(interval=2)},
            resolver={"nameservers": ["127.0.0.1"], "port": port},
            domains={"example.test": {"dial": False, "private_addresses": True, "interval": "5m"}},
        )
        settings = json.loads(config.read_text())
        settings["mailboxes"]["probe2"] |= {
            "own_hosts": ["mx1.example.test", "imap.example.test"],
            "authserv_ids": ["mx1.example.test"],
        }
        config.write_text(json.dumps(settings))

        def verdict(method: str, source: str, result: str) -> bool:
            labels = {"route": "quick", "method": method, "source": source, "result": result}
            return daemon.value("smtp_probe_verdict", **labels) == 1

        def finds(check: str, **labels: str) -> bool:
            return daemon.value("smtp_probe_finding", check=check, **labels) >= 1

        def is_sound() -> bool:
            own = all(verdict(method, "own", "pass") for method in ("spf", "dkim", "dmarc"))
            return own and verdict("dkim", "receiver", "pass")

        with Daemon(config) as daemon:
            daemon.wait_until(is_sound, "the verdicts on a sound probe")
            assert daemon.value("smtp_probe_verdict_disagreement", route="quick") == 0
            assert not any(
                name == "smtp_probe_finding" and dict(labels).get("route") == "quick"
                for name, labels in daemon.samples()
            )
            # The egress, its EHLO name and the selector were seen on the probe: nobody has configured them.
            daemon.wait_until(
                lambda: daemon.value("smtp_probe_dkim_key_length", domain="example.test") >= 1024, "the key"
            )
            _, page = daemon.get("/api/v1/domains", Accept="application/json")
            assert '"SPF result":"pass"' in page.replace(": ", ":")  # which only an egress address can have
            assert daemon.value("smtp_probe_finding", domain="example.test", severity="error") == 0

            serve_anew(zones, 0, _zone(lab, key='"v=DKIM1; k=rsa; p="'))
            daemon.wait_until(
                lambda: verdict("dkim", "own", "fail") or verdict("dkim", "own", "permerror"), "ours"
            )
            assert verdict("dkim", "receiver", "pass")
            assert daemon.value("smtp_probe_verdict_disagreement", route="quick", method="dkim") == 1
            assert finds("signature_revoked", route="quick", severity="error")
            assert finds("dkim_disagrees", route="quick")
            # Long before the next look is due: a probe whose verdicts changed brings it on.
            daemon.wait_until(
                lambda: finds("dkim_key_revoked", domain="example.test"), "the domain's finding"
            )
            assert finds("dkim_key_changed", domain="example.test", severity="info")
            assert (
                daemon.value("smtp_probe_dns_record_changes_total", domain="example.test", record="dkim") == 1
            )
            broken = _last_probe_with_verdicts(daemon)
            daemon.kill()

        serve_anew(zones, 0, _zone(lab, key='"v=DKIM1; k=rsa; p="', mx="mx2"))
        with Daemon(config) as daemon:  # what changed while it was down
            assert verdict("dkim", "receiver", "pass")
            assert _verdicts(daemon, broken["probe_id"]) == broken["verdicts"]
            assert {each["source"] for each in broken["verdicts"]} == {"own", "receiver"}
            assert {each["method"] for each in broken["verdicts"]} >= {"spf", "dkim", "dmarc"}
            _, page = daemon.get(f"/probes/{broken['probe_id']}", Accept="text/html")
            assert "the receiver</td>" in page
            assert "selector " in page
            assert "No verdict is known" not in page
            daemon.wait_until(
                lambda: finds("mx_changed", domain="example.test", severity="info"), "the change"
            )
            assert (
                daemon.value("smtp_probe_dns_record_changes_total", domain="example.test", record="mx") == 1
            )
            assert (
                daemon.value("smtp_probe_dns_record_changes_total", domain="example.test", record="dkim") == 1
            )


def _verdicts(daemon: Daemon, probe_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(daemon.get(f"/api/v1/probes/{probe_id}")[1])["verdicts"]
    return found


def _last_probe_with_verdicts(daemon: Daemon) -> dict[str, Any]:
    lines = json.loads(daemon.get("/api/v1/routes/quick")[1])["probes"]
    found = (
        {"probe_id": line["probe_id"], "verdicts": _verdicts(daemon, line["probe_id"])} for line in lines
    )
    return next(each for each in found if each["verdicts"])


@contextlib.contextmanager
def _receiver_that_says(lab, words: str) -> Iterator[None]:
    """The MX writes this into each message as the results of a filter of its own."""
    conf = lab.layout.path("mx", "conf")
    said, main = conf / "said", conf / "main.cf"
    before = main.read_text()
    said.write_text(f"/./ PREPEND Authentication-Results: filter.example.test; {words}\n")
    lab.stop_part("mx")
    main.write_text(f"{before}\nsmtpd_data_restrictions = check_sender_access pcre:{said}\n")
    lab.start_part("mx")
    try:
        yield
    finally:
        lab.stop_part("mx")
        main.write_text(before)
        lab.start_part("mx")


PASSES = "spf=pass smtp.mailfrom=example.test; dmarc=pass header.from=example.test"
FAILS = "spf=softfail smtp.mailfrom=example.test; dmarc=fail (p=reject) header.from=example.test"


def test_what_the_receiver_says_is_shown_and_when_it_changes_the_domain_is_looked_at(lab, tmp_path):
    """Of SPF and DMARC a filter of the receiver's has its own opinion, which differs from ours in the end."""
    config = write_config(
        lab,
        tmp_path,
        {"quick": route(interval=2)},
        resolver={"nameservers": [lab.dns.host], "port": lab.dns.port},
        domains={"example.test": {"dial": False, "private_addresses": True, "interval": "5m"}},
    )
    settings = json.loads(config.read_text())
    settings["mailboxes"]["probe2"] |= {
        "own_hosts": ["mx1.example.test", "imap.example.test"],
        "authserv_ids": ["mx1.example.test", "filter.example.test"],
    }
    config.write_text(json.dumps(settings))
    with Daemon(config) as daemon:

        def says(**results: str) -> bool:
            labels = {"route": "quick", "source": "receiver"}
            return all(
                daemon.value("smtp_probe_verdict", method=method, result=result, **labels) == 1
                for method, result in results.items()
            )

        def looked_at() -> float:
            return daemon.value("smtp_probe_domain_last_check_timestamp_seconds", domain="example.test")

        with _receiver_that_says(lab, PASSES):
            daemon.wait_until(lambda: says(spf="pass", dmarc="pass", dkim="pass"), "what the filter says", 60)
            daemon.wait_until(looked_at, "the first look")
            assert daemon.value("smtp_probe_verdict_disagreement", route="quick") == 0
            assert daemon.value("smtp_probe_finding", route="quick") == 0
        with _receiver_that_says(lab, FAILS):
            before = looked_at()
            daemon.wait_until(lambda: says(spf="softfail", dmarc="fail", dkim="pass"), "another word", 60)
            assert not says(spf="pass")
            for method in ("spf", "dmarc"):
                assert daemon.value("smtp_probe_verdict_disagreement", route="quick", method=method) == 1
                assert daemon.value("smtp_probe_finding", route="quick", check=f"{method}_disagrees") == 1
            assert daemon.value("smtp_probe_verdict_disagreement", route="quick", method="dkim") == 0
            daemon.wait_until(lambda: looked_at() > before, "a look long before the next is due")
