"""What senders, mailboxes and routes may be set to, each once on real servers."""

import base64
import email
import email.policy
import json
import re
import statistics
import time
from collections import defaultdict

import pytest

from tests.acceptance.daemon import Daemon, route, write_config
from tests.lab import MailLab

pytestmark = pytest.mark.lab

MEGABYTE = 2**20
JUNK = ("junk-fails", "junk-passes")
ROUTES = {
    "oauth": route("probe1", "probe1", sender="oauth"),
    "bearer": route("probe3", "probe3", sender="bearer"),
    "implicit-tls": route("probe2", "probe2", sender="implicit-tls"),
    "open": route("probe3", "probe3", sender="open"),
    "large": route("probe3", "probe3", message_size=MEGABYTE),
    "plus": route("probe3", "probe3", plus_address=True),
    "junk-fails": route("spam", "spam"),
    "junk-passes": route("spam", "spam", junk_is_failure=False),
}


def configure(lab, work):
    """Three ways to submit, four ways to read, and all that may become of what was judged."""
    token = work / "token"
    token.write_text("probe1-token\n")
    config = write_config(lab, work, ROUTES)
    data = json.loads(config.read_text())
    senders, mailboxes = data["senders"], data["mailboxes"]
    oauth = {"username": "probe1", "password_file": str(token), "mechanism": "xoauth2"}
    bearer = oauth | {"mechanism": "oauthbearer"}
    senders["oauth"] = senders["submit"] | {"auth": oauth}
    senders["bearer"] = senders["submit"] | {"auth": bearer}
    senders["implicit-tls"] = senders["submit"] | {
        "port": lab.submission.implicit_tls_port,
        "tls": "implicit",
        "auth": senders["submit"]["auth"] | {"mechanism": "login"},
    }
    senders["open"] = senders["submit"] | {"port": lab.submission.plain_port, "tls": "none", "auth": None}
    template = mailboxes["probe2"]
    for user in ("probe3", "spam"):
        auth = {"username": user, "password_file": str(lab.password_file(user))}
        mailboxes[user] = template | {"auth": auth}
    mailboxes["probe1"] |= {
        "port": lab.imap.starttls_port, "tls": "starttls", "auth": oauth, "after_judgement": "trash",
    }  # fmt: skip
    mailboxes["probe2"] |= {
        "auth": template["auth"] | {"mechanism": "login"}, "after_judgement": "keep",
    }  # fmt: skip
    mailboxes["spam"]["junk"] = "Junk"
    config.write_text(json.dumps(data))
    return config


@pytest.fixture(scope="module")
def ran(lab: MailLab, tmp_path_factory):
    """A daemon that has probed every route at least twice, and then rested."""
    work = tmp_path_factory.mktemp("options")
    with Daemon(configure(lab, work)) as daemon:
        daemon.wait_until(
            lambda: all(daemon.value("smtp_probe_outcomes_total", route=name) >= 2 for name in ROUTES),
            "two ends on each route",
        )
        daemon.rest()
        daemon.wait_until(lambda: daemon.in_flight() == 0, "everything to end")
        yield daemon


@pytest.fixture(scope="module")
def by_route(ran):
    """The probes of each route."""
    found = defaultdict(list)
    for probe in ran.journal():
        found[probe["route"]].append(probe)
    return found


def own_messages(lab, user, folder):
    """Our messages in one folder, as `(file, message)`."""
    place = lab.maildir(user) / ({"INBOX": "."}.get(folder, f".{folder}"))
    files = [path for part in ("new", "cur") if (place / part).exists() for path in (place / part).iterdir()]
    read = [
        (path, email.message_from_bytes(path.read_bytes(), policy=email.policy.default)) for path in files
    ]
    return [(path, message) for path, message in read if "X-SMTP-Probe" in message]


def test_each_route_ends_as_its_path_says(by_route):
    kinds = {name: {probe["kind"] for probe in probes} for name, probes in by_route.items()}

    assert kinds == {name: {"junked" if name in JUNK else "delivered"} for name in ROUTES}


def test_whether_junk_is_a_failure_is_a_matter_of_the_route(ran, by_route):
    for name in JUNK:
        failed = ran.value("smtp_probe_probe_failures_total", route=name, reason="junked")
        succeeded = ran.value("smtp_probe_last_success_timestamp_seconds", route=name)
        assert failed == (len(by_route[name]) if name == "junk-fails" else 0)
        assert bool(succeeded) == (name == "junk-passes")


def test_junk_is_found_as_soon_as_an_inbox_message(by_route):
    arrivals = [probe["outcome"]["arrival"] for name in JUNK for probe in by_route[name]]

    assert {arrival["placement"] for arrival in arrivals} == {"junk"}
    assert statistics.median(arrival["seen_ns"] - arrival["stored_ns"] for arrival in arrivals) < 1e9


