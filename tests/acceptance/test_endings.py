"""The real endings, on real servers: each told by its name, with its reason, and once."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.acceptance.daemon import Daemon, account, free_port, route, write_config
from tests.acceptance.footer_filter import footer_filter
from tests.acceptance.scanning_filter import scanning_filter

pytestmark = pytest.mark.lab

RELAY = """
# this relay gives up soon, says so sooner, and holds what is for probe3
maximal_queue_lifetime = 12s
bounce_queue_lifetime = 12s
delay_warning_time = 3s
smtpd_recipient_restrictions = check_recipient_access pcre:{held}, permit_mynetworks, reject
"""
ROUTES = {
    "expired": route(
        "tempfail", "probe1", bounce_mailbox="probe1", interval=5, deadline=100, give_up_after=200
    ),
    "unknown": route("nobody", "probe1", bounce_mailbox="probe1", interval=5),
    "full": route("full", "probe1", bounce_mailbox="probe1", interval=5),
    # The bounce of this one goes to a mailbox without room for it.
    "unheard": {
        **route("nobody", "probe2", bounce_mailbox="full", deadline=4, give_up_after=10),
        "sender": "full",
    },
    "discarded": route("blackhole", "probe1", deadline=3, give_up_after=6, interval=5),
    "junked": route("spam", "spam", interval=5),
    "greylisted": route("postgrey", "probe1", plus_address=True, interval=5),
    "double": route("dup", "probe1", interval=5),
    "held": route("probe3", "probe3", deadline=4, give_up_after=200, interval=5),
    "footer": {**route(interval=5), "sender": "filtered"},
    "scanned": route("probe2+scan", interval=5),
    "proxied": {**route(interval=5), "sender": "proxied"},
}
SCAN_SECONDS = 6.0
"""More than the five from which on a delay within a host is told."""
SCAN = """
scan unix - - n - - smtp
  -o smtp_bind_address=127.0.0.1
127.0.0.1:{back} inet n - n - - smtpd
  -o receive_override_options=no_unknown_recipient_checks,no_header_body_checks,no_milters,no_address_mappings
  -o smtpd_relay_restrictions=permit_mynetworks,reject
  -o smtpd_recipient_restrictions=permit_mynetworks,reject
  -o smtpd_milters=
127.0.0.1:{front} inet n - n - - smtpd
  -o smtpd_proxy_filter=127.0.0.1:{scanner}
  -o smtpd_discard_ehlo_keywords=dsn
  -o smtpd_milters=
