"""The example for Alertmanager: sound, by its own tool; every alert goes where it should, and none goes by mail."""

import re
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

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
            for each in several.split("|"):
                assert any(re.fullmatch(f"SmtpProbe{each}", name) for name in RUNBOOKS), each


def test_only_the_same_thing_is_silenced():
    """Without labels in common only the absence of everything may silence."""
    for rule in CONFIG["inhibit_rules"]:
        if "SmtpProbeAbsent" not in rule["source_matchers"][0]:
            assert rule["equal"][:2] == ["job", "instance"]
