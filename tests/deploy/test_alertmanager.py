"""The example for Alertmanager: sound, by its own tool; every alert goes where it should, and none goes by mail."""

import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.acceptance.daemon import free_port

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "prometheus" / "alertmanager.yml"
CONFIG = YAML(typ="safe").load(FILE)
RUNBOOKS = {path.stem for path in (ROOT / "docs" / "runbooks").glob("SmtpProbe*.md")}

pytestmark = pytest.mark.lab  # amtool is a program of Debian's


def amtool(*arguments):
    done = subprocess.run(["amtool", *arguments], capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_it_is_sound():
    assert "SUCCESS" in amtool("check-config", str(FILE))


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ({"alertname": "SmtpProbeWatchdog", "severity": "info"}, "dead-mans-switch"),
        ({"alertname": "SmtpProbeRouteDown", "severity": "critical", "route": "r"}, "page"),
        ({"alertname": "SmtpProbeMailboxDown", "severity": "warning"}, "ticket"),
        ({"alertname": "SmtpProbePathChanged", "severity": "info"}, "none"),
        ({"alertname": "SomebodyElses"}, "page"),
    ],
)
def test_an_alert_goes_to_whom_its_severity_concerns(labels, receiver):
    words = [f"{name}={value}" for name, value in labels.items()]

    assert amtool("config", "routes", "test", f"--config.file={FILE}", *words) == receiver


def test_no_receiver_depends_on_the_mail_that_is_watched():
    for receiver in CONFIG["receivers"]:
        assert set(receiver) <= {"name", "webhook_configs"}, "no e-mail"


def matching(matchers):
    """The alerts of ours that matchers on their names choose."""
    found = set(RUNBOOKS)
    for matcher in matchers:
        _, operator, value = re.fullmatch(r"(alertname) (=|=~|!~) \"?(.*?)\"?", matcher).groups()
        pattern = re.compile(value if operator != "=" else re.escape(value))
        found = {name for name in found if bool(pattern.fullmatch(name)) == (operator != "!~")}
    return found


def silenced_by(source):
    return set().union(
        *(
            matching(rule["target_matchers"])
            for rule in CONFIG["inhibit_rules"]
            if matching(rule["source_matchers"]) == {source}
        )
    )


def test_an_observer_that_is_gone_silences_all_but_itself_and_the_watchdog():
    assert silenced_by("SmtpProbeAbsent") == RUNBOOKS - {"SmtpProbeAbsent", "SmtpProbeWatchdog"}


def test_dns_that_is_down_silences_authentication():
    assert "SmtpProbeAuthenticationFailing" in silenced_by("SmtpProbeResolverFailing")
    assert "SmtpProbeRouteDown" not in silenced_by("SmtpProbeResolverFailing")


def test_every_rule_names_alerts_that_exist_and_no_alert_silences_itself():
    for rule in CONFIG["inhibit_rules"]:
        (source,) = matching(rule["source_matchers"])
        targets = matching(rule["target_matchers"])
        assert targets
        assert source not in targets
        for several in re.findall(r"SmtpProbe\((.*)\)", " ".join(rule["target_matchers"])):
            for each in re.split(r"\|(?![^(]*\))", several):
                assert any(re.fullmatch(f"SmtpProbe{each}", name) for name in RUNBOOKS), each


def test_only_the_same_thing_is_silenced():
    """Without labels in common only the absence of everything may silence."""
    for rule in CONFIG["inhibit_rules"]:
        if "SmtpProbeAbsent" not in rule["source_matchers"][0]:
            assert rule["equal"][:2] == ["job", "instance"]


SILENCED = {
    "SmtpProbeResolverFailing": [("SmtpProbeAuthenticationFailing", {"route": "a"})],
    "SmtpProbeJournalFailing": [("SmtpProbeStalled", {"route": "b"})],
    "SmtpProbeMailboxDown": [("SmtpProbeUnobserved", {"route": "c"})],
    "SmtpProbeRouteDown": [
        ("SmtpProbeErrorBudgetBurnFast", {"route": "d"}),
        ("SmtpProbeMailOverdue", {"route": "d"}),
    ],
    "SmtpProbeLegSlow": [("SmtpProbeDeliverySlow", {"route": "e"})],
    "SmtpProbeExchangersDown": [("SmtpProbeExchangerDown", {"domain": "f.example", "host": "mx"})],
}
"""What stays untold while the alert before it fires with the same labels."""
SOURCES = {
    "SmtpProbeRouteDown": {"route": "d"},
    "SmtpProbeLegSlow": {"route": "e", "leg": "inbound"},
    "SmtpProbeExchangersDown": {"domain": "f.example"},
}
"""The labels of those that are about one thing."""


@pytest.fixture
def alertmanager(tmp_path):
    """A real one with the example."""
    url = f"127.0.0.1:{free_port()}"
    with subprocess.Popen(
        [
            "prometheus-alertmanager", f"--config.file={FILE}", f"--storage.path={tmp_path}",
            f"--web.listen-address={url}", "--cluster.listen-address=",
        ],
        stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            yield f"http://{url}/api/v2/alerts"
        finally:
            process.kill()


def ask(url, alerts=None, patience=20.0):
    """Tell Alertmanager of alerts, or ask it for all of them; it may have to come up first."""
    request = urllib.request.Request(url, headers={"Content-Type": "application/json"})
    if alerts is not None:
        request.data = json.dumps([{"labels": labels} for labels in alerts]).encode()
    give_up = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError:
            raise
        except OSError:
            assert time.monotonic() < give_up
            time.sleep(0.05)


def told(url):
    """Name and instance of each alert that is not held back."""
    return {
        (each["labels"]["alertname"], each["labels"].get("instance"))
        for each in ask(url)
        if not each["status"]["inhibitedBy"]
    }


def wait_until_told(url, wanted):
    give_up = time.monotonic() + 10
    while (found := told(url)) != wanted:
        assert time.monotonic() < give_up, (found - wanted, wanted - found)
        time.sleep(0.05)


def test_a_real_one_tells_the_cause_and_not_what_follows_from_it(alertmanager):
    alerts, wanted = [], set()
    for (
        cause,
        follows,
    ) in SILENCED.items():  # each cause at a prober of its own: that of another silences nothing
        alerts.append({"alertname": cause, "instance": cause, "job": "smtp-probe", **SOURCES.get(cause, {})})
        wanted.add((cause, cause))
        for name, labels in follows:
            about = {"alertname": name, "job": "smtp-probe", **labels}
            alerts += [{**about, "instance": instance} for instance in (cause, "other")]
            wanted.add((name, "other"))
    mailbox = {
        "alertname": "SmtpProbeMailboxDown",
        "instance": "SmtpProbeJournalFailing",
        "job": "smtp-probe",
    }
    wanted.add((mailbox["alertname"], mailbox["instance"]))  # has another cause than the disk

    ask(alertmanager, [*alerts, mailbox])
    wait_until_told(alertmanager, wanted)

    nobody_looks = [{"alertname": "SmtpProbeAbsent", "job": "smtp-probe"}, {"alertname": "SmtpProbeWatchdog"}]
    ask(alertmanager, nobody_looks)
    wait_until_told(alertmanager, {("SmtpProbeAbsent", None), ("SmtpProbeWatchdog", None)})