"""


def postsuper(lab, *options):
    subprocess.run(
        ["postsuper", "-c", str(lab.layout.path("relay", "conf")), *options], check=True, timeout=20
    )


def configure(lab, work, filter_port, front):
    config = write_config(
        lab, work, ROUTES, mailboxes={user: account(lab, user) for user in ("probe3", "spam", "full")}
    )
    data = json.loads(config.read_text())
    data["senders"]["submit"]["verp"] = True  # each bounce comes to an address of its own
    data["senders"]["filtered"] = {
        **data["senders"]["submit"], "host": "127.0.0.1", "port": filter_port, "tls": "none", "auth": None,
    }  # fmt: skip
    data["senders"]["proxied"] = {**data["senders"]["filtered"], "port": front}
    data["senders"]["full"] = {
        **data["senders"]["submit"],
        "envelope_from": "full@example.test",
        "verp": False,
    }
    config.write_text(json.dumps(data))
    return config


def fill(folder):
    """Lay more into a mailbox than its quota of 200 bytes, as an import or an administrator does."""
    for part in ("", "new", "cur", "tmp"):
        (folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "new" / "1.large.host"
    path.write_bytes(b"Subject: large\r\n\r\n" + b"x" * 3000 + b"\r\n")
    owner = folder.parents[1].stat()
    for each in (folder.parent, folder, *folder.iterdir(), path):
        os.chown(each, owner.st_uid, owner.st_gid)


def scan_at_the_mx(lab, port, back, front):
    """Have the MX hand some of its mail to a filter, and take it back on another port (FILTER_README of Postfix).

    What comes on the port `front` is handed to the filter before it is in the queue (SMTPD_PROXY_README).
    """
    conf = lab.layout.path("mx", "conf")
    access = conf / "recipient_access"
    lab.stop_part("mx")
    access.write_text(f"/^probe2\\+scan@/ FILTER scan:[127.0.0.1]:{port}\n{access.read_text()}")
    with (conf / "master.cf").open("a") as master:
        master.write(SCAN.format(back=back, front=front, scanner=port))
    lab.start_part("mx")


@pytest.fixture(scope="module")
def ended(lab, tmp_path_factory):
    """Every route probed once or twice, and all of them ended: what the journal, the metrics and the API say."""
    conf = lab.layout.path("relay", "conf")
    held = conf / "held"
    held.write_text("/^probe3@/ HOLD\n")
    lab.stop_part("relay")
    with (conf / "main.cf").open("a") as main:
        main.write(RELAY.format(held=held))
    lab.start_part("relay")
    fill(lab.maildir("full"))
    scanner, back, front = free_port(), free_port(), free_port()
    scan_at_the_mx(lab, scanner, back, front)
    work = Path(tmp_path_factory.mktemp("endings"))
    with (
        scanning_filter(SCAN_SECONDS, scanner, ("127.0.0.1", back)),
        footer_filter(lab.submission.host, lab.submission.plain_port) as filtering,
        Daemon(configure(lab, work, filtering.port, front), "--web.enable-lifecycle") as daemon,
    ):
        daemon.wait_until(
            lambda: {probe["route"] for probe in daemon.journal()} == set(ROUTES), "each route to be probed"
        )
        daemon.rest()
        daemon.wait_until(
            lambda: daemon.value("smtp_probe_probe_failures_total", route="held", reason="overdue") >= 1,
            "the held message to be overdue",
        )
        time.sleep(4)  # a second probe of that route has its own deadline
        postsuper(lab, "-H", "ALL")
        daemon.wait_until(lambda: daemon.in_flight() == 0, "everything to end", 60)
        time.sleep(0.5)  # a copy may be seen after the end
        probes = {probe["route"]: probe for probe in daemon.journal()}
        views = {
            name: json.loads(daemon.get(f"/api/v1/probes/{probe['probe_id']}")[1])
            for name, probe in probes.items()
        }
        yield daemon, probes, views


def test_each_ending_has_its_name(ended):
    daemon, _, _ = ended
    kinds = {(probe["route"], probe["kind"]) for probe in daemon.journal()}
    assert len(kinds) == len(ROUTES)
    assert dict(kinds) == {
        "expired": "bounced",
        "unknown": "bounced",
        "full": "bounced",
        "unheard": "lost",
        "discarded": "lost",
        "junked": "junked",
        "greylisted": "delivered",
        "double": "delivered",
        "held": "late",
        "footer": "delivered",
        "scanned": "delivered",
        "proxied": "delivered",
    }


def test_a_bounce_that_its_mailbox_has_no_room_for_is_told_as_that(ended):
    daemon, probes, views = ended
    assert daemon.value("smtp_probe_mailbox_quota_used_ratio", mailbox="full", resource="storage") > 1
    assert daemon.value("smtp_probe_mailbox_quota_used_ratio", mailbox="probe1", resource="storage") < 0.01
    assert daemon.value("smtp_probe_outcomes_total", route="unheard", outcome="lost") >= 1
    assert not any(probe["kind"] == "unobserved" for probe in probes.values())
    said = "the bounce mailbox has no room, 3 of 1 KiB used"
    assert said in json.dumps(views["unheard"])
    assert said not in json.dumps(views["discarded"])
    assert daemon.log.read_text().count("no room for another message: 3 of 1 KiB used") == 1


def test_a_bounce_says_why(ended):
    daemon, _, views = ended
    unknown, expired = views["unknown"]["bounce"], views["expired"]["bounce"]
    assert (unknown["action"], unknown["status"], unknown["recipient"]) == (
        "failed", "5.1.1", "nobody@example.test",
    )  # fmt: skip
    assert unknown["reporting_mta"] == "relay.example.test"
    assert daemon.value("smtp_probe_bounces_total", route="unknown", category="no_such_user") >= 1
    assert daemon.value("smtp_probe_bounces_total", route="full", category="mailbox_full") >= 1
    assert (expired["action"], expired["reason"]) == ("failed", "other")
    assert expired["status"].startswith("4.")
    assert daemon.value("smtp_probe_bounces_total", route="expired", status_class="4") >= 1


def test_a_delay_is_told_before_the_mail_expires_and_is_no_end(ended):
    daemon, _, views = ended
    delay = views["expired"]["delay"]
    assert (delay["action"], delay["reporting_mta"]) == ("delayed", "relay.example.test")
    assert delay["seen_at"] < views["expired"]["bounce"]["seen_at"]
    assert delay["retry_until"] > delay["seen_at"]
    assert daemon.value("smtp_probe_bounce_notices_total", action="delayed") >= 1
    assert daemon.value("smtp_probe_delay_notices_total", route="expired") >= 1
    assert daemon.value("smtp_probe_bounce_reasons_total", status_class="5", category="mailbox_full") >= 1
    told = re.search(
        r"; put off on its way, told at 20\d\d-\d\d-\d\d [\d:]{8} UTC for the same reason, to be tried until 20\d\d-",
        views["expired"]["sentence"],
    )
    assert told is not None
    assert "probe put off on its way, told at " in daemon.log.read_text()


def test_where_it_arrived_is_counted(ended):
    daemon, probes, _ = ended
    assert daemon.value("smtp_probe_placement_total", route="junked", placement="junk") >= 1
    assert daemon.value("smtp_probe_placement_total", route="held", placement="inbox") >= 1
    assert probes["junked"]["outcome"]["failure"]["cause"] == "junked"
    assert daemon.value("smtp_probe_delivery_duration_seconds_count", route="junked") >= 1


def test_greylisting_is_told_by_who_did_it(ended):
    _, probes, _ = ended
    findings = probes["greylisted"]["outcome"]["path"]["findings"]
    (said,) = [finding for finding in findings if finding["check"] == "greylisted"]
    assert "postgrey" in said["message"]


def test_a_content_scan_is_told_apart_from_greylisting_and_from_waiting_in_a_queue(ended):
    _, probes, _ = ended
    told = {
        name: {
            finding["check"]
            for finding in probes[name]["outcome"]["path"].get("findings", ())
            if finding["check"] in {"greylisted", "retry_delay", "scan_delay"}
        }
        for name in ("scanned", "proxied", "greylisted", "held", "junked")
    }
    # What was held waited for less than a retry takes, between two hosts: of that nothing is known.
    assert told == {
        "scanned": {"scan_delay"},
        "proxied": {"scan_delay"},
        "greylisted": {"greylisted"},
        "held": set(),
        "junked": set(),
    }
    # What a filter before the queue gets bears no queue id: only so is it told from a queue, however long it takes.
    hops = probes["proxied"]["outcome"]["arrival"]["trace"]["hops"]
    assert [hop.get("id") is None for hop in hops if hop.get("by", "").startswith("mx1")] == [True, False]
    (said,) = [
        finding
        for finding in probes["scanned"]["outcome"]["path"]["findings"]
        if finding["check"] == "scan_delay"
    ]
    assert "mx1" in said["message"]


def test_copies_parted_where_the_alias_is(ended):
    daemon, _, views = ended
    doubled = sum(probe["route"] == "double" for probe in daemon.journal())
    assert daemon.value("smtp_probe_duplicate_messages_total", route="double") == doubled
    (copy,) = views["double"]["copies"]
    assert copy["forked_at"] == "mx1.example.test"


def test_held_mail_that_is_released_after_its_deadline_has_its_true_time(ended):
    _, _, views = ended
    assert views["held"]["was_overdue"]
    assert views["held"]["delivery_seconds"] > 4


def test_a_footer_is_a_change_and_no_damage(ended):
    daemon, _, views = ended
    assert views["footer"]["arrival"]["alterations"] == ["footer"]
    assert not views["footer"]["arrival"]["corrupted"]
    assert daemon.value("smtp_probe_altered_messages_total", kind="footer") >= 1
    assert daemon.value("smtp_probe_corrupted_messages_total") == 0
