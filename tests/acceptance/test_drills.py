"""Every drill against real servers, with shortened schedules: Postfix for all of them, Exim where we are the destination."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys

import pytest

from smtp_probe.app.drill_run import run_drill
from smtp_probe.config.keys import load_or_make_keys, prepare_state_directory
from smtp_probe.config.load import load
from smtp_probe.mail.tag import TagKey
from smtp_probe.model import Desk, DrillResult
from tests.acceptance.daemon import Daemon, route, write_config
from tests.lab.client import send, write
from tests.lab.exim import start_exim

pytestmark = pytest.mark.lab
RELAY = {
    "smtp_helo_timeout": "2s",
    "smtp_connect_timeout": "2s",
    "smtp_mail_timeout": "2s",
}
"""So that Postfix has not five minutes of patience."""
REFUSALS = """\
/GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL/ REJECT 5.7.1 spam
/^WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FS/ REJECT 5.7.1 virus
"""


FORGERIES = r"/^From:.*probe2@example\.test/ REJECT 5.7.1 not an address of this login"


@pytest.fixture(scope="module", autouse=True)
def impatient(lab):
    """Shortened time-outs of the relay, and filters at the submission server."""
    conf = lab.layout.path("relay", "conf")
    subprocess.run(["postconf", "-c", conf, *(f"{k}={v}" for k, v in RELAY.items())], check=True, timeout=20)
    conf = lab.layout.path("submit", "conf")
    (conf / "body_checks").write_text(REFUSALS)
    (conf / "header_checks").write_text(FORGERIES)
    own = {
        "header_checks": f"regexp:{conf}/header_checks",
        "body_checks": f"regexp:{conf}/body_checks",
        "smtpd_sender_login_maps": "inline:{probe1@example.test=probe1, probe2@example.test=probe2}",
        "smtpd_sender_restrictions": "reject_sender_login_mismatch",
    }
    subprocess.run(["postconf", "-c", conf, *(f"{k}={v}" for k, v in own.items())], check=True, timeout=20)
    for part in ("relay", "submit"):
        lab.stop_part(part)
        lab.start_part(part)


@pytest.fixture(scope="module")
def exim(lab):
    """Exim, which looks into its queue each second."""
    running = start_exim(lab, retry="* * F,4s,2s; G,1h,2s,2", queue_run="1s")
    yield running
    running.part.stop()
    shutil.rmtree(lab.layout.path("exim"))


def drills(lab, **kinds):
    """The section, for a lab: short intervals are allowed, and each drill has short ones."""
    section: dict[str, object] = {"lab": True}
    for kind, named in kinds.items():
        section[kind] = {
            name: {"sender": "submit", "interval": 60, **settings} for name, settings in named.items()
        }
    return section


def place(lab, host):
    return {"address": lab.layout.address(host), "port": 25}


def make_config(lab, work, exim=None, **kinds):
    senders = {}
    if exim is not None:
        senders["exim"] = {
            "host": exim.address,
            "port": exim.port,
            "tls": "none",
            "ehlo_name": "prober.example.test",
            "envelope_from": "probe1@example.test",
        }
    senders["plain"] = {
        "host": lab.submission.host,
        "port": lab.submission.plain_port,
        "tls": "none",
        "ehlo_name": "prober.example.test",
        "envelope_from": "probe1@example.test",
    }
    return write_config(
        lab, work, {"daily": route(interval=60)}, senders=senders, drills=drills(lab, **kinds)
    )


def run(config_file, name):
    """Run one drill in this process."""
    config = load(config_file)
    prepare_state_directory(config)
    keys = [TagKey(secret) for secret in load_or_make_keys(config)]
    return asyncio.run(asyncio.wait_for(run_drill(config, keys, name), 60))


def found(report):
    return [finding.check for finding in report.findings]


def retry(lab, **settings):
    return {
        "recipient": "drill@retry.drill.test",
        "listen": place(lab, "drill1"),
        "deferrals": 2,
        "deadline": 20,
        "minimum_first_retry": 0.5,
        **settings,
    }


def failover(lab, **settings):
    return {
        "recipient": "drill@failover.drill.test",
        "preferred": place(lab, "drill1"),
        "fallback": place(lab, "drill2"),
        "deadline": 20,
        "maximum_failover": 10,
        **settings,
    }


# The bounce drill.


def test_the_bounce_of_mail_to_nobody_comes_back_to_its_sender(lab, work):
    bounce = {"recipient": "nobody@example.test", "mailbox": "probe1", "deadline": 20}
    report = run(make_config(lab, work, bounce={"unknown": bounce}), "unknown")

    assert (report.result, found(report), report.unobserved) == (DrillResult.HEALTHY, [], ())
    assert report.facts["status"] == "5.1.1"
    assert report.facts["arrived in"].startswith("probe1")


@pytest.mark.parametrize(
    ("settings", "check"),
    [
        ({"recipient": "blackhole@example.test", "deadline": 2}, "drill_bounce_missing"),
        ({"recipient": "nobody@example.test", "expected_status": ["5.7"]}, "drill_bounce_status"),
        ({"recipient": "probe2@example.test", "other_mailbox": "probe2"}, "drill_bounce_delivered"),
        (
            {"recipient": "nobody@example.test", "mailbox": "probe2", "other_mailbox": "probe1"},
            "drill_bounce_astray",
        ),
    ],
)
def test_a_bounce_that_is_missing_or_wrong_is_a_finding(lab, work, settings, check):
    bounce = {"mailbox": "probe1", "deadline": 20, **settings}
    report = run(make_config(lab, work, bounce={"unknown": bounce}), "unknown")

    assert found(report) == [check]
    assert report.result is DrillResult.UNHEALTHY


def test_the_bounce_of_exim_comes_back_too(lab, work, exim):
    bounce = {"sender": "exim", "recipient": "nobody@example.test", "mailbox": "probe1", "deadline": 20}
    report = run(make_config(lab, work, exim, bounce={"unknown": bounce}), "unknown")

    assert (report.result, found(report), report.unobserved) == (DrillResult.HEALTHY, [], ())
    assert report.facts["from"].endswith("exim.example.test")


# The retry drill.


def test_the_retries_of_postfix_are_timed(lab, work):
    report = run(make_config(lab, work, retry={"r": retry(lab, deferrals=4)}), "r")

    assert (found(report), report.unobserved) == ([], ()), report.retry_intervals
    assert [attempt.answer for attempt in report.attempts] == ["451"] * 4 + ["250"]
    first, *_, last = report.retry_intervals
    assert 0.7 < first < 4  # minimal_backoff_time, from which Postfix takes a second, and a run of the queue
    assert last > 1.5 * first
    assert {attempt.peer for attempt in report.attempts} == {lab.layout.address("relay")}
    assert report.attempts[0].ehlo_name == "relay.example.test"
    assert report.attempts[0].tls == "TLSv1.3"


def test_the_retries_of_exim_are_timed(lab, work, exim):
    report = run(make_config(lab, work, exim, retry={"r": retry(lab, sender="exim", steady_wait=1)}), "r")

    assert (found(report), report.unobserved) == ([], ())
    assert len(report.retry_intervals) == 2
    # Exim counts whole seconds: of the two of its rule, one may be nearly over when it begins to count.
    assert all(0.9 < seconds < 8 for seconds in report.retry_intervals), report.retry_intervals


def test_haste_and_waits_that_do_not_grow_are_findings(lab, work, exim):
    hasty = retry(lab, sender="exim", minimum_first_retry=300, deferrals=1)
    report = run(make_config(lab, work, exim, retry={"r": hasty}), "r")

    assert found(report) == ["drill_retry_too_soon"]


def test_a_server_that_comes_too_seldom_and_one_that_never_comes(lab, work):
    seldom = retry(lab, deferrals=10, deadline=1.5)
    assert found(run(make_config(lab, work, retry={"r": seldom}), "r")) == ["drill_retry_missing"]
    elsewhere = retry(lab, listen=place(lab, "drill2"), deadline=1)
    assert found(run(make_config(lab, work, retry={"r": elsewhere}), "r")) == ["drill_retry_unreached"]


def test_what_cannot_listen_or_hand_over_is_not_observed(lab, work):
    taken = retry(lab, listen={"address": lab.submission.host, "port": 25})
    report = run(make_config(lab, work, retry={"r": taken}), "r")
    assert report.result is DrillResult.UNOBSERVED
    assert "nothing can listen on" in report.unobserved[0]


# The failover drill.


@pytest.mark.parametrize("mode", ["refuse", "unavailable", "defer", "silent", "tarpit"])
def test_postfix_falls_back_to_the_next_mx_host(lab, work, mode):
    # Mail of earlier drills would knock at the same door, and who hears nothing cannot tell it from this one's.
    conf = lab.layout.path("relay", "conf")
    subprocess.run(["postsuper", "-c", conf, "-d", "ALL"], check=True, timeout=20)
    # Of the silent one it is Postfix that has enough, not the receiver.
    settings = failover(lab, mode=mode, hold="6s" if mode == "silent" else "2s")
    report = run(make_config(lab, work, failover={"f": settings}), "f")

    assert (found(report), report.unobserved) == ([], ())
    assert report.failover_seconds is not None
    assert report.failover_seconds < 10
    assert report.attempts[-1].desk is Desk.FALLBACK
    if mode != "refuse":
        assert report.attempts[0].desk is Desk.PREFERRED
    if mode == "silent":
        *_, hop = (each for each in lab.mail_log().hops if each.gave_up_at_ns)
        first, last = report.attempts
        assert hop.gave_up_at_ns - hop.queued_at_ns >= 1.9e9  # smtp_helo_timeout
        assert first.at_ns < hop.gave_up_at_ns < last.at_ns


@pytest.mark.parametrize("mode", ["refuse", "unavailable", "defer", "silent"])
def test_exim_falls_back_to_the_next_mx_host(lab, work, exim, mode):
    for known in lab.layout.path("exim", "spool", "db").glob("retry*"):
        known.unlink()  # it remembers hosts that failed, and would go to the next one at once
    settings = failover(lab, sender="exim", mode=mode, hold="2s")
    report = run(make_config(lab, work, exim, failover={"f": settings}), "f")

    assert (found(report), report.unobserved) == ([], ())
    assert report.attempts[-1].desk is Desk.FALLBACK


def test_a_server_that_remembers_the_preferred_one_as_dead_shows_no_failover(lab, work, exim):
    settings = failover(lab, sender="exim", mode="unavailable")
    config = make_config(lab, work, exim, failover={"f": settings})
    run(config, "f")
    report = run(config, "f")

    assert (report.result, report.findings) == (DrillResult.UNOBSERVED, ())
    assert "without trying the preferred one" in report.unobserved[0]
    assert report.failover_seconds is None


def test_a_server_with_one_mx_host_only_does_not_fall_back(lab, work):
    only_one = failover(
        lab, recipient="drill@retry.drill.test", mode="unavailable", deadline=2, maximum_failover=1
    )
    report = run(make_config(lab, work, failover={"f": only_one}), "f")

    assert found(report) == ["drill_failover_missing"]
    assert report.failover_seconds is None


# The rejection drill.


EVERY_CHECK = (
    *("relay", "no_auth", "wrong_auth", "auth_before_tls", "forged_sender", "forged_from"),
    *("oversized", "gtube", "eicar"),
)


def test_postfix_refuses_what_must_be_refused(lab, work):
    settings = {
        "checks": list(EVERY_CHECK),
        "recipient": "probe2@example.test",
        "forged_address": "probe2@example.test",
    }
    report = run(make_config(lab, work, rejection={"x": settings}), "x")

    assert (found(report), report.unobserved) == ([], ())
    codes = {trial.check: trial.reply.code for trial in report.trials if trial.reply is not None}
    assert list(codes) == list(EVERY_CHECK)
    assert all(code // 100 == 5 for code in codes.values())
    assert codes["wrong_auth"] == 535
    assert codes["oversized"] == 552
    [forged] = [trial for trial in report.trials if trial.check == "forged_from"]
    assert (forged.step, forged.reply.enhanced) == ("the message", "5.7.1")


def test_whatever_is_accepted_is_a_finding(lab, work, exim):
    checks = ["relay", "no_auth", "forged_sender", "forged_from", "gtube", "eicar"]
    settings = {
        "sender": "exim",
        "checks": checks,
        "recipient": "probe2@example.test",
        "forged_address": "chief@example.test",
        "foreign_recipient": "stranger@example.test",
    }
    report = run(make_config(lab, work, exim, rejection={"x": settings}), "x")

    assert found(report) == [f"drill_{check}_accepted" for check in checks]
    assert report.result is DrillResult.UNHEALTHY


def test_a_code_that_is_not_expected_and_a_check_that_cannot_be_done(lab, work):
    settings = {
        "sender": "plain",
        "checks": ["oversized", "wrong_auth"],
        "recipient": "probe2@example.test",
        "expected": {"oversized": "550"},
    }
    report = run(make_config(lab, work, rejection={"x": settings}), "x")

    assert found(report) == ["drill_refusal_unexpected"]
    assert report.unobserved[0].startswith("wrong_auth: It could not be tried")


# The receiver, the command, the daemon.


def test_the_receiver_takes_nothing_of_strangers(lab, work):
    """While a drill runs, mail of others for its domain comes back, and it relays for nobody."""

    async def both():
        config_file = make_config(lab, work, retry={"r": retry(lab, deferrals=2)})
        config = load(config_file)
        prepare_state_directory(config)
        keys = [TagKey(secret) for secret in load_or_make_keys(config)]
        running = asyncio.create_task(run_drill(config, keys, "r"))
        await asyncio.sleep(0.5)
        reader, writer = await asyncio.open_connection(lab.layout.address("drill1"), 25)
        said = [await reader.readline()]
        for line in (
            b"HELO x\r\n",
            b"MAIL FROM:<a@example.test>\r\n",
            b"RCPT TO:<drill@retry.drill.test>\r\n",
            b"RCPT TO:<stranger@example.org>\r\n",
            b"RCPT TO:<drill+aaaabbbbccccddddeeeeffffgggghhhhiiiijjjjkkkkllll@retry.drill.test>\r\n",
            b"AUTH PLAIN AGEAYg==\r\n",
            b"DATA\r\n",
        ):
            writer.write(line)
            said.append(await asyncio.wait_for(reader.readline(), 5))
        writer.close()
        return said, await running

    said, report = asyncio.run(both())
    assert [line[:3] for line in said[:3]] == [b"220", b"250", b"250"]
    assert [line[:3] for line in said[3:6]] == [b"550"] * 3
    assert said[6][:1] == b"5"
    assert said[7][:3] == b"503"
    assert (found(report), len(report.attempts)) == ([], 3)


def test_the_command_tells_the_result_by_its_exit_code(lab, work):
    rejection = {"checks": ["relay"], "recipient": "probe2@example.test"}
    config = make_config(lab, work, rejection={"bad": {**rejection, "sender": "plain"}})
    argv = [sys.executable, "-m", "smtp_probe", "drill", f"--config.file={config}", "bad", "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (1, "")
    facts = json.loads(done.stdout)
    assert (facts["result"], facts["trials"][0]["code"]) == ("unhealthy", 250)
    assert "accepted mail of a stranger" in facts["findings"][0]["message"]


def test_the_daemon_runs_drills_beside_its_probes(lab, work):
    config = make_config(
        lab,
        work,
        retry={"retries": retry(lab, deferrals=1, deadline=3, interval=3)},
        rejection={"closed": {"checks": ["relay"], "recipient": "probe2@example.test", "interval": 2}},
    )
    send(lab, write("probe1@example.test"))
    with Daemon(config) as daemon:
        daemon.wait_until(lambda: daemon.value("smtp_probe_drill_healthy", drill="closed") == 1, "a drill")
        daemon.wait_until(
            lambda: daemon.value("smtp_probe_drill_retry_interval_seconds", drill="retries", attempt="2") > 1,
            "the retry drill",
        )
        _, text = daemon.get("/api/v1/drills")
        subjects = {subject["name"]: subject for subject in json.loads(text)["subjects"]}
        assert subjects["closed"]["state"] == "good"
        assert subjects["retries"]["facts"]["kind"] == "retry"
        code, _ = daemon.terminate()
        assert code == 0
    settings = json.loads(config.read_text())
    settings["drills"]["retry"]["retries"] |= {"interval": 86_400, "deadline": 60}
    config.write_text(json.dumps(settings))
    with Daemon(config) as daemon:
        daemon.wait_until(
            lambda: daemon.value("smtp_probe_drill_retry_interval_seconds", drill="retries", attempt="2") > 1,
            "what the drill found before the restart",
            5,
        )
