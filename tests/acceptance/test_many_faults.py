"""Faults in numbers: kills, lost servers, forgeries, bounces, wiped mailboxes, stepped clocks. Nothing is lost, none ends twice.

The counts are modest, so that the run stays short; `make faults` runs the full ones.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import time
from functools import partial

import pytest

from smtp_probe.model import Cause
from tests.acceptance.daemon import Daemon, account, route, write_config
from tests.lab.wrong_clock import find_library

IS_FULL = os.environ.get("SMTP_PROBE_FAULTS") == "full"
pytestmark = [pytest.mark.lab, pytest.mark.timeout(3600 if IS_FULL else 120)]

KILLS = 100 if IS_FULL else 3
IN_FLIGHT = 50 if IS_FULL else 10
DELAY_SECONDS = 12 if IS_FULL else 6
PACE = {"deadline": 240, "give_up_after": 300, "max_in_flight": 6} if IS_FULL else {"deadline": 60}
"""The relay holds 50 at a time. In full more wait in its queue: after a start that took long they are under way still, and
no deadline is missed on a busy machine.
"""
OUTAGES = 20 if IS_FULL else 1
DNS_OUTAGE_SECONDS = 60.0 if IS_FULL else 3.0
FORGERIES = 10_000 if IS_FULL else 200
BOUNCES = 1_000 if IS_FULL else 20
STEP_SECONDS = 3600
PATIENCE_SECONDS = 120.0 if IS_FULL else 30.0
"""How long a machine that has other work, too, may take to start a daemon, or to have mail under way again."""


def settle(daemon, seconds=120.0):
    """Send nothing more, and let everything end."""
    daemon.rest()
    daemon.wait_until(lambda: daemon.in_flight() == 0, "everything to end", seconds)


def account_for(daemon, kinds):
    """Every probe of the journal ended once, with one of these ends; gives how many there are."""
    probes = daemon.journal()
    assert [probe for probe in probes if probe["kind"] is None] == []
    assert {probe["kind"] for probe in probes} <= kinds, {probe["kind"] for probe in probes}
    counted = daemon.value("smtp_probe_outcomes_total") + sum(
        probe["kind"] == "unobserved" for probe in probes
    )
    assert counted == len(probes) == len({probe["probe_id"] for probe in probes})
    assert daemon.value("smtp_probe_internal_errors_total") == 0
    return len(probes)


def accepted(daemon):
    return [
        probe
        for probe in daemon.journal()
        if probe["submission"] and probe["submission"]["disposition"] == "accepted"
    ]


def has_more(daemon, kind, than):
    return daemon.outcomes()[kind] > than


def has_stepped(daemon, seconds):
    return abs(daemon.value("smtp_probe_clock_step_seconds") - seconds) < 5


def has_seen(daemon, metric):
    return daemon.value(metric) >= 1


def note(record_property, **figures):
    """Say in figures what was survived: in the report of the run, and to whoever looks on (-s)."""
    for name, figure in figures.items():
        record_property(name, figure)
    print("\n" + ", ".join(f"{name} {figure}" for name, figure in figures.items()), flush=True)


def test_kill_9_with_many_probes_in_flight(lab, work, record_property):
    lab.set_delay(DELAY_SECONDS)
    routes = {
        f"r{number}": route("delayed", "probe1", interval=1, **PACE) for number in range(IN_FLIGHT // 3)
    }
    plenty = IN_FLIGHT + len(routes)  # of which no more arrive until the kill than begin in a second
    daemon = Daemon(write_config(lab, work, routes), start_seconds=PATIENCE_SECONDS)
    seed, flights = random.Random(7), []
    with daemon:
        daemon.wait_until(lambda: daemon.in_flight() >= plenty, "so many probes in flight", 60)
        for _ in range(KILLS):
            time.sleep(seed.uniform(0.1, 1.0))
            daemon.kill()
            flights.append(list(daemon.kinds().values()).count(None))
            daemon.start()
            daemon.wait_until(daemon.is_ready, "the daemon to be ready", PATIENCE_SECONDS)
            daemon.wait_until(
                lambda: daemon.in_flight() >= plenty, "so many in flight again", PATIENCE_SECONDS
            )
        settle(daemon, 400)  # what a kill cut short before it was handed over is given up last
        probes = account_for(daemon, {"delivered", "unobserved"})
        handed_over = accepted(daemon)

        assert min(flights) >= IN_FLIGHT, flights
        assert {probe["kind"] for probe in handed_over} == {"delivered"}
        log = lab.mail_log()
        assert all(
            log.journey(each["submission"]["queue_id"]).stored_at_ns is not None for each in handed_over
        )
        note(
            record_property, kills=KILLS, probes=probes, accepted=len(handed_over), least_in_flight=min(flights),
            unobserved=list(daemon.kinds().values()).count("unobserved"),
        )  # fmt: skip


def test_the_imap_server_is_killed_again_and_again(lab, work, record_property):
    config = write_config(lab, work, {f"r{number}": route(interval=1) for number in range(5)})
    data = json.loads(config.read_text())
    # Without a login: Postfix asks Dovecot, and shuts its door for a minute when that is gone.
    data["senders"]["submit"] |= {"port": lab.submission.plain_port, "tls": "none", "auth": None}
    # A server that has just begun may take a connection and say nothing.
    data["mailboxes"]["probe2"]["timeouts"] |= {"connect": 3, "command": 3}
    config.write_text(json.dumps(data))
    with Daemon(config) as daemon:
        for _ in range(OUTAGES):
            ends = daemon.outcomes()["delivered"]
            daemon.wait_until(partial(has_more, daemon, "delivered", ends), "a delivery")
            lab.kill_part("dovecot")
            daemon.wait_until(lambda: daemon.value("smtp_probe_mailbox_up") == 0, "the mailbox to be down")
            lab.start_part("dovecot")
            daemon.wait_until(lambda: daemon.value("smtp_probe_mailbox_up") == 1, "the mailbox to be up")
        settle(daemon)
        account_for(daemon, {"delivered"})

        assert daemon.value("smtp_probe_mailbox_reconnects_total") >= OUTAGES
        note(record_property, kills=OUTAGES, delivered=daemon.outcomes()["delivered"])


def test_the_smtp_server_is_killed_again_and_again(lab, work, record_property):
    # What a kill after the final dot leaves behind is nobody's: it is watched for, and lost when it does not come.
    routes = {f"r{number}": route(interval=1, deadline=10, give_up_after=20) for number in range(5)}
    with Daemon(write_config(lab, work, routes)) as daemon:
        for _ in range(OUTAGES):
            ends = daemon.outcomes()["delivered"]
            daemon.wait_until(partial(has_more, daemon, "delivered", ends), "a delivery", 40)
            failed = daemon.outcomes()["unreachable"]
            lab.kill_part("submit")
            daemon.wait_until(partial(has_more, daemon, "unreachable", failed), "an unreachable server", 40)
            lab.start_part("submit")
        settle(daemon)
        probes = account_for(daemon, {"delivered", "unreachable", "deferred", "refused", "lost"})

        assert {probe["kind"] for probe in accepted(daemon)} == {"delivered"}
        assert daemon.value("smtp_probe_probe_failures_total", reason="unreachable") >= OUTAGES
        log = daemon.log.read_text()  # the first one may have had a connection when the server went
        assert any(cause in log for cause in (Cause.CONNECT_REFUSED, Cause.CONNECTION_LOST))
        note(record_property, kills=OUTAGES, probes=probes, unreachable=daemon.outcomes()["unreachable"])


def test_the_name_server_is_gone_for_a_while(lab, work, record_property):
    config = write_config(
        lab,
        work,
        {"r": route(interval=0.5)},
        resolver={"nameservers": [lab.dns.host], "timeout": 0.5, "lifetime": 1},
    )
    data = json.loads(config.read_text())
    data["senders"]["submit"]["host"] = "submit.example.test"
    config.write_text(json.dumps(data))
    with Daemon(config) as daemon:
        daemon.wait_until(lambda: daemon.outcomes()["delivered"] >= 2, "deliveries")
        lab.stop_part("dns")
        time.sleep(DNS_OUTAGE_SECONDS)
        lab.start_part("dns")
        before = daemon.outcomes()["delivered"]
        daemon.wait_until(lambda: daemon.outcomes()["delivered"] > before, "a delivery again", 60)
        settle(daemon)
        # The next server asks the same name server: what it holds meanwhile is late. What we cannot ask is our own gap.
        probes = account_for(daemon, {"delivered", "late", "unobserved"})

        assert {probe["kind"] for probe in accepted(daemon)} <= {"delivered", "late"}
        assert daemon.value("smtp_probe_probe_failures_total") == daemon.outcomes()["late"]
        unobserved = daemon.value("smtp_probe_unobserved_total")
        note(record_property, seconds=DNS_OUTAGE_SECONDS, probes=probes, unobserved=unobserved)


def test_the_wall_clock_is_stepped_by_an_hour_both_ways(lab, work, record_property, monkeypatch):
    stamp = work / "offset"
    stamp.write_text("+0s\n")
    monkeypatch.setenv("LD_PRELOAD", str(find_library()))
    monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(stamp))
    monkeypatch.setenv("FAKETIME_CACHE_DURATION", "1")
    monkeypatch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    # The library's clock_nanosleep refuses every sleep until an instant of a clock that it does not fake.
    (work / "sitecustomize.py").write_text(
        "import select, time\ntime.sleep = lambda seconds: select.select((), (), (), seconds) and None\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(work))
    with Daemon(write_config(lab, work, {"r": route(interval=0.5)})) as daemon:
        for step in (STEP_SECONDS, -STEP_SECONDS, 0):
            ends = daemon.outcomes()["delivered"]
            daemon.wait_until(partial(has_more, daemon, "delivered", ends + 2), "deliveries")
            stamp.write_text(f"{step:+d}s\n")
            daemon.wait_until(
                partial(has_stepped, daemon, step),
                "the step to be seen",
            )
        ends = daemon.outcomes()["delivered"]
        daemon.wait_until(lambda: daemon.outcomes()["delivered"] > ends + 2, "deliveries")
        settle(daemon)
        probes = account_for(daemon, {"delivered"})
        slowest = max(
            (probe["outcome"]["arrival"]["stored_ns"] - probe["submission"]["final_dot_ns"]) / 1e9
            for probe in daemon.journal()
        )

        assert 0 < slowest < 30, "no step is in any delivery time"
        note(record_property, steps=3, probes=probes, slowest_seconds=round(slowest, 3))


def test_forged_messages_in_numbers_are_counted_and_left_alone(lab, work, record_property):
    home = lab.layout.path("mail", "crowded")
    owner = home.parent.stat()
    if home.exists():
        shutil.rmtree(home)
    routes = {"r": route("crowded", "crowded", interval=0.5)}
    config = write_config(lab, work, routes, mailboxes={"crowded": account(lab, "crowded")})
    with Daemon(config, start_seconds=300) as daemon:  # it is ready when it has looked at all of them
        daemon.wait_until(lambda: daemon.outcomes()["delivered"] >= 1, "a delivery")
        daemon.kill()
    token = forge(lab, daemon)
    home.mkdir(exist_ok=True)
    inbox = home / "inbox"
    with inbox.open("a") as mails:
        for number in range(FORGERIES):
            mails.write(
                f"From a@b.test  Thu Nov 26 10:00:00 2026\nFrom: a@b.test\nSubject: forged {number}\n"
                f"X-SMTP-Probe: v=1; t={token}; d=sha256:0123456789abcdef\n\nhello\n\n"
            )
    for path in (home, inbox):
        os.chown(path, owner.st_uid, owner.st_gid)
    with daemon:
        daemon.wait_until(
            lambda: daemon.value("smtp_probe_forged_messages_total") >= FORGERIES, "all to be counted", 120
        )
        ends = daemon.outcomes()["delivered"]
        daemon.wait_until(lambda: daemon.outcomes()["delivered"] > ends, "a delivery beside them", 60)
        settle(daemon)
        account_for(daemon, {"delivered", "unobserved"})

        assert daemon.value("smtp_probe_forged_messages_total") == FORGERIES
        assert inbox.read_text().count("Subject: forged") == FORGERIES
        note(record_property, forged=FORGERIES)


def forge(lab, daemon):
    """A token in our form, for a route of ours, whose signature is not ours: that of a real message, with another end."""
    text = lab.log_file("mail").read_text()
    start = text.rindex("message-id=<spt1-") + len("message-id=<")
    token = text[start : text.index("@", start)]
    return token[:-4] + ("aaaa" if token[-4:] != "aaaa" else "bbbb")


def held_by(conf):
    """How many messages the queue of a Postfix has."""
    listed = subprocess.run(["postqueue", "-c", str(conf), "-j"], check=True, capture_output=True, timeout=20)
    return len(listed.stdout.splitlines())


def test_bounces_in_numbers_come_at_once(lab, work, record_property):
    conf = lab.layout.path("relay", "conf")
    held, main = conf / "held", conf / "main.cf"
    before = main.read_text()
    held.write_text("/^nobody@/ HOLD\n")
    lab.stop_part("relay")
    main.write_text(
        f"{before}\nsmtpd_recipient_restrictions = check_recipient_access pcre:{held}, permit_mynetworks, reject\n"
    )
    lab.start_part("relay")
    many = max(5, BOUNCES // 25)
    routes = {
        f"r{number}": route(
            "nobody", "probe1", bounce_mailbox="probe1", interval=1, deadline=600, max_in_flight=1000
        )
        for number in range(many)
    }
    try:
        config = write_config(lab, work, routes, schedule={"max_submissions": 50})
        with Daemon(config, start_seconds=PATIENCE_SECONDS) as daemon:
            daemon.wait_until(lambda: daemon.in_flight() >= BOUNCES, "so many in flight", 240)
            daemon.rest()
            # What is still on its way there would be held when the others are released, and nobody would release it.
            daemon.wait_until(
                lambda: held_by(conf) == len(accepted(daemon)) == daemon.in_flight(),
                "all to be held",
                PATIENCE_SECONDS,
            )
            probes = daemon.in_flight()
            begun = time.monotonic()
            subprocess.run(["postsuper", "-c", str(conf), "-H", "ALL"], check=True, timeout=60)
            daemon.wait_until(lambda: daemon.in_flight() == 0, "all to bounce", 240)
            seconds = time.monotonic() - begun
            account_for(daemon, {"bounced"})

            assert daemon.value("smtp_probe_bounces_total", category="no_such_user") == probes
            note(record_property, bounces=probes, seconds=round(seconds, 1))
    finally:
        main.write_text(before)
        lab.stop_part("relay")
        lab.start_part("relay")


def test_a_mailbox_that_somebody_else_wipes_is_watched_on(lab, work):
    with Daemon(write_config(lab, work, {"r": route(interval=0.5)})) as daemon:
        daemon.wait_until(lambda: daemon.outcomes()["delivered"] >= 2, "deliveries")
        lab.stop_part("dovecot")
        shutil.rmtree(lab.maildir("probe2"))
        lab.start_part("dovecot")
        before = daemon.outcomes()["delivered"]
        daemon.wait_until(lambda: daemon.outcomes()["delivered"] >= before + 2, "deliveries again", 40)
        settle(daemon)
        account_for(daemon, {"delivered"})


def test_new_numbers_for_all_messages_count_none_of_them_twice(lab, work):
    config = write_config(lab, work, {"r": route(interval=0.5)})
    data = json.loads(config.read_text())
    data["mailboxes"]["probe2"]["after_judgement"] = "keep"
    config.write_text(json.dumps(data))
    with Daemon(config) as daemon:
        daemon.wait_until(lambda: daemon.outcomes()["delivered"] >= 4, "deliveries")
        lab.stop_part("dovecot")
        for path in lab.maildir("probe2").glob("dovecot*"):
            path.unlink()
        lab.start_part("dovecot")
        before = daemon.outcomes()["delivered"]
        daemon.wait_until(lambda: daemon.outcomes()["delivered"] >= before + 2, "deliveries again", 40)
        settle(daemon)
        account_for(daemon, {"delivered"})

        assert daemon.value("smtp_probe_duplicate_messages_total") == 0
        kept = [path for part in ("new", "cur") for path in (lab.maildir("probe2") / part).iterdir()]
        assert len(kept) >= daemon.outcomes()["delivered"]
    shutil.rmtree(lab.maildir("probe2"))
    lab.stop_part("dovecot")
    lab.start_part("dovecot")


@pytest.mark.parametrize("keys", ["the same key", "two keys"])
def test_two_daemons_on_one_mailbox_delete_only_their_own_and_say_so(lab, work, keys):
    configs = []
    shared = work / "shared.key"
    shared.write_text("0123456789abcdef" * 4)
    shared.chmod(0o600)
    for name in ("one", "two"):
        place = work / name
        place.mkdir(mode=0o700)
        config = write_config(lab, place, {"r": route("delayed", "probe1", interval=0.5)})
        if keys == "the same key":
            data = json.loads(config.read_text())
            data["tag_key_files"] = [str(shared)]
            config.write_text(json.dumps(data))
        configs.append(config)
    lab.set_delay(1)
    metric = (
        "smtp_probe_stray_messages_total" if keys == "the same key" else "smtp_probe_forged_messages_total"
    )
    one, two = (Daemon(config, start_seconds=PATIENCE_SECONDS) for config in configs)
    with one, two:
        for daemon in (one, two):
            daemon.wait_until(partial(has_seen, daemon, metric), "the other's messages to be seen", 40)
            daemon.wait_until(partial(has_more, daemon, "delivered", 4), "deliveries", 40)
        for daemon in (one, two):
            settle(daemon)
            account_for(daemon, {"delivered"})
            assert daemon.value("smtp_probe_duplicate_messages_total") == 0
            assert "another smtp-probe" in daemon.log.read_text()