@pytest.mark.parametrize(
    ("sender", "mechanism", "absent", "present"),
    [
        ("oauth", "xoauth2", "tls", "starttls"),
        ("bearer", "oauthbearer", "tls", "starttls"),
        ("implicit-tls", "login", "starttls", "tls"),
        ("open", None, "auth", "mail"),
    ],
)
def test_each_way_to_submit_has_the_phases_of_its_own(ran, lab, sender, mechanism, absent, present):
    def phase(name):
        return ran.value("smtp_probe_submission_phase_duration_seconds_count", sender=sender, phase=name)

    assert phase(present) >= 2
    assert phase(absent) == 0
    if mechanism:
        assert f"sasl_method={mechanism.upper()}, sasl_username=probe1" in lab.log_file("mail").read_text()


@pytest.mark.parametrize(
    ("user", "mechanism"), [("probe1", "XOAUTH2"), ("probe2", "PLAIN"), ("probe3", "PLAIN")]
)
def test_each_way_to_log_in_to_a_mailbox_is_taken_by_the_server(ran, lab, user, mechanism):
    assert ran.value("smtp_probe_mailbox_up", mailbox=user) == 1
    assert f"user=<{user}>, method={mechanism}," in lab.log_file("dovecot").read_text()


def test_a_megabyte_is_sent(ran, lab, by_route):
    log = lab.log_file("mail").read_text()

    for probe in by_route["large"]:
        (size,) = re.findall(rf"{probe['submission']['queue_id']}: from=\S+ size=(\d+)", log)
        assert MEGABYTE <= int(size) < 1.1 * MEGABYTE
    assert ran.value("smtp_probe_corrupted_messages_total") == 0


def test_a_tag_in_the_address_reaches_the_mailbox(lab, by_route):
    log = lab.log_file("mail").read_text()

    for probe in by_route["plus"]:
        (recipient,) = set(re.findall(rf"{probe['submission']['queue_id']}: to=<([^>]*)>", log))
        assert re.fullmatch(r"probe3\+[a-z2-7]{48}@example\.test", recipient)


def test_judged_messages_are_moved_to_the_trash(ran, lab, by_route):
    wanted = len(by_route["oauth"])
    ran.wait_until(lambda: len(own_messages(lab, "probe1", "Trash")) == wanted, "messages in the trash", 15)

    assert own_messages(lab, "probe1", "INBOX") == []


def test_judged_messages_are_kept_unseen(ran, lab, by_route):
    time.sleep(1)
    kept = own_messages(lab, "probe2", "INBOX")

    assert len(kept) == len(by_route["implicit-tls"])
    assert not any("S" in path.name.partition(":2,")[2] for path, _ in kept)


def test_judged_messages_are_deleted_by_default(ran, lab):
    ran.wait_until(
        lambda: not any(own_messages(lab, "probe3", folder) for folder in ("INBOX", "Trash")),
        "messages to be deleted", 15,
    )  # fmt: skip
    ran.wait_until(lambda: not own_messages(lab, "spam", "Junk"), "junk to be deleted", 15)


def test_no_token_is_told(ran, lab):
    text = ran.log.read_text() + ran.get("/metrics")[1] + ran.get("/")[1]

    assert "probe1-token" not in text
    assert base64.b64encode(b"probe1-token").decode().rstrip("=")[:-1] not in text


def forget_uids(lab, user):
    """What a restored backup or a lost index does to a mailbox: every message gets a new UID under a new UIDVALIDITY."""
    for path in lab.maildir(user).iterdir():
        if path.name.startswith(("dovecot-uid", "dovecot.index", "dovecot.list.index")):
            path.unlink()


@pytest.mark.parametrize("after_judgement", ["delete", "keep"])
def test_a_mailbox_that_gives_all_messages_new_uids_is_survived(lab, work, after_judgement):
    lab.set_delay(3)
    routes = {
        "quick": route("probe1", "probe1", interval=0.5),
        "slow": route("delayed", "probe1", interval=1),
    }
    config = write_config(lab, work, routes)
    data = json.loads(config.read_text())
    data["mailboxes"]["probe1"]["after_judgement"] = after_judgement
    config.write_text(json.dumps(data))
    with Daemon(config) as daemon:
        daemon.wait_until(lambda: daemon.outcomes()["delivered"] >= 4, "deliveries")
        before = daemon.value("smtp_probe_mailbox_reconnects_total", mailbox="probe1")
        forget_uids(lab, "probe1")
        daemon.wait_until(
            lambda: daemon.value("smtp_probe_mailbox_reconnects_total", mailbox="probe1") > before,
            "the change to be noticed",
        )
        more = daemon.outcomes()["delivered"] + 4
        daemon.wait_until(lambda: daemon.outcomes()["delivered"] >= more, "deliveries again")
        daemon.rest()
        daemon.wait_until(lambda: daemon.in_flight() == 0, "everything to end", 60)

        assert set(daemon.outcomes()) == {"delivered"}
        assert daemon.value("smtp_probe_duplicate_messages_total") == 0
        if after_judgement == "delete":
            daemon.wait_until(lambda: not own_messages(lab, "probe1", "INBOX"), "ours to be deleted", 15)
